//! The platforms, one file each and a row in [`ALL`].

pub(super) mod form;
mod form_fields;
mod form_page;
mod form_web;
pub(super) mod google;
mod product;
mod tally;
mod typeform;
mod webflow;
pub(super) mod webhook;

use super::Adapter;

/// Every platform.
pub const ALL: &[&dyn Adapter] = &[
    &form::Form,
    &webhook::Webhook,
    &google::Google,
    &typeform::Typeform,
    &webflow::Webflow,
    &tally::Tally,
];
