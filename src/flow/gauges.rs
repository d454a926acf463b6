//! Shows how the house stands: what is undecided, due, and standing still.

use super::Flow;
use crate::lead::WorkKind;
use crate::ledger::Fault;
use crate::telemetry::metrics::{OPEN_STAGES, Standing};

impl Flow {
    /// Brings the gauges up to date with the ledger and the queue.
    pub async fn gauge(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let distribute = self.settings.distribute;
        let (undecided, tickets) = (self.undecided(), self.queue.depth());
        let read = self.ledger.read_off(move |r| {
            let mut due = Vec::new();
            for kind in WorkKind::ALL {
                // Leads that are kept waiting on purpose are not late.
                if kind == WorkKind::Assign && !distribute {
                    continue;
                }
                let (n, since) = r.how_much_is_due(kind, now)?;
                due.push((kind, n, since));
            }
            let mut leads = Vec::new();
            for stage in OPEN_STAGES {
                leads.push((stage, r.how_many_stand_in(stage)?));
            }
            Ok((due, leads))
        });
        let (due, leads) = read.await?;
        let standing = Standing {
            undecided,
            tickets,
            due,
            leads,
        };
        self.metrics.stand(&standing, now);
        Ok(())
    }
}
