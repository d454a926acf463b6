//! The daemon: builds every part from a configuration, serves until it is told to stop, and stops
//! without losing or repeating anything. Knows no business rule.

mod metrics;
mod reload;
mod watchdog;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::{App, HttpResponse, HttpServer, web};
use anyhow::Context;

use crate::clock::Clock;
use crate::config::{self, Config};
use crate::deliver::{Deliverer, Outside};
use crate::flow::{Flow, Parts, Policy};
use crate::intake::{self, Intake};
use crate::ledger;
use crate::ledger::Ledger;
use crate::outbound::Outbound;
use crate::outcome;
use crate::problem::Problem;
use crate::queue::Queue;
use crate::telemetry::systemd;
use crate::worker::{self, Workers};

/// Why a daemon could not be built.
#[derive(Debug, thiserror::Error)]
pub enum Unbuilt {
    /// Files that a person can mend.
    #[error("the configuration has problems")]
    Problems(Vec<Problem>),
    /// Everything else, with its cause.
    #[error(transparent)]
    Other(#[from] anyhow::Error),
}

/// A daemon that listens; it works once it is run.
pub struct Daemon {
    config: Config,
    flow: Arc<Flow>,
    server: Server,
    address: SocketAddr,
    metrics: Option<Server>,
    ready: Arc<AtomicBool>,
}

impl Daemon {
    /// Builds everything; with the machine's clock.
    pub fn build(config: Config) -> Result<Self, Unbuilt> {
        Self::build_with(config, Clock::system())
    }

    /// The same with a clock that a test may move.
    pub fn build_with(config: Config, clock: Clock) -> Result<Self, Unbuilt> {
        // A second call finds the provider there already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let policy = assemble(&config).map_err(Unbuilt::Problems)?;
        let ledger = Ledger::serve(&config.storage).context("the ledger cannot be opened")?;
        // Only now: whoever can connect finds a ledger beside it.
        let listener = std::net::TcpListener::bind(config.server.listen)
            .with_context(|| format!("cannot listen on {}", config.server.listen))?;
        let address = listener.local_addr().context("the address is unknown")?;
        let key = secret_key(&config).context("the secret key cannot be read or made")?;
        let public_url = config
            .server
            .url_at(address)
            .trim_end_matches('/')
            .to_owned();
        let outbound = Outbound::new(config.outbound.allow_private.clone())?;
        let deliverer = Deliverer::new(&config.mail, &host_of(&public_url), outbound.clone())
            .context("mail cannot be sent with these settings")?;
        let queue = Queue::start(&config.queue, config.flow.queue_window, &key)
            .context("there is no queue")?;
        let parts = Parts {
            ledger,
            queue,
            clock,
            settings: config.flow.clone(),
            mail: config.mail.clone(),
            deliverer,
            outbound,
            key,
            public_url,
        };
        let flow = Flow::start(parts, policy).context("the ledger cannot be read")?;
        let ready = Arc::new(AtomicBool::new(true));
        let server = serve(&config, listener, &flow, &ready).context("cannot serve")?;
        let metrics = metrics::serve(config.server.metrics_listen, &flow)?;
        Ok(Self {
            config,
            flow,
            server,
            address,
            metrics,
            ready,
        })
    }

    /// Where it listens; the port is the real one where the configuration says 0.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the steps share; for the demo and tests.
    pub fn flow(&self) -> Arc<Flow> {
        self.flow.clone()
    }

    /// Serves and works until SIGTERM or SIGINT, reloading the policy when its files change.
    pub async fn run_until_stopped(self) -> anyhow::Result<()> {
        use tokio::signal::unix::SignalKind;
        let stop = signal(&[SignalKind::terminate(), SignalKind::interrupt()])?;
        self.run_until(stop).await
    }

    /// Serves and works until `stop` is there.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
        // Before anybody hears that it is ready: a SIGHUP that nobody waits for ends the process.
        let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?;
        let workers = Workers::start(
            &self.flow,
            (
                self.config.mail.concurrency,
                self.config.outbound.webhook_concurrency,
            ),
            self.config.flow.distribute,
        );
        let aside = [
            tokio::spawn(reload::reload_on_change(
                self.config.clone(),
                self.flow.clone(),
                hangup,
            )),
            tokio::spawn(metrics::keep_fresh(self.flow.clone())),
            tokio::spawn(watchdog::feed(self.flow.clone())),
        ];
        let metrics = self.metrics.map(|server| {
            let handle = server.handle();
            tokio::spawn(server);
            handle
        });
        let handle = self.server.handle();
        let serving = tokio::spawn(self.server);
        tracing::info!(address = %self.address, policy = %self.flow.policy().hash, "serving");
        systemd::ready();
        stop.await;
        tracing::info!("stopping: finishing what was begun");
        systemd::stopping();
        self.ready.store(false, Ordering::SeqCst);
        for task in &aside {
            task.abort();
        }
        drain(&handle, &self.flow, workers, &self.config).await;
        let _ = serving.await;
        if let Some(metrics) = metrics {
            metrics.stop(false).await;
        }
        Ok(())
    }

    /// Serves requests in the background and leaves the work to `work_until_idle`: for tests with
    /// time set by hand.
    pub fn serve_only(self) -> Standing {
        let handle = self.server.handle();
        tokio::spawn(self.server);
        Standing {
            flow: self.flow,
            handle,
            address: self.address,
            config: self.config,
        }
    }
}

