//! The one way out over HTTP: reaches public addresses by TLS, and private ones only where the
//! operator named their network. Knows no stage, no platform and no retry.
//!
//! An address is judged where the connection is made: a name is resolved once, every address that
//! it has is judged, and only those are dialled, so that a name which answers otherwise the next
//! time gains nothing. Addresses in the operator's networks may be reached by plain HTTP and on
//! every port; public ones by HTTPS on [`PUBLIC_PORTS`].

mod address;
mod guard;

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};

use crate::clock::Millis;
use guard::{Guard, Lookup, NoAddress, NotAllowed};

/// Where HTTPS is spoken in public; elsewhere there may be anything.
pub const PUBLIC_PORTS: [u16; 2] = [443, 8443];
const URL_BYTES_MAX: usize = 2_048;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_PER_HOST_MAX: usize = 4;
const ANSWER_HEADERS_MAX: usize = 100;
const BROKE_OFF: &str = "no whole answer came";
/// What the exchange itself says; a caller who sets them could make the far end read two requests
/// where one was sent.
const OWN_HEADERS: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
];

/// Section `[outbound]`.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Networks that may be reached although they are not public.
    pub allow_private: Vec<IpNet>,
    /// How many webhooks are under way at once, over all endpoints.
    pub webhook_concurrency: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_private: Vec::new(),
            webhook_concurrency: 32,
        }
    }
}

/// Why nothing in a network is ever reached, whoever names it; `None` for others.
pub fn never_reached(net: &IpNet) -> Option<&'static str> {
    address::never(net)
}

/// The guarded client. Clones share it.
#[derive(Clone)]
pub struct Outbound {
    inner: Arc<Inner>,
}

struct Inner {
    guard: Guard,
    /// For addresses in the operator's networks only.
    named: OnceLock<Result<reqwest::Client, String>>,
    /// For those and public ones.
    any: OnceLock<Result<reqwest::Client, String>>,
}

/// A request to make.
pub struct Call<'a> {
    /// `POST`, `GET`.
    pub method: &'a str,
    /// Absolute; ASCII, without login and fragment.
    pub url: &'a str,
    /// Beside those that the exchange itself sets.
    pub headers: Vec<(String, String)>,
    /// As it is sent.
    pub body: Vec<u8>,
    /// For the whole exchange, from finding the address to the last byte that is read.
    pub timeout_ms: Millis,
    /// No more of the answer's body is kept.
    pub reply_max_bytes: usize,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Three digits.
    pub status: u16,
    /// Names in lower case; values that are no text are left out.
    pub headers: Vec<(String, String)>,
    /// As it came: never decompressed.
    pub body: Vec<u8>,
    /// The body went on; the rest was not read.
    pub cut: bool,
}

/// Why there is no answer. The texts hold neither the URL nor what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Never worth another try as it stands: a bad URL, an address that is not allowed.
    Refused(String),
    /// Could not be reached, or broke off.
    Failed(String),
}

impl Reply {
    /// The value of the first header of that name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

impl Outbound {
    /// Sets it up. `allow`: networks that may be reached although they are private; a network in
    /// which nothing is ever reached is an error.
    pub fn new(allow: Vec<IpNet>) -> anyhow::Result<Self> {
        for net in &allow {
            if let Some(why) = address::never(net) {
                anyhow::bail!("{net} is never reached: {why}");
            }
        }
        Ok(Self::with_lookup(allow, Arc::new(guard::system_lookup)))
    }

    fn with_lookup(allow: Vec<IpNet>, lookup: Arc<Lookup>) -> Self {
        // A second call finds the provider there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self {
            inner: Arc::new(Inner {
                guard: Guard {
                    allow: allow.into(),
                    lookup,
                    named_only: false,
                },
                named: OnceLock::new(),
                any: OnceLock::new(),
            }),
        }
    }

    /// One exchange; redirects are not followed, no proxy is taken from the environment, nothing is
    /// decompressed.
    pub async fn send(&self, call: Call<'_>) -> Result<Reply, Trouble> {
        let timeout = Duration::from_millis(u64::try_from(call.timeout_ms).unwrap_or(0));
        match tokio::time::timeout(timeout, self.exchange(call)).await {
            Ok(result) => result,
            Err(_) => Err(Trouble::Failed("timeout".into())),
        }
    }

    /// Whether a URL could be called at all; what its name leads to is seen only then.
    pub fn check(&self, url: &str) -> Result<(), String> {
        self.target(url).map(|_| ())
    }

    /// The URL, and whether only the operator's networks may be reached by it.
    fn target(&self, text: &str) -> Result<(Url, bool), String> {
        let url = read_url(text)?;
        let port = url.port_or_known_default().unwrap_or(0);
        let named_only = url.scheme() != "https" || !PUBLIC_PORTS.contains(&port);
        // A resolver is never asked for an address that stands in the URL.
        let literal = match url.host() {
            Some(Host::Ipv4(v4)) => Some(IpAddr::V4(v4)),
            Some(Host::Ipv6(v6)) => Some(IpAddr::V6(v6)),
            Some(Host::Domain(_)) | None => None,
        };
        if let Some(address) = literal {
            self.inner.guard.judge(address, named_only)?;
        }
        Ok((url, named_only))
    }

