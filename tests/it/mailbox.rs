//! A real SMTP server whose answers a test sets.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How the server treats the next connection.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Takes the mail.
    Take,
    /// Answers this instead of the greeting.
    Greet(&'static str),
    /// Answers this to RCPT.
    Rcpt(&'static str),
    /// Answers this to the end of DATA.
    Data(&'static str),
    /// Accepts the connection and says nothing.
    Hang,
    /// Takes the whole mail and closes without an answer.
    DropAfterData,
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) raw: String,
}

#[derive(Default)]
struct Inner {
    script: Mutex<VecDeque<Behaviour>>,
    mails: Mutex<Vec<Mail>>,
    /// Whole mails that were seen, also those that were not taken.
    seen: Mutex<Vec<String>>,
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
}

async fn serve(stream: TcpStream, behaviour: Behaviour, inner: &Inner) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    match behaviour {
        Behaviour::Hang => {
            let mut nothing = String::new();
            stream.read_line(&mut nothing).await?;
            return Ok(());
        }
        Behaviour::Greet(answer) => return say(&mut stream, answer).await,
        _ => say(&mut stream, "220 mailbox").await?,
    }
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let word = line.get(..4).unwrap_or_default().to_uppercase();
        match (word.as_str(), &behaviour) {
            ("RCPT", Behaviour::Rcpt(answer)) => say(&mut stream, answer).await?,
            ("DATA", _) => {
                say(&mut stream, "354 go on").await?;
                let raw = data(&mut stream).await?;
                inner.seen.lock().unwrap().push(raw.clone());
                match behaviour {
                    Behaviour::DropAfterData => return Ok(()),
                    Behaviour::Data(answer) => say(&mut stream, answer).await?,
                    _ => {
                        inner.mails.lock().unwrap().push(Mail { raw });
                        say(&mut stream, "250 taken").await?;
                    }
                }
            }
            ("QUIT", _) => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

async fn data(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut raw = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
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
