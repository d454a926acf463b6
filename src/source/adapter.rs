//! The platforms, one file each and a row in [`ALL`].

mod contact_form_7;
mod elementor;
pub(super) mod form;
mod form_fields;
mod form_page;
mod form_web;
mod formbricks;
pub(super) mod google;
mod jotform;
mod product;
mod tally;
mod typeform;
mod unbounce;
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
    &jotform::Jotform,
    &elementor::Elementor,
    &contact_form_7::ContactForm7,
    &unbounce::Unbounce,
    &formbricks::Formbricks,
];
