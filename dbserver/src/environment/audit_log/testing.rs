//! What the tests of the audit log stand on: a machine with a simulated disk, and what both logs have.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbconfig::Config;
use disk::testing::{Process, SimulatedDisk};
use fwlog::{
    Audit, BlockDecoder, Clock, DatabaseId, EnvironmentId, LogDirectory, LogKind, ReadItem, Record,
    RecordBuffer, SegmentReader, Timestamp,
};
use pagestore::PageNumber;
use sqlitevfs::WriteSet;

use crate::clients::Sessions;
use crate::databases::Database;
use crate::databases::host::{Drive, Host, Random};
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::error::EngineError;
use crate::system::create::create_on;

/// How an environment of these tests is configured.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) sync_mode: u32,
    pub(super) audit_only: u32,
    pub(super) on_failure: &'static str,
    pub(super) fwlog: bool,
}

pub(super) const USUAL: Setting = Setting {
    sync_mode: 1,
    audit_only: 1,
    on_failure: "stop",
    fwlog: true,
};

pub(super) fn config(setting: Setting) -> Config {
    let Setting {
        sync_mode,
        audit_only,
        on_failure,
        fwlog,
    } = setting;
    let place = if fwlog { "FwLog = /fwlog/fw-%N\n" } else { "" };
    let text = format!(
        "[Server]\nService = 0\nDataDir = /data\nInstance = north\nSyncMode = {sync_mode}\n\
         [ForwardLog]\n{place}AuditOnly = {audit_only}\nFwOnFailure = {on_failure}\n\
         [Replication]\nTmpDir = /tmp\n"
    );
    Config::parse("/eloqdb.cfg".as_ref(), &text).unwrap()
}

pub(super) fn host(process: &Process) -> Host {
    Host {
        disk: process.disk(),
        clock: Clock::system(),
        drive: Drive::Owner,
        preallocate: 4096,
        part_pages: 4,
        pinned_limit: Host::PINNED_LIMIT,
        random: Random::System,
    }
}

/// A machine with an environment that was stopped.
pub(super) fn machine(setting: Setting) -> SimulatedDisk {
    let machine = SimulatedDisk::new(1);
    let process = machine.process();
    for directory in ["/tmp", "/data", "/fwlog"] {
        let made = process.disk().make_directory(directory.as_ref(), 0o700);
        made.unwrap();
    }
    let id = EnvironmentId::from_bytes([1; 16]);
    let verifier = "SCRAM-SHA-256$4096:c2FsdA==$a:b";
    create_on(&host(&process), &config(setting), verifier, id).unwrap();
    process.kill();
    machine
}

pub(super) fn start(
    machine: &SimulatedDisk,
    setting: Setting,
) -> Result<(Process, Arc<Environment>), EngineError> {
    let process = machine.process();
    let started = Environment::start_on(host(&process), config(setting), Sessions::new(1));
    started.map(|environment| (process, environment))
}

pub(super) fn copy(environment: &Environment) {
    environment.driver().unwrap().copy_audit();
}

/// The statement of the record of a commit.
pub(super) fn statement(commit: u64) -> String {
    format!("INSERT\nnumber {commit}")
}

pub(super) fn record(database: DatabaseId, statement: &str) -> RecordBuffer {
    let mut records = RecordBuffer::new();
    records.audit(&audit(database, statement));
    records
}

pub(super) fn audit(database: DatabaseId, statement: &str) -> Audit<'_> {
    Audit {
        time: Timestamp::now(),
        database,
        user: "app",
        client: "127.0.0.1:1 test",
        statement,
    }
}

/// One commit of so many pages. Gives its number.
pub(super) fn commit(environment: &Environment, pages: u32) -> Result<u64, EngineError> {
    let database = environment.database("shop")?;
    let number = environment.core().newest_visible_commit() + 1;
    let interrupt = Interrupt::for_this_thread();
    let permit = database.acquire_permit(&interrupt, None)?;
    let records = record(database.id(), &statement(number));
    let set = write_set(&database, pages, number);
    let queued = environment.commit_audited(&database, &permit, set, records)?;
    drop(permit);
    assert_eq!(queued.commit().get(), number);
    environment.wait_durable(&queued)?;
    Ok(number)
}

