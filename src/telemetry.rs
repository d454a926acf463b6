//! What can be seen of a running process: structured logs on standard error, metrics, and what the
//! service manager is told, all without personal data. Knows no stage.

pub mod metrics;
pub mod systemd;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging; `json` for machines. A second call changes nothing.
pub fn start(json: bool, level: &str) {
    let filter = EnvFilter::try_new(format!("{level},actix_server=warn,mio=warn"))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // Where nothing can be written, saying so would end the thread that tried.
        .log_internal_errors(false);
    let _ = if json {
        logs.json().try_init()
    } else {
        logs.compact().try_init()
    };
}
