//! `dbserver [-c cfg] [--init] [--check] [--rebuild]`

use std::env;
use std::io::{self, Write as _};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use dbconfig::secrets;
use dbconfig::syslog::{Severity, stderr_prefix};
use dbconfig::{Config, ConfigError, LogFormat, LogTarget};
use dbserver::databases::host::Host;
use dbserver::environment::rebuild;
use dbserver::error::EngineError;
use dbserver::process::logging;
use dbserver::server;
use dbserver::server::announce;
use dbserver::server::arguments::Arguments;
use dbserver::server::check;
use dbserver::server::open_files;
use dbserver::server::owner;
use dbserver::system::create;
use dbserver::system::verifier;

/// Exit codes: 0 clean, 1 error, 2 usage or configuration.
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let path = arguments
        .config
        .clone()
        .unwrap_or_else(dbconfig::default_path);
    let config = match Config::load(&path) {
        Ok(config) => config,
        Err(error) => return fail(2, &error.into()),
    };
    if !config.server.core_dumps
        && let Err(error) = secrets::leave_no_core_dump()
    {
        return fail(
            1,
            &anyhow::Error::new(error).context("core dumps can't be turned off"),
        );
    }
    let to_console = config.server.log_file == LogTarget::Console;
    // What reads the lines of the log reads no words between them.
    let only_log = to_console && config.server.log_format == LogFormat::Json;
    let to_log = (only_log || !to_console) && !arguments.check;
    match work(&arguments, config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            if to_log {
                tracing::error!("{error:#}");
                if let Some(hint) = hint(&error) {
                    tracing::error!("{hint}");
                }
            }
            if only_log && tracing::dispatcher::has_been_set() {
                return ExitCode::from(1);
            }
            fail(1, &error)
        }
    }
}

fn work(arguments: &Arguments, config: Config) -> anyhow::Result<()> {
    if arguments.check {
        logging::filter(&config)?;
        let found = check::look(&config);
        let mut out = io::stdout();
        for line in &found.lines {
            writeln!(out, "{line}").context("cannot write to standard output")?;
        }
        anyhow::ensure!(
            found.failures == 0,
            "a start would fail: {} of these",
            found.failures
        );
        return Ok(());
    }
    // Before the log file is made: that would be another user's, too.
    owner::refuse_other(&config.server.data_dir)?;
    let logging = logging::start(&config)?;
    announce::beginning(&config, doing(arguments));
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    if arguments.init {
        let password = env::var("EQ_DBPASSWORD")
            .ok()
            .filter(|password| !password.is_empty())
            .context(
                "--init needs the password of dba in EQ_DBPASSWORD; 'dbctl init' asks for it",
            )?;
        create::create(&config, &verifier::from_password(&password)?)?;
        tracing::info!("the environment is made");
        return Ok(());
    }
    if arguments.rebuild {
        rebuild::prepare(&Host::system(), &config).context("--rebuild is refused")?;
    }
    open_files::raise_limit(config.server.max_sessions);
    let path = config.path.clone();
    let log = (logging.file.clone(), logging.recent.clone());
    let reload = move |who: &str| match Config::load(&path) {
        Ok(config) => {
            logging.read_again(&config, who);
            Ok(config)
        }
        Err(error) => {
            logging.read_again_file(who);
            tracing::warn!("{who}: the configuration is not read again: {error:#}");
            Err(format!("{error:#}"))
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the event loop")?;
    runtime.block_on(server::run(config, log, reload))
}

/// What it was asked for, in the log's words.
fn doing(arguments: &Arguments) -> &'static str {
    if arguments.init {
        "makes an environment"
    } else if arguments.rebuild {
        "makes the data files anew, and starts"
    } else {
        "starts"
    }
}

/// What the person can do about it.
fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let of_engine = cause.downcast_ref().and_then(EngineError::hint);
        let of_config = || {
            let error = cause.downcast_ref::<ConfigError>()?;
            error.hint().map(str::to_owned)
        };
        of_engine
            .or_else(of_config)
            .map(|hint| format!("hint: {hint}"))
    })
}

/// Tells the person, or the journal, line by line.
fn fail(code: u8, error: &anyhow::Error) -> ExitCode {
    let text = format!("dbserver: {error:#}");
    let hint = hint(error);
    let prefix = stderr_prefix(Severity::Error);
    for line in text.lines().chain(hint.as_deref()) {
        // Standard error may be closed; the exit code says it, too.
        drop(writeln!(io::stderr(), "{prefix}{line}"));
    }
    ExitCode::from(code)
}
