//! A changed policy is taken over without a restart: on SIGHUP, or when its files change.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::Signal;

use super::assemble;
use crate::clock::Clock;
use crate::config;
use crate::config::Config;
use crate::flow::Flow;
use crate::problem::Problem;
use crate::telemetry::systemd;

/// How long after trouble it is tried again to hold what is there against a new policy.
const SETTLE_AGAIN: Duration = Duration::from_secs(2);

pub(super) async fn reload(config: &Config, flow: &Arc<Flow>) -> Result<bool, Vec<Problem>> {
    let (config, publishing) = (config.clone(), flow.clone());
    let published = tokio::task::spawn_blocking(move || {
        let policy = assemble(&config)?;
        publishing
            .publish(policy)
            .map_err(|fault| vec![Problem::in_file("the ledger", fault.to_string())])
    });
    let published = published.await.unwrap_or(Ok(false));
    flow.metrics.policy_loaded(published.is_ok());
    published
}

/// At a `hangup`, or 500 ms after the last change of a file.
pub(super) async fn reload_on_change(config: Config, flow: Arc<Flow>, mut hangup: Signal) {
    let (tell, mut changed) = tokio::sync::mpsc::channel(1);
    let _watcher = watch(&config.policy, tell);
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            () = Clock::pause(SETTLE_AGAIN), if flow.is_unsettled() => {
                let settling = flow.clone();
                let _ = tokio::task::spawn_blocking(move || settling.settle()).await;
                continue;
            }
            change = changed.recv() => {
                if change.is_none() {
                    return;
                }
                let quiet = Duration::from_millis(500);
                while let Ok(Some(())) = tokio::time::timeout(quiet, changed.recv()).await {}
            }
        }
        systemd::reloading();
        let reloaded = reload(&config, &flow).await;
        systemd::ready();
        match reloaded {
            Ok(_) => {}
            Err(problems) => {
                for problem in &problems {
                    tracing::error!(at = %problem.one_line(), "the changed policy is refused");
                }
                let first = problems.first().map(Problem::one_line).unwrap_or_default();
                let text = format!(
                    "{} problems, the old policy stays at work; the first: {first}",
                    problems.len()
                );
                flow.alarm("policy_refused", &text);
            }
        }
    }
}

fn watch(
    policy: &config::Policy,
    tell: tokio::sync::mpsc::Sender<()>,
) -> Option<notify::RecommendedWatcher> {
    use notify::{RecursiveMode, Watcher};
    let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let relevant = event.is_ok_and(|e| !e.kind.is_access());
        if relevant {
            let _ = tell.try_send(());
        }
    });
    let mut watcher = watcher
        .inspect_err(|error| tracing::warn!(%error, "not watching"))
        .ok()?;
    // Folders are watched, not files: editors replace a file, and mounts swap a link.
    let folders = [
        Some(policy.rules.as_path()),
        policy.sources.parent(),
        policy.reps.parent(),
        policy.endpoints.parent(),
    ];
    for folder in folders.into_iter().flatten() {
        let _ = watcher.watch(folder, RecursiveMode::Recursive);
    }
    Some(watcher)
}
