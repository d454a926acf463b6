//! A real HTTP server with scripted answers: what a platform, a CRM or a rep's system may do.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What a request meets.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A status, further headers, a body.
    Say(u16, Vec<(String, String)>, Vec<u8>),
    /// Reads the request and says nothing.
    Hang,
    /// 200, as soon as the test lets one go by [`FarEnd::release`].
    Held,
    /// Reads the request and closes.
    Drop,
    /// Promises a longer body than it sends, and closes.
    Half,
    /// A good head, then a byte of the body at a time without end.
    Dribble,
    /// A good head, then a body without end, as fast as it is read; told to be a gigabyte.
    Gigabyte,
    /// 160 MB of zeros in 1 MB of gzip.
    Bomb,
    /// Header lines without end.
    Heads,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self::Say(status, Vec::new(), Vec::new())
    }

    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::status(status)
            .header("content-type", "application/json")
            .body(body)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        if let Self::Say(_, headers, _) = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    pub(crate) fn body(mut self, text: &str) -> Self {
        if let Self::Say(_, _, body) = &mut self {
            text.as_bytes().clone_into(body);
        }
        self
    }
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

struct Inner {
    script: Mutex<VecDeque<Answer>>,
    /// By the beginning of the path; "" holds for all others.
    standing: Mutex<BTreeMap<String, Answer>>,
    seen: Mutex<Vec<Seen>>,
    came: tokio::sync::Notify,
    connections: AtomicUsize,
    /// Requests that are being answered, and the most at once.
    open: AtomicUsize,
    most_open: AtomicUsize,
    sent: AtomicUsize,
    held: tokio::sync::Semaphore,
}

/// The server; it ends with the test.
#[derive(Clone)]
pub(crate) struct FarEnd {
    inner: Arc<Inner>,
    pub(crate) port: u16,
}

impl FarEnd {
    /// Answers 200 to everything until it is told otherwise.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            script: Mutex::default(),
            standing: Mutex::new([(String::new(), Answer::status(200))].into()),
            seen: Mutex::default(),
            came: tokio::sync::Notify::new(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            sent: AtomicUsize::new(0),
            held: tokio::sync::Semaphore::new(0),
        });
        let far = Self {
            inner: inner.clone(),
            port,
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                inner.connections.fetch_add(1, Ordering::SeqCst);
                let inner = inner.clone();
                tokio::spawn(async move {
                    let _ = serve(stream, &inner).await;
                });
            }
        });
        far
    }

    pub(crate) fn url(&self, target: &str) -> String {
        format!("http://127.0.0.1:{}{target}", self.port)
    }

    /// What the next requests meet, one each, before what stands.
    pub(crate) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inner.script.lock().unwrap().extend(answers);
    }

    /// What every request to a path that begins so meets from now on; the longest beginning wins.
    pub(crate) fn stand(&self, path: &str, answer: Answer) {
        let mut standing = self.inner.standing.lock().unwrap();
        standing.insert(path.to_owned(), answer);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.inner.connections.load(Ordering::SeqCst)
    }

    /// The most requests that were being answered at once.
    pub(crate) fn most_at_once(&self) -> usize {
        self.inner.most_open.load(Ordering::SeqCst)
    }

    /// Requests that are being answered now.
    pub(crate) fn open(&self) -> usize {
        self.inner.open.load(Ordering::SeqCst)
    }

    /// Lets so many go that are held, or will be.
    pub(crate) fn release(&self, n: usize) {
        self.inner.held.add_permits(n);
    }

    /// Bytes of bodies that were sent by [`Answer::Gigabyte`] and [`Answer::Bomb`].
    pub(crate) fn sent(&self) -> usize {
        self.inner.sent.load(Ordering::SeqCst)
    }

    /// The requests, as soon as there are `n`; fails if there are fewer at the deadline.
    pub(crate) async fn wait_for(&self, n: usize, deadline: Duration) -> Vec<Seen> {
        let enough = async {
            loop {
                let woken = self.inner.came.notified();
                if self.seen().len() >= n {
                    return;
                }
                woken.await;
            }
        };
        let came = tokio::time::timeout(deadline, enough).await.is_ok();
        let seen = self.seen();
        assert!(came, "{} of {n} requests came", seen.len());
        seen
    }
}

async fn serve(stream: TcpStream, inner: &Inner) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(seen) = read(&mut stream).await? {
        let answer = choose(inner, &seen.target);
        inner.seen.lock().unwrap().push(seen);
        let open = inner.open.fetch_add(1, Ordering::SeqCst) + 1;
        inner.most_open.fetch_max(open, Ordering::SeqCst);
        inner.came.notify_waiters();
        let goes_on = say(&mut stream, answer, inner).await;
        inner.open.fetch_sub(1, Ordering::SeqCst);
        if !goes_on? {
            return Ok(());
        }
    }
    Ok(())
}

