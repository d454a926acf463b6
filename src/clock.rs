//! The only place that reads the time of day and that sleeps. Business time can be set by hand in
//! tests; nothing here knows what the time is for.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// Epoch milliseconds, UTC.
pub type Millis = i64;

/// Milliseconds in a second, minute, hour and day.
pub const SECOND: Millis = 1_000;
/// One minute in milliseconds.
pub const MINUTE: Millis = 60 * SECOND;
/// One hour in milliseconds.
pub const HOUR: Millis = 60 * MINUTE;
/// One day of 24 hours in milliseconds.
pub const DAY: Millis = 24 * HOUR;

/// Business time: the system's, or one that a test moves.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    by_hand: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self::default()
    }

    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    pub fn by_hand(start: Millis) -> Self {
        Self {
            by_hand: Some(Arc::new(AtomicI64::new(start))),
        }
    }

    /// The present.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one reader of the system clock"
    )]
    pub fn now(&self) -> Millis {
        self.by_hand.as_ref().map_or_else(
            || jiff::Timestamp::now().as_millisecond(),
            |at| at.load(Ordering::SeqCst),
        )
    }

    /// Moves a clock by hand forward; the system's clock does not move.
    pub fn advance(&self, by_ms: Millis) {
        if let Some(at) = &self.by_hand {
            at.fetch_add(by_ms, Ordering::SeqCst);
        }
    }

    /// Waits in real time: for the pace of background loops, never for business time.
    #[expect(clippy::disallowed_methods, reason = "this is the one sleeper")]
    pub async fn pause(duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// `2026-11-23T09:30:00Z`, for logs and exports.
pub fn iso(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |t| format!("{t:.0}"))
}
