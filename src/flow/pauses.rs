//! Credentials that a platform refuses or that are used up, and platforms that fail whoever asks:
//! everything that needs one of them waits, and one request at a time finds out whether it works
//! again. Kept in memory: after a start the first request tells.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::clock::{DAY, HOUR, MINUTE, Millis, SECOND};

/// How long a credential rests after each refusal in a row; the last stands for all further ones.
const STEPS: [Millis; 4] = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR];
/// A platform that names a time is believed within these bounds.
const AFTER_MIN: Millis = 30 * SECOND;
const AFTER_MAX: Millis = HOUR;
/// After so long leads no longer wait for a credential: they are held, and people are alarmed.
pub(super) const PATIENCE: Millis = DAY;

/// So many failures in a row are the platform's, and no longer one lead's.
const FAILURES: usize = 8;

/// A source and the name of one of its credentials, or of the platform as a whole.
pub(super) type Key = (String, String);

#[derive(Default)]
pub(super) struct Pauses {
    pauses: Mutex<HashMap<Key, Pause>>,
    failures: Mutex<HashMap<Key, usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) why: String,
    pub(super) since: Millis,
    pub(super) until: Millis,
    /// Whether leads are held after [`PATIENCE`]; what fails by itself may get well by itself.
    pub(super) holds: bool,
    refusals: usize,
    /// A request is finding out; the others wait until it must have ended.
    trying: bool,
}

impl Pauses {
    /// The pause that stands in the way. Where one has passed, whoever asks first is let through,
    /// and has `try_for` to find out.
    pub(super) fn of(&self, key: &Key, now: Millis, try_for: Millis) -> Option<Pause> {
        let mut pauses = self.lock();
        let pause = pauses.get_mut(key)?;
        if pause.until > now {
            return Some(pause.clone());
        }
        (pause.until, pause.trying) = (now + try_for, true);
        None
    }

    /// The credential was refused, or is used up for `after_ms`.
    pub(super) fn begin(
        &self,
        key: Key,
        why: &str,
        after_ms: Option<Millis>,
        now: Millis,
    ) -> Pause {
        let mut pauses = self.lock();
        let pause = pauses.entry(key).or_insert_with(|| Pause {
            why: String::new(),
            since: now,
            until: now,
            holds: true,
            refusals: 0,
            trying: true,
        });
        why.clone_into(&mut pause.why);
        // Of those that were under way together, only the first counts.
        if pause.trying || pause.until <= now {
            let step = STEPS.get(pause.refusals).or(STEPS.last());
            let told = after_ms.map(|ms| ms.clamp(AFTER_MIN, AFTER_MAX));
            pause.until = now + told.or(step.copied()).unwrap_or(AFTER_MAX);
            pause.refusals += 1;
            pause.trying = false;
        }
        pause.clone()
    }

    /// A request failed for no reason that was told. After many in a row all but one wait for a short
    /// while; whether that begins now.
    pub(super) fn failed(&self, key: &Key, why: &str, now: Millis) -> bool {
        let in_a_row = {
            let mut failures = lock(&self.failures);
            let in_a_row = failures.entry(key.clone()).or_default();
            *in_a_row += 1;
            *in_a_row
        };
        if in_a_row < FAILURES {
            return false;
        }
        self.begin(key.clone(), why, Some(AFTER_MIN), now);
        if let Some(pause) = self.lock().get_mut(key) {
            pause.holds = false;
        }
        in_a_row == FAILURES
    }

    /// It works; whether there was a pause.
    pub(super) fn end(&self, key: &Key) -> bool {
        lock(&self.failures).remove(key);
        self.lock().remove(key).is_some()
    }

    /// Credentials may have been replaced.
    pub(super) fn forget(&self) {
        lock(&self.failures).clear();
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Pause>> {
        lock(&self.pauses)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_credential_rests_longer_each_time_and_is_tried_by_one() {
        let pauses = Pauses::default();
        let key = || ("meta".to_owned(), "access_token".to_owned());
        let mut now = 0;
        assert_eq!(pauses.of(&key(), now, SECOND), None);
        for step in [1, 5, 15, 60, 60] {
            let begun = pauses.begin(key(), "190", None, now);
            assert_eq!(begun.until, now + step * MINUTE);
            // The others that were under way change nothing.
            assert_eq!(pauses.begin(key(), "190", None, now).until, begun.until);
            assert!(pauses.of(&key(), begun.until - 1, SECOND).is_some());
            now = begun.until;
            assert_eq!(pauses.of(&key(), now, SECOND), None, "one finds out");
            assert!(pauses.of(&key(), now, SECOND).is_some(), "the others wait");
        }
        for (told, rests) in [(7 * MINUTE, 7 * MINUTE), (0, AFTER_MIN), (DAY, AFTER_MAX)] {
            let begun = pauses.begin(key(), "32", Some(told), now);
            assert_eq!(begun.until, now + rests, "{told}");
            now = begun.until;
            assert_eq!(pauses.of(&key(), now, SECOND), None);
        }
        assert!(pauses.end(&key()) && !pauses.end(&key()));
        assert_eq!(pauses.of(&key(), now, SECOND), None);
    }
}
