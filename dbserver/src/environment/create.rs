//! A new environment: a master's with its first user, or an empty slave.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use dbconfig::{Config, Role};
use fwlog::{Begin, CommitNumber, EnvironmentId, RecordBuffer};
use pagestore::Horizon;
use ring::rand::{SecureRandom, SystemRandom};

use crate::commit::checkpointer::{CheckpointPolicy, Checkpointer};
use crate::environment::Environment;
use crate::environment::control::{Control, Identity, LogPlace, RedoPoint};
use crate::environment::databases::{SYSTEM_DATABASE, SYSTEM_NAME};
use crate::environment::layout::Layout;
use crate::environment::log::{self, WriterStart};
use crate::error::EngineError;
use crate::pg::Sessions;
use crate::system::statement::write;
use crate::system::users::{self, DBA, Privilege};

/// Makes the environment that the configuration describes. `verifier` is dba's password.
///
/// On a slave nothing but the control file is made: it adopts the environment of the first master
/// that connects, and until then `verifier` lets dbrepl in.
pub fn create(config: &Config, verifier: &str) -> Result<(), EngineError> {
    let layout = Layout::new(&config.server.data_dir);
    if layout.control().exists() {
        return Err(EngineError::state(
            format!(
                "there is an environment in {} already",
                layout.data_dir().display()
            ),
            "Start it with dbserver, or choose another DataDir.",
        ));
    }
    for directory in [layout.data_dir(), &layout.databases(), &layout.journal()] {
        make_directory(directory)?;
    }
    let place = log::wanted_place(config);
    let location = log::location(config, &layout, place)?;
    make_directory(&location.directory)?;
    refuse_old_log(&location)?;
    let mut control = Control {
        instance: config.server.instance.clone(),
        role: config.replication.role,
        clean: true,
        log: place,
        detached: false,
        next_database: SYSTEM_DATABASE.get(),
        identity: None,
        bootstrap: None,
    };
    if config.replication.role == Role::Slave {
        control.bootstrap = Some(verifier.to_owned());
        return control.write(&layout.control());
    }
    let environment = random_id()?;
    let end = begin_log(config, &layout, place, environment)?;
    control.identity = Some(Identity {
        environment,
        redo: end,
        databases: Vec::new(),
    });
    control.write(&layout.control())?;
    add_dba(config, verifier).inspect_err(|_| {
        // Without its first user the environment is of no use, and 'init' must be possible again.
        if let Err(error) = fs::remove_file(layout.control()) {
            tracing::error!(%error, "cannot take back {}", layout.control().display());
        }
    })
}

/// The first segment, with the one record that makes the database `system`.
fn begin_log(
    config: &Config,
    layout: &Layout,
    place: LogPlace,
    environment: EnvironmentId,
) -> Result<RedoPoint, EngineError> {
    let policy = CheckpointPolicy {
        size: config.server.checkpoint_size,
        interval: config.server.checkpoint_interval,
    };
    let (horizon, checkpointer) = (
        Horizon::new(pagestore::CommitNumber::new(0)),
        Checkpointer::new(policy),
    );
    let start = WriterStart {
        config,
        layout,
        environment,
        under_way: &Arc::default(),
        horizon: &horizon,
        checkpointer: &checkpointer,
    };
    let writer = start.start(place, Begin::Create, CommitNumber::new(0))?;
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

fn add_dba(config: &Config, verifier: &str) -> Result<(), EngineError> {
    let environment = Environment::start(config.clone(), Sessions::new(1))?;
    let system = environment.database(SYSTEM_NAME)?;
    write(&environment, &system, |connection| {
        users::create_table(connection)?;
        users::insert(connection, DBA, verifier, Privilege::Dba)
    })?;
    environment.stop()
}

fn make_directory(path: &Path) -> Result<(), EngineError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| EngineError::file("make the directory", path, &error))
}

fn refuse_old_log(location: &fwlog::LogLocation) -> Result<(), EngineError> {
    let found = fs::read_dir(&location.directory)
        .and_then(|mut entries| {
            entries.try_fold(None, |found, entry| {
                let name = entry?.file_name();
                let is_segment = name
                    .to_str()
                    .is_some_and(|name| location.naming.segment_of(name).is_some());
                io::Result::Ok(if is_segment { Some(name) } else { found })
            })
        })
        .map_err(|error| EngineError::file("read", &location.directory, &error))?;
    match found {
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

fn random_id() -> Result<EnvironmentId, EngineError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| EngineError::Storage("the system gives no random bytes".into()))?;
    Ok(EnvironmentId::from_bytes(bytes))
}
