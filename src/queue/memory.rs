//! The queue of one process: a bounded window over the work that is due.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::lead::{Priority, Ticket, WorkKind};

/// Of twelve turns the hot get eight, the normal three, the low one, so that nobody starves.
const TURNS: [Priority; 12] = {
    use Priority::{Hot, Low, Normal};
    [
        Hot, Hot, Normal, Hot, Hot, Low, Hot, Normal, Hot, Hot, Normal, Hot,
    ]
};

/// A bounded window for each kind of work; tickets for the same row and version are held once.
pub struct Memory {
    window: usize,
    inner: Mutex<Inner>,
    pushed: Notify,
}

#[derive(Default)]
struct Inner {
    lanes: HashMap<WorkKind, Lane>,
    /// Row and version of every ticket that waits or is being dealt with.
    known: HashSet<(i64, i64)>,
    waiting: usize,
}

#[derive(Default)]
struct Lane {
    by_priority: [VecDeque<Ticket>; 3],
    turn: usize,
}

impl Memory {
    /// A window for so many tickets.
    pub fn new(window: usize) -> Self {
        Self {
            window,
            inner: Mutex::default(),
            pushed: Notify::new(),
        }
    }

    pub(super) fn push(&self, tickets: &[Ticket]) {
        let mut inner = self.inner();
        for ticket in tickets {
            let full = inner
                .lanes
                .get(&ticket.kind)
                .is_some_and(|l| l.waiting() >= self.window);
            if full || !inner.known.insert((ticket.work, ticket.version)) {
                continue;
            }
            inner.waiting += 1;
            let lane = inner.lanes.entry(ticket.kind).or_default();
            lane.of(ticket.priority).push_back(*ticket);
        }
        drop(inner);
        self.pushed.notify_waiters();
    }

    pub(super) async fn claim(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        loop {
            let pushed = self.pushed.notified();
            tokio::pin!(pushed);
            // Enabled before looking, so that a push in between is not missed.
            pushed.as_mut().enable();
            let tickets = self.claim_now(kinds, n);
            if !tickets.is_empty() {
                return tickets;
            }
            pushed.await;
        }
    }

    pub(super) fn claim_now(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        let mut inner = self.inner();
        let mut tickets = Vec::new();
        for kind in kinds {
            let Some(lane) = inner.lanes.get_mut(kind) else {
                continue;
            };
            while tickets.len() < n {
                let Some(ticket) = lane.next() else { break };
                tickets.push(ticket);
            }
        }
        inner.waiting -= tickets.len();
        tickets
    }

    pub(super) fn ack(&self, tickets: &[Ticket]) {
        let mut inner = self.inner();
        for ticket in tickets {
            inner.known.remove(&(ticket.work, ticket.version));
        }
    }

    pub(super) fn depth(&self) -> (usize, usize) {
        let inner = self.inner();
        (inner.waiting, inner.known.len() - inner.waiting)
    }

    pub(super) fn room(&self, kind: WorkKind) -> usize {
        let inner = self.inner();
        let waiting = inner.lanes.get(&kind).map_or(0, Lane::waiting);
        self.window.saturating_sub(waiting)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lane {
    fn waiting(&self) -> usize {
        self.by_priority.iter().map(VecDeque::len).sum()
    }

    fn of(&mut self, priority: Priority) -> &mut VecDeque<Ticket> {
        let [hot, normal, low] = &mut self.by_priority;
        match priority {
            Priority::Hot => hot,
            Priority::Normal => normal,
            Priority::Low => low,
        }
    }

    fn next(&mut self) -> Option<Ticket> {
        for _ in 0..TURNS.len() {
            let priority = TURNS.get(self.turn % TURNS.len()).copied()?;
            self.turn = (self.turn + 1) % TURNS.len();
            if let Some(ticket) = self.of(priority).pop_front() {
                return Some(ticket);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(work: i64, priority: Priority) -> Ticket {
        Ticket {
            work,
            lead: work,
            kind: WorkKind::Assign,
            priority,
            version: 1,
        }
    }

    #[test]
    fn the_hot_go_first_without_starving_the_rest_and_nothing_is_held_twice() {
        let queue = Memory::new(100);
        for at in 0..24 {
            let all = [Priority::Hot, Priority::Normal, Priority::Low];
            let tickets: Vec<_> = (0..3)
                .zip(all)
                .map(|(n, p)| ticket(at * 3 + n, p))
                .collect();
            queue.push(&tickets);
            queue.push(&tickets);
        }
        assert_eq!(queue.depth(), (72, 0));
        let first = queue.claim_now(&[WorkKind::Assign], 12);
        let count = |p| first.iter().filter(|t| t.priority == p).count();
        assert_eq!(
            (
                count(Priority::Hot),
                count(Priority::Normal),
                count(Priority::Low)
            ),
            (8, 3, 1)
        );
        queue.push(&first);
        assert_eq!(
            queue.depth(),
            (60, 12),
            "claimed tickets are not held twice"
        );
        queue.ack(&first);
        queue.push(&first);
        assert_eq!(queue.depth(), (72, 0));
        assert_eq!(queue.claim_now(&[WorkKind::Assign], 100).len(), 72);
        assert!(queue.claim_now(&[WorkKind::Mail], 1).is_empty());
    }

    #[test]
    fn the_window_is_bounded() {
        let queue = Memory::new(2);
        queue.push(&[1, 2, 3].map(|n| ticket(n, Priority::Hot)));
        assert_eq!((queue.depth(), queue.room(WorkKind::Assign)), ((2, 0), 0));
        assert_eq!(
            queue.room(WorkKind::Mail),
            2,
            "no kind takes the place of another"
        );
    }
}