/// A daemon that serves while its owner says when to work.
pub struct Standing {
    flow: Arc<Flow>,
    handle: ServerHandle,
    address: SocketAddr,
    config: Config,
}

impl Standing {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the steps share.
    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// Does everything that is due, and what follows from it.
    pub async fn work_until_idle(&self) -> Result<(), crate::ledger::Fault> {
        worker::work_until_idle(&self.flow).await
    }

    /// Reads the policy's files anew and puts them to work, or says what is wrong with them.
    pub async fn reload(&self) -> Result<bool, Vec<Problem>> {
        reload::reload(&self.config, &self.flow).await
    }

    /// Stops; the ledger is closed and may be opened by another.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        close(&self.flow).await;
    }
}

/// The policy of a configuration's files.
pub fn assemble(config: &Config) -> Result<Policy, Vec<Problem>> {
    let files = config::read_policy(&config.policy)?;
    let outbound = Outbound::new(config.outbound.allow_private.clone());
    let outside = Outside {
        secret: &|reference| config.references.secret(reference),
        url: &|url| match &outbound {
            Ok(outbound) => outbound.check(url),
            Err(error) => Err(error.to_string()),
        },
    };
    Policy::assemble(&files, &config.flow, &outside)
}

fn serve(
    config: &Config,
    listener: std::net::TcpListener,
    flow: &Arc<Flow>,
    ready: &Arc<AtomicBool>,
) -> std::io::Result<Server> {
    let intake = web::Data::new(Intake::new(flow.clone(), config.intake.clone()));
    let (flow, ready) = (web::Data::from(flow.clone()), ready.clone());
    let workers = match config.server.workers {
        // As much again is needed by those that decide and write.
        0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)),
        n => n,
    };
    let milliseconds = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(intake.clone())
            .app_data(flow.clone())
            .app_data(web::Data::new(ready.clone()))
            .configure(intake::routes)
            .configure(outcome::routes)
            .route("/healthz", web::get().to(HttpResponse::Ok))
            .route("/readyz", web::get().to(readyz))
    })
    .workers(workers)
    .max_connections((config.intake.connections / workers).max(1))
    .client_request_timeout(milliseconds(config.intake.head_timeout_ms))
    .client_disconnect_timeout(Duration::from_secs(1))
    .shutdown_timeout(u64::try_from(config.server.shutdown_timeout_ms / 1_000).unwrap_or(10))
    .disable_signals();
    Ok(server.listen(listener)?.run())
}

/// Whether leads can be taken: the store is sound and the daemon is not stopping.
async fn readyz(flow: web::Data<Flow>, ready: web::Data<Arc<AtomicBool>>) -> HttpResponse {
    if !ready.load(Ordering::SeqCst) {
        return HttpResponse::ServiceUnavailable().body("stopping\n");
    }
    if !flow.is_alive() {
        return HttpResponse::ServiceUnavailable().body("a thread has died; restart\n");
    }
    if flow.ledger.health().is_broken() {
        return HttpResponse::ServiceUnavailable().body("the ledger's disk failed\n");
    }
    if let Err(fault) = flow.ledger.look_for_room(flow.clock.now()).await {
        return HttpResponse::ServiceUnavailable().body(format!("{fault}\n"));
    }
    match flow
        .ledger
        .read_off(|r: &crate::ledger::Reads<'_>| r.decided_upto())
        .await
    {
        // Leads are taken without Redis too, so it is told and no more.
        Ok(_) => match flow.queue.trouble() {
            None => HttpResponse::Ok().body("ready\n"),
            Some(trouble) => HttpResponse::Ok().body(format!("ready; {trouble}\n")),
        },
        Err(fault) => HttpResponse::ServiceUnavailable().body(format!("{fault}\n")),
    }
}

/// One patience for all: whoever stops it waits so long and no longer.
async fn drain(handle: &ServerHandle, flow: &Arc<Flow>, workers: Workers, config: &Config) {
    let patience = u64::try_from(config.server.shutdown_timeout_ms).unwrap_or(10_000);
    let begun = std::time::Instant::now();
    let patience = Duration::from_millis(patience);
    let _ = tokio::time::timeout(patience, handle.stop(true)).await;
    workers.stop(patience.saturating_sub(begun.elapsed())).await;
    close(flow).await;
}

async fn close(flow: &Arc<Flow>) {
    let closing = flow.clone();
    let closed = tokio::task::spawn_blocking(move || {
        closing.stop_deciding();
        closing.ledger.close();
    });
    let _ = closed.await;
    flow.queue.stop().await;
}

/// Signs links and hashes keys: from the configuration where nodes share it, else made once.
fn secret_key(config: &Config) -> anyhow::Result<Vec<u8>> {
    if let Some(secret) = &config.secret_key {
        return Ok(secret.expose().as_bytes().to_vec());
    }
    Ok(ledger::read_or_make_key(&config.storage.data_dir)?)
}

fn host_of(public_url: &str) -> String {
    url::Url::parse(public_url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "localhost".into())
}

/// Resolves at the first of these signals.
fn signal(
    kinds: &[tokio::signal::unix::SignalKind],
) -> anyhow::Result<impl Future<Output = ()> + use<>> {
    use tokio::signal::unix::signal;
    let mut signals = Vec::new();
    for kind in kinds {
        signals.push(signal(*kind)?);
    }
    Ok(async move {
        let received = signals.iter_mut().map(|signal| Box::pin(signal.recv()));
        let _ = futures_util::future::select_all(received).await;
    })
}
