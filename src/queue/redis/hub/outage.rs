//! Redis comes and goes: what is on its way then, and what people are told, once an outage.

use super::{ACKS_MAX, Hub, key};
use crate::queue::redis::keys::KINDS;
use crate::queue::redis::order::Order;

impl Hub {
    pub(in crate::queue::redis) fn is_up(&self) -> bool {
        self.state().up
    }

    pub(in crate::queue::redis) fn trouble(&self) -> Option<String> {
        let state = self.state();
        let why = state.trouble.as_ref().or(state.notes.as_ref())?;
        Some(format!("Redis at {}: {why}", self.place))
    }

    /// Redis answers; `notes` are settings that it should not have.
    pub(in crate::queue::redis) fn up(&self, notes: &[String]) {
        let mut state = self.state();
        state.up = true;
        if std::mem::take(&mut state.told) {
            tracing::info!(redis = %self.place, "Redis serves as the queue again");
        }
        state.trouble = None;
        state.notes = (!notes.is_empty()).then(|| notes.join("; "));
        if let Some(why) = &state.notes {
            tracing::warn!(redis = %self.place, %why, "Redis serves as the queue with wrong settings");
        }
    }

    /// Redis does not answer: what was on its way to it goes through memory.
    pub(in crate::queue::redis) fn down(&self, why: &str, lost: Order) {
        let mut state = self.state();
        if std::mem::replace(&mut state.told, true) {
            tracing::debug!(redis = %self.place, %why, "still away");
        } else {
            tracing::warn!(redis = %self.place, %why, "Redis cannot be used; the work goes through memory until it can");
        }
        state.up = false;
        state.trouble = Some(format!("{why}; the work goes through memory"));
        for leaving in lost.acks {
            if state.acks.len() < ACKS_MAX {
                state.acks.insert(key(&leaving.ticket), leaving);
            }
        }
        let mut puts = lost.puts;
        puts.extend(std::mem::take(&mut state.puts).into_values());
        let mut tickets = lost.pushes;
        tickets.extend(state.outbox.drain(..));
        state.given.clear();
        // Those that are still there are read again.
        state.held.clear();
        state.heard = None;
        state.on_way = [0; KINDS];
        state.putting = 0;
        state.known = 0;
        state.lengths = [0; KINDS];
        state.hungry = [false; KINDS];
        state.oldest = None;
        drop(state);
        self.memory.push(&tickets);
        for (leaving, delay) in puts {
            self.memory.put_back(&[leaving.ticket], delay);
        }
    }

    /// Redis answers, and takes nothing more.
    pub(super) fn refused(&self, why: &str) {
        let mut state = self.state();
        if !std::mem::replace(&mut state.told, true) {
            tracing::warn!(redis = %self.place, %why, "Redis takes no more work; it goes through memory until it does");
        }
        state.trouble = Some(format!("{why}; the work goes through memory"));
    }

    pub(super) fn pushing_works(&self, tried: bool) {
        let mut state = self.state();
        if tried && state.up && std::mem::take(&mut state.told) {
            state.trouble = None;
            tracing::info!(redis = %self.place, "Redis takes work again");
        }
    }
}
