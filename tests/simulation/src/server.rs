//! One server on its machine: started, killed, stopped.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use dbconfig::{Config, Role};
use dbrepl::served_log::Source;
use dbserver::clients::Sessions;
use dbserver::databases::control::Control;
use dbserver::databases::host::{Drive, Host, Random};
use dbserver::environment::Environment;
use dbserver::environment::rebuild;
use dbserver::error::EngineError;
use dbserver::system::create::create_on;
use dbserver::system::local;
use disk::testing::{Process, SimulatedDisk};
use fwlog::{EnvironmentId, LogLocation, SimulatedTime};

use crate::settings::Settings;
use crate::taking::Taking;

/// What lets dba in, who never comes.
const VERIFIER: &str = "SCRAM-SHA-256$4096:c2FsdHNhbHRzYWx0c2FsdA==$0000:0000";

/// A server, and the machine that it runs on.
pub(crate) struct Server {
    /// Name of the instance.
    pub(crate) name: String,
    /// Its disk.
    pub(crate) machine: SimulatedDisk,
    /// What it is meant to be at the next start.
    pub(crate) role: Role,
    /// Faults are set, or were since the last start.
    pub(crate) hurt: bool,
    /// It began with a copy of its master's data: its log begins later.
    pub(crate) is_copy: bool,
    settings: Settings,
    time: SimulatedTime,
    running: Option<(Process, Arc<Environment>)>,
}

impl Server {
    /// A machine with an environment on it, or an empty slave.
    pub(crate) fn create(
        settings: &Settings,
        name: &str,
        role: Role,
        time: &SimulatedTime,
    ) -> Result<Self, String> {
        let machine = SimulatedDisk::new(settings.seed);
        let server = Self {
            name: name.to_owned(),
            machine,
            role,
            hurt: false,
            is_copy: false,
            settings: settings.clone(),
            time: time.clone(),
            running: None,
        };
        let process = server.machine.process();
        for directory in ["/tmp", "/data", "/fwlog"] {
            let made = process.disk().make_directory(directory.as_ref(), 0o700);
            made.map_err(|error| error.to_string())?;
        }
        let id = EnvironmentId::from_bytes([7; 16]);
        let host = server.host(&process);
        create_on(&host, &server.config()?, VERIFIER, id)
            .map_err(|error| format!("init: {error}"))?;
        process.kill();
        Ok(server)
    }

    /// Whether it was stopped cleanly, by its control file.
    pub(crate) fn is_clean(&self) -> Result<bool, String> {
        let process = self.machine.copy().process();
        let control = Control::read(&process.disk(), "/data/control".as_ref());
        let control = control.map_err(|error| error.to_string())?;
        Ok(control.ok_or("no control file")?.clean)
    }

    /// A slave with a copy of this server's DataDir, and with no log.
    pub(crate) fn copied(&self, name: &str) -> Result<Self, String> {
        let machine = SimulatedDisk::new(self.settings.seed);
        let process = machine.process();
        let disk = process.disk();
        for directory in ["/tmp", "/data", "/data/db", "/data/journal", "/fwlog"] {
            let made = disk.make_directory(directory.as_ref(), 0o700);
            made.map_err(|error| error.to_string())?;
        }
        for path in self.machine.files() {
            if path.starts_with("/data") {
                let directory = path.parent().unwrap_or(&path);
                let made = disk.make_directory(directory, 0o700);
                made.map_err(|error| format!("{}: {error}", directory.display()))?;
                let content = self.machine.content(&path).unwrap_or_default();
                let copied = disk.write_atomic(&path, &content, 0o600);
                copied.map_err(|error| format!("{}: {error}", path.display()))?;
            }
        }
        process.kill();
        Ok(Self {
            name: name.to_owned(),
            role: Role::Slave,
            is_copy: true,
            ..self.on(machine)
        })
    }

