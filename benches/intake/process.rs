//! Processes: starting them, waiting until they serve, what they used, ending them, also when the
//! benchmark is interrupted. Linux only, by `/proc`. Knows no lead.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

/// The kernel counts CPU time in these on every platform that Linux runs on.
const TICKS_PER_SECOND: f64 = 100.0;
/// How long a server may take to serve; the limit of a start is far below.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK_EVERY: Duration = Duration::from_millis(5);

type Shared = Arc<Mutex<Child>>;

static RUNNING: Mutex<Vec<Shared>> = Mutex::new(Vec::new());
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// When a server counts as started.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ready {
    /// It takes connections.
    Listens,
    /// It answers 200 to `GET /readyz`.
    Says,
}

/// A running server; ended when it is dropped.
pub(crate) struct Server {
    child: Shared,
    pid: u32,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From the start of the process until it was ready.
    pub(crate) took: Duration,
}

impl Server {
    /// Starts a command that listens on `address`, and waits until it is ready.
    pub(crate) fn start(
        command: &mut Command,
        address: SocketAddr,
        ready: Ready,
    ) -> anyhow::Result<Self> {
        let start = Instant::now();
        let (child, pid) = spawn(command)?;
        let mut server = Self {
            child,
            pid,
            address,
            took: Duration::ZERO,
        };
        while !server.is_ready(ready) {
            if let Some(status) = locked(&server.child).try_wait()? {
                let name = command.get_program().display();
                bail!("{name} ended before it served ({status}); its message is above");
            }
            ensure!(
                start.elapsed() < PATIENCE,
                "the server on {address} is not ready after {} s",
                PATIENCE.as_secs()
            );
            pause(LOOK_EVERY)?;
        }
        server.took = start.elapsed();
        Ok(server)
    }

    fn is_ready(&self, ready: Ready) -> bool {
        match ready {
            Ready::Listens => TcpStream::connect(self.address).is_ok(),
            Ready::Says => self
                .get("/readyz")
                .is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")),
        }
    }

    /// The whole answer to a GET.
    pub(crate) fn get(&self, path: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut answer = String::new();
        stream.take(64 * 1024).read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Seconds of CPU so far, of all its threads.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The name may hold blanks; what follows its bracket does not.
        let (_, rest) = stat.rsplit_once(')').context("/proc/…/stat")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let mut ticks = 0.0;
        for at in [11, 12] {
            ticks += fields.get(at).context("utime, stime")?.parse::<f64>()?;
        }
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// The most memory that it ever had, in millions of bytes.
    pub(crate) fn peak_mb(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid))?;
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib = line.and_then(|l| l.split_whitespace().next());
        Ok(kib.context("VmHWM")?.parse::<f64>()? * 1_024.0 / 1e6)
    }

    /// As the kernel does when memory is short.
    pub(crate) fn kill(self) {
        drop(self);
    }

    /// As an operator does; how long it took. Anything but a clean end is an error.
    pub(crate) fn stop(self) -> anyhow::Result<Duration> {
        let start = Instant::now();
        let told = Command::new("kill")
            .args(["-TERM", &self.pid.to_string()])
            .status()
            .context("`kill` is needed to stop a daemon")?;
        ensure!(told.success(), "the daemon cannot be told to stop");
        loop {
            let ended = locked(&self.child).try_wait()?;
            if let Some(status) = ended {
                return finished(status, start);
            }
            ensure!(start.elapsed() < PATIENCE, "the daemon does not stop");
            pause(LOOK_EVERY)?;
        }
    }
}

fn finished(status: ExitStatus, start: Instant) -> anyhow::Result<Duration> {
    ensure!(status.success(), "the daemon stopped with {status}");
    Ok(start.elapsed())
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&self.child);
        locked(&RUNNING).retain(|child| !Arc::ptr_eq(child, &self.child));
    }
}

fn spawn(command: &mut Command) -> anyhow::Result<(Shared, u32)> {
    // Locked before the look, so that an interrupt finds every child or prevents it.
    let mut running = locked(&RUNNING);
    go_on()?;
    let name = command.get_program().display().to_string();
    let child = command
        .spawn()
        .with_context(|| format!("{name} cannot be started"))?;
    let pid = child.id();
    let child = Arc::new(Mutex::new(child));
    running.push(child.clone());
    Ok((child, pid))
}

fn end(child: &Shared) {
    let mut child = locked(child);
    let _ = child.kill();
    let _ = child.wait();
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on Ctrl-C and SIGTERM end every child; what waits for one then fails, and the folder is
/// cleared on the way out.
pub(crate) fn end_children_on_signal() -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (mut interrupt, mut terminate) = {
        let _inside = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    std::thread::spawn(move || {
        runtime.block_on(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                eprintln!("interrupted: ending what was started");
                INTERRUPTED.store(true, Ordering::SeqCst);
                locked(&RUNNING).iter().for_each(end);
            }
        });
    });
    Ok(())
}

/// Whether somebody wants it to end.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// An error once somebody wants it to end.
pub(crate) fn go_on() -> anyhow::Result<()> {
    ensure!(!is_interrupted(), "interrupted");
    Ok(())
}

/// An address on which nobody listens yet.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0));
    let listener = listener.context("no port of 127.0.0.1 is free")?;
    Ok(listener.local_addr()?)
}

/// Waits, unless somebody wants it to end.
#[expect(
    clippy::disallowed_methods,
    reason = "looking again from time to time is all there is to do"
)]
pub(crate) fn pause(duration: Duration) -> anyhow::Result<()> {
    std::thread::sleep(duration);
    go_on()
}
