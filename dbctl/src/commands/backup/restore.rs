//! `backup restore`: brings a backup and the log behind it, and has dbserver make them the state.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbconfig::{Config, Role};
use fwlog::{CommitNumber, Generation, HistoryLine, Timestamp};
use repository::{
    Chosen, Manifest, RestoreError, RestoreNote, RestoreTarget, RestoredLog, choose, restore_log,
};

use super::older::Older;
use super::open::{Opened, bytes};
use super::staging::Staging;
use crate::backup_args::{RestoreArguments, RestoredAs, TargetArguments};
use crate::commands::find_server;
use crate::error::{CommandError, Exit, Result};
use crate::invocation::Invocation;
use crate::output::{self, ProgressLine, Table};

pub(super) fn run(invocation: &Invocation, arguments: &RestoreArguments) -> Result<()> {
    let (backup, directory) = match arguments.words.as_slice() {
        [directory] => (None, PathBuf::from(directory)),
        [backup, directory] => (Some(backup.as_str()), PathBuf::from(directory)),
        _ => return Err(CommandError::usage("write [BACKUP] DIR")),
    };
    let target = target(&arguments.target)?;
    let wanted = Wanted::of(invocation, &directory, arguments.restored_as)?;
    let (environment, history) = (&arguments.environment, &arguments.history);
    let opened = Opened::open(&arguments.from, environment.as_deref(), history.as_deref())?;
    let restore = Restore::choose(&opened, target, backup)?;
    if arguments.dry_run {
        return invocation.output.result(&restore.plan(&wanted));
    }
    let staging = Staging::lock(&wanted.directory)?;
    if !wanted.is_to_be_brought()? {
        drop(staging);
        output::note("what an earlier command has brought is made the state");
        return wanted.make_it_the_state();
    }
    let older = arguments.delta.as_deref().map(Older::open).transpose()?;
    let brought = restore.bring(staging.over(older.unwrap_or_default()))?;
    wanted.make_it_the_state()?;
    invocation.output.result(&restore.report(&wanted, &brought))
}

/// The point of the past that is wanted.
pub(super) fn target(arguments: &TargetArguments) -> Result<RestoreTarget> {
    let usage = |what: &str, why: String| CommandError::usage(format!("--{what}: {why}"));
    if let Some(time) = &arguments.time {
        let time = fwlog::when::parse(time).map_err(|why| usage("time", why))?;
        return Ok(RestoreTarget::Time(time));
    }
    if let Some(position) = &arguments.position {
        let odd = |_| {
            usage(
                "position",
                format!("'{position}' is none: write it as 12-3:184320"),
            )
        };
        return Ok(RestoreTarget::Position(position.parse().map_err(odd)?));
    }
    match (arguments.commit, arguments.before_commit) {
        (Some(commit), _) => Ok(RestoreTarget::Commit(CommitNumber::new(commit))),
        (None, Some(0)) => Err(usage("before-commit", "there is none before 0".to_owned())),
        (None, Some(commit)) => Ok(RestoreTarget::Commit(CommitNumber::new(commit - 1))),
        (None, None) => Ok(RestoreTarget::Latest),
    }
}

/// The DataDir that is to be made.
pub(super) struct Wanted {
    directory: PathBuf,
    /// The configuration whose DataDir it is.
    config: Option<PathBuf>,
    restored_as: RestoredAs,
}

impl Wanted {
    fn of(
        invocation: &Invocation,
        directory: &Path,
        restored_as: Option<RestoredAs>,
    ) -> Result<Self> {
        let absolute = std::path::absolute(directory);
        let directory = absolute.map_err(|error| CommandError::io("find", directory, &error))?;
        let config = invocation.config_if_any()?;
        let own = config.filter(|config| is_same(&config.server.data_dir, &directory));
        let default = match own.as_ref().map(|config| config.replication.role) {
            None => RestoredAs::Copy,
            Some(Role::Slave) => RestoredAs::Slave,
            Some(Role::Master | Role::Standalone) => RestoredAs::Master,
        };
        let restored_as = restored_as.unwrap_or(default);
        check_role(restored_as, own.as_ref(), &directory)?;
        Ok(Self {
            directory,
            config: own.map(|config| config.path),
            restored_as,
        })
    }

