//! Parses the command line and prints errors with cause and hint; knows no stage's inside.

fn main() {}
