//! A new environment: a master's with its first user, or an empty slave.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dbconfig::{Config, Role};
use disk::Disk;
use fwlog::{Begin, CommitNumber, EnvironmentId, RecordBuffer};
use pagestore::Horizon;

use crate::clients::Sessions;
use crate::commit::checkpointer::{CheckpointPolicy, Checkpointer};
use crate::commit::release::Release;
use crate::databases::control::{Control, Identity, LogPlace, RedoPoint};
use crate::databases::host::Host;
use crate::databases::layout::{Layout, SYSTEM_FILE};
use crate::databases::list::{SYSTEM_DATABASE, SYSTEM_NAME};
use crate::environment::Environment;
use crate::environment::log::{self, WriterStart};
use crate::error::EngineError;
use crate::system::statement::write;
use crate::system::users::{self, DBA, Privilege};

/// Makes the environment that the configuration describes. `verifier` is dba's password.
///
/// On a slave nothing but the control file is made: it adopts the environment of the first master
/// that connects, and until then `verifier` lets dbrepl in.
pub fn create(config: &Config, verifier: &str) -> Result<(), EngineError> {
    let host = Host::system();
    let id = EnvironmentId::from_bytes(host.random.bytes()?);
    create_on(&host, config, verifier, id)
}

/// The same on another host than the operating system, and with this id.
pub fn create_on(
    host: &Host,
    config: &Config,
    verifier: &str,
    environment: EnvironmentId,
) -> Result<(), EngineError> {
    let disk = &host.disk;
    let layout = Layout::new(disk.clone(), &config.server.data_dir);
    let found = disk.exists(&layout.control());
    if found.map_err(|error| EngineError::file("look for", layout.control(), &error))? {
        return Err(EngineError::state(
            format!(
                "there is an environment in {} already",
                layout.data_dir().display()
            ),
            "Start it with dbserver, or choose another DataDir.",
        ));
    }
    if let Some(file) = layout.some_data_file()? {
        return Err(layout.control_is_missing(&file));
    }
    for directory in [layout.data_dir(), &layout.databases(), &layout.journal()] {
        make_directory(disk, directory, 0o700)?;
    }
    let place = log::wanted_place(config);
    let location = log::location(config, &layout, place)?;
    let for_readers = if config.forward_log.group_read_access {
        0o750
    } else {
        0o700
    };
    make_directory(disk, &location.directory, for_readers)?;
    refuse_old_log(&location)?;
    let audit = log::audit_location(config, &layout)?;
    if let Some(audit) = &audit {
        make_directory(disk, &audit.directory, for_readers)?;
        refuse_old_log(audit)?;
    }
    let made = fill(host, config, verifier, &layout, place, environment);
    if made.is_err() {
        // 'init' must be possible again.
        take_back(&layout, &location);
        if let Some(audit) = &audit {
            take_back(&layout, audit);
        }
    }
    made
}

/// Makes what is in the directories.
#[expect(
    clippy::too_many_arguments,
    reason = "each is a thing of its own, given once"
)]
fn fill(
    host: &Host,
    config: &Config,
    verifier: &str,
    layout: &Layout,
    place: LogPlace,
    environment: EnvironmentId,
) -> Result<(), EngineError> {
    let disk = &host.disk;
    let mut control = Control {
        instance: config.server.instance.clone(),
        role: config.replication.role,
        configured_role: config.replication.role,
        clean: true,
        log: place,
        detached: false,
        next_database: SYSTEM_DATABASE.get(),
        identity: None,
        bootstrap: None,
        audit_open: false,
        handover: None,
        fence: None,
        alone_since: None,
    };
    if config.replication.role == Role::Slave {
        control.bootstrap = Some(verifier.to_owned());
        return control.write(disk, &layout.control());
    }
    let end = begin_log(host, config, layout, place, environment)?;
    control.identity = Some(Identity {
        environment,
        redo: end,
        databases: Vec::new(),
    });
    control.write(disk, &layout.control())?;
    add_dba(host, config, verifier)
}

