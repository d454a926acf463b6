//! How many notices may be under way to an endpoint, and whether it is left in peace for a while
//! because it keeps failing. Pure but for its memory: the time is told. Knows no network.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::{MINUTE, Millis, SECOND};

/// Failures in a row after which an endpoint rests.
const IN_A_ROW: usize = 10;
/// It rests too when of at least so many in the window …
const WINDOW_MIN: usize = 10;
/// … so many in a hundred failed.
const WINDOW_PERCENT: usize = 70;
const WINDOW: Millis = 5 * MINUTE;
const WINDOW_MAX: usize = 200;
/// How long it rests before one notice tries it again.
const REST: Millis = 30 * SECOND;
/// So many book the next try, one after the other: the first may be gone by then, with its lead.
const BOOKED_MAX: i64 = 3;
const BETWEEN: Millis = 10 * SECOND;
/// Who waits for a place is woken by whoever leaves one; if that was missed, looks again after this.
const LOOK_AGAIN: Millis = 5 * MINUTE;

/// The gates of all endpoints. Clones share them.
#[derive(Clone, Default)]
pub struct Gates {
    inner: Arc<Mutex<HashMap<String, Gate>>>,
}

#[derive(Default)]
struct Gate {
    under_way: usize,
    in_a_row: usize,
    /// When each ended, and whether well.
    recent: VecDeque<(Millis, bool)>,
    resting: Option<Rest>,
}

struct Rest {
    until: Millis,
    /// How many wait to be the one who tries.
    booked: i64,
    /// Somebody tries.
    trying: bool,
}

/// A place at an endpoint; given back when dropped.
pub struct Permit {
    gates: Gates,
    name: String,
    tries: bool,
    over: bool,
}

/// What follows from an exchange's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// How many of those who wait are to be woken.
    pub wake: usize,
    /// The endpoint rests from now on.
    pub began_to_rest: bool,
}

