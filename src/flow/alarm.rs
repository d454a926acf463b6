//! Tells somebody of trouble: a warning line, a count, and a mail, at most hourly for each cause.

use super::Flow;
use crate::clock::HOUR;
use crate::deliver::SendResult;

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
        let (deliverer, text, cause) = (self.deliverer.clone(), text.to_owned(), cause.to_owned());
        self.runtime.spawn(async move {
            match deliverer.alarm(subject.trim_end(), &text).await {
                SendResult::Delivered => {}
                SendResult::TryAgain { why, .. }
                | SendResult::GiveUp { why }
                | SendResult::Gone { why } => {
                    tracing::warn!(cause, why, "the alarm could not be mailed");
                }
            }
        });
    }
}