    /// A copy in this directory, for a look.
    pub(super) fn copy_in(directory: PathBuf) -> Self {
        Self {
            directory,
            config: None,
            restored_as: RestoredAs::Copy,
        }
    }

    /// Whether something has to be brought: dbserver goes on with what was proved already.
    ///
    /// Errors: there is an environment.
    fn is_to_be_brought(&self) -> Result<bool> {
        let incoming = self.directory.join("incoming");
        if incoming.join("plan").exists() {
            return Ok(false);
        }
        let is_environment = self.directory.join("control").exists();
        if !is_environment || incoming.join(RestoreNote::FILE).exists() {
            return Ok(true);
        }
        Err(CommandError::error(format!(
            "there is an environment in {} already",
            self.directory.display()
        ))
        .with_hint(
            "stop its server and move the directory away, or restore into another one; nothing was changed",
        ))
    }

    /// Has dbserver make what was brought the state.
    pub(super) fn make_it_the_state(&self) -> Result<()> {
        let server = find_server().ok_or_else(|| {
            CommandError::error("cannot find dbserver, neither beside dbctl nor in PATH")
        })?;
        let mut command = Command::new(&server);
        if let Some(config) = &self.config {
            command.arg("-c").arg(config);
        }
        let status = command
            .arg("recover")
            .args(["--as", self.restored_as.word()])
            .arg(&self.directory)
            .status()
            .map_err(|error| CommandError::io("run", &server, &error))?;
        if status.success() {
            return Ok(());
        }
        Err(CommandError::error(format!(
            "what was brought could not be made the state of {}",
            self.directory.display()
        ))
        .with_detail(format!("{} ended by {status}", server.display()))
        .with_hint("what it said stands above; once that is mended, the same command goes on"))
    }
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path));
    matches!((real(one), real(other)), (Ok(one), Ok(other)) if one == other)
}

fn check_role(restored_as: RestoredAs, own: Option<&Config>, directory: &Path) -> Result<()> {
    let has_log = own.is_some_and(|config| config.forward_log.location.is_some());
    match (restored_as, own) {
        (RestoredAs::Copy, Some(config)) if has_log => Err(CommandError::usage(format!(
            "{} has FwLog, and a copy keeps no forward log",
            config.path.display()
        ))
        .with_hint("restore --as master, or into another directory")),
        (RestoredAs::Master | RestoredAs::Slave, None) => Err(CommandError::usage(format!(
            "{} is not the DataDir of the configuration: where its log and its role are can't be told",
            directory.display()
        ))
        .with_hint("say with -c which configuration is meant, or restore --as copy")),
        (RestoredAs::Master, Some(config)) if config.replication.role == Role::Slave => {
            Err(CommandError::usage(format!(
                "{} has Role = Slave",
                config.path.display()
            ))
            .with_hint("restore --as slave, or give it another Role"))
        }
        (RestoredAs::Slave, Some(config)) if config.replication.role != Role::Slave => {
            Err(CommandError::usage(format!(
                "{} has not Role = Slave",
                config.path.display()
            ))
            .with_hint("restore --as master, or set Role = Slave"))
        }
        (RestoredAs::Copy, _) | (RestoredAs::Master | RestoredAs::Slave, Some(_)) => Ok(()),
    }
}

/// What was brought.
pub(super) struct Brought {
    /// The log.
    pub(super) log: RestoredLog,
    /// Bytes of pages, as they are stored, that were fetched; the others were here.
    pub(super) fetched: u64,
}

/// A restore that was chosen.
pub(super) struct Restore<'a> {
    opened: &'a Opened,
    chosen: Chosen,
    target: RestoreTarget,
}

