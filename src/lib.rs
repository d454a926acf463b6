//! leadgate catches every advertising response, decides by rules that a marketer can read, and
//! tells the right rep.

pub mod intake;

pub mod flow;

pub mod source;

pub mod rules;

pub mod route;

pub mod deliver;

pub mod queue;

pub mod ledger;

pub mod config;

pub mod lead;

pub mod clock;
pub mod document;
pub mod link;
pub mod problem;
pub mod sample;
pub mod secret;
