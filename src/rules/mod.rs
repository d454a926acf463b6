//! Rules that a marketer can read: lead and facts in, verdict and trace out. Pure: no I/O of any
//! kind, no clock, no randomness.
