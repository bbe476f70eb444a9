//! An environment for tests: on a simulated disk, without threads.

use std::sync::Arc;

use dbconfig::Config;
use disk::Disk;
use disk::testing::SimulatedDisk;
use fwlog::{Clock, EnvironmentId};
use pagestore::{PAGE_SIZE, PageImage, PageNumber};
use sqlitevfs::WriteSet;

use crate::clients::Sessions;
use crate::databases::Database;
use crate::databases::host::{Drive, Host, Random};
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::create::create_on;

/// Pages that [`commit`] writes.
pub(crate) const PAGES: u32 = 40;

/// Gives all pages of the database this content, and waits until that is durable.
pub(crate) fn commit(environment: &Environment, database: &Database, content: u8) {
    let numbers = (1..=PAGES).filter_map(PageNumber::new);
    let image = PageImage::copy_of(&[content; PAGE_SIZE]);
    let write_set = WriteSet {
        page_count: PAGES,
        pages: numbers.map(|page| (page, image.clone())).collect(),
        base: database.store().latest().0,
    };
    let interrupt = Interrupt::for_this_thread();
    let permit = database.acquire_permit(&interrupt, None).unwrap();
    let queued = environment.commit(database, &permit, write_set);
    drop(permit);
    queued.unwrap().wait().unwrap();
}

/// A master that was made and started on this disk.
pub(crate) fn master_on(machine: &SimulatedDisk) -> Arc<Environment> {
    master_with(machine, "")
}

/// The same with these keys of `[Server]`.
pub(crate) fn master_with(machine: &SimulatedDisk, server: &str) -> Arc<Environment> {
    let process = machine.process();
    for directory in ["/tmp", "/data", "/fwlog"] {
        let made = process.disk().make_directory(directory.as_ref(), 0o700);
        made.unwrap();
    }
    let (host, config) = configured(process.disk(), server);
    let id = EnvironmentId::from_bytes([1; 16]);
    create_on(&host, &config, "SCRAM-SHA-256$4096:c2FsdA==$a:b", id).unwrap();
    Environment::start_on(host, config, Sessions::new(1)).unwrap()
}

/// The same environment after a power cut: on what the disk has kept.
pub(crate) fn recovered_on(machine: &SimulatedDisk) -> Result<Arc<Environment>, EngineError> {
    recovered_with(machine, "")
}

/// The same with these keys of `[Server]`.
pub(crate) fn recovered_with(
    machine: &SimulatedDisk,
    server: &str,
) -> Result<Arc<Environment>, EngineError> {
    let (host, config) = configured(machine.process().disk(), server);
    Environment::start_on(host, config, Sessions::new(1))
}

/// The same by another name, with this `Role` in its configuration.
pub(crate) fn recovered_as(
    machine: &SimulatedDisk,
    instance: &str,
    role: &str,
) -> Result<Arc<Environment>, EngineError> {
    let (host, config) = configured_as(machine.process().disk(), instance, role, "");
    Environment::start_on(host, config, Sessions::new(1))
}

/// Another environment of that name, below other directories.
pub(crate) fn configured_in(disk: Disk, data_dir: &str, log: &str) -> (Host, Config) {
    let (host, config) = configured(disk, "");
    let text = format!(
        "[Server]\nService = 0\nDataDir = {data_dir}\nInstance = {}\n\
         [ForwardLog]\nFwLog = {log}/fw-%N\n[Replication]\nRole = Master\nTmpDir = /tmp\n",
        config.server.instance
    );
    let config = Config::parse("/eloqdb.cfg".as_ref(), &text).unwrap();
    (host, config)
}

fn configured(disk: Disk, server: &str) -> (Host, Config) {
    configured_as(disk, "north", "Master", server)
}

fn configured_as(disk: Disk, instance: &str, role: &str, server: &str) -> (Host, Config) {
    let text = format!(
        "[Server]\nService = 0\nDataDir = /data\nInstance = {instance}\n{server}\n\
         [ForwardLog]\nFwLog = /fwlog/fw-%N\n[Replication]\nRole = {role}\nTmpDir = /tmp\n"
    );
    let config = Config::parse("/eloqdb.cfg".as_ref(), &text).unwrap();
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
