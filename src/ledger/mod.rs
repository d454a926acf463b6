//! The truth: the only room with SQL. One thread writes with group commit, several connections
//! read. Knows neither HTTP, nor Redis, nor rules.

mod assign;
mod checkpoint;
mod db;
mod decide;
mod deliveries;
mod endpoints;
mod fault;
mod fetched;
mod forget;
mod history;
mod hot;
mod key;
mod keys;
mod leads;
mod named;
mod persons;
mod policies;
pub mod reads;
mod receive;
mod retain;
pub mod settings;
mod sieve;
mod standing;
mod sync;
pub mod upkeep;
mod work;
mod writer;

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rusqlite::Connection;
use tokio::sync::mpsc;

pub use decide::{InquiryText, NewLead, Undecided};
pub use deliveries::{Begun, Wait};
pub use endpoints::EndpointState;
pub use fault::Fault;
pub use forget::Content;
pub use history::Opening;
pub use key::{read_key, read_or_make_key};
pub use leads::{Change, Place};
pub use persons::{PersonKey, Persons};
pub use reads::Reads;
pub use receive::{Standing, Stored};
pub use retain::{ExpiredKeys, Window};
pub use settings::Settings;
pub use writer::Health;

use crate::clock::Millis;
use checkpoint::Checkpoints;
use hot::Hot;
use keys::Keys;
use sync::{Log, Told};
use writer::{Step, Task};

/// A transaction that is being written; its methods stand in the file of their topic.
pub struct Tx<'c> {
    conn: &'c Connection,
    keys: &'c RefCell<Keys>,
    hot: Hot<'c>,
    /// The last submission, where this transaction knows it.
    last: Cell<Option<i64>>,
}

/// The ledger, open. Clones share it.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

struct Inner {
    path: PathBuf,
    jobs: Mutex<Option<mpsc::Sender<Box<dyn Step>>>>,
    readers: Mutex<Vec<Connection>>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
    health: Arc<Health>,
    told: Arc<OnceLock<Told>>,
    checkpoints: Mutex<Option<Checkpoints>>,
    _lock: Option<File>,
}

impl Ledger {
    /// Opens the ledger as the one process that serves it.
    pub fn serve(settings: &Settings) -> Result<Self, Fault> {
        let dir = &settings.data_dir;
        make_private(dir)
            .map_err(|e| Fault::Store(format!("{} cannot be made: {e}", dir.display())))?;
        let lock = lock(dir)?;
        Self::open(settings, Some(lock))
    }

    /// Opens the ledger beside a daemon that may be serving it, for a command.
    pub fn beside(settings: &Settings) -> Result<Self, Fault> {
        let path = path_in(&settings.data_dir);
        if !path.exists() {
            return Err(Fault::Missing(format!(
                "ledger at {}; start the daemon once, or name its configuration with --config",
                path.display()
            )));
        }
        Self::open(settings, None)
    }

    fn open(settings: &Settings, lock: Option<File>) -> Result<Self, Fault> {
        let path = path_in(&settings.data_dir);
        let serving = lock.is_some();
        let conn = db::sqlite::writer(&path, serving)?;
        let keys = if serving {
            Keys::rebuild(&Reads::new(&conn), &path)?
        } else {
            Keys::default()
        };
        let (jobs, mut waiting) = mpsc::channel(settings.backlog.max(1));
        let health = Arc::new(Health::default());
        let (batch, health_there) = (settings.batch.max(1), health.clone());
        let told = Arc::new(OnceLock::new());
        let checkpoints = serving.then(|| checkpoint::start(&path)).transpose()?;
        let rest = checkpoints.as_ref().map(Checkpoints::rest);
        let log = Log::open(&path, health.clone(), told.clone())?;
        let writer = std::thread::Builder::new()
            .name("ledger".into())
            .spawn(move || {
                let keys = RefCell::new(keys);
                let tx = Tx {
                    conn: &conn,
                    keys: &keys,
                    hot: Hot::default(),
                    last: Cell::default(),
                };
                writer::run(
                    &tx,
                    &mut waiting,
                    (batch, rest.as_ref()),
                    (&log, &health_there),
                );
            })
            .map_err(|e| Fault::Store(format!("no thread: {e}")))?;
        Ok(Self {
            inner: Arc::new(Inner {
                path,
                jobs: Mutex::new(Some(jobs)),
                readers: Mutex::default(),
                writer: Mutex::new(Some(writer)),
                health,
                told,
                checkpoints: Mutex::new(checkpoints),
                _lock: lock,
            }),
        })
    }

