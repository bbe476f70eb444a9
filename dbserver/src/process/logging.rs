//! Log lines: what is said, and where.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use dbconfig::syslog::{SYSTEM_LOG, Syslog};
use dbconfig::{Config, LogFormat, LogTarget};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt, reload};

pub use crate::process::log_flags::filter;

use crate::process::json::JsonLayer;
use crate::process::log_file::LogFile;
use crate::process::recent::Recent;
use crate::process::sink::{Format, Place, Sink};

/// How often it is looked whether repeated failures have to be told again.
const LOOK: Duration = Duration::from_secs(5);

/// Changes the filter while the server runs.
pub type FilterHandle = reload::Handle<EnvFilter, Registry>;

/// What can be changed about logging while the server runs.
pub struct Logging {
    filter: FilterHandle,
    /// The file, if the log goes to one.
    pub file: Option<LogFile>,
    /// The warnings and errors of late.
    pub recent: Recent,
}

impl Logging {
    /// Opens the log file again, which somebody may have moved away.
    pub fn read_again_file(&self, who: &str) {
        if let Some(file) = &self.file
            && let Err((path, error)) = file.switch(None)
        {
            tracing::warn!(%error, "{who}: the log file {} cannot be opened anew", path.display());
        }
    }

    /// For whom `who` names: the file is opened again, and LogFlags of the configuration hold from now on. What `LogSlow` asks for is
    /// among them.
    pub fn read_again(&self, config: &Config, who: &str) {
        self.read_again_file(who);
        let flags = &config.server.log_flags;
        let changed = filter(config).and_then(|filter| Ok(self.filter.reload(filter)?));
        match changed {
            Ok(()) => tracing::info!(flags, "{who}: LogFlags is read again"),
            Err(error) => tracing::warn!("{who}: LogFlags is not changed: {error:#}"),
        }
    }
}

/// Starts logging as the configuration says.
pub fn start(config: &Config) -> anyhow::Result<Logging> {
    let (filter, handle) = reload::Layer::new(filter(config)?);
    let mut file = None;
    let place = match &config.server.log_file {
        LogTarget::Console => Place::Console,
        LogTarget::Syslog => {
            let syslog = Syslog::open("dbserver")
                .with_context(|| format!("cannot reach the system's log at {SYSTEM_LOG}"))?;
            Place::Syslog(Arc::new(syslog))
        }
        LogTarget::File(path) => {
            let opened = LogFile::open(path).with_context(|| cannot_open(path))?;
            file = Some(opened.clone());
            Place::File(opened)
        }
    };
    let with_time = !matches!(place, Place::Syslog(_));
    let format = match config.server.log_format {
        LogFormat::Text => Format::Text,
        LogFormat::Json => Format::Json,
    };
    let recent = Recent::default();
    let sink = Sink::new(place, format, recent.clone());
    let registry = tracing_subscriber::registry().with(filter);
    let layer = || fmt::layer().with_ansi(false).with_writer(sink.clone());
    match format {
        Format::Json => registry.with(JsonLayer(sink.clone())).init(),
        Format::Text if with_time => registry.with(layer()).init(),
        Format::Text => registry.with(layer().without_time()).init(),
    }
    thread::Builder::new()
        .name("log-repeats".into())
        .spawn(move || {
            loop {
                // Nobody unparks it before its time.
                thread::park_timeout(LOOK);
                sink.tell_repeats();
            }
        })
        .context("cannot start a thread")?;
    Ok(Logging {
        filter: handle,
        file,
        recent,
    })
}

fn cannot_open(path: &Path) -> String {
    let cannot = format!("cannot open the log file {}", path.display());
    match disk::directory_hint(path) {
        Some(hint) => format!("{cannot} ({hint})"),
        None => cannot,
    }
}
