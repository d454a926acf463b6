//! The platforms, one file each and a row in [`ALL`].

pub(super) mod form;
mod form_fields;
mod form_page;
mod form_web;
pub(super) mod google;
pub(super) mod meta;
mod meta_lead;
pub(super) mod webhook;

use super::Adapter;

/// Every platform.
pub const ALL: [&dyn Adapter; 4] = [&form::Form, &webhook::Webhook, &google::Google, &meta::Meta];