impl Gates {
    /// A place at an endpoint that takes `limit` at once, or when to ask again.
    pub fn enter(&self, name: &str, limit: usize, now: Millis) -> Result<Permit, Millis> {
        let mut gates = self.lock();
        let gate = gates.entry(name.to_owned()).or_default();
        let mut tries = false;
        if let Some(rest) = &mut gate.resting {
            if rest.trying {
                return Err(now + LOOK_AGAIN);
            }
            if now < rest.until {
                if rest.booked == BOOKED_MAX {
                    return Err(now + LOOK_AGAIN);
                }
                let at = rest.until + rest.booked * BETWEEN;
                rest.booked += 1;
                return Err(at);
            }
            rest.trying = true;
            tries = true;
        } else if gate.under_way >= limit {
            return Err(now + LOOK_AGAIN);
        }
        gate.under_way += 1;
        Ok(Permit {
            gates: self.clone(),
            name: name.to_owned(),
            tries,
            over: false,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Gate>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The exchange is over.
    pub fn end(mut self, well: bool, limit: usize, now: Millis) -> Turn {
        self.over = true;
        let mut gates = self.gates.lock();
        let Some(gate) = gates.get_mut(&self.name) else {
            return Turn::default();
        };
        gate.under_way = gate.under_way.saturating_sub(1);
        if gate.resting.is_none() {
            return gate.note(well, now);
        }
        if well {
            *gate = Gate {
                under_way: gate.under_way,
                ..Gate::default()
            };
            return Turn {
                wake: limit,
                began_to_rest: false,
            };
        }
        if !self.tries {
            return Turn::default();
        }
        // One is woken, to book the next try.
        gate.resting = Some(Rest::from(now));
        Turn {
            wake: 1,
            began_to_rest: false,
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut gates = self.gates.lock();
        if let Some(gate) = gates.get_mut(&self.name) {
            gate.under_way = gate.under_way.saturating_sub(1);
            if let Some(rest) = gate.resting.as_mut().filter(|_| self.tries) {
                rest.trying = false;
            }
        }
    }
}

impl Rest {
    fn from(now: Millis) -> Self {
        Self {
            until: now + REST,
            booked: 0,
            trying: false,
        }
    }
}

impl Gate {
    fn note(&mut self, well: bool, now: Millis) -> Turn {
        self.in_a_row = if well { 0 } else { self.in_a_row + 1 };
        self.recent.push_back((now, well));
        let is_old = |(at, _): &(Millis, bool)| now - at > WINDOW;
        while self.recent.len() > WINDOW_MAX || self.recent.front().is_some_and(is_old) {
            self.recent.pop_front();
        }
        let all = self.recent.len();
        let failed = self.recent.iter().filter(|(_, well)| !well).count();
        let many = all >= WINDOW_MIN && failed * 100 >= all * WINDOW_PERCENT;
        let began_to_rest = !well && (self.in_a_row >= IN_A_ROW || many);
        if began_to_rest {
            self.resting = Some(Rest::from(now));
        }
        Turn {
            wake: 1,
            began_to_rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fail(gates: &Gates, times: usize, now: Millis) -> Turn {
        let mut turn = Turn::default();
        for _ in 0..times {
            turn = end(gates, false, now);
        }
        turn
    }

    fn end(gates: &Gates, well: bool, now: Millis) -> Turn {
        gates.enter("crm", 4, now).ok().unwrap().end(well, 4, now)
    }

    #[test]
    fn no_more_than_the_limit_are_under_way_and_who_leaves_wakes_one() {
        let gates = Gates::default();
        let mut held: Vec<_> = (0..3)
            .map(|_| gates.enter("crm", 3, 0).ok().unwrap())
            .collect();
        assert_eq!(gates.enter("crm", 3, 0).err(), Some(LOOK_AGAIN));
        assert!(gates.enter("other", 1, 0).is_ok(), "each has its own");
        let turn = held.pop().unwrap().end(true, 3, 0);
        assert_eq!((turn.wake, turn.began_to_rest), (1, false));
        assert!(gates.enter("crm", 3, 0).is_ok());
        drop(held);
        let again: Vec<_> = (0..4)
            .filter_map(|_| gates.enter("crm", 4, 0).ok())
            .collect();
        assert_eq!(
            again.len(),
            4,
            "a permit that was dropped gives its place back"
        );
    }

    #[test]
    fn an_endpoint_that_keeps_failing_rests_and_one_tries_it_again() {
        let gates = Gates::default();
        assert!(!fail(&gates, 9, 0).began_to_rest);
        assert!(fail(&gates, 1, 0).began_to_rest);
        for at in [REST, REST + BETWEEN, REST + 2 * BETWEEN, 1 + LOOK_AGAIN] {
            assert_eq!(gates.enter("crm", 4, 1).err(), Some(at), "some book a try");
        }
        let one = gates.enter("crm", 4, REST).ok().unwrap();
        assert!(gates.enter("crm", 4, REST).is_err(), "one alone");
        assert_eq!(
            one.end(false, 4, REST),
            Turn {
                wake: 1,
                began_to_rest: false
            }
        );
        assert_eq!(gates.enter("crm", 4, REST).err(), Some(2 * REST));
        let dropped = gates.enter("crm", 4, 2 * REST).ok().unwrap();
        drop(dropped);
        let one = gates.enter("crm", 4, 2 * REST).ok().unwrap();
        assert_eq!(one.end(true, 4, 2 * REST).wake, 4);
        assert!(!fail(&gates, 9, 2 * REST).began_to_rest, "it begins anew");
    }

    #[test]
    fn seven_of_ten_within_five_minutes_are_enough() {
        let gates = Gates::default();
        for n in 0..3 {
            assert!(!end(&gates, true, n).began_to_rest);
        }
        for n in 3..9 {
            assert!(!end(&gates, false, n).began_to_rest);
        }
        assert!(end(&gates, false, 9).began_to_rest);
        let gates = Gates::default();
        for n in 0..20 {
            let turn = end(&gates, n % 3 == 0, n * MINUTE);
            assert!(
                !turn.began_to_rest,
                "slow failures with successes between them"
            );
        }
    }
}
