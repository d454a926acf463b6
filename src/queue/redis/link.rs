//! Connections and the calls over them: scripts in, plain values out. Keeps no state of the queue.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, Script, ScriptInvocation,
    ServerErrorKind, Value,
};

use super::keys::{GROUP, Keys, body_of, first_stream, stream_of, ticket_of};
use super::order::{Answer, Entry, Leaving, Order};
use crate::queue::settings::RedisSettings;
use crate::secret;

/// The most tickets of a dead process that one call gives back.
pub(super) const TEND_MAX: usize = 500;
/// How many entries of each stream one waiting read brings.
const READ_MAX: usize = 8;
/// The longest that a read waits; a connection that died silently is noticed after it.
const BLOCK_MAX: Duration = Duration::from_secs(2);

/// What `exchange.lua` returns.
type Exchanged = (
    usize,
    usize,
    String,
    i64,
    usize,
    usize,
    i64,
    Vec<usize>,
    Value,
);

/// How to reach a partition of a Redis.
pub(super) struct Link {
    pub(super) keys: Keys,
    /// This process in the group.
    pub(super) consumer: String,
    pub(super) timeout: Duration,
    pub(super) dead_after: Duration,
    pub(super) alone: bool,
    client: Client,
    exchange: Script,
    tend: Script,
}

impl Link {
    pub(super) fn new(settings: &RedisSettings) -> Result<Self, String> {
        let millis = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(1));
        let id = secret::hex(&secret::random_bytes::<6>());
        Ok(Self {
            keys: Keys::new(&settings.partition),
            consumer: format!("{}-{id}", std::process::id()),
            timeout: millis(settings.timeout_ms),
            dead_after: millis(settings.dead_after_ms),
            alone: settings.alone,
            client: client(settings).map_err(|error| plain(&error))?,
            exchange: Script::new(include_str!("exchange.lua")),
            tend: Script::new(include_str!("tend.lua")),
        })
    }

    /// How long a read may wait: short enough to be seen alive in between.
    pub(super) fn block(&self) -> Duration {
        BLOCK_MAX.min(self.dead_after / 4)
    }

    /// A connection whose answers come within the timeout and `waiting`.
    pub(super) async fn connect(
        &self,
        waiting: Duration,
    ) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout + waiting));
        let connect = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        connect.await
    }

    pub(super) async fn exchange(
        &self,
        connection: &mut MultiplexedConnection,
        order: &Order,
    ) -> Result<Answer, RedisError> {
        let mut call = self.exchange.prepare_invoke();
        call.key(self.keys.all())
            .arg(GROUP)
            .arg(&self.consumer)
            .arg(i32::from(order.resume));
        write(order, &mut call);
        let (pushed, put, why, fresh, known, resumed, next_due, lengths, claimed): Exchanged =
            call.invoke_async(connection).await?;
        let claimed = claimed.as_sequence().unwrap_or_default();
        let (before, now) = claimed.split_at(resumed.min(claimed.len()));
        let mut entries = Vec::new();
        let read = |portions: &[Value], entries: &mut Vec<Entry>| {
            for (stream, rows) in portions.iter().filter_map(portion) {
                let Value::Int(stream) = stream else { continue };
                let stream = usize::try_from(*stream).unwrap_or_default();
                entries.extend(rows.iter().filter_map(|row| entry(stream, row)));
            }
            entries.len()
        };
        let resumed = read(before, &mut entries);
        read(now, &mut entries);
        Ok(Answer {
            pushed,
            resumed,
            put,
            why: worded(&why),
            fresh: fresh != 0,
            known,
            next_due: since(next_due),
            lengths,
            entries,
        })
    }

    /// Gives back what dead processes held, or with `leave` what this one holds; how many tickets,
    /// and the age of the oldest entry.
    pub(super) async fn tend(
        &self,
        connection: &mut MultiplexedConnection,
        dead_after: Duration,
        leave: bool,
    ) -> Result<(usize, Option<Duration>), RedisError> {
        let (moved, oldest): (usize, i64) = self
            .tend
            .key(self.keys.all())
            .arg(GROUP)
            .arg(&self.consumer)
            .arg(dead_after.as_millis().to_string())
            .arg(i32::from(leave))
            .arg(TEND_MAX)
            .invoke_async(connection)
            .await?;
        Ok((moved, since(oldest)))
    }

    /// By what Redis knows a connection.
    pub(super) async fn id_of(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<i64, RedisError> {
        let mut command = redis::cmd("CLIENT");
        command.arg("ID").query_async(connection).await
    }

    /// Ends the wait of a read on another connection, if one waits there.
    pub(super) async fn unblock(
        &self,
        connection: &mut MultiplexedConnection,
        other: i64,
    ) -> Result<(), RedisError> {
        let mut command = redis::cmd("CLIENT");
        command
            .arg("UNBLOCK")
            .arg(other)
            .query_async(connection)
            .await
    }

    /// Waits until one of these kinds has something, and claims it.
    pub(super) async fn read(
        &self,
        connection: &mut MultiplexedConnection,
        kinds: &[usize],
    ) -> Result<Vec<Entry>, RedisError> {
        let streams: Vec<&String> = kinds
            .iter()
            .flat_map(|kind| self.keys.streams(*kind))
            .collect();
        let mut command = redis::cmd("XREADGROUP");
        command
            .arg("GROUP")
            .arg(GROUP)
            .arg(&self.consumer)
            .arg("COUNT")
            .arg(READ_MAX)
            .arg("BLOCK")
            .arg(self.block().as_millis().to_string())
            .arg("STREAMS")
            .arg(&streams);
        for _ in &streams {
            command.arg(">");
        }
        let reply: Value = command.query_async(connection).await?;
        let portions = reply.as_sequence().unwrap_or_default();
        let mut entries = Vec::new();
        for (name, rows) in portions.iter().filter_map(portion) {
            let stream = text(name).and_then(|name| self.keys.stream_named(name));
            let Some(stream) = stream else { continue };
            entries.extend(rows.iter().filter_map(|row| entry(stream, row)));
        }
        Ok(entries)
    }
}

