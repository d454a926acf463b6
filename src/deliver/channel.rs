//! Ways to tell somebody. A new one is a file in `channel/` and a row in [`ALL`].

mod email;
mod webhook;

use std::pin::Pin;

use super::templates::Templates;
use super::{Notice, SendResult};

use crate::lead::WorkKind;
use crate::outbound::Outbound;

pub use email::Post;

/// An attempt under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = SendResult> + Send + 'a>>;

/// What channels send by, set up once.
pub struct Ways {
    pub(super) post: Post,
    pub(super) outbound: Outbound,
}

/// A way to tell somebody.
pub trait Channel: Send + Sync {
    /// As it stands in the ledger.
    fn name(&self) -> &'static str;
    /// The kind of work that an attempt is.
    fn work(&self) -> WorkKind;
    /// One attempt. What the far end does is a value; this never panics and never waits for ever.
    fn send<'a>(&self, ways: &'a Ways, notice: &'a Notice, templates: &'a Templates)
    -> Sending<'a>;
}

/// Every channel.
pub const ALL: [&dyn Channel; 2] = [&email::Email, &webhook::Webhook];
