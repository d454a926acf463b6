//! A server as a process: waiting for it, what it used, ending it. Linux only, by `/proc`.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// The kernel counts CPU time in these on every platform that Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a server may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running server; ended when it is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts a command that listens on `address`, and waits until it does.
    pub(crate) fn start(command: &mut Command, address: SocketAddr) -> anyhow::Result<Self> {
        let child = command.spawn().context("the server cannot be started")?;
        let mut server = Self { child, address };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended at once: {status}");
            }
            anyhow::ensure!(start.elapsed() < PATIENCE, "the server does not listen");
            pause(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Seconds of CPU so far, of all its threads.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name may hold blanks; what follows its bracket does not.
        let (_, rest) = stat.rsplit_once(')').context("/proc/…/stat")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let mut ticks = 0.0;
        for at in [11, 12] {
            ticks += fields.get(at).context("utime, stime")?.parse::<f64>()?;
        }
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// The most memory that it ever had, in MiB.
    pub(crate) fn peak_mib(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib = line.and_then(|l| l.split_whitespace().next());
        Ok(kib.context("VmHWM")?.parse::<f64>()? / 1_024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on which nobody listens yet.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    Ok(listener.local_addr()?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "looking again from time to time is all there is to do"
)]
pub(crate) fn pause(duration: Duration) {
    std::thread::sleep(duration);
}
