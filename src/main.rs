//! Parses the command line and prints errors with cause and hint; knows no stage's inside.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    leadgate::cli::run()
}
