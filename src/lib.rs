//! leadgate catches every advertising response, decides by rules that a marketer can read, and
//! tells the right rep.
//!
//! ```text
//!  ad platform / web form                                             rep · CRM
//!         │ POST /in/{source}                                           ▲   │ link in the mail
//!         ▼                                                             │   ▼
//!      intake: source::admit ──► flow::receive ──► ledger ──► 2xx       │  outcome
//!                      │ first commit: submission + keys, then in order │   │
//!                      ▼                                                │   ▼
//!               flow::decide: seen ─► rules                             │  flow::report
//!                      │  second commit: lead, facts, events, work      │   │
//!                      ▼                                                │   ▼
//!                   queue::push(ticket)                                 │  ledger
//!                      ▼                                                │
//!    worker ─► flow::assign ─► route::assign in one transaction [Offered + deliveries]
//!                      ▼                                                │
//!              flow::notify ─► deliver::send ─► attempts ───────────────┘
//!    flow::sweep: everything due is pushed again; nothing depends on the queue remembering
//! ```
//!
//! A 2xx means it is on disk. No lead without an owner, a reason, or a next time. Every decision
//! explains itself.
//!
//! Read in this order: this page, `flow/mod.rs`, `lead/stage.rs`, `lead/event.rs`, one adapter in
//! `source/adapter`, `rules/screen.rhai`, one channel in `deliver/channel`.

pub mod intake;

pub mod flow;

pub mod source;

pub mod rules;

pub mod queue;

pub mod route;

pub mod deliver;

pub mod outcome;

pub mod ledger;

pub mod worker;

pub mod daemon;

pub mod cli;

pub mod config;

pub mod lead;

pub mod clock;
pub mod document;
pub mod http;
pub mod link;
pub mod money;
pub mod outbound;
pub mod problem;
pub mod sample;
pub mod secret;
pub mod telemetry;
pub mod text;
