//! dbrepl: see the library of the same name.

use std::ffi::OsString;
use std::process::ExitCode as ProcessExit;

use dbconfig::secrets;
use dbrepl::archive::ArchiveTarget;
use dbrepl::cli::RawArguments;
use dbrepl::daemon::{self, PidFile};
use dbrepl::error::{ExitCode, ShipError};
use dbrepl::managed::{self, Reports};
use dbrepl::options::{Goal, Options};
use dbrepl::report::Reporter;
use dbrepl::run::run;
use dbrepl::shutdown::ShutdownRequest;
use tracing_subscriber::EnvFilter;

fn main() -> ProcessExit {
    let (words, exposure) = secrets::arguments();
    let console = Reporter::console();
    if let Err(error) = secrets::leave_no_core_dump() {
        console.warning(&format!("warning: core dumps can't be turned off: {error}"));
    }
    if let Some(warning) = exposure.warning() {
        console.warning(&format!("warning: {warning}"));
    }
    let raw = match RawArguments::read(words.iter().cloned()) {
        Ok(raw) => raw,
        Err(error) => {
            // Help goes to standard output, a mistake to standard error; both may be closed.
            drop(error.print());
            return ProcessExit::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let code = match start(&words, raw) {
        Ok(()) => ExitCode::Done,
        Err(code) => code,
    };
    ProcessExit::from(code as u8)
}

/// Until the options are known, messages go to the console; then where the options say.
fn start(words: &[OsString], raw: RawArguments) -> Result<(), ExitCode> {
    let console = Reporter::console();
    let told = |reporter: &Reporter, failure: &ShipError| {
        reporter.failure(failure);
        failure.code
    };
    let environment = |name: &str| std::env::var(name).ok();
    let options = Options::check(raw, &environment).map_err(|failure| told(&console, &failure))?;
    if options.managed {
        let ended = managed::run(&options, Reports::default());
        return ended.map_err(|failure| told(&console, &failure));
    }
    let mut reporter = Reporter::open(&options.log, options.verbose)
        .map_err(|failure| told(&console, &failure))?;
    if options.goal == Goal::Follow {
        reporter.date_lines();
    }
    for warning in &options.warnings {
        console.warning(&format!("warning: {warning}"));
    }
    // What is wrong with the options is told before the way into the background, at the terminal.
    debug_messages(&options, &reporter).map_err(|failure| told(&console, &failure))?;
    if daemon::must_detach(&options) {
        return daemon::detach(words.iter().cloned(), &options)
            .map_err(|failure| told(&console, &failure));
    }
    let result = serve(&options, &reporter);
    if let Err(failure) = &result {
        reporter.failure(failure);
    }
    let code = result.as_ref().err().map_or(ExitCode::Done, |it| it.code);
    tell_end(&options, &reporter, code);
    result.map_err(|failure| failure.code)
}

fn serve(options: &Options, reporter: &Reporter) -> Result<(), ShipError> {
    let _pid_file = options
        .pid_file
        .as_deref()
        .map(PidFile::create)
        .transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ShipError::new(ExitCode::Error, format!("can't start: {error}")))?;
    let result = runtime.block_on(async {
        let (log, told) = (reporter.clone(), reporter.clone());
        let stopping = move |from: &str| told.state(&format!("{from}: stopping"));
        let stop = ShutdownRequest::on_signals(move || log.open_again(), stopping)?;
        tell_life(options, reporter, "begins");
        run(options, reporter.clone(), stop).await
    });
    // A thread may still look something up; nobody waits for it.
    runtime.shutdown_background();
    result
}

/// A log has the begin and the end of what it tells of; at a terminal everybody sees them.
fn tell_life(options: &Options, reporter: &Reporter, what: &str) {
    if reporter.is_console() && options.goal != Goal::Follow {
        return;
    }
    let (version, pid) = (env!("CARGO_PKG_VERSION"), std::process::id());
    let log = options.source.location.directory.display();
    let archive = options.archive.iter().map(ArchiveTarget::place);
    let slaves = options.slaves.iter().map(ToString::to_string);
    let targets: Vec<String> = slaves.chain(archive).collect();
    let targets = targets.join(", ");
    reporter.state(&format!(
        "dbrepl {version} {what}: process {pid}, from {log} to {targets}"
    ));
}

/// The end has its exit code; why has been said just before.
fn tell_end(options: &Options, reporter: &Reporter, code: ExitCode) {
    let what = format!("ends with {} ({})", code as u8, code.meaning());
    tell_life(options, reporter, &what);
}

fn debug_messages(options: &Options, reporter: &Reporter) -> Result<(), ShipError> {
    let Some(flags) = &options.debug else {
        return Ok(());
    };
    let filter =
        EnvFilter::try_new(flags).map_err(|error| ShipError::usage(format!("--debug: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .without_time()
        .with_writer(reporter.clone())
        .try_init()
        .map_err(|error| ShipError::new(ExitCode::Error, error.to_string()))
}