/// Removes what was made: without its first user an environment is of no use. There was no segment and no
/// data file before, so those that are there are its own. The control file goes first, for certain: while it is there, so is all
/// that a start needs, whatever fails in between.
fn take_back(layout: &Layout, location: &fwlog::LogLocation) {
    let disk = layout.disk();
    let names = disk.list(&location.directory).unwrap_or_default();
    let segments = names.iter().filter(|name| {
        name.to_str().is_some_and(|name| {
            let name = name.strip_suffix(".new").unwrap_or(name);
            location.naming.segment_of(name).is_some() || name == fwlog::POSITION_FILE
        })
    });
    let paths = segments.map(|name| location.directory.join(name));
    let data = layout.data_file(SYSTEM_FILE);
    let beside = [
        pagestore::sum_file(&data),
        data,
        layout.instances(),
        layout.history(),
        location.directory.join(fwlog::SERVED_HISTORY_FILE),
    ];
    if remove_all(disk, [layout.control()]) {
        match disk.sync_directory(layout.data_dir()) {
            Ok(()) => {
                remove_all(disk, beside.into_iter().chain(paths));
            }
            Err(error) => {
                tracing::error!(%error, "cannot take back all of {}", layout.data_dir().display());
            }
        }
    }
}

/// Whether all could be removed; none is that stands behind one that could not.
fn remove_all(disk: &Disk, paths: impl IntoIterator<Item = PathBuf>) -> bool {
    for path in paths {
        if let Err(error) = disk.remove_if_there(&path) {
            tracing::error!(%error, "cannot take back {}", path.display());
            return false;
        }
    }
    true
}

/// The first segment, with the one record that makes the database `system`.
fn begin_log(
    host: &Host,
    config: &Config,
    layout: &Layout,
    place: LogPlace,
    environment: EnvironmentId,
) -> Result<RedoPoint, EngineError> {
    let horizon = Horizon::new(pagestore::CommitNumber::new(0));
    let release = Arc::new(Release::of(&horizon, config));
    let checkpointer = Checkpointer::new(CheckpointPolicy::of(config));
    let start = WriterStart {
        config,
        host,
        layout,
        environment,
        under_way: &Arc::default(),
        release: &release,
        checkpointer: &checkpointer,
        audit_log: None,
    };
    let writer = start.start(place, Begin::Create)?;
    let begin = writer.durable();
    let mut records = RecordBuffer::new();
    records.create_database(SYSTEM_DATABASE, SYSTEM_NAME, "");
    writer
        .append(records, None)
        .map_err(EngineError::LogFailed)?;
    writer.close().map_err(EngineError::LogFailed)?;
    Ok(RedoPoint {
        point: begin.point,
        log_bytes: begin.log_bytes,
        commit: CommitNumber::new(0),
    })
}

fn add_dba(host: &Host, config: &Config, verifier: &str) -> Result<(), EngineError> {
    let environment = Environment::start_on(host.clone(), config.clone(), Sessions::new(1))?;
    let system = environment.database(SYSTEM_NAME)?;
    let added = write(&environment, &system, |connection| {
        users::create_table(connection)?;
        users::insert(connection, DBA, verifier, Privilege::Dba)
    });
    // Stopped in any case: its threads bring back what is taken back.
    let stopped = environment.stop();
    added.and(stopped)
}

fn make_directory(disk: &Disk, path: &Path, mode: u32) -> Result<(), EngineError> {
    disk.make_directory(path, mode)
        .map_err(|error| EngineError::file("make the directory", path, &error))
}

fn refuse_old_log(location: &fwlog::LogLocation) -> Result<(), EngineError> {
    let names = location
        .disk
        .list(&location.directory)
        .map_err(|error| EngineError::file("read", &location.directory, &error))?;
    let is_segment = |name: &OsString| {
        let name = name.to_str();
        name.is_some_and(|name| location.naming.segment_of(name).is_some())
    };
    match names.into_iter().find(is_segment) {
        None => Ok(()),
        Some(name) => Err(EngineError::state(
            format!(
                "{} holds segments of another log ({})",
                location.directory.display(),
                name.to_string_lossy()
            ),
            "Move them away, or set FwLog to an empty directory.",
        )),
    }
}
