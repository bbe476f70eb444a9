//! An environment for tests: on a simulated disk, without threads.

use std::sync::Arc;

use dbconfig::Config;
use disk::Disk;
use disk::testing::SimulatedDisk;
use fwlog::{Clock, EnvironmentId};

use crate::clients::Sessions;
use crate::databases::host::{Drive, Host, Random};
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::create::create_on;

/// A master that was made and started on this disk.
pub(crate) fn master_on(machine: &SimulatedDisk) -> Arc<Environment> {
    let process = machine.process();
    for directory in ["/tmp", "/data", "/fwlog"] {
        let made = process.disk().make_directory(directory.as_ref(), 0o700);
        made.unwrap();
    }
    let (host, config) = configured(process.disk());
    let id = EnvironmentId::from_bytes([1; 16]);
    create_on(&host, &config, "SCRAM-SHA-256$4096:c2FsdA==$a:b", id).unwrap();
    Environment::start_on(host, config, Sessions::new(1)).unwrap()
}

/// The same environment after a power cut: on what the disk has kept.
pub(crate) fn recovered_on(machine: &SimulatedDisk) -> Result<Arc<Environment>, EngineError> {
    let (host, config) = configured(machine.process().disk());
    Environment::start_on(host, config, Sessions::new(1))
}

fn configured(disk: Disk) -> (Host, Config) {
    let text = "[Server]\nService = 0\nDataDir = /data\nInstance = north\n\
                [ForwardLog]\nFwLog = /fwlog/fw-%N\n[Replication]\nRole = Master\nTmpDir = /tmp\n";
    let config = Config::parse("/eloqdb.cfg".as_ref(), text).unwrap();
    let host = Host {
        disk,
        clock: Clock::system(),
        drive: Drive::Owner,
        preallocate: 0,
        part_pages: Host::PART_PAGES,
        pinned_limit: Host::PINNED_LIMIT,
        random: Random::System,
    };
    (host, config)
}
