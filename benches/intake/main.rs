//! Measures the intake.
fn main() {}
