//! Stands where names become addresses: a name is looked up once for each connection, every address
//! is judged, and only those are dialled. Knows nothing of requests.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::PUBLIC_PORTS;
use super::address;
use super::address::Standing;

/// What a name leads to.
pub(super) type Lookup = dyn Fn(String) -> Looking + Send + Sync;
pub(super) type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

pub(super) fn system_lookup(name: String) -> Looking {
    Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
}

/// Stands where names become addresses.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) allow: Arc<[IpNet]>,
    pub(super) lookup: Arc<Lookup>,
    pub(super) named_only: bool,
}

/// An address that must not be reached.
#[derive(Debug)]
pub(super) struct NotAllowed(pub(super) String);

/// A name that leads nowhere at present.
#[derive(Debug)]
pub(super) struct NoAddress;

impl std::fmt::Display for NotAllowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::fmt::Display for NoAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the host's name has no address")
    }
}

impl Error for NotAllowed {}
impl Error for NoAddress {}

impl Guard {
    pub(super) fn judge(&self, address: IpAddr, named_only: bool) -> Result<(), String> {
        let hint = "name its network in outbound.allow_private if it is meant";
        match address::judge(address, &self.allow) {
            Ok(Standing::Named) => Ok(()),
            Ok(Standing::Public) if !named_only => Ok(()),
            Ok(Standing::Public) => Err(format!(
                "a public address is reached by https on port {} or {} only; {hint}",
                PUBLIC_PORTS[0], PUBLIC_PORTS[1]
            )),
            Err(kind) => Err(format!("the address is not public ({kind}); {hint}")),
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found = (guard.lookup)(name).await.map_err(|_| NoAddress)?;
            if found.is_empty() {
                return Err(NoAddress.into());
            }
            // One bad address among good ones is no accident: the whole name is refused.
            for address in &found {
                guard
                    .judge(address.ip(), guard.named_only)
                    .map_err(NotAllowed)?;
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}
