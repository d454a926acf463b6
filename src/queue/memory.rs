//! The queue of one process: a bounded window over the work that is due.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::select_all;
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::lead::{Priority, Ticket, WorkKind};

/// Of twelve turns the hot get eight, the normal three, the low one, so that nobody starves.
const TURNS: [Priority; 12] = {
    use Priority::{Hot, Low, Normal};
    [
        Hot, Hot, Normal, Hot, Hot, Low, Hot, Normal, Hot, Hot, Normal, Hot,
    ]
};

/// How many of `n` tickets each priority gets from this turn on, and the turn after them.
pub(super) fn quotas(turn: usize, n: usize) -> ([usize; 3], usize) {
    let mut quotas = [0; 3];
    let [hot, normal, low] = &mut quotas;
    for priority in TURNS.iter().cycle().skip(turn % TURNS.len()).take(n) {
        match priority {
            Priority::Hot => *hot += 1,
            Priority::Normal => *normal += 1,
            Priority::Low => *low += 1,
        }
    }
    (quotas, (turn + n) % TURNS.len())
}

/// A bounded window for each kind of work; tickets for the same row and version are held once.
pub struct Memory {
    window: usize,
    inner: Mutex<Inner>,
    /// One a kind: who works on one is not woken for another.
    pushed: HashMap<WorkKind, Notify>,
}

#[derive(Default)]
struct Inner {
    lanes: HashMap<WorkKind, Lane>,
    /// Row and version of every ticket that waits or is being dealt with.
    known: HashSet<(i64, i64)>,
    waiting: usize,
    /// Put back until then; in no order, since they are few.
    later: Vec<(Instant, Ticket)>,
}

#[derive(Default)]
struct Lane {
    by_priority: [VecDeque<(Instant, Ticket)>; 3],
    turn: usize,
}

impl Memory {
    /// A window for so many tickets.
    pub fn new(window: usize) -> Self {
        Self {
            window,
            inner: Mutex::default(),
            pushed: WorkKind::ALL.map(|kind| (kind, Notify::new())).into(),
        }
    }

    pub(super) fn push(&self, tickets: &[Ticket]) {
        let mut inner = self.inner();
        let (now, mut added) = (Instant::now(), HashSet::new());
        for ticket in tickets {
            let full = inner
                .lanes
                .get(&ticket.kind)
                .is_some_and(|l| l.waiting() >= self.window);
            if full || !inner.known.insert((ticket.work, ticket.version)) {
                continue;
            }
            inner.waiting += 1;
            inner.line_up(now, *ticket);
            added.insert(ticket.kind);
        }
        drop(inner);
        self.wake(added);
    }

    fn wake(&self, kinds: HashSet<WorkKind>) {
        for kind in kinds {
            if let Some(pushed) = self.pushed.get(&kind) {
                pushed.notify_waiters();
            }
        }
    }

    pub(super) async fn claim(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        loop {
            let pushed = kinds.iter().filter_map(|kind| self.pushed.get(kind));
            let mut pushed: Vec<_> = pushed.map(|pushed| Box::pin(pushed.notified())).collect();
            // Enabled before looking, so that a push in between is not missed.
            for pushed in &mut pushed {
                pushed.as_mut().enable();
            }
            let pushed = select_all(pushed);
            let tickets = self.claim_now(kinds, n);
            if !tickets.is_empty() {
                return tickets;
            }
            let next = self.inner().later.iter().map(|(at, _)| *at).min();
            match next {
                None => drop(pushed.await),
                Some(at) => tokio::select! {
                    _ = pushed => {}
                    () = Clock::pause(at.saturating_duration_since(Instant::now())) => {}
                },
            }
        }
    }

    pub(super) fn claim_now(&self, kinds: &[WorkKind], n: usize) -> Vec<Ticket> {
        let mut inner = self.inner();
        inner.bring_back(Instant::now());
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

    pub(super) fn put_back(&self, tickets: &[Ticket], delay: Duration) {
        let mut inner = self.inner();
        let at = Instant::now() + delay;
        for ticket in tickets {
            inner.known.insert((ticket.work, ticket.version));
            inner.waiting += 1;
            inner.later.push((at, *ticket));
        }
        drop(inner);
        self.wake(tickets.iter().map(|ticket| ticket.kind).collect());
    }

    pub(super) fn depth(&self) -> (usize, usize) {
        let inner = self.inner();
        let claimed = inner.known.len().saturating_sub(inner.waiting);
        (inner.waiting, claimed)
    }

    pub(super) fn room(&self, kind: WorkKind) -> usize {
        self.window.saturating_sub(self.waiting(kind))
    }

    /// How many tickets of a kind can be claimed now.
    pub(super) fn waiting(&self, kind: WorkKind) -> usize {
        self.inner().lanes.get(&kind).map_or(0, Lane::waiting)
    }

    /// Whether the ticket waits or is being dealt with.
    pub(super) fn knows(&self, ticket: &Ticket) -> bool {
        let inner = self.inner();
        inner.known.contains(&(ticket.work, ticket.version))
    }

    pub(super) fn oldest_age(&self) -> Option<Duration> {
        let inner = self.inner();
        let fronts = inner.lanes.values().flat_map(|lane| &lane.by_priority);
        let oldest = fronts.filter_map(|line| Some(line.front()?.0)).min()?;
        Some(oldest.elapsed())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn line_up(&mut self, at: Instant, ticket: Ticket) {
        let lane = self.lanes.entry(ticket.kind).or_default();
        lane.of(ticket.priority).push_back((at, ticket));
    }

    /// What was put back and has come due lines up again.
    fn bring_back(&mut self, now: Instant) {
        if self.later.is_empty() {
            return;
        }
        let (due, later) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.later = later;
        let due: Vec<(Instant, Ticket)> = due;
        for (at, ticket) in due {
            self.line_up(at, ticket);
        }
    }
}

impl Lane {
    fn waiting(&self) -> usize {
        self.by_priority.iter().map(VecDeque::len).sum()
    }

    fn of(&mut self, priority: Priority) -> &mut VecDeque<(Instant, Ticket)> {
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
            if let Some((_, ticket)) = self.of(priority).pop_front() {
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
