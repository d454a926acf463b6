//! A plain SMTP server in this process that takes every mail at once and notes when it said so.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::Context;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Names the lead that a mail is about.
const HEADER: &str = "x-leadgate-lead:";

type Taken = Arc<Mutex<HashMap<String, Instant>>>;

/// The server; it ends when this is dropped.
pub(crate) struct Mailbox {
    pub(crate) port: u16,
    taken: Taken,
    _stop: oneshot::Sender<()>,
}

impl Mailbox {
    /// On a thread of its own, beside the one that sends.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
        let listener = listener.context("no port of 127.0.0.1 is free for the SMTP server")?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let taken = Taken::default();
        let (stop, stopped) = oneshot::channel();
        let there = taken.clone();
        std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = TcpListener::from_std(listener)?;
                tokio::select! {
                    ended = accept(listener, there) => ended,
                    _ = stopped => Ok(()),
                }
            })
        });
        Ok(Self {
            port,
            taken,
            _stop: stop,
        })
    }

    /// When the first mail about each lead was taken.
    pub(crate) fn taken(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        locked(&self.taken)
    }
}

fn locked(taken: &Taken) -> MutexGuard<'_, HashMap<String, Instant>> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, taken: Taken) -> std::io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let taken = taken.clone();
        tokio::spawn(async move {
            // A client that goes away is its own trouble: its mail is then missed in the count.
            let _ = serve(stream, &taken).await;
        });
    }
}

async fn serve(stream: TcpStream, taken: &Taken) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 mailbox").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        match line.get(..4).unwrap_or_default() {
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                let lead = read_mail(&mut stream).await?;
                say(&mut stream, "250 taken").await?;
                let now = Instant::now();
                if let Some(lead) = lead {
                    locked(taken).entry(lead).or_insert(now);
                }
            }
            "QUIT" => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

/// Up to the lone dot: the lead that it is about.
async fn read_mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let (mut lead, mut line) = (None, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == ".\r\n" {
            return Ok(lead);
        }
        if lead.is_none()
            && let Some(name) = line.get(..HEADER.len())
            && name.eq_ignore_ascii_case(HEADER)
        {
            lead = Some(line[HEADER.len()..].trim().to_owned());
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<()> {
    let line = format!("{line}\r\n");
    stream.get_mut().write_all(line.as_bytes()).await
}
