//! Parses the command line and prints errors with cause and hint; knows no stage's inside.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Huge pages, which the allocator asks for, were a third of the daemon's memory and made nothing
    // faster. Where the kernel knows no such wish it costs memory and nothing else.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    leadgate::cli::run()
}