    /// Writes in the next group commit; the answer comes after it is on disk.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let (tell, told) = tokio::sync::oneshot::channel();
        let done = move |result| drop(tell.send(result));
        let jobs = self.jobs()?;
        let task = boxed(work, done, true);
        jobs.send(task).await.map_err(|_| Fault::Stopped)?;
        told.await.map_err(|_| Fault::Stopped)?
    }

    /// The same from a thread that may wait.
    pub fn write_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.write_and_wait(work, true)
    }

    /// As `write_blocking`, for a step that fails only when the store does; see [`Self::write_then`].
    fn write_unguarded<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.write_and_wait(work, false)
    }

    fn write_and_wait<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Fault> + Send + 'static,
        guarded: bool,
    ) -> Result<T, Fault> {
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        self.write_then(work, move |result| drop(tell.send(result)), guarded)?;
        told.recv().map_err(|_| Fault::Stopped)?
    }

    /// Writes without waiting for the commit; `done` is called on the writer's thread after it, in
    /// the order in which the steps were given. A step that is not `guarded` is cheaper, and its error
    /// undoes the whole group.
    pub fn write_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Fault> + Send + 'static,
        done: impl FnOnce(Result<T, Fault>) + Send + 'static,
        guarded: bool,
    ) -> Result<(), Fault> {
        let task = boxed(work, done, guarded);
        let jobs = self.jobs()?;
        // Waiting is for threads of our own only; at the start, on a thread of the runtime, there
        // is always room.
        match jobs.try_send(task) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(task)) => {
                jobs.blocking_send(task).map_err(|_| Fault::Stopped)
            }
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Fault::Stopped),
        }
    }

    /// As `write_then`, but refuses instead of waiting when too much waits already. For steps that
    /// fail only when the store does: an error undoes the whole group.
    pub fn try_write_then<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Tx<'_>) -> Result<T, Fault> + Send + 'static,
        done: impl FnOnce(Result<T, Fault>) + Send + 'static,
    ) -> Result<(), Fault> {
        let task = boxed(work, done, false);
        self.jobs()?.try_send(task).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Fault::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Fault::Stopped,
        })
    }

    /// Calls this behind each commit, on the thread that tells and when all are told; once for a ledger.
    pub fn after_each_commit(&self, told: impl Fn() + Send + Sync + 'static) {
        let _ = self.inner.told.set(Box::new(told));
    }

    /// Reads on a connection of its own; blocks while it does.
    pub fn read<T>(&self, work: impl FnOnce(&Reads<'_>) -> Result<T, Fault>) -> Result<T, Fault> {
        let pooled = self.readers().pop();
        let conn = match pooled {
            Some(conn) => conn,
            None => db::sqlite::reader(&self.inner.path)?,
        };
        let result = work(&Reads::new(&conn));
        self.readers().push(conn);
        result
    }

    /// As `read`, off the async threads.
    pub async fn read_off<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reads<'_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let ledger = self.clone();
        tokio::task::spawn_blocking(move || ledger.read(work))
            .await
            .map_err(|_| Fault::Stopped)?
    }

    /// How the writer fares.
    pub fn health(&self) -> &Health {
        &self.inner.health
    }

    /// After a commit that found no room: whether there is some now.
    pub async fn look_for_room(&self, now: Millis) -> Result<(), Fault> {
        if self.inner.health.has_no_room() {
            self.write(move |tx| tx.set_meta("room_looked_for_at", now))
                .await?;
            self.inner.health.has_room();
        }
        Ok(())
    }

    /// Whether the thread that writes is there.
    pub fn is_alive(&self) -> bool {
        let writer = self
            .inner
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        writer.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Finishes what was given and stops; later writes are refused.
    pub fn close(&self) {
        let jobs = self
            .inner
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(jobs);
        let checkpoints = self
            .inner
            .checkpoints
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        drop(checkpoints);
        let writer = self
            .inner
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }

    fn jobs(&self) -> Result<mpsc::Sender<Box<dyn Step>>, Fault> {
        let jobs = self
            .inner
            .jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        jobs.clone().ok_or(Fault::Stopped)
    }

    fn readers(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.inner
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn boxed<T: Send + 'static>(
    work: impl FnOnce(&Tx<'_>) -> Result<T, Fault> + Send + 'static,
    done: impl FnOnce(Result<T, Fault>) + Send + 'static,
    guarded: bool,
) -> Box<dyn Step> {
    Box::new(Task {
        work: Some(work),
        value: None,
        done,
        guarded,
    })
}

/// A folder of personal data is for its owner alone; one that is there stays as it is.
fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(dir)
}

/// The ledger's file in a data folder.
pub fn path_in(data_dir: &Path) -> PathBuf {
    data_dir.join("ledger.sqlite")
}

/// A lock that the kernel gives back when the process dies, however it dies.
fn lock(dir: &Path) -> Result<File, Fault> {
    let path = dir.join("ledger.lock");
    let file = File::create(&path)
        .map_err(|e| Fault::Store(format!("{} cannot be made: {e}", path.display())))?;
    file.try_lock()
        .map_err(|_| Fault::Locked(dir.display().to_string()))?;
    Ok(file)
}
