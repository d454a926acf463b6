//! `leadgate serve`

use std::path::Path;

use super::Failed;
use crate::config::{Config, Format};
use crate::daemon::Daemon;
use crate::telemetry;

pub(super) fn run(config: &Path) -> Result<(), Failed> {
    let config = Config::load(config)?;
    telemetry::start(matches!(config.log.format, Format::Json), &config.log.level);
    super::runtime()?.block_on(async {
        let daemon = Daemon::build(config)?;
        daemon.run_until_stopped().await.map_err(Failed::from)
    })
}