    async fn exchange(&self, call: Call<'_>) -> Result<Reply, Trouble> {
        let (url, named_only) = self.target(call.url).map_err(Trouble::Refused)?;
        let method = reqwest::Method::from_bytes(call.method.as_bytes())
            .map_err(|_| Trouble::Refused("the method is none".into()))?;
        let headers = read_headers(&call.headers).map_err(Trouble::Refused)?;
        let client = self.client(named_only)?;
        let request = client.request(method, url).headers(headers).body(call.body);
        let mut answer = request.send().await.map_err(|error| trouble(&error))?;
        let mut reply = Reply {
            status: answer.status().as_u16(),
            headers: text_headers(answer.headers()),
            body: Vec::new(),
            cut: false,
        };
        while let Some(chunk) = answer.chunk().await.map_err(|error| trouble(&error))? {
            let room = call.reply_max_bytes - reply.body.len();
            let kept = chunk.get(..room).unwrap_or(&chunk);
            reply.body.extend_from_slice(kept);
            if chunk.len() > room {
                // Whoever does not read on closes: the connection is not used again.
                reply.cut = true;
                break;
            }
        }
        Ok(reply)
    }

    /// Made when first needed: a machine without certificates can still do all else.
    fn client(&self, named_only: bool) -> Result<&reqwest::Client, Trouble> {
        let inner = &self.inner;
        let slot = if named_only { &inner.named } else { &inner.any };
        let built = slot.get_or_init(|| {
            let guard = Guard {
                named_only,
                ..inner.guard.clone()
            };
            build(guard).map_err(|error| cause(&error))
        });
        built.as_ref().map_err(|why| Trouble::Failed(why.clone()))
    }
}

fn build(guard: Guard) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(concat!("leadgate/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .http1_max_headers(ANSWER_HEADERS_MAX)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .dns_resolver(Arc::new(guard))
        .build()
}

/// Refuses what a parser would mend silently, so that what is written is what is called.
fn read_url(text: &str) -> Result<Url, String> {
    if text.len() > URL_BYTES_MAX {
        return Err(format!("the URL is longer than {URL_BYTES_MAX} bytes"));
    }
    if !text.bytes().all(|b| b.is_ascii_graphic()) {
        let wanted = "write a name in other letters as xn--…, and the rest percent-encoded";
        return Err(format!(
            "the URL holds blanks or other letters than ASCII; {wanted}"
        ));
    }
    let url = Url::parse(text).map_err(|error| format!("the URL cannot be read: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!(
            "the URL begins with `{}:`, not `https:`",
            url.scheme()
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("the URL holds a login; give it as a header".into());
    }
    if url.fragment().is_some() {
        return Err("the URL has a fragment (`#`), which is never sent".into());
    }
    match url.host() {
        None => Err("the URL has no host".into()),
        Some(Host::Domain(name)) if name.ends_with('.') => Err("the host ends with a dot".into()),
        Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) => Ok(url),
    }
}

/// Whether a caller may set a header so; for settings that are read long before they are used.
pub fn check_header(name: &str, value: &str) -> Result<(), String> {
    read_header(name, value).map(|_| ())
}

fn read_headers(headers: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let (name, value) = read_header(name, value)?;
        map.append(name, value);
    }
    Ok(map)
}

fn read_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let name: HeaderName = name
        .parse()
        .map_err(|_| "a header's name holds what no name may hold".to_owned())?;
    if OWN_HEADERS.contains(&name.as_str()) {
        return Err(format!("the header `{name}` is not the caller's to set"));
    }
    // The value may be a secret, so it is not repeated.
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| format!("the header `{name}` holds line ends or control characters"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn text_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

/// The error and what caused it, the innermost last.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> Vec<&'a (dyn Error + 'static)> {
    let mut all = Vec::new();
    let mut next: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(error) = next {
        all.push(error);
        // `source` of an I/O error passes over what it wraps.
        next = match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    all
}

/// What went wrong, by its causes; never by the texts that hold the URL.
fn trouble(error: &reqwest::Error) -> Trouble {
    let refused = causes(error)
        .into_iter()
        .find_map(|error| error.downcast_ref());
    match refused {
        Some(NotAllowed(why)) => Trouble::Refused(why.clone()),
        None => Trouble::Failed(cause(error)),
    }
}

fn cause(error: &reqwest::Error) -> String {
    if error.is_builder() {
        let hint = "install the system's (Debian: ca-certificates) and restart";
        return format!("TLS: no certificates of authorities were found; {hint}");
    }
    let mut kind = None;
    for error in causes(error) {
        if let Some(error) = error.downcast_ref::<rustls::Error>() {
            return format!("TLS: {error}");
        }
        if let Some(NoAddress) = error.downcast_ref() {
            return NoAddress.to_string();
        }
        kind = error.downcast_ref().map(io::Error::kind).or(kind);
    }
    if let Some(kind) = kind {
        return words(kind);
    }
    let what = match error {
        e if e.is_timeout() => "timeout",
        e if e.is_connect() => "no connection",
        _ => BROKE_OFF,
    };
    what.to_owned()
}

fn words(kind: io::ErrorKind) -> String {
    if kind == io::ErrorKind::UnexpectedEof {
        return BROKE_OFF.to_owned();
    }
    kind.to_string()
}

#[cfg(test)]
mod tests;
