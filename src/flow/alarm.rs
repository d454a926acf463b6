//! Tells somebody of trouble: a warning line, a count, and a mail, at most hourly for each cause. A mail
//! that is refused for the present is tried a few times more, for the hour silences what follows it.

use std::sync::{Arc, Mutex, PoisonError};

use super::Flow;
use crate::clock::{HOUR, MINUTE, Millis, SECOND};
use crate::deliver::{AlarmMail, SendResult};

/// How long after each refusal a mail is tried again; after the last it is given up.
const AGAIN_AFTER: [Millis; 3] = [30 * SECOND, 2 * MINUTE, 10 * MINUTE];
/// More mails do not wait; by then the log says often enough what is wrong.
const UNSENT_MAX: usize = 100;

/// What alarms are raised for, each a label of a metric: words, and only a few.
pub(super) const CAUSES: [&str; 11] = [
    "policy_refused",
    "dead_delivery",
    "held",
    "nobody_left",
    "fetch_refused",
    "fetch_failing",
    "endpoint_failing",
    "endpoint_paused",
    "erase",
    "outbox",
    "parked",
];

impl Flow {
    /// `cause` is a word, one of a few; `text` says what happened, without personal data.
    pub fn alarm(&self, cause: &str, text: &str) {
        self.alarm_about(cause, "", text);
    }

    /// The same for a cause that several things may have, each with an hour of its own; `about` names
    /// the thing as the configuration does.
    pub(super) fn alarm_about(&self, cause: &str, about: &str, text: &str) {
        tracing::warn!(cause, "{text}");
        self.metrics.alarmed(cause);
        let now = self.clock.now();
        {
            let Ok(mut alarms) = self.alarms.lock() else {
                return;
            };
            let last = alarms.entry(format!("{cause} {about}"));
            let last = last.or_insert(now - HOUR);
            if now - *last < HOUR {
                return;
            }
            *last = now;
        }
        if self.mail.alarm_to.is_empty() {
            return;
        }
        let subject = format!("leadgate: {} {about}", cause.replace('_', " "));
        let told = (subject.trim_end(), text);
        let mail = |to: &String| Unsent {
            mail: AlarmMail::new(to, told, now),
            cause: cause.to_owned(),
            refused: 0,
            due_at: now,
        };
        self.mail_alarms(self.mail.alarm_to.iter().map(mail).collect());
    }

    /// Tries the mails again whose time has come.
    pub(super) fn mail_alarms_again(&self) {
        let due = self.unsent.due(self.clock.now());
        if !due.is_empty() {
            self.mail_alarms(due);
        }
    }

    fn mail_alarms(&self, mails: Vec<Unsent>) {
        let (deliverer, clock) = (self.deliverer.clone(), self.clock.clone());
        let unsent = self.unsent.clone();
        self.runtime.spawn(async move {
            for mail in mails {
                let result = deliverer.alarm(&mail.mail).await;
                unsent.after(mail, result, clock.now());
            }
        });
    }
}

/// A mail that nobody has taken yet.
struct Unsent {
    mail: AlarmMail,
    cause: String,
    /// How often it was refused for the present.
    refused: usize,
    due_at: Millis,
}

/// The mails that are tried again. Only in memory: what raised an alarm and lasts raises it again
/// after a start.
#[derive(Clone, Default)]
pub(super) struct UnsentAlarms(Arc<Mutex<Vec<Unsent>>>);

impl UnsentAlarms {
    /// Takes out what is due.
    fn due(&self, now: Millis) -> Vec<Unsent> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.extract_if(.., |mail| mail.due_at <= now).collect()
    }

    /// What becomes of a mail after an attempt.
    fn after(&self, mut unsent: Unsent, result: SendResult, now: Millis) {
        let cause = &unsent.cause;
        let why = match result {
            SendResult::Delivered => return,
            SendResult::GiveUp { why } | SendResult::Gone { why } => {
                tracing::warn!(cause, why, "the alarm could not be mailed");
                return;
            }
            SendResult::TryAgain { why, .. } => why,
        };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let again = AGAIN_AFTER.get(unsent.refused);
        let Some(after) = again.filter(|_| waiting.len() < UNSENT_MAX) else {
            tracing::warn!(cause, why, "the alarm could not be mailed; it is given up");
            return;
        };
        tracing::warn!(cause, why, "the alarm could not be mailed yet");
        unsent.refused += 1;
        unsent.due_at = now + after;
        waiting.push(unsent);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsent() -> Unsent {
        Unsent {
            mail: AlarmMail::new("ops@leads.example", ("leadgate: held", "text"), 0),
            cause: "held".into(),
            refused: 0,
            due_at: 0,
        }
    }

    #[test]
    fn a_refused_alarm_is_tried_at_each_step_and_then_given_up() {
        let alarms = UnsentAlarms::default();
        let mut now = 0;
        let mut mail = unsent();
        for step in AGAIN_AFTER {
            alarms.after(mail, SendResult::again("451"), now);
            assert!(alarms.due(now + step - 1).is_empty(), "too early: {step}");
            now += step;
            mail = alarms.due(now).pop().expect("due");
        }
        alarms.after(mail, SendResult::again("451"), now);
        assert!(alarms.due(now + 24 * HOUR).is_empty(), "given up");
    }

    #[test]
    fn only_what_may_still_arrive_waits_and_never_without_bound() {
        let alarms = UnsentAlarms::default();
        alarms.after(unsent(), SendResult::Delivered, 0);
        alarms.after(unsent(), SendResult::never("550"), 0);
        assert!(alarms.due(HOUR).is_empty());
        for _ in 0..2 * UNSENT_MAX {
            alarms.after(unsent(), SendResult::again("timeout"), 0);
        }
        assert_eq!(alarms.due(HOUR).len(), UNSENT_MAX);
    }
}
