//! leadgate catches every advertising response, decides by rules that a marketer can read, and
//! tells the right rep.

pub mod source;

pub mod rules;

pub mod route;

pub mod deliver;

pub mod lead;

pub mod clock;
pub mod problem;
pub mod secret;
