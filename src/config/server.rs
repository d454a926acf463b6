//! Section `[server]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::clock::{Millis, SECOND};
use crate::document::Table;

/// The port that the docs name.
const METRICS_PORT: u16 = 9464;

/// Section `[server]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where `/metrics` is asked for; `None` for nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// What it is called outside, without a slash at the end; never taken from a request. Empty
    /// only where it was not configured and the port is not known yet: see [`Server::url_at`].
    pub public_url: String,
    /// Threads that serve; 0 is one for every two cores.
    pub workers: usize,
    /// How long a stop may take to finish what is under way.
    pub shutdown_timeout_ms: Millis,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            metrics_listen: None,
            public_url: "http://127.0.0.1:8080".to_owned(),
            workers: 0,
            shutdown_timeout_ms: 30 * SECOND,
        }
    }
}

impl Server {
    /// What it is called outside, once it listens at `bound`.
    pub fn url_at(&self, bound: SocketAddr) -> String {
        if self.public_url.is_empty() {
            return url_of(bound);
        }
        self.public_url.clone()
    }

    /// Where this machine reaches it.
    pub fn url_here(&self) -> String {
        url_of(self.listen)
    }
}

/// Reads `[server]`.
pub(super) fn read(table: &Table<'_>) -> Option<Server> {
    let default = Server::default();
    let listen = read_listen(table, "listen", default.listen);
    let metrics_listen = read_metrics_listen(table);
    let public_url = read_public_url(table);
    let workers = super::size(table, "workers", 0..=1_024, default.workers);
    let shutdown_timeout_s = table.int("shutdown_timeout_s", 1..=600);
    table.done();
    let listen = listen?;
    let derived = match listen.port() {
        0 => String::new(),
        _ => url_of(listen),
    };
    Some(Server {
        listen,
        metrics_listen,
        public_url: public_url.filter(|url| !url.is_empty()).unwrap_or(derived),
        workers,
        shutdown_timeout_ms: shutdown_timeout_s.map_or(default.shutdown_timeout_ms, |s| s * SECOND),
    })
}

/// Where nothing is configured: good for one machine, and for nothing else.
fn url_of(listen: SocketAddr) -> String {
    let mut address = listen;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    format!("http://{address}")
}

fn read_listen(table: &Table<'_>, key: &str, default: SocketAddr) -> Option<SocketAddr> {
    if !table.has(key) {
        return Some(default);
    }
    let text = table.text(key)?;
    let address = text.trim().parse().ok();
    if address.is_none() {
        let name = table.name(key);
        let port = default.port();
        let wanted =
            format!("wanted is an address with a port, like \"{default}\" or \"[::]:{port}\"");
        table.problem(key, format!("{name} is \"{text}\"; {wanted}"));
    }
    address
}

/// Empty is off: numbers about a business are shown only where somebody asked for them.
fn read_metrics_listen(table: &Table<'_>) -> Option<SocketAddr> {
    let text = table.text("metrics_listen").unwrap_or_default();
    if text.trim().is_empty() {
        return None;
    }
    let usual = SocketAddr::from((Ipv4Addr::LOCALHOST, METRICS_PORT));
    read_listen(table, "metrics_listen", usual)
}

/// Empty where it is left to be derived.
fn read_public_url(table: &Table<'_>) -> Option<String> {
    if !table.has("public_url") {
        return Some(String::new());
    }
    let text = table.text("public_url")?;
    if text.trim().is_empty() {
        return Some(String::new());
    }
    let mistake = match url::Url::parse(text.trim()) {
        Err(error) => Some(format!("is no URL ({error})")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some(format!("begins with \"{}:\"", url.scheme()))
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Some("has a query or a fragment".to_owned())
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("holds a login".to_owned())
        }
        Ok(_) => None,
    };
    let Some(mistake) = mistake else {
        return Some(text.trim().trim_end_matches('/').to_owned());
    };
    let wanted = "wanted is for example \"https://leads.example.com\"";
    let name = table.name("public_url");
    table.problem("public_url", format!("{name} {mistake}; {wanted}"));
    None
}
