//! A mail server that misbehaves by a fixed share, and remembers what it took: how often each
//! Message-ID, and for whom. Knows nothing of leads.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use leadgate::clock::Clock;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::dice;

/// What a connection meets, and how many in a thousand do.
const SHARES: &[(Behaviour, u64)] = &[
    (Behaviour::Busy, 20),
    (Behaviour::TryLater, 30),
    (Behaviour::Never, 10),
    (Behaviour::NotNow, 10),
    (Behaviour::Hang, 4),
    (Behaviour::HangAfterData, 4),
    (Behaviour::DropAfterData, 20),
    (Behaviour::Slow, 20),
];
/// Within what the daemon waits for.
const SLOW: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Behaviour {
    Take,
    /// 421 instead of the greeting.
    Busy,
    /// 450 to RCPT.
    TryLater,
    /// 550 to RCPT.
    Never,
    /// 451 to the end of DATA.
    NotNow,
    /// Says nothing at all.
    Hang,
    /// Has the whole mail and says nothing.
    HangAfterData,
    /// Has the whole mail and closes.
    DropAfterData,
    /// Takes the mail, after a while.
    Slow,
}

/// A mail that was taken, perhaps several times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// How often it was answered with 250.
    pub(crate) times: u32,
    /// To whom; the same every time, or all of them.
    pub(crate) to: Vec<String>,
}

#[derive(Default)]
struct Inner {
    taken: Mutex<HashMap<String, Taken>>,
    met: Mutex<BTreeMap<Behaviour, u64>>,
    connections: AtomicU64,
    behaves: AtomicBool,
}

/// The server; it ends with the runtime.
#[derive(Clone)]
pub(crate) struct Smtp {
    inner: Arc<Inner>,
    pub(crate) port: u16,
}

impl Smtp {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        let inner = Arc::new(Inner::default());
        let server = Self {
            inner: inner.clone(),
            port,
        };
        tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    // Out of file descriptors: there will be some again.
                    Clock::pause(Duration::from_millis(50)).await;
                    continue;
                };
                let inner = inner.clone();
                tokio::spawn(async move { drop(serve(stream, &inner).await) });
            }
        });
        Ok(server)
    }

    /// From now on every mail is taken.
    pub(crate) fn behave(&self) {
        self.inner.behaves.store(true, Ordering::Relaxed);
    }

    /// What was taken, by the local part of the Message-ID.
    pub(crate) fn taken(&self) -> HashMap<String, Taken> {
        lock(&self.inner.taken).clone()
    }

    /// How many connections met what.
    pub(crate) fn met(&self) -> String {
        let met = lock(&self.inner.met);
        let met = met.iter().map(|(what, n)| format!("{n} {what:?}"));
        met.collect::<Vec<_>>().join(", ")
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn next(&self) -> Behaviour {
        let n = self.connections.fetch_add(1, Ordering::Relaxed);
        let behaves = self.behaves.load(Ordering::Relaxed);
        let roll = dice(n ^ 0x5347) % 1_000;
        let mut upto = 0;
        let found = SHARES.iter().find(|(_, share)| {
            upto += share;
            roll < upto
        });
        let behaviour = match found {
            Some((behaviour, _)) if !behaves => *behaviour,
            Some(_) | None => Behaviour::Take,
        };
        *lock(&self.met).entry(behaviour).or_default() += 1;
        behaviour
    }

    fn take(&self, raw: &str, to: &[String]) {
        let head = raw.split("\r\n\r\n").next().unwrap_or_default();
        let head = head.replace("\r\n ", " ");
        let id = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_id = name.eq_ignore_ascii_case("message-id");
            is_id.then(|| local_part(value).to_owned())
        });
        let mut taken = lock(&self.taken);
        let mail = taken.entry(id.unwrap_or_default()).or_default();
        mail.times += 1;
        for address in to {
            if !mail.to.contains(address) {
                mail.to.push(address.clone());
            }
        }
    }
}

/// Of a Message-ID.
fn local_part(id: &str) -> &str {
    let id = id.trim().trim_start_matches('<');
    id.split('@').next().unwrap_or_default()
}

async fn serve(stream: TcpStream, inner: &Inner) -> std::io::Result<()> {
    let behaviour = inner.next();
    let mut stream = BufReader::new(stream);
    match behaviour {
        Behaviour::Hang => return hang(&mut stream).await,
        Behaviour::Busy => return say(&mut stream, "421 too busy").await,
        _ => say(&mut stream, "220 soak").await?,
    }
    let mut to = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let word = line.get(..4).unwrap_or_default().to_uppercase();
        let address = line.split(['<', '>']).nth(1).unwrap_or_default();
        let answer = match (word.as_str(), behaviour) {
            ("RCPT", Behaviour::TryLater) => "450 later",
            ("RCPT", Behaviour::Never) => "550 nobody",
            ("RCPT", _) => {
                to.push(address.to_owned());
                "250 ok"
            }
            ("DATA", _) => {
                say(&mut stream, "354 go on").await?;
                let raw = data(&mut stream).await?;
                match behaviour {
                    Behaviour::HangAfterData => return hang(&mut stream).await,
                    Behaviour::DropAfterData => return Ok(()),
                    Behaviour::NotNow => "451 not now",
                    _ => {
                        if behaviour == Behaviour::Slow {
                            Clock::pause(SLOW).await;
                        }
                        // Before the answer: who reads it must find the mail here.
                        inner.take(&raw, &std::mem::take(&mut to));
                        "250 taken"
                    }
                }
            }
            ("QUIT", _) => return say(&mut stream, "221 bye").await,
            _ => "250 ok",
        };
        say(&mut stream, answer).await?;
    }
}

/// Until the other side goes.
async fn hang(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {
        line.clear();
    }
    Ok(())
}

/// Up to the lone dot; nothing at all where the other side went before it.
async fn data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut raw = String::new();
    loop {
        let start = raw.len();
        if stream.read_line(&mut raw).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if raw.get(start..) == Some(".\r\n") {
            return Ok(raw);
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<()> {
    let line = format!("{line}\r\n");
    stream.get_mut().write_all(line.as_bytes()).await
}
