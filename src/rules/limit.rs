//! How long the rules may take on one lead, by the clock. The engine counts its own steps, but not
//! what a word does within one of them, and a condition that needs no engine counts none. No rule can
//! read this clock: it is the net under the limits that are the same on every machine.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// For all three files together; a lead usually takes a hundred-thousandth of it.
pub(super) const TIME_MAX: Duration = Duration::from_secs(1);
/// A look at the clock costs about as much as a step, so that one in so many steps is enough.
const STEPS_PER_LOOK: u64 = 16;
/// The same for lines.
const LINES_PER_LOOK: u64 = 16;
/// The same for the words of a list.
const ITEMS_PER_LOOK: usize = 256;

thread_local! {
    /// When the lead that this thread decides has had its time; the engine tells whom it calls
    /// nothing but the number of steps.
    static ENDS_AT: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Decides a lead; its time begins now.
pub(super) fn timed<T>(decide: impl FnOnce() -> T) -> T {
    ENDS_AT.set(Instant::now().checked_add(TIME_MAX));
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
    ENDS_AT.get().is_some_and(|end| Instant::now() >= end)
}

/// Whether any of these fits. Gives up when the time is over; what is asked next, or the end of the
/// file, holds the lead then.
pub(super) fn any<T>(items: &[T], fits: impl Fn(&T) -> bool) -> bool {
    let parts = items.chunks(ITEMS_PER_LOOK).enumerate();
    parts
        .map(|(n, part)| (n == 0 || !is_over(), part))
        .any(|(in_time, part)| in_time && part.iter().any(&fits))
}
