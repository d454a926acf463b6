//! What the callers and the tasks of one process share: tickets on their way to Redis and what its
//! last answer said. Never waits for the network.

mod outage;

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::keys::{KINDS, kind_at};
use super::order::{Answer, Entry, Leaving, Order};
use crate::lead::{Ticket, WorkKind};
use crate::queue::memory::{Memory, quotas};

/// How many tickets of a kind a process holds ready for its lanes.
const READY: usize = 256;
/// The most pushes in one exchange: a longer script would hold up others.
const PUSHES_MAX: usize = 512;
/// Acknowledgements kept for a Redis that is away; the rest is found out when it is back.
const ACKS_MAX: usize = 20_000;
/// A ticket that Redis took is not pushed again for so long, though the sweep finds it due.
const PUSH_AGAIN: Duration = Duration::from_secs(10);

/// Row and version.
type Key = (i64, i64);

/// The shared state and the window in memory.
pub(super) struct Hub {
    pub(super) memory: Memory,
    /// Something is to be exchanged.
    pub(super) exchange: Notify,
    /// Another set of kinds is to be waited for.
    pub(super) watch: Notify,
    window: usize,
    place: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    up: bool,
    /// Whether the present trouble was told.
    told: bool,
    trouble: Option<String>,
    /// What is wrong with its settings.
    notes: Option<String>,
    resume: bool,
    outbox: VecDeque<Ticket>,
    /// Pushes of each kind that wait or are in the exchange that is under way.
    on_way: [usize; KINDS],
    /// Put-backs in that exchange.
    putting: usize,
    acks: HashMap<Key, Leaving>,
    strays: Vec<(usize, String)>,
    puts: HashMap<Key, (Leaving, Duration)>,
    /// While an exchange is under way, what the waiting read brings: it goes behind the exchange's,
    /// which chose by priority.
    heard: Option<Vec<Entry>>,
    /// The entries of the tickets that this process holds.
    held: HashMap<Key, String>,
    /// When a ticket was given to Redis.
    given: HashMap<Key, Instant>,
    known: usize,
    lengths: [usize; KINDS],
    next_due: Option<Instant>,
    oldest: Option<(Instant, Duration)>,
    /// The connection that reads, or is about to.
    reading: Option<i64>,
    /// Whether Redis had nothing more of a kind.
    hungry: [bool; KINDS],
    turns: [usize; KINDS],
}

fn key(ticket: &Ticket) -> Key {
    (ticket.work, ticket.version)
}

impl Hub {
    pub(super) fn new(window: usize, place: String) -> Self {
        Self {
            memory: Memory::new(window),
            exchange: Notify::new(),
            watch: Notify::new(),
            window,
            place,
            state: Mutex::default(),
        }
    }

    pub(super) fn push(&self, tickets: &[Ticket]) {
        let mut state = self.state();
        if !state.up {
            drop(state);
            self.memory.push(tickets);
            return;
        }
        let now = Instant::now();
        for ticket in tickets {
            let given = state.given.get(&key(ticket));
            let there = given.is_some_and(|at| now.duration_since(*at) < PUSH_AGAIN);
            if there || self.room_in(&state, ticket.kind) == 0 || self.memory.knows(ticket) {
                continue;
            }
            state.given.insert(key(ticket), now);
            state.outbox.push_back(*ticket);
            if let Some(n) = state.on_way.get_mut(kind_at(ticket.kind)) {
                *n += 1;
            }
        }
        let any = !state.outbox.is_empty();
        drop(state);
        if any {
            self.exchange.notify_one();
        }
    }

    /// Lanes have taken tickets of these kinds, so that more may be claimed.
    pub(super) fn claimed(&self, kinds: &[WorkKind]) {
        let state = self.state();
        let more = |kind: &WorkKind| state.hungry.get(kind_at(*kind)) == Some(&false);
        if state.up && kinds.iter().any(more) {
            self.exchange.notify_one();
        }
    }

