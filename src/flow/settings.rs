//! How leads flow, and how long one may stand still.

use crate::clock::{HOUR, Millis, SECOND};

/// Section `[flow]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// After this long a held lead alarms.
    pub held_alarm_after_ms: Millis,
    /// Whether leads are given to reps; `false` lets them wait, for maintenance.
    pub distribute: bool,
    /// How many leads are fetched from their platforms at once.
    pub fetch_concurrency: usize,
    /// The longest that one request of a fetch may take.
    pub fetch_timeout_ms: Millis,
    /// How many tickets of each kind the queue holds.
    pub queue_window: usize,
    /// The grade of a lead for which no `grade` line applies; empty for none.
    pub default_grade: String,
    /// The pool of a lead for which no `route` line applies; empty for none.
    pub default_pool: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            held_alarm_after_ms: 4 * HOUR,
            distribute: true,
            fetch_concurrency: 8,
            fetch_timeout_ms: 15 * SECOND,
            queue_window: 10_000,
            default_grade: String::new(),
            default_pool: String::new(),
        }
    }
}
