//! Ways to tell somebody. A new one is a file in `channel/` and a row in [`ALL`].

mod email;

use std::pin::Pin;

use super::templates::Templates;
use super::{Notice, SendResult};

pub use email::Post;

/// An attempt under way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = SendResult> + Send + 'a>>;

/// A way to tell somebody.
pub trait Channel: Send + Sync {
    /// As it stands in the ledger.
    fn name(&self) -> &'static str;
    /// One attempt. What the far end does is a value; this never panics and never waits for ever.
    fn send<'a>(&self, post: &'a Post, notice: &'a Notice, templates: &'a Templates)
    -> Sending<'a>;
}

/// Every channel.
pub const ALL: [&dyn Channel; 1] = [&email::Email];
