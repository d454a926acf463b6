//! What the machine could do at best: actix that answers, and actix that first stores the body in
//! SQLite with the ledger's settings and group commit. Served by this binary as a process of its own.

use std::path::Path;
use std::process::Command;

use actix_web::{App, HttpResponse, HttpServer, web};
use tokio::sync::{mpsc, oneshot};

use crate::client::Load;
use crate::process::{self, Ready, Server};
use crate::table::Run;

/// The first argument of the process that serves.
pub(crate) const SERVE: &str = "--serve";
/// Reads the body and answers.
pub(crate) const ANSWER: &str = "answer";
/// Stores the body, then answers.
pub(crate) const STORE: &str = "store";

const ADDRESS_VARIABLE: &str = "BENCH_ADDRESS";
/// As `[storage]` has them.
const BATCH: usize = 512;
const BACKLOG: usize = 4_096;

type Job = (web::Bytes, oneshot::Sender<()>);

/// Starts such a server and measures it.
pub(crate) fn measure(kind: &str, folder: &Path, load: &Load) -> anyhow::Result<Run> {
    let address = process::free_address()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args([SERVE, kind]).arg(folder);
    command.env(ADDRESS_VARIABLE, address.to_string());
    let server = Server::start(&mut command, address, Ready::Listens)?;
    let before = server.cpu_seconds()?;
    let sent = load.send(server.address)?;
    let run = Run::new(load, &sent, sent.end, server.cpu_seconds()? - before)
        .with_memory(server.peak_mb()?);
    if kind == STORE {
        let conn = rusqlite::Connection::open(folder.join(FILE))?;
        let stored: i64 =
            conn.query_row("SELECT count(*) FROM submissions", [], |row| row.get(0))?;
        anyhow::ensure!(
            usize::try_from(stored)? == load.len(),
            "{stored} of {} stored",
            load.len()
        );
    }
    Ok(run)
}

const FILE: &str = "bare.sqlite";

/// Serves until it is killed.
#[expect(
    clippy::disallowed_methods,
    reason = "its parent's message, no configuration"
)]
pub(crate) fn serve(kind: &str, folder: &Path) -> anyhow::Result<()> {
    let address = std::env::var(ADDRESS_VARIABLE)?;
    let jobs = (kind == STORE).then(|| writer(folder)).transpose()?;
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || match jobs.clone() {
            Some(jobs) => App::new()
                .app_data(web::Data::new(jobs))
                .default_service(web::to(store)),
            None => App::new().default_service(web::to(answer)),
        });
        let workers = std::thread::available_parallelism().map_or(2, usize::from);
        server.workers(workers).bind(address)?.run().await
    })?;
    Ok(())
}

async fn answer(body: web::Bytes) -> HttpResponse {
    std::hint::black_box(body);
    HttpResponse::Accepted().finish()
}

async fn store(body: web::Bytes, jobs: web::Data<mpsc::Sender<Job>>) -> HttpResponse {
    let (tell, told) = oneshot::channel();
    if jobs.try_send((body, tell)).is_err() || told.await.is_err() {
        return HttpResponse::ServiceUnavailable().finish();
    }
    HttpResponse::Accepted().finish()
}

fn writer(folder: &Path) -> anyhow::Result<mpsc::Sender<Job>> {
    let conn = rusqlite::Connection::open(folder.join(FILE))?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "wal_autocheckpoint", 16_000)?;
    conn.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    conn.execute_batch(
        "CREATE TABLE submissions (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, raw BLOB NOT NULL)",
    )?;
    let (jobs, mut waiting) = mpsc::channel::<Job>(BACKLOG);
    std::thread::spawn(move || -> rusqlite::Result<()> {
        let clock = leadgate::clock::Clock::system();
        let mut group = Vec::with_capacity(BATCH);
        while let Some(first) = waiting.blocking_recv() {
            group.push(first);
            while group.len() < BATCH {
                let Ok(next) = waiting.try_recv() else { break };
                group.push(next);
            }
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut insert =
                conn.prepare_cached("INSERT INTO submissions (at, raw) VALUES (?1, ?2)")?;
            for (body, _) in &group {
                insert.execute(rusqlite::params![clock.now(), &body[..]])?;
            }
            conn.prepare_cached("COMMIT")?.execute([])?;
            for (_, tell) in group.drain(..) {
                let _ = tell.send(());
            }
        }
        Ok(())
    });
    Ok(jobs)
}
