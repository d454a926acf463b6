//! The platforms, one file each and a row in [`ALL`].

pub(super) mod adf;
pub(super) mod calendly;
pub(super) mod form;
mod form_fields;
mod form_page;
mod form_web;
pub(super) mod google;
pub(super) mod hubspot;
mod hubspot_contact;
mod hubspot_fetch;
pub(super) mod intercom;
pub(super) mod leadconduit;
pub(super) mod linkedin;
mod linkedin_lead;
pub(super) mod meta;
mod meta_lead;
pub(super) mod tiktok;
pub(super) mod webhook;

use super::Adapter;

/// Every platform.
pub const ALL: &[&dyn Adapter] = &[
    &form::Form,
    &webhook::Webhook,
    &google::Google,
    &meta::Meta,
    &tiktok::TikTok,
    &leadconduit::LeadConduit,
    &adf::Adf,
    &calendly::Calendly,
    &intercom::Intercom,
    &hubspot::HubSpot,
    &linkedin::LinkedIn,
];
