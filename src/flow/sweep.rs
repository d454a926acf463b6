//! Pushes what is due again, so that nothing depends on the queue remembering. Alarms that could not be
//! mailed go with it.

use super::Flow;
use crate::lead::{Priority, WorkKind};
use crate::ledger::Fault;

impl Flow {
    /// Fills the queue's windows from the ledger; returns how many tickets were pushed.
    pub async fn sweep(&self) -> Result<usize, Fault> {
        // First, and whatever the ledger is like: the alarm may be about it.
        self.mail_alarms_again();
        self.follow_forgotten().await?;
        let now = self.clock.now();
        let rooms = WorkKind::ALL.map(|kind| (kind, self.queue.room(kind)));
        let distribute = self.settings.distribute;
        let tickets = self
            .ledger
            .read_off(move |r| {
                let mut tickets = Vec::new();
                for (kind, room) in rooms {
                    if kind == WorkKind::Assign && !distribute {
                        continue;
                    }
                    let limit = i64::try_from(room).unwrap_or(i64::MAX);
                    for priority in [Priority::Hot, Priority::Normal, Priority::Low] {
                        tickets.extend(r.due((kind, priority), now, limit)?);
                    }
                }
                Ok(tickets)
            })
            .await?;
        self.queue.push(&tickets);
        Ok(tickets.len())
    }
}
