//! The load over keep-alive connections, cheap enough to share two cores with the server: in a closed
//! loop (the next request after the answer), or in an open one (each request at its time, however the
//! server fares). Knows nothing of leads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::requests::Requests;

/// In a closed loop; each has one request under way.
pub(crate) const CONNECTIONS: usize = 64;
/// In an open loop: more than are ever under way, so that a slow answer holds up no other request.
const OPEN_CONNECTIONS: usize = 512;
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// A server that is silent for so long has lost a request.
const SILENCE_MAX: Duration = Duration::from_mins(1);

/// Requests that are ready to go.
pub(crate) struct Load {
    requests: Arc<Requests>,
}

/// What the senders saw.
pub(crate) struct Sent {
    /// The first POST.
    pub(crate) start: Instant,
    /// The last answer.
    pub(crate) end: Instant,
    /// Microseconds to the answer, ascending: from each request, or in an open loop from the moment
    /// for which it was planned.
    pub(crate) latencies: Vec<u32>,
    /// Where they are asked for: the bodies of the answers, and when each request was planned.
    pub(crate) answers: Vec<(Instant, Vec<u8>)>,
}

/// When requests go out.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// In each second.
    pub(crate) per_second: f64,
    /// Whether the answers are wanted.
    pub(crate) keep_answers: bool,
}

#[derive(Clone, Copy)]
struct Plan {
    start: Instant,
    pace: Option<Pace>,
}

impl Plan {
    /// The moment from which this request counts; in an open loop it waits for it.
    async fn turn(&self, at: usize) -> Instant {
        let Some(pace) = self.pace else {
            return Instant::now();
        };
        let planned = self.start + Duration::from_secs_f64(at as f64 / pace.per_second);
        tokio::time::sleep_until(planned.into()).await;
        planned
    }

    fn keeps_answers(&self) -> bool {
        self.pace.is_some_and(|pace| pace.keep_answers)
    }
}

#[derive(Default)]
struct Seen {
    latencies: Vec<u32>,
    answers: Vec<(Instant, Vec<u8>)>,
}

impl Load {
    pub(crate) fn of(requests: Requests) -> Self {
        Self {
            requests: Arc::new(requests),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.requests.len()
    }

    /// Sends everything from one thread, as fast as it is taken; any answer but a 2xx is an error.
    pub(crate) fn send(&self, to: SocketAddr) -> anyhow::Result<Sent> {
        self.run(to, None, CONNECTIONS)
    }

    /// The same at a pace that does not wait for the server.
    pub(crate) fn send_at(&self, to: SocketAddr, pace: Pace) -> anyhow::Result<Sent> {
        self.run(to, Some(pace), OPEN_CONNECTIONS)
    }

    fn run(&self, to: SocketAddr, pace: Option<Pace>, connections: usize) -> anyhow::Result<Sent> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(self.send_all(to, pace, connections))
    }

    async fn send_all(
        &self,
        to: SocketAddr,
        pace: Option<Pace>,
        connections: usize,
    ) -> anyhow::Result<Sent> {
        let mut streams = Vec::new();
        for _ in 0..connections {
            let stream = TcpStream::connect(to).await.context("no connection")?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let plan = Plan { start, pace };
        let tasks: Vec<_> = streams
            .into_iter()
            .map(|stream| tokio::spawn(converse(stream, self.requests.clone(), next.clone(), plan)))
            .collect();
        let mut all = tokio::select! {
            all = gather(tasks) => all?,
            () = stands_still(&next) => {
                bail!("no request was answered for {} s", SILENCE_MAX.as_secs())
            }
        };
        let end = Instant::now();
        all.latencies.sort_unstable();
        Ok(Sent {
            start,
            end,
            latencies: all.latencies,
            answers: all.answers,
        })
    }
}

async fn gather(tasks: Vec<tokio::task::JoinHandle<anyhow::Result<Seen>>>) -> anyhow::Result<Seen> {
    let mut all = Seen::default();
    for task in tasks {
        let seen = task.await??;
        all.latencies.extend(seen.latencies);
        all.answers.extend(seen.answers);
    }
    Ok(all)
}

/// Comes back when no connection has taken a request for long.
async fn stands_still(next: &AtomicUsize) {
    loop {
        let before = next.load(Ordering::Relaxed);
        tokio::time::sleep_until(tokio::time::Instant::now() + SILENCE_MAX).await;
        if next.load(Ordering::Relaxed) == before {
            return;
        }
    }
}

async fn converse(
    mut stream: TcpStream,
    requests: Arc<Requests>,
    next: Arc<AtomicUsize>,
    plan: Plan,
) -> anyhow::Result<Seen> {
    let mut seen = Seen::default();
    let mut buffer = Vec::with_capacity(4 * 1024);
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= requests.len() {
            return Ok(seen);
        }
        let from = plan.turn(at).await;
        stream.write_all(requests.get(at)).await?;
        let body_at = read_answer(&mut stream, &mut buffer).await?;
        seen.latencies
            .push(u32::try_from(from.elapsed().as_micros())?);
        if plan.keeps_answers() {
            seen.answers.push((from, buffer[body_at..].to_vec()));
        }
    }
}

/// Reads one whole answer: status line, headers, and as many bytes as `content-length` says. Where
/// its body begins.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<usize> {
    buffer.clear();
    loop {
        if let Some(head) = find(buffer, b"\r\n\r\n") {
            let whole = head + 4 + body_length(&buffer[..head])?;
            ensure!(whole <= ANSWER_BYTES_MAX, "an answer of {whole} bytes");
            if buffer.len() >= whole {
                ensure!(buffer.len() == whole, "more than one answer came");
                check(buffer)?;
                return Ok(head + 4);
            }
        }
        ensure!(buffer.len() < ANSWER_BYTES_MAX, "an answer without end");
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
    }
}

fn check(answer: &[u8]) -> anyhow::Result<()> {
    if answer.starts_with(b"HTTP/1.1 2") {
        return Ok(());
    }
    bail!("not taken: {}", String::from_utf8_lossy(answer))
}

fn body_length(head: &[u8]) -> anyhow::Result<usize> {
    const NAME: &[u8] = b"content-length:";
    for line in head.split(|b| *b == b'\n') {
        if line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME) {
            let value = std::str::from_utf8(&line[NAME.len()..])?;
            return value.trim().parse().context("content-length");
        }
    }
    bail!("an answer without content-length")
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
