//! What stands in Redis, and how a ticket is written there. Knows no command.
//!
//! All keys of a partition share one hash tag, so that one script may touch them all:
//!
//! * `lg1:{p}:<kind>:<priority>`: a stream of tickets, read by one group;
//! * `lg1:{p}:known`: a hash, ticket to its entry (or `due`), so that none is there twice;
//! * `lg1:{p}:due`: a sorted set of tickets that were put back for later.

use crate::lead::{Priority, Ticket, WorkKind};

/// The group that every process reads in.
pub(super) const GROUP: &str = "leadgate";
/// Kinds of work.
pub(super) const KINDS: usize = WorkKind::ALL.len();
/// In the scripts' `KEYS` (counted from 1) the streams begin here, hot, normal and low of each kind.
const FIRST_STREAM: usize = 3;

/// The names of a partition's keys, in the order of the scripts' `KEYS`.
pub(super) struct Keys {
    names: Vec<String>,
}

impl Keys {
    pub(super) fn new(partition: &str) -> Self {
        let mut names = vec![
            format!("lg1:{{{partition}}}:known"),
            format!("lg1:{{{partition}}}:due"),
        ];
        for kind in WorkKind::ALL {
            for priority in ["hot", "normal", "low"] {
                names.push(format!("lg1:{{{partition}}}:{}:{priority}", kind.as_str()));
            }
        }
        Self { names }
    }

    pub(super) fn all(&self) -> &[String] {
        &self.names
    }

    /// The streams of a kind, hot, normal, low.
    pub(super) fn streams(&self, kind: usize) -> &[String] {
        let from = (first_stream(kind) - 1).min(self.names.len());
        let to = (from + 3).min(self.names.len());
        self.names.get(from..to).unwrap_or_default()
    }

    /// The number in `KEYS` of a stream's name.
    pub(super) fn stream_named(&self, name: &str) -> Option<usize> {
        let at = self.names.iter().position(|known| known == name)?;
        Some(at + 1)
    }
}

/// The number in `KEYS` of the hot stream of a kind.
pub(super) fn first_stream(kind: usize) -> usize {
    FIRST_STREAM + kind * 3
}

/// The number in `KEYS` of the stream that a ticket belongs to.
pub(super) fn stream_of(ticket: &Ticket) -> usize {
    let rank = usize::try_from(ticket.priority.rank()).unwrap_or(2);
    first_stream(kind_at(ticket.kind)) + rank
}

/// Where a kind stands in `WorkKind::ALL`.
pub(super) fn kind_at(kind: WorkKind) -> usize {
    let at = WorkKind::ALL.iter().position(|known| *known == kind);
    at.unwrap_or_default()
}

/// What an entry says beyond its stream.
pub(super) fn body_of(ticket: &Ticket) -> String {
    format!("{}:{}:{}", ticket.work, ticket.lead, ticket.version)
}

/// The ticket of an entry; `None` for what leadgate has not written.
pub(super) fn ticket_of(stream: usize, body: &str) -> Option<Ticket> {
    let place = stream.checked_sub(FIRST_STREAM)?;
    let kind = *WorkKind::ALL.get(place / 3)?;
    let priority = Priority::of_rank(i64::try_from(place % 3).ok()?);
    let mut numbers = body.split(':').map(str::parse);
    let mut number = || numbers.next()?.ok();
    let (work, lead, version) = (number()?, number()?, number()?);
    Some(Ticket {
        work,
        lead,
        kind,
        priority,
        version,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ticket_comes_back_from_its_stream_as_it_was() {
        let keys = Keys::new("p");
        for kind in WorkKind::ALL {
            for priority in [Priority::Hot, Priority::Normal, Priority::Low] {
                let ticket = Ticket {
                    work: i64::MAX,
                    lead: 7,
                    kind,
                    priority,
                    version: 3,
                };
                let stream = stream_of(&ticket);
                assert_eq!(ticket_of(stream, &body_of(&ticket)), Some(ticket));
                let name = &keys.all()[stream - 1];
                assert!(keys.streams(kind_at(kind)).contains(name));
                assert_eq!(keys.stream_named(name), Some(stream));
            }
        }
        assert_eq!(keys.all()[2], "lg1:{p}:fetch:hot");
        for foreign in ["", "1:2", "a:b:c"] {
            assert_eq!(ticket_of(3, foreign), None);
        }
        assert_eq!(ticket_of(2, "1:2:3"), None);
        assert_eq!(ticket_of(99, "1:2:3"), None);
    }
}