fn choose(inner: &Inner, target: &str) -> Answer {
    if let Some(next) = inner.script.lock().unwrap().pop_front() {
        return next;
    }
    let standing = inner.standing.lock().unwrap();
    let fits = standing
        .iter()
        .filter(|(path, _)| target.starts_with(*path));
    let longest = fits.max_by_key(|(path, _)| path.len());
    longest.map(|(_, answer)| answer.clone()).unwrap()
}

/// One request; `None` at the end of the connection.
async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Seen>> {
    let mut line = String::new();
    if stream.read_line(&mut line).await? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap(), words.next().unwrap_or_default());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(Some(Seen {
        method,
        target,
        headers,
        body,
    }))
}

/// Whether the connection goes on.
async fn say(
    stream: &mut BufReader<TcpStream>,
    answer: Answer,
    inner: &Inner,
) -> std::io::Result<bool> {
    let stream = stream.get_mut();
    match answer {
        Answer::Say(status, headers, body) => {
            let mut head = format!(
                "HTTP/1.1 {status} Said\r\ncontent-length: {}\r\n",
                body.len()
            );
            for (name, value) in headers {
                head += format!("{name}: {value}\r\n").as_str();
            }
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await?;
            Ok(true)
        }
        Answer::Hang => {
            let mut rest = [0; 64];
            while stream.read(&mut rest).await? > 0 {}
            Ok(false)
        }
        Answer::Held => {
            inner.held.acquire().await.unwrap().forget();
            stream
                .write_all(b"HTTP/1.1 200 Said\r\ncontent-length: 0\r\n\r\n")
                .await?;
            Ok(true)
        }
        Answer::Drop => Ok(false),
        Answer::Half => {
            let half = b"HTTP/1.1 200 Said\r\ncontent-length: 1000\r\n\r\nhalf";
            stream.write_all(half).await?;
            Ok(false)
        }
        Answer::Dribble | Answer::Gigabyte | Answer::Bomb | Answer::Heads => {
            endless(stream, &answer, inner).await
        }
    }
}

/// Answers that nobody should read to their end.
async fn endless(stream: &mut TcpStream, answer: &Answer, inner: &Inner) -> std::io::Result<bool> {
    match answer {
        Answer::Dribble => {
            let head = b"HTTP/1.1 200 Said\r\ncontent-length: 1000000\r\n\r\n";
            stream.write_all(head).await?;
            let mut tick = tokio::time::interval(Duration::from_millis(20));
            loop {
                tick.tick().await;
                stream.write_all(b".").await?;
            }
        }
        Answer::Gigabyte => {
            let head = b"HTTP/1.1 200 Said\r\ncontent-length: 1073741824\r\n\r\n";
            stream.write_all(head).await?;
            let part = vec![b'x'; 65_536];
            for _ in 0..16_384 {
                stream.write_all(&part).await?;
                inner.sent.fetch_add(65_536, Ordering::SeqCst);
            }
            Ok(false)
        }
        Answer::Bomb => {
            let bomb = bomb();
            let length = bomb.len();
            let head = format!(
                "HTTP/1.1 200 Said\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            for part in bomb.chunks(65_536) {
                stream.write_all(part).await?;
                inner.sent.fetch_add(part.len(), Ordering::SeqCst);
            }
            Ok(true)
        }
        _ => {
            stream.write_all(b"HTTP/1.1 200 Said\r\n").await?;
            loop {
                stream.write_all(b"x-more: and more\r\n").await?;
            }
        }
    }
}

/// A gzip head and one deflate block with fixed codes: a zero byte, then "the last byte 258 times
/// more" without end.
fn bomb() -> Vec<u8> {
    let mut bits = vec![true, true, false];
    // Literal 0 is 00110000; length 258 is 11000101; distance 1 is 00000.
    bits.extend([false, false, true, true, false, false, false, false]);
    for _ in 0..16 {
        bits.extend([true, true, false, false, false, true, false, true]);
        bits.extend([false; 5]);
    }
    let byte = |bits: &[bool]| -> u8 {
        let set = bits.iter().enumerate().filter(|(_, bit)| **bit);
        set.fold(0, |byte, (at, _)| byte | (1 << at))
    };
    let packed: Vec<u8> = bits.chunks(8).map(byte).collect();
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    bytes.extend(&packed[..2]);
    // Eight repeats are 13 whole bytes.
    bytes.extend(packed[2..15].repeat(80_000));
    bytes
}
