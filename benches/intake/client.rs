//! The load: a closed loop over keep-alive connections, cheap enough to share two cores with the
//! server. Knows nothing of leads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::requests::Requests;

/// Each has one request under way.
pub(crate) const CONNECTIONS: usize = 64;
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

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
    /// Microseconds from each request to its answer, ascending.
    pub(crate) latencies: Vec<u32>,
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

    /// Sends everything from one thread; any answer but a 2xx is an error.
    pub(crate) fn send(&self, to: SocketAddr) -> anyhow::Result<Sent> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        runtime.block_on(self.send_all(to))
    }

    async fn send_all(&self, to: SocketAddr) -> anyhow::Result<Sent> {
        let mut streams = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = TcpStream::connect(to).await.context("no connection")?;
            stream.set_nodelay(true)?;
            streams.push(stream);
        }
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let tasks: Vec<_> = streams
            .into_iter()
            .map(|stream| tokio::spawn(converse(stream, self.requests.clone(), next.clone())))
            .collect();
        let mut latencies = Vec::with_capacity(self.len());
        for task in tasks {
            latencies.extend(task.await??);
        }
        let end = Instant::now();
        latencies.sort_unstable();
        Ok(Sent {
            start,
            end,
            latencies,
        })
    }
}

async fn converse(
    mut stream: TcpStream,
    requests: Arc<Requests>,
    next: Arc<AtomicUsize>,
) -> anyhow::Result<Vec<u32>> {
    let mut latencies = Vec::with_capacity(2 * requests.len() / CONNECTIONS);
    let mut buffer = Vec::with_capacity(4 * 1024);
    loop {
        let at = next.fetch_add(1, Ordering::Relaxed);
        if at >= requests.len() {
            return Ok(latencies);
        }
        let start = Instant::now();
        stream.write_all(requests.get(at)).await?;
        read_answer(&mut stream, &mut buffer).await?;
        latencies.push(u32::try_from(start.elapsed().as_micros())?);
    }
}

/// Reads one whole answer: status line, headers, and as many bytes as `content-length` says.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<()> {
    buffer.clear();
    loop {
        if let Some(head) = find(buffer, b"\r\n\r\n") {
            let whole = head + 4 + body_length(&buffer[..head])?;
            ensure!(whole <= ANSWER_BYTES_MAX, "an answer of {whole} bytes");
            if buffer.len() >= whole {
                ensure!(buffer.len() == whole, "more than one answer came");
                return check(buffer);
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