/// The arguments of an exchange from the numbers of groups on.
fn write(order: &Order, call: &mut ScriptInvocation) {
    let (acks, strays) = (order.ack_groups(), order.stray_groups());
    let pushes = order.push_groups();
    call.arg(acks.len() + strays.len())
        .arg(order.puts.len())
        .arg(pushes.len())
        .arg(order.wants.len());
    for group in acks {
        let entries = group.iter().map(|ack| &ack.entry);
        let entries: Vec<_> = entries.filter(|entry| !entry.is_empty()).collect();
        call.arg(group.first().map_or(0, Leaving::stream))
            .arg(entries.len())
            .arg(group.len())
            .arg(entries);
        for ack in group {
            call.arg(body_of(&ack.ticket));
        }
    }
    for group in strays {
        let stream = group.first().map_or(0, |(stream, _)| *stream);
        call.arg(stream).arg(group.len()).arg(0);
        for (_, entry) in group {
            call.arg(entry);
        }
    }
    for (put, delay) in &order.puts {
        call.arg(put.stream()).arg(body_of(&put.ticket));
        call.arg(&put.entry).arg(delay.as_millis().to_string());
    }
    for group in pushes {
        call.arg(group.first().map_or(0, stream_of))
            .arg(group.len());
        for ticket in group {
            call.arg(body_of(ticket));
        }
    }
    for (kind, quota) in &order.wants {
        call.arg(first_stream(*kind)).arg(quota);
    }
}

/// A stream and what was read from it.
fn portion(value: &Value) -> Option<(&Value, &[Value])> {
    let [stream, rows] = value.as_sequence()? else {
        return None;
    };
    Some((stream, rows.as_sequence()?))
}

fn entry(stream: usize, row: &Value) -> Option<Entry> {
    let [id, fields] = row.as_sequence()? else {
        return None;
    };
    let body = match fields.as_sequence() {
        Some([_, body]) => text(body),
        _ => None,
    };
    Some(Entry {
        stream,
        id: text(id)?.to_owned(),
        ticket: body.and_then(|body| ticket_of(stream, body)),
    })
}

fn text(value: &Value) -> Option<&str> {
    let Value::BulkString(bytes) = value else {
        return None;
    };
    std::str::from_utf8(bytes).ok()
}

/// Milliseconds; a negative number is none.
fn since(ms: i64) -> Option<Duration> {
    u64::try_from(ms).ok().map(Duration::from_millis)
}

fn client(settings: &RedisSettings) -> Result<Client, RedisError> {
    let url = settings.url.expose();
    let Some(ca) = &settings.ca else {
        return Client::open(url);
    };
    let certificates = redis::TlsCertificates {
        client_tls: None,
        root_cert: Some(ca.as_bytes().to_vec()),
    };
    Client::build_with_tls(url, certificates)
}

/// For people: what happened and, where it is known, what to do.
pub(super) fn plain(error: &RedisError) -> String {
    if error.is_timeout() {
        return "it does not answer in time".to_owned();
    }
    if error.is_connection_refusal() {
        return "nothing listens there".to_owned();
    }
    if error.kind() == ErrorKind::AuthenticationFailed {
        return "it refuses the user or the password of queue.url".to_owned();
    }
    if error.kind() == ErrorKind::Server(ServerErrorKind::BusyLoading) {
        return "it is still loading its data".to_owned();
    }
    worded(&error.to_string())
}

/// The same for what Redis says from inside a script.
fn worded(text: &str) -> String {
    let known = [
        ("OOM", "its memory is full (maxmemory)"),
        ("READONLY", "it is a replica, which takes no writes"),
        (
            "NOPERM",
            "the user of queue.url may not do all that the queue needs; docs/operations.md has the rule",
        ),
        ("NOAUTH", "it wants a user and a password in queue.url"),
        (
            "WRONGPASS",
            "it refuses the user or the password of queue.url",
        ),
        (
            "MISCONF",
            "it takes no writes because it cannot save to its disk",
        ),
        ("LOADING", "it is still loading its data"),
        ("BUSY ", "a script of somebody holds it up"),
    ];
    let known = known.iter().find(|(code, _)| text.contains(code));
    known.map_or_else(|| text.to_owned(), |(_, words)| (*words).to_owned())
}