    /// A slave with what a cut has given, on a machine of its own.
    pub(crate) fn of_cut(&self, name: &str, taking: &Taking) -> Result<Self, String> {
        let machine = SimulatedDisk::new(self.settings.seed);
        let process = machine.process();
        taking.write(&process.disk())?;
        process.kill();
        Ok(Self {
            name: name.to_owned(),
            role: Role::Slave,
            is_copy: true,
            ..self.on(machine)
        })
    }

    /// The same server on another disk, to try something.
    pub(crate) fn on(&self, machine: SimulatedDisk) -> Self {
        Self {
            name: self.name.clone(),
            machine,
            role: self.role,
            hurt: false,
            is_copy: self.is_copy,
            settings: self.settings.clone(),
            time: self.time.clone(),
            running: None,
        }
    }

    /// Its configuration.
    pub(crate) fn config(&self) -> Result<Config, String> {
        self.settings.config(&self.name, self.role)
    }

    fn host(&self, process: &Process) -> Host {
        Host {
            disk: process.disk(),
            drive: Drive::Owner,
            preallocate: self.settings.preallocate,
            part_pages: self.settings.part_pages as usize,
            pinned_limit: self.settings.pinned_limit,
            clock: self.time.clock(),
            random: Random::Counted(self.ids()),
        }
    }

    /// Ids that no other server gets, nor this one at another start.
    fn ids(&self) -> Arc<AtomicU64> {
        let name = self
            .name
            .bytes()
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(byte));
        let now = self.time.clock().now().micros();
        Arc::new(AtomicU64::new(now.rotate_left(20) ^ name))
    }

    /// The environment, while it runs.
    pub(crate) fn environment(&self) -> Option<&Arc<Environment>> {
        self.running.as_ref().map(|(_, environment)| environment)
    }

    /// Starts it. After an error it is down.
    pub(crate) fn start(&mut self) -> Result<Arc<Environment>, EngineError> {
        let config = self.config().map_err(EngineError::Internal)?;
        let process = self.machine.process();
        let host = self.host(&process);
        let started = Environment::start_on(host, config, Sessions::new(4));
        let opened = started.and_then(|environment| {
            if self.settings.alone {
                local::open(&environment)?;
            }
            Ok(environment)
        });
        match opened {
            Ok(environment) => {
                self.running = Some((process, Arc::clone(&environment)));
                Ok(environment)
            }
            Err(error) => {
                process.kill();
                Err(error)
            }
        }
    }

    /// Has the next start make its data files anew from the log.
    pub(crate) fn prepare_rebuild(&self) -> Result<(), EngineError> {
        let config = self.config().map_err(EngineError::Internal)?;
        let process = self.machine.process();
        let prepared = rebuild::prepare(&self.host(&process), &config);
        process.kill();
        prepared
    }

    /// Stops it cleanly, or as cleanly as it can.
    pub(crate) fn stop(&mut self) -> Result<(), EngineError> {
        let Some((process, environment)) = self.running.take() else {
            return Ok(());
        };
        let stopped = environment.stop();
        drop(environment);
        process.kill();
        stopped
    }

    /// Ends its process at once.
    pub(crate) fn kill(&mut self) {
        if let Some((process, environment)) = self.running.take() {
            process.kill();
            drop(environment);
        }
    }

    /// Ends its process by ending its machine, which then is there again.
    pub(crate) fn cut_power(&mut self, seed: u64) {
        self.machine.power_off();
        self.kill();
        self.machine = self.machine.power_cut(seed);
    }

    /// Where its log is, for a process of its machine.
    pub(crate) fn source(process: &Process) -> Result<Source, String> {
        let location = LogLocation::parse("/fwlog/fw-%N").map_err(|error| error.to_string())?;
        Ok(Source {
            instance: String::new(),
            location: location.on(process.disk()),
            role: dbproto::Role::Master,
            volume_limit: 0,
            port: None,
            host: String::new(),
            data_dir: "/data".into(),
            config: "/etc/eloqdb.cfg".into(),
        })
    }
}
