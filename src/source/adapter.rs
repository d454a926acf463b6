//! The platforms, one file each and a row in [`ALL`].

pub(super) mod adf;
pub(super) mod calendly;
mod contact_form_7;
mod elementor;
pub(super) mod form;
mod form_fields;
mod form_page;
mod form_web;
mod formbricks;
pub(super) mod google;
pub(super) mod hubspot;
mod hubspot_contact;
mod hubspot_fetch;
pub(super) mod intercom;
mod jotform;
pub(super) mod leadconduit;
pub(super) mod linkedin;
mod linkedin_lead;
pub(super) mod meta;
mod meta_lead;
mod product;
mod tally;
pub(super) mod tiktok;
mod typeform;
mod unbounce;
mod web_to_lead;
mod webflow;
pub(super) mod webhook;
mod webhook_auth;

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
    &meta::Meta,
    &tiktok::TikTok,
    &leadconduit::LeadConduit,
    &adf::Adf,
    &calendly::Calendly,
    &intercom::Intercom,
    &hubspot::HubSpot,
    &linkedin::LinkedIn,
    &web_to_lead::WebToLead,
];
