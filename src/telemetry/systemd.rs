//! What the service manager is told; where there is none (no `NOTIFY_SOCKET`), nothing happens. The
//! variables of that protocol are read here, by its library, and are no configuration of ours.

use std::time::Duration;

use sd_notify::NotifyState;

/// It serves.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// It reads its policy anew; `ready` follows.
pub fn reloading() {
    // The time belongs to it: newer managers refuse a reload without one.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "no monotonic time"),
    }
}

/// It finishes what is under way and ends.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// It is alive.
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How long it may be silent; `None` where nobody watches it.
pub fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|silence| !silence.is_zero())
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
