//! A real SMTP server whose answers a test sets, and the mails that it took.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How the server treats the next connection.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Takes the mail.
    Take,
    /// Answers this instead of the greeting.
    Greet(&'static str),
    /// Wants a login, and answers this to it.
    Login(&'static str),
    /// Answers this to RCPT, with the address behind it, as servers do.
    Rcpt(&'static str),
    /// The same, and does not answer to QUIT.
    RcptThenHang(&'static str),
    /// Answers this to the end of DATA.
    Data(&'static str),
    /// Accepts the connection and says nothing.
    Hang,
    /// Greets a byte at a time, and never comes to the end.
    Dribble,
    /// Takes the whole mail and closes without an answer.
    DropAfterData,
    /// Takes the whole mail and says nothing.
    HangAfterData,
    /// Takes the mail, says so, and does not answer to QUIT.
    HangAtQuit,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    /// `MAIL FROM`.
    pub(crate) from: String,
    /// `RCPT TO`, one each.
    pub(crate) to: Vec<String>,
    pub(crate) raw: String,
}

impl Mail {
    /// A header's value, unfolded.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let head = self.raw.split("\r\n\r\n").next()?.replace("\r\n ", " ");
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let found = lines.find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.to_owned())
    }

    /// The part of this content type, decoded.
    pub(crate) fn part(&self, kind: &str) -> String {
        let (_, part) = self
            .raw
            .split_once(&format!("Content-Type: {kind}"))
            .expect(kind);
        let (_, body) = part.split_once("\r\n\r\n").expect("a body");
        unquoted(body.split("\r\n--").next().expect("a body"))
    }
}

/// Quoted-printable, read back.
fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "");
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (hex, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(hex, 16).expect(hex));
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[derive(Default)]
struct Inner {
    script: Mutex<VecDeque<Behaviour>>,
    mails: Mutex<Vec<Mail>>,
    /// Whole mails that were seen, also those that were not taken.
    seen: Mutex<Vec<String>>,
    /// Every command line that was read.
    commands: Mutex<Vec<String>>,
    /// Woken when a mail was taken.
    taken: tokio::sync::Notify,
}

/// The server; it ends with the test.
#[derive(Clone)]
pub(crate) struct Mailbox {
    inner: Arc<Inner>,
    pub(crate) port: u16,
}

impl Mailbox {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner::default());
        let mailbox = Self {
            inner: inner.clone(),
            port,
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let inner = inner.clone();
                let next = inner.script.lock().unwrap().pop_front();
                tokio::spawn(async move {
                    let _ = serve(stream, next.unwrap_or(Behaviour::Take), &inner).await;
                });
            }
        });
        mailbox
    }

    /// What the next connections meet, one each; after that mails are taken.
    pub(crate) fn script(&self, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.inner.script.lock().unwrap().extend(behaviours);
    }

    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.inner.mails.lock().unwrap().clone()
    }

    pub(crate) fn seen(&self) -> Vec<String> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// Every command line that was read, over all connections.
    pub(crate) fn commands(&self) -> Vec<String> {
        self.inner.commands.lock().unwrap().clone()
    }

    /// The mails, as soon as there are `n`; fails if there are fewer at the deadline.
    pub(crate) async fn wait_for(&self, n: usize, deadline: Duration) -> Vec<Mail> {
        let enough = async {
            loop {
                let woken = self.inner.taken.notified();
                if self.mails().len() >= n {
                    return;
                }
                woken.await;
            }
        };
        let came = tokio::time::timeout(deadline, enough).await.is_ok();
        let mails = self.mails();
        assert!(
            came,
            "{} of {n} mails came within {deadline:?}",
            mails.len()
        );
        mails
    }
}

async fn serve(stream: TcpStream, behaviour: Behaviour, inner: &Inner) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    match behaviour {
        Behaviour::Hang => return hang(&mut stream).await,
        Behaviour::Dribble => return dribble(&mut stream).await,
        Behaviour::Greet(answer) => return say(&mut stream, answer).await,
        _ => say(&mut stream, "220 mailbox").await?,
    }
    let (mut from, mut to) = (String::new(), Vec::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        inner.commands.lock().unwrap().push(line.trim().to_owned());
        let word = line.get(..4).unwrap_or_default().to_uppercase();
        let address = line.split(['<', '>']).nth(1).unwrap_or_default();
        match (word.as_str(), &behaviour) {
            ("EHLO", Behaviour::Login(_)) => {
                say(&mut stream, "250-mailbox\r\n250 AUTH PLAIN").await?;
            }
            ("AUTH", Behaviour::Login(answer)) => say(&mut stream, answer).await?,
            ("RCPT", Behaviour::Rcpt(answer) | Behaviour::RcptThenHang(answer)) => {
                say(&mut stream, &format!("{answer} <{address}>")).await?;
            }
            ("MAIL" | "RCPT", _) => {
                if word == "MAIL" {
                    address.clone_into(&mut from);
                } else {
                    to.push(address.to_owned());
                }
                say(&mut stream, "250 ok").await?;
            }
            ("DATA", _) => {
                say(&mut stream, "354 go on").await?;
                let raw = data(&mut stream).await?;
                inner.seen.lock().unwrap().push(raw.clone());
                match behaviour {
                    Behaviour::DropAfterData => return Ok(()),
                    Behaviour::HangAfterData => return hang(&mut stream).await,
                    Behaviour::Data(answer) => say(&mut stream, answer).await?,
                    _ => {
                        let (from, to) = (from.clone(), std::mem::take(&mut to));
                        inner.mails.lock().unwrap().push(Mail { from, to, raw });
                        inner.taken.notify_waiters();
                        say(&mut stream, "250 taken").await?;
                    }
                }
            }
            ("QUIT", Behaviour::HangAtQuit | Behaviour::RcptThenHang(_)) => {
                return hang(&mut stream).await;
            }
            ("QUIT", _) => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

/// Until the other side goes.
async fn hang(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let mut line = String::new();
    while stream.read_line(&mut line).await? > 0 {}
    Ok(())
}

async fn dribble(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    stream.get_mut().write_all(b"220-").await?;
    loop {
        tick.tick().await;
        stream.get_mut().write_all(b".").await?;
    }
}

/// Up to the lone dot. A bare LF ends a line too, as with careless servers in the wild.
async fn data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || matches!(line.as_str(), ".\r\n" | ".\n") {
            return Ok(raw);
        }
        raw.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}

async fn say(stream: &mut BufReader<TcpStream>, line: &str) -> std::io::Result<()> {
    stream
        .get_mut()
        .write_all(format!("{line}\r\n").as_bytes())
        .await
}
