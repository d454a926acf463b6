//! Pushes what is due again, so that nothing depends on the queue remembering.

use super::Flow;
use crate::lead::Priority;
use crate::ledger::Fault;

impl Flow {
    /// Fills the queue's window from the ledger; returns how many tickets were pushed.
    pub async fn sweep(&self) -> Result<usize, Fault> {
        let room = self.queue.room();
        if room == 0 {
            return Ok(0);
        }
        let limit = i64::try_from(room).unwrap_or(i64::MAX);
        let now = self.clock.now();
        let tickets = self
            .ledger
            .read_off(move |r| {
                let mut tickets = Vec::new();
                for priority in [Priority::Hot, Priority::Normal, Priority::Low] {
                    tickets.extend(r.due(priority, now, limit)?);
                }
                Ok(tickets)
            })
            .await?;
        self.queue.push(&tickets);
        Ok(tickets.len())
    }
}
