//! `dbserver [-c cfg] [--init] [--check] [--rebuild]`

use std::env;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use dbconfig::secrets;
use dbconfig::syslog::{Severity, stderr_prefix};
use dbconfig::{Config, ConfigError, LogFormat, LogTarget};
use dbserver::databases::host::Host;
use dbserver::environment::rebuild;
use dbserver::environment::recover::{self, RecoverAs};
use dbserver::error::EngineError;
use dbserver::process::logging;
use dbserver::server;
use dbserver::server::announce;
use dbserver::server::arguments::{Arguments, Command, RecoverRole};
use dbserver::server::as_of::{Asked, Past};
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
    let loaded = match &arguments.command {
        // It may have none.
        Some(Command::Recover {
            recover_as: RecoverRole::Copy,
            directory,
        }) => recover::of_copy(directory).map_err(anyhow::Error::new),
        _ => Config::load(&path).map_err(anyhow::Error::new),
    };
    let mut config = match loaded {
        Ok(config) => config,
        Err(error) => return fail(2, &error),
    };
    if arguments.as_of.is_some() {
        // The file is that of the server beside it.
        config.server.log_file = LogTarget::Console;
    }
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
    if let Some(Command::Recover {
        recover_as,
        directory,
    }) = &arguments.command
    {
        return recover_in(&config, *recover_as, directory);
    }
    if arguments.rebuild {
        rebuild::prepare(&Host::system(), &config).context("--rebuild is refused")?;
    }
    let (_past, config) = match past(arguments, &config)? {
        Some((past, view)) => (Some(past), view),
        None => (None, config),
    };
    open_files::raise_limit(config.server.max_sessions);
    let path = config.path.clone();
    let log = (logging.file.clone(), logging.recent.clone());
    let serves_past = config.serves_past;
    let reload = move |who: &str| match Config::load(&path) {
        _ if serves_past => Err("a server of the past reads nothing again".to_owned()),
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

/// The past that is asked for, and how it is served.
fn past(arguments: &Arguments, config: &Config) -> anyhow::Result<Option<(Past, Config)>> {
    let (Some(target), Some(from), Some(service)) =
        (&arguments.as_of, &arguments.from, &arguments.service)
    else {
        return Ok(None);
    };
    let asked = Asked {
        target,
        from,
        service,
    };
    Past::restore(config, asked).map(Some)
}

/// Makes an environment of what was brought into this directory.
fn recover_in(config: &Config, role: RecoverRole, directory: &Path) -> anyhow::Result<()> {
    let real = |path: &Path| path.canonicalize().ok();
    anyhow::ensure!(
        real(&config.server.data_dir).is_some_and(|own| Some(own) == real(directory)),
        "{} is not the DataDir of the configuration, {}",
        directory.display(),
        config.server.data_dir.display()
    );
    let role = match role {
        RecoverRole::Master => RecoverAs::Master,
        RecoverRole::Slave => RecoverAs::Slave,
        RecoverRole::Copy => RecoverAs::Copy,
    };
    open_files::raise_limit(config.server.max_sessions);
    recover::recover(&Host::system(), config, role)?;
    tracing::info!("the environment is recovered");
    Ok(())
}

/// What it was asked for, in the log's words.
fn doing(arguments: &Arguments) -> &'static str {
    if arguments.init {
        "makes an environment"
    } else if arguments.command.is_some() {
        "recovers what was restored"
    } else if arguments.as_of.is_some() {
        "serves the past"
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