impl<'a> Restore<'a> {
    pub(super) fn choose(
        opened: &'a Opened,
        target: RestoreTarget,
        backup: Option<&str>,
    ) -> Result<Self> {
        let wanted = backup.map(|name| opened.backup(name)).transpose()?;
        let line = opened.line()?;
        let chosen = choose(
            (&opened.backups, &opened.catalog),
            (&opened.archive, &opened.log),
            line.as_ref(),
            (target, wanted),
        );
        let chosen = chosen.map_err(|error| match error {
            repository::ArchiveError::NotThere(why) => not_there(why),
            other => other.into(),
        })?;
        Ok(Self {
            opened,
            chosen,
            target,
        })
    }

    pub(super) fn manifest(&self) -> &Manifest {
        &self.chosen.manifest
    }

    pub(super) fn plan(&self, wanted: &Wanted) -> Table {
        let manifest = &self.chosen.manifest;
        let mut table = Table::new(&["name", "value"]);
        let onward = match &self.chosen.line {
            Some(line) => {
                let last = line.segments.last().map(|segment| segment.id.to_string());
                format!("the archive, up to segment {}", last.unwrap_or_default())
            }
            None => "the backup's own log alone".to_owned(),
        };
        let pages = manifest.page_count() * pagehash::PAGE_SIZE as u64;
        for (name, value) in [
            ("backup", manifest.id.to_string()),
            ("commit", format!("{} ({})", manifest.commit, manifest.time)),
            ("size", bytes(pages)),
            ("log", onward),
            ("up to", self.target.to_string()),
            ("into", wanted.directory.display().to_string()),
            ("as", wanted.restored_as.word().to_owned()),
        ] {
            table.push([name.to_owned(), value]);
        }
        table
    }

    /// Brings log and pages; what is there of an attempt before is used.
    pub(super) fn bring(&self, mut staging: Staging) -> Result<Brought> {
        let manifest = &self.chosen.manifest;
        staging.begin()?;
        let onward = self.chosen.line.as_ref();
        let onward = onward.map(|line| (&self.opened.archive, line));
        // First, as it says whether there is a way to what is wanted.
        let log = restore_log::<CommandError>(
            (&self.opened.backups, manifest),
            onward,
            self.target,
            &mut |start, bytes| staging.keep_log(start, bytes),
        );
        let log = log.map_err(|error| match error {
            RestoreError::Archive(error) => error.into(),
            RestoreError::NotThere(why) => not_there(why),
            RestoreError::Keep(failure) => failure,
        })?;
        self.reaches(&log)?;
        let note = self.note(&log)?;
        let fetched = self.bring_pages(&staging)?;
        staging.finish(manifest, &log, &note)?;
        Ok(Brought { log, fetched })
    }

    /// Gives how many bytes were fetched.
    fn bring_pages(&self, staging: &Staging) -> Result<u64> {
        let manifest = &self.chosen.manifest;
        let table = self.opened.backups.table(manifest)?;
        let mut pages = self.opened.backups.pages();
        let (all, mut done) = (manifest.page_count(), 0_u64);
        let mut line = ProgressLine::new();
        for database in &manifest.databases {
            let Some(stored) = table.databases.get(&database.number) else {
                continue;
            };
            staging.keep_pages(database, stored, &mut pages, &mut |count| {
                done += u64::from(count);
                let page = pagehash::PAGE_SIZE as u64;
                line.show(|| format!("{} of {}", bytes(done * page), bytes(all * page)));
            })?;
        }
        Ok(pages.fetched())
    }