    pub(super) fn ack(&self, tickets: &[Ticket]) {
        let mut state = self.state();
        for ticket in tickets {
            state.given.remove(&key(ticket));
            let leaving = leaving(&mut state, *ticket);
            if state.acks.len() < ACKS_MAX {
                state.acks.insert(key(ticket), leaving);
            }
        }
        // Only now: until it is among the acks, an entry that is read again must find it known.
        self.memory.ack(tickets);
        if state.up {
            self.exchange.notify_one();
        }
    }

    pub(super) fn put_back(&self, tickets: &[Ticket], delay: Duration) {
        let mut state = self.state();
        if !state.up {
            drop(state);
            self.memory.put_back(tickets, delay);
            return;
        }
        let now = Instant::now();
        for ticket in tickets {
            let leaving = leaving(&mut state, *ticket);
            state.given.insert(key(ticket), now);
            state.puts.insert(key(ticket), (leaving, delay));
        }
        self.memory.ack(tickets);
        self.exchange.notify_one();
    }

    pub(super) fn depth(&self) -> (usize, usize) {
        let state = self.state();
        let (waiting, claimed) = self.memory.depth();
        let there = state.known.max(waiting + claimed);
        let all = there + state.on_way.iter().sum::<usize>() + state.puts.len() + state.putting;
        (all - claimed, claimed)
    }

    pub(super) fn room(&self, kind: WorkKind) -> usize {
        let state = self.state();
        if state.up {
            return self.room_in(&state, kind);
        }
        self.memory.room(kind)
    }

    fn room_in(&self, state: &State, kind: WorkKind) -> usize {
        let of = |counts: &[usize; KINDS]| counts.get(kind_at(kind)).copied().unwrap_or_default();
        self.window
            .saturating_sub(of(&state.lengths) + of(&state.on_way))
    }

    pub(super) fn oldest_age(&self) -> Option<Duration> {
        let state = self.state();
        if !state.up {
            drop(state);
            return self.memory.oldest_age();
        }
        let (asked, age) = state.oldest?;
        Some(age + asked.elapsed())
    }

    /// What the next exchange brings; the pushes count as sent until it is answered.
    pub(super) fn order(&self) -> Order {
        let mut state = self.state();
        state.heard = Some(Vec::new());
        let resume = std::mem::take(&mut state.resume);
        let acks = std::mem::take(&mut state.acks).into_values().collect();
        let strays = std::mem::take(&mut state.strays);
        let puts: Vec<_> = std::mem::take(&mut state.puts).into_values().collect();
        let n = state.outbox.len().min(PUSHES_MAX);
        let pushes: Vec<_> = state.outbox.drain(..n).collect();
        state.putting = puts.len();
        let mut wants = Vec::new();
        for (at, kind) in WorkKind::ALL.into_iter().enumerate() {
            let want = READY.saturating_sub(self.memory.waiting(kind));
            if let Some(turn) = state.turns.get_mut(at)
                && want > 0
            {
                let (quota, next) = quotas(*turn, want);
                *turn = next;
                wants.push((at, quota));
            }
        }
        drop(state);
        let mut order = Order {
            resume,
            acks,
            strays,
            puts,
            pushes,
            wants,
        };
        order.sort();
        order
    }

    /// Takes over what an exchange brought; whether there is more to exchange at once.
    pub(super) fn answered(&self, order: &Order, answer: Answer) -> bool {
        let refused = order.pushes.get(answer.pushed..).unwrap_or_default();
        let unput = order.puts.get(answer.put..).unwrap_or_default();
        let mut got = [0; KINDS];
        let mut entries = answer.entries;
        let claimed = entries.split_off(answer.resumed.min(entries.len()));
        self.received(entries, &mut [0; KINDS]);
        self.received(claimed, &mut got);
        let mut state = self.state();
        let heard = state.heard.take().unwrap_or_default();
        if answer.fresh {
            state.given.clear();
        }
        for ticket in refused {
            state.given.remove(&key(ticket));
        }
        for (at, quota) in &order.wants {
            if let (Some(hungry), Some(got)) = (state.hungry.get_mut(*at), got.get(*at)) {
                *hungry = *got < quota.iter().sum::<usize>();
            }
        }
        for ticket in &order.pushes {
            if let Some(n) = state.on_way.get_mut(kind_at(ticket.kind)) {
                *n = n.saturating_sub(1);
            }
        }
        state.putting = 0;
        state.known = answer.known;
        state.next_due = answer.next_due.map(|wait| Instant::now() + wait);
        for (length, found) in state.lengths.iter_mut().zip(answer.lengths) {
            *length = found;
        }
        let more = !state.outbox.is_empty();
        self.memory.push(refused);
        for (leaving, delay) in unput {
            self.memory.put_back(&[leaving.ticket], *delay);
        }
        drop(state);
        self.received(heard, &mut [0; KINDS]);
        if answer.why.is_empty() {
            // Only then a write was tried for certain: what is pushed may be known already.
            self.pushing_works(order.resume);
        } else {
            self.refused(&answer.why);
        }
        self.watch.notify_one();
        more
    }

