//! How long the rules may take on one lead, by the clock. The engine counts its own steps, but not
//! what a word does within one of them, and a condition that needs no engine counts none. No rule can
//! read this clock: it is the net under the limits that are the same on every machine.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// For all three files together, by the clock and then as much work; a lead usually takes a
/// hundred-thousandth of it.
pub(super) const TIME_MAX: Duration = Duration::from_secs(1);
/// A look at the clock costs about as much as a step, so that one in so many steps is enough.
const STEPS_PER_LOOK: u64 = 16;
/// The same for lines.
const LINES_PER_LOOK: u64 = 16;
/// The same for the words of a list.
const ITEMS_PER_LOOK: usize = 256;

/// When a lead has had its time.
#[derive(Clone, Copy)]
enum End {
    /// Looked at first, since it costs next to nothing.
    Clock(Instant),
    /// Looked at then: a machine that stood still for a second is no reason to hold a lead. By the
    /// processor's time of this thread.
    Work(Duration),
}

thread_local! {
    /// Of the lead that this thread decides; the engine tells whom it calls nothing but the number of
    /// steps.
    static ENDS_AT: Cell<Option<End>> = const { Cell::new(None) };
}

/// Decides a lead; its time begins now.
pub(super) fn timed<T>(decide: impl FnOnce() -> T) -> T {
    ENDS_AT.set(Instant::now().checked_add(TIME_MAX).map(End::Clock));
    let decided = decide();
    ENDS_AT.set(None);
    decided
}

/// Whether the time is over; asked by the engine at every step.
pub(super) fn is_over_at_step(step: u64) -> bool {
    step.is_multiple_of(STEPS_PER_LOOK) && is_over()
}

/// Whether the time is over; asked at every line, since the engine counts each line for itself.
pub(super) fn is_over_at_line(line: u64) -> bool {
    line.is_multiple_of(LINES_PER_LOOK) && is_over()
}

/// Whether the time is over.
pub(super) fn is_over() -> bool {
    match ENDS_AT.get() {
        None => false,
        Some(End::Work(end)) => worked() >= end,
        Some(End::Clock(end)) => {
            if Instant::now() >= end {
                ENDS_AT.set(Some(End::Work(worked() + TIME_MAX)));
            }
            false
        }
    }
}

/// How long this thread has run.
fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

/// Whether any of these fits. Gives up when the time is over; what is asked next, or the end of the
/// file, holds the lead then.
pub(super) fn any<T>(items: &[T], fits: impl Fn(&T) -> bool) -> bool {
    let parts = items.chunks(ITEMS_PER_LOOK).enumerate();
    parts
        .map(|(n, part)| (n == 0 || !is_over(), part))
        .any(|(in_time, part)| in_time && part.iter().any(&fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_in_which_the_machine_stood_still_holds_no_lead() {
        timed(|| {
            let begun = Instant::now();
            while begun.elapsed() <= TIME_MAX {
                std::thread::park_timeout(TIME_MAX);
            }
            assert!(!is_over() && !is_over());
        });
    }
}