pub(super) fn write_set(database: &Database, pages: u32, content: u64) -> WriteSet {
    let mut image = [0; fwlog::PAGE_SIZE];
    image[100..108].copy_from_slice(&content.to_le_bytes());
    let image = pagestore::PageImage::copy_of(&image);
    let numbers = (1..=pages).map(|number| PageNumber::new(number).unwrap());
    WriteSet {
        page_count: 8,
        pages: numbers.map(|page| (page, image.clone())).collect(),
        base: database.store().latest().0,
    }
}

/// What the audit log says: the statements of each commit, and those of none.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) commits: BTreeMap<u64, Vec<String>>,
    pub(super) others: Vec<String>,
}

/// Reads the audit log, and verifies every byte of it.
pub(super) fn told(environment: &Environment) -> Told {
    let location = environment.core().audit_location().unwrap();
    let directory = LogDirectory::scan(&location).unwrap().whole().unwrap();
    let report = fwlog::verify(&directory, &mut |_| {}).unwrap();
    assert_eq!(report.findings, []);
    let (mut told, mut decoder) = (Told::default(), BlockDecoder::new());
    for info in directory.segments() {
        assert_eq!(info.header.kind, LogKind::Audit);
        let mut reader = SegmentReader::open(&location.disk, &info.path).unwrap();
        while let ReadItem::Block(block) = reader.next(None).unwrap() {
            let mut waiting = Vec::new();
            for record in decoder.records(&block).unwrap() {
                match record.unwrap() {
                    Record::Audit(audit) if audit.database.get() == 0 => {
                        told.others.push(audit.statement.to_owned());
                    }
                    Record::Audit(audit) => waiting.push(audit.statement.to_owned()),
                    Record::Commit(commit) => {
                        assert!(commit.pages.into_iter().next().is_none());
                        let own = std::mem::take(&mut waiting);
                        let before = told.commits.insert(commit.number.get(), own);
                        assert_eq!(before, None, "commit {} is there once", commit.number);
                    }
                    _ => {}
                }
            }
            assert!(waiting.is_empty(), "a record without its commit");
        }
    }
    told
}

/// What was answered for.
#[derive(Debug, Default)]
pub(super) struct Answered {
    /// The newest commit before all of this.
    pub(super) before: u64,
    pub(super) commits: Vec<u64>,
}

/// The audit log of this environment, which was just started, has each commit, and none that is not.
pub(super) fn check(environment: &Environment, answered: &Answered, may_lose: bool) {
    copy(environment);
    assert!(environment.log_trouble().is_none());
    let newest = environment.core().newest_visible_commit();
    if !may_lose {
        let last = answered.commits.last().copied().unwrap_or_default();
        assert!(last <= newest, "commit {last} was answered for");
    }
    let told = told(environment);
    for number in answered.before + 1..=newest {
        let found = told.commits.get(&number);
        assert_eq!(found, Some(&vec![statement(number)]), "of {newest}");
    }
    let last = told.commits.keys().last().copied().unwrap_or_default();
    assert!(last <= newest, "{last} never happened");
    let mut others = told.others.clone();
    others.sort();
    others.dedup();
    assert_eq!(others.len(), told.others.len(), "{:?}", told.others);
}

/// A machine that is stopped, with the database that is written.
pub(super) fn scene(setting: Setting) -> (SimulatedDisk, u64) {
    let machine = machine(setting);
    let (process, environment) = start(&machine, setting).unwrap();
    environment.create_database("shop").unwrap();
    environment.stop().unwrap();
    let before = environment.core().newest_visible_commit();
    process.kill();
    (machine, before)
}
