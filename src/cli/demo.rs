//! `leadgate demo`: a daemon of its own with a stream of made-up leads, and a look at what happens.

mod platforms;
mod screen;
mod stream;

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args as ClapArgs;

use super::Failed;
use crate::config::{self, Config};
use crate::daemon::Daemon;
use crate::secret;
use crate::telemetry;

/// Everything of the demo lies here and may be deleted.
const DIR: &str = "leadgate-demo";

#[derive(ClapArgs)]
pub(super) struct Args {
    /// How many leads are sent.
    #[arg(long, default_value_t = 1_200)]
    leads: u64,
    /// How many a second.
    #[arg(long, default_value_t = 60)]
    rate: u64,
    /// End when the stream has ended, instead of serving until Ctrl-C.
    #[arg(long)]
    exit: bool,
}

pub(super) fn run(path: &Path, args: &Args) -> Result<(), Failed> {
    let mut config = config(path)?;
    telemetry::start(false, "error");
    super::runtime()?.block_on(async {
        let platforms = platforms::Platforms::bind(&mut config)?;
        let daemon = Daemon::build(config.clone())?;
        let (flow, address) = (daemon.flow(), daemon.address());
        platforms.serve(flow.clone())?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(daemon.run_until(async move {
            let _ = stopped.await;
        }));
        let shown = play(args, &config, &flow, address);
        let interrupted = tokio::signal::ctrl_c();
        tokio::select! {
            result = shown => result?,
            _ = interrupted => {}
        }
        let _ = stop.send(());
        serving.await.map_err(anyhow::Error::from)??;
        writeln!(
            std::io::stdout().lock(),
            "\nstopped; everything is in ./{DIR}"
        )?;
        Ok(())
    })
}

async fn play(
    args: &Args,
    config: &Config,
    flow: &Arc<crate::flow::Flow>,
    address: SocketAddr,
) -> anyhow::Result<()> {
    let stream = stream::Stream::start(args.leads, args.rate.clamp(1, 5_000), flow, address)?;
    let mut screen = screen::Screen::new(flow.clone(), address, outbox(config));
    screen.watch(&stream).await?;
    if args.exit {
        return Ok(());
    }
    screen.invite()?;
    std::future::pending().await
}

fn outbox(config: &Config) -> PathBuf {
    match &config.mail.transport {
        crate::deliver::settings::Transport::Outbox(folder) => folder.clone(),
        crate::deliver::settings::Transport::Smtp(_) => PathBuf::new(),
    }
}

/// The shipped configuration with a place, a port and credentials of the demo's own.
fn config(path: &Path) -> Result<Config, Failed> {
    if !path.exists() {
        let text = format!(
            "{} is not there; run the demo where the project's config/ and rules/ are, \
             or name the file with --config",
            path.display()
        );
        return Err(Failed::Refused(text));
    }
    let dir = PathBuf::from(DIR);
    std::fs::create_dir_all(&dir).context(DIR)?;
    let mut env = config::environment();
    let sources = Config::load_with(path, &env)?.policy.sources;
    let text = std::fs::read_to_string(&sources)
        .with_context(|| format!("{} cannot be read", sources.display()))?;
    let mut set = |name: &str, value: String| {
        env.insert(name.to_owned(), value);
    };
    set("LEADGATE_STORAGE__DATA_DIR", DIR.to_owned());
    set("LEADGATE_MAIL__TRANSPORT", "outbox".to_owned());
    set(
        "LEADGATE_MAIL__OUTBOX",
        dir.join("outbox").display().to_string(),
    );
    for (name, value) in credentials(&dir, &named(&text))? {
        set(&name, value);
    }
    let listen = free_address();
    set("LEADGATE_SERVER__LISTEN", listen.to_string());
    set("LEADGATE_SERVER__PUBLIC_URL", format!("http://{listen}"));
    // All requests of the demo come from this machine, and its platforms are there as well.
    set("LEADGATE_OUTBOUND__ALLOW_PRIVATE", "127.0.0.1".to_owned());
    set(
        "LEADGATE_INTAKE__PER_CLIENT_PER_MINUTE",
        "1000000".to_owned(),
    );
    Ok(Config::load_with(path, &env)?)
}

/// The usual port, or any free one.
fn free_address() -> SocketAddr {
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    if TcpListener::bind(usual).is_ok() {
        return usual;
    }
    let any = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    any.unwrap_or(usual)
}

/// Credentials that the sources name; made here so that no account is needed.
fn named(sources: &str) -> Vec<String> {
    let lines = sources.lines().filter(|line| !line.starts_with('#'));
    let named = lines.filter_map(|line| line.split_once("\"env:"));
    let names = named.filter_map(|(_, rest)| rest.split_once('"'));
    names.map(|(name, _)| name.to_owned()).collect()
}

/// Made once and kept, so that the second run verifies what the first one signed.
fn credentials(dir: &Path, names: &[String]) -> Result<BTreeMap<String, String>, Failed> {
    use std::os::unix::fs::OpenOptionsExt;
    let path = dir.join("credentials.json");
    let found = std::fs::read_to_string(&path).ok();
    let found = found.and_then(|text| serde_json::from_str::<BTreeMap<String, String>>(&text).ok());
    let mut made = found.unwrap_or_default();
    if names.iter().all(|name| made.contains_key(name)) {
        return Ok(made);
    }
    for name in names {
        let random = || secret::hex(&secret::random_bytes::<24>());
        made.entry(name.clone()).or_insert_with(random);
    }
    let text = serde_json::to_string_pretty(&made).map_err(anyhow::Error::from)?;
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(made)
}