    /// What is wanted is not behind the end of all that there is.
    fn reaches(&self, log: &RestoredLog) -> Result<()> {
        if !log.exhausted {
            return Ok(());
        }
        let manifest = &self.chosen.manifest;
        let (commit, time) = log.end.map_or((manifest.commit, manifest.time), |end| {
            (end.commit, end.time)
        });
        let position = log.end.map(|end| end.point.position);
        let reached = match self.target {
            RestoreTarget::Latest => true,
            RestoreTarget::Commit(wanted) => commit >= wanted,
            RestoreTarget::Position(wanted) => position.is_some_and(|at| at >= wanted),
            RestoreTarget::Time(wanted) => time >= wanted || self.nothing_more_until(wanted)?,
        };
        if reached {
            return Ok(());
        }
        let at = position.map_or_else(String::new, |at| format!(", {at}"));
        Err(not_there(format!(
            "what there is ends at {time} (commit {commit}{at}), before {}",
            self.target
        ))
        .with_hint("--latest takes all that there is"))
    }

    /// Whether the archiver has seen that the log had nothing more up to this time.
    fn nothing_more_until(&self, wanted: Timestamp) -> Result<bool> {
        let Some(line) = &self.chosen.line else {
            return Ok(false);
        };
        let Some(last) = line.segments.last() else {
            return Ok(false);
        };
        let beat = self.opened.archive.heartbeat(last.history)?;
        Ok(beat.at >= wanted)
    }

    /// Where the log ends, and what it was.
    fn note(&self, log: &RestoredLog) -> Result<RestoreNote> {
        let manifest = &self.chosen.manifest;
        let mut branch: Vec<HistoryLine> = manifest.branch.clone();
        let archived = self.opened.log.histories.keys();
        let newest = archived.map(|it| it.generation).max();
        let segments = self.chosen.line.iter().flat_map(|line| &line.segments);
        for segment in segments {
            let known = branch.iter().any(|it| it.number == segment.id.generation);
            if !known {
                let record = self.opened.archive.generation(segment.history)?;
                branch.push(record.line);
            }
        }
        branch.sort_by_key(|line| line.number);
        let end = log.end.map(|end| end.point.position.segment.generation);
        let known = branch.iter().map(|line| line.number).chain(end);
        let newest = known.chain(newest).max().unwrap_or(Generation::new(0));
        branch.retain(|line| end.is_some_and(|end| line.number <= end));
        Ok(RestoreNote {
            environment: manifest.environment,
            backup: manifest.id,
            end: log.end,
            partial: log.partial.as_ref().map(|(_, commit)| *commit),
            newest,
            branch,
        })
    }

    /// The newest commit that is restored with this log.
    pub(super) fn end_of(&self, brought: &Brought) -> CommitNumber {
        match (&brought.log.partial, brought.log.end) {
            (Some((_, commit)), _) => *commit,
            (None, Some(end)) => end.commit,
            (None, None) => self.chosen.manifest.commit,
        }
    }

    fn report(&self, wanted: &Wanted, brought: &Brought) -> Table {
        let manifest = &self.chosen.manifest;
        let commit = self.end_of(brought);
        let mut table = Table::new(&["name", "value"]);
        let page = pagehash::PAGE_SIZE as u64;
        let next = match (&wanted.config, wanted.restored_as) {
            (Some(config), _) => format!("dbserver -c {}", config.display()),
            (None, _) => format!(
                "a configuration with DataDir = {}, and dbserver -c with it",
                wanted.directory.display()
            ),
        };
        for (name, value) in [
            ("backup", manifest.id.to_string()),
            ("commit", commit.to_string()),
            ("pages", bytes(manifest.page_count() * page)),
            ("fetched", bytes(brought.fetched)),
            ("log", bytes(brought.log.bytes)),
            ("directory", wanted.directory.display().to_string()),
            ("as", wanted.restored_as.word().to_owned()),
            ("next step", next),
        ] {
            table.push([name.to_owned(), value]);
        }
        table
    }
}

/// What is asked for is not there.
pub(super) fn not_there(why: String) -> CommandError {
    let failure = CommandError {
        exit: Exit::NOT_THERE,
        ..CommandError::error(why)
    };
    failure.with_hint("'dbctl backup list' shows what can be restored")
}