    /// A waiting read brought tickets.
    pub(super) fn heard(&self, entries: Vec<Entry>) {
        let mut state = self.state();
        if let Some(heard) = &mut state.heard {
            heard.extend(entries);
            return;
        }
        drop(state);
        self.received(entries, &mut [0; KINDS]);
    }

    /// Tickets were read: the lanes may take them. Counts them by kind.
    fn received(&self, entries: Vec<Entry>, got: &mut [usize; KINDS]) {
        let mut tickets = Vec::new();
        let mut state = self.state();
        for entry in entries {
            let Some(ticket) = entry.ticket else {
                tracing::warn!("an entry without a ticket stood in the queue; it is removed");
                state.strays.push((entry.stream, entry.id));
                continue;
            };
            let kind = kind_at(ticket.kind);
            if let Some(got) = got.get_mut(kind) {
                *got += 1;
            }
            if let Some(hungry) = state.hungry.get_mut(kind) {
                *hungry = false;
            }
            // Done or put back meanwhile; Redis hears of it in the next exchange.
            let State { acks, puts, .. } = &mut *state;
            let put = puts.get_mut(&key(&ticket)).map(|(leaving, _)| leaving);
            if let Some(leaving) = acks.get_mut(&key(&ticket)).or(put) {
                leaving.entry = entry.id;
                continue;
            }
            state.held.insert(key(&ticket), entry.id);
            tickets.push(ticket);
        }
        drop(state);
        self.memory.push(&tickets);
    }

    /// The kinds of which Redis had no more, and which this process wants.
    pub(super) fn watched(&self) -> Vec<usize> {
        let state = self.state();
        let wanted = |(at, kind): (usize, WorkKind)| {
            let hungry = state.up && state.hungry.get(at) == Some(&true);
            (hungry && self.memory.waiting(kind) < READY).then_some(at)
        };
        let kinds = WorkKind::ALL.into_iter().enumerate();
        kinds.filter_map(wanted).collect()
    }

    /// Who reads says so before, and after it that nobody does.
    pub(super) fn set_reading(&self, connection: Option<i64>) {
        self.state().reading = connection;
    }

    pub(super) fn reading(&self) -> Option<i64> {
        self.state().reading
    }

    /// An answer was lost: what was claimed in it is asked for again.
    pub(super) fn resume(&self) {
        self.state().resume = true;
    }

    /// How long until something that was put back comes due.
    pub(super) fn due_in(&self) -> Option<Duration> {
        let at = self.state().next_due?;
        Some(at.saturating_duration_since(Instant::now()))
    }

    pub(super) fn tended(&self, oldest: Option<Duration>) {
        let mut state = self.state();
        let now = Instant::now();
        state.oldest = oldest.map(|age| (now, age));
        let fresh = |at: &Instant| now.duration_since(*at) < PUSH_AGAIN;
        state.given.retain(|_, at| fresh(at));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ticket with its entry, which is not held any more.
fn leaving(state: &mut State, ticket: Ticket) -> Leaving {
    let entry = state.held.remove(&key(&ticket)).unwrap_or_default();
    Leaving { ticket, entry }
}
