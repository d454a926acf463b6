//! The real program, driven as its users drive it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test that cannot go on has failed"
)]

mod backup;
mod channels;
mod crash;
mod dashboard;
mod deliver;
mod endpoints;
mod far_end;
mod forget;
mod fsync;
mod hostile;
mod house;
mod intake;
mod letter;
mod life;
mod mailbox;
mod meta;
mod meta_trouble;
mod metrics;
mod networks;
mod outbound;
mod process;
mod queue;
mod queue_lost;
mod redis;
mod retain;
mod rules;
mod server;
mod service;
mod signatures;
mod store;
mod webhook;
mod webhook_body;
