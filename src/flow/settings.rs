//! How leads flow, and how long one may stand still.

use crate::clock::{DAY, HOUR, Millis, SECOND};

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
    /// Section `[retention]`.
    pub retention: Retention,
}

/// How long personal data is kept, by class; `None` for ever. Leads that are not done are kept in
/// any case.
#[derive(Clone, Copy, Debug)]
pub struct Retention {
    /// A submission as it came, from its arrival.
    pub raw_ms: Option<Millis>,
    /// What rejected and invalid leads say, from their last event.
    pub rejected_ms: Option<Millis>,
    /// What leads that were won, lost or never answered say, from their last event.
    pub closed_ms: Option<Millis>,
    /// What platforms' test leads say, from their last event.
    pub test_ms: Option<Millis>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            raw_ms: Some(90 * DAY),
            rejected_ms: Some(180 * DAY),
            closed_ms: Some(3 * 365 * DAY),
            test_ms: Some(30 * DAY),
        }
    }
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
            retention: Retention::default(),
        }
    }
}
