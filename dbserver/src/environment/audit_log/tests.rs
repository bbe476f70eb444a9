//! Every commit that exists has its audit record, once, and no other has one: whatever happens in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use disk::testing::{Fault, Process, SimulatedDisk};
use fwlog::{Audit, Clock, DatabaseId, EnvironmentId, LogKind, Record, RecordBuffer, Timestamp};
use fwlog::{BlockDecoder, LogDirectory, ReadItem, SegmentReader};
use pagestore::PageNumber;
use pgtypes::SqlState;
use sqlitevfs::WriteSet;

use dbconfig::Config;

use super::*;
use crate::clients::Sessions;
use crate::databases::Database;
use crate::databases::control::LogPlace;
use crate::databases::host::{Drive, Host};
use crate::databases::permit::Interrupt;
use crate::environment::Environment;
use crate::system::create::create_on;

/// How an environment of these tests is configured.
#[derive(Clone, Copy)]
struct Setting {
    sync_mode: u32,
    audit_only: u32,
    on_failure: &'static str,
    fwlog: bool,
}

const USUAL: Setting = Setting {
    sync_mode: 1,
    audit_only: 1,
    on_failure: "stop",
    fwlog: true,
};

fn config(setting: Setting) -> Config {
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

fn host(process: &Process) -> Host {
    Host {
        disk: process.disk(),
        clock: Clock::system(),
        drive: Drive::Owner,
        preallocate: 4096,
        part_pages: 4,
    }
}

/// A machine with an environment that was stopped.
fn machine(setting: Setting) -> SimulatedDisk {
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

fn start(
    machine: &SimulatedDisk,
    setting: Setting,
) -> Result<(Process, Arc<Environment>), EngineError> {
    let process = machine.process();
    let started = Environment::start_on(host(&process), config(setting), Sessions::new(1));
    started.map(|environment| (process, environment))
}

fn copy(environment: &Environment) {
    environment.driver().unwrap().copy_audit();
}

/// The statement of the record of a commit.
fn statement(commit: u64) -> String {
    format!("INSERT\nnumber {commit}")
}

fn record(database: DatabaseId, statement: &str) -> RecordBuffer {
    let mut records = RecordBuffer::new();
    records.audit(&audit(database, statement));
    records
}

fn audit(database: DatabaseId, statement: &str) -> Audit<'_> {
    Audit {
        time: Timestamp::now(),
        database,
        user: "app",
        client: "127.0.0.1:1 test",
        statement,
    }
}

/// One commit of so many pages. Gives its number.
fn commit(environment: &Environment, pages: u32) -> Result<u64, EngineError> {
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

fn write_set(database: &Database, pages: u32, content: u64) -> WriteSet {
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
struct Told {
    commits: BTreeMap<u64, Vec<String>>,
    others: Vec<String>,
}

/// Reads the audit log, and verifies every byte of it.
fn told(environment: &Environment) -> Told {
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
struct Answered {
    /// The newest commit before all of this.
    before: u64,
    commits: Vec<u64>,
}

/// The audit log of this environment, which was just started, has each commit, and none that is not.
fn check(environment: &Environment, answered: &Answered, may_lose: bool) {
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

/// A life of a server with everything in it that changes the two logs; ends with the first error that is not
/// passed over.
fn live(
    machine: &SimulatedDisk,
    setting: Setting,
    answered: &mut Answered,
    go_on: bool,
) -> Result<(), EngineError> {
    let mut commits = |environment: &Environment, pages: &[u32]| {
        for pages in pages {
            match commit(environment, *pages) {
                Ok(number) => answered.commits.push(number),
                Err(error) if go_on => drop(error),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    let pass = |result: Result<(), EngineError>| if go_on { Ok(()) } else { result };
    for round in 0..2 {
        let (process, environment) = start(machine, setting)?;
        let said = format!("SERVER\nround {round}");
        commits(&environment, &[1, 2])?;
        copy(&environment);
        pass(environment.audit(&audit(DatabaseId::new(0), &said)))?;
        commits(&environment, &[6, 1])?;
        pass(environment.core().switch_audit().map(drop))?;
        let master = environment.master("a test")?;
        pass(
            master
                .writer()
                .switch()
                .map(drop)
                .map_err(EngineError::LogFailed),
        )?;
        commits(&environment, &[1])?;
        pass(environment.checkpoint())?;
        commits(&environment, &[1, 1])?;
        copy(&environment);
        pass(environment.checkpoint())?;
        commits(&environment, &[3])?;
        if round == 0 {
            pass(environment.stop())?;
        }
        drop(environment);
        process.kill();
    }
    Ok(())
}

/// A machine that is stopped, with the database that is written.
fn scene(setting: Setting) -> (SimulatedDisk, u64) {
    let machine = machine(setting);
    let (process, environment) = start(&machine, setting).unwrap();
    environment.create_database("shop").unwrap();
    environment.stop().unwrap();
    let before = environment.core().newest_visible_commit();
    process.kill();
    (machine, before)
}

fn cut_at_operations(setting: Setting, step: usize) {
    let (scene, before) = scene(setting);
    let answered = |before| Answered {
        before,
        commits: Vec::new(),
    };
    let whole = scene.copy();
    live(&whole, setting, &mut answered(before), false).unwrap();
    let operations = whole.operations();
    assert!(operations > 200, "{operations}");
    let mut open = 0;
    for at in (0..operations).step_by(step) {
        let machine = scene.copy();
        machine.fail(Fault::after(at).power_off());
        let mut answered = answered(before);
        let lived = live(&machine, setting, &mut answered, false);
        assert!(lived.is_err() || at + 20 > operations, "cut at {at}");
        for seed in [at % 2, at + 2] {
            let machine = machine.after_power_cut(seed);
            let (process, environment) = start(&machine, setting)
                .unwrap_or_else(|error| panic!("cut at {at}, seed {seed}: {error}"));
            let copied = told(&environment).commits.len() as u64;
            open += u64::from(copied < environment.core().newest_visible_commit());
            check(&environment, &answered, setting.sync_mode == 0);
            process.kill();
        }
    }
    assert!(
        open > 20,
        "records were still in the journal alone {open} times"
    );
}

#[test]
fn a_power_cut_anywhere_leaves_a_record_of_each_commit_and_of_no_other() {
    cut_at_operations(USUAL, 1);
}

#[test]
fn the_same_where_commits_do_not_wait_for_the_disk() {
    let setting = Setting {
        sync_mode: 0,
        ..USUAL
    };
    cut_at_operations(setting, 2);
}

#[test]
fn any_failing_operation_on_the_audit_log_loses_no_record() {
    let (scene, before) = scene(USUAL);
    let mut struck = 0;
    for at in 0_u64.. {
        let machine = scene.copy();
        machine.fail(Fault::after(at).under("/fwlog"));
        let mut answered = Answered {
            before,
            commits: Vec::new(),
        };
        // A start that fails is one of the outcomes.
        let lived = live(&machine, USUAL, &mut answered, true);
        let all = answered.commits.len() == 16;
        struck += u64::from(!all);
        assert!(lived.is_ok() || !all);
        for machine in [machine.copy(), machine.after_power_cut(0)] {
            let (process, environment) =
                start(&machine, USUAL).unwrap_or_else(|error| panic!("failed at {at}: {error}"));
            check(&environment, &answered, false);
            process.kill();
        }
        if all && at > 100 {
            break;
        }
    }
    assert!(struck > 10, "{struck}");
}

#[test]
fn while_the_disk_of_the_audit_log_is_full_nothing_is_committed() {
    let (machine, before) = scene(USUAL);
    let (process, environment) = start(&machine, USUAL).unwrap();
    let mut answered = Answered {
        before,
        commits: vec![commit(&environment, 1).unwrap()],
    };
    machine.set_room("/fwlog", Some(machine.used("/fwlog")));
    let refused = loop {
        copy(&environment);
        match commit(&environment, 1) {
            Ok(number) => answered.commits.push(number),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.sqlstate(), SqlState::DISK_FULL);
    assert!(refused.to_string().contains("audit log"), "{refused}");
    assert!(environment.create_database("other").is_err());
    // What is committed already is safe in the journal, whatever becomes of it there.
    environment.checkpoint().unwrap();
    environment.checkpoint().unwrap();
    let trouble = environment.log_trouble().unwrap().text;
    assert!(trouble.contains("until there is room"), "{trouble}");
    machine.set_room("/fwlog", None);
    copy(&environment);
    answered.commits.push(commit(&environment, 1).unwrap());
    check(&environment, &answered, false);
    // The same over a restart.
    machine.set_room("/fwlog", Some(machine.used("/fwlog")));
    while let Ok(number) = commit(&environment, 1) {
        answered.commits.push(number);
        copy(&environment);
    }
    environment.stop().unwrap();
    process.kill();
    let (process, environment) = start(&machine, USUAL).unwrap();
    assert!(commit(&environment, 1).is_err());
    process.kill();
    machine.set_room("/fwlog", None);
    let (_process, environment) = start(&machine, USUAL).unwrap();
    check(&environment, &answered, false);
}

#[test]
fn with_fw_on_failure_disable_the_server_goes_on_without_and_says_so() {
    let setting = Setting {
        on_failure: "disable",
        ..USUAL
    };
    let (machine, _) = scene(setting);
    let (process, environment) = start(&machine, setting).unwrap();
    let recorded = commit(&environment, 1).unwrap();
    copy(&environment);
    machine.set_room("/fwlog", Some(machine.used("/fwlog")));
    while environment.log_trouble().is_none() {
        commit(&environment, 1).unwrap();
        copy(&environment);
    }
    let not_recorded = commit(&environment, 1).unwrap();
    let trouble = environment.log_trouble().unwrap().text;
    assert!(trouble.contains("given up"), "{trouble}");
    assert!(environment.core().audit_log().unwrap().standing().given_up);
    environment.stop().unwrap();
    process.kill();
    machine.set_room("/fwlog", None);
    let (_process, environment) = start(&machine, setting).unwrap();
    let again = commit(&environment, 1).unwrap();
    copy(&environment);
    let location = environment.core().audit_location().unwrap();
    let directory = LogDirectory::scan(&location).unwrap();
    let report = fwlog::verify(&directory, &mut |_| {}).unwrap();
    assert_eq!((report.findings.len(), report.was_off.len()), (0, 1));
    let generations = directory
        .segments()
        .iter()
        .map(|info| info.id.generation.get());
    assert_eq!(generations.max(), Some(2));
    let told = told(&environment).commits;
    assert!(told.contains_key(&recorded) && told.contains_key(&again));
    assert!(!told.contains_key(&not_recorded));
}

#[test]
fn a_forward_log_and_an_audit_log_take_turns_and_never_mix() {
    let forward = Setting {
        audit_only: 0,
        ..USUAL
    };
    let (machine, before) = scene(forward);
    let (process, environment) = start(&machine, forward).unwrap();
    let first = commit(&environment, 1).unwrap();
    environment.stop().unwrap();
    process.kill();
    // The audit log begins where the forward log ends, which says so.
    let (process, environment) = start(&machine, USUAL).unwrap();
    let left = log::location(
        environment.config(),
        environment.core().layout(),
        LogPlace::ForwardLog,
    );
    let left = left.unwrap();
    let end = fwlog::DurableEnd::read(&left.disk, &left.directory)
        .unwrap()
        .unwrap();
    assert!(end.switched_off && end.durable.commit.get() == first);
    let mut answered = Answered {
        before: first,
        commits: vec![commit(&environment, 1).unwrap()],
    };
    check(&environment, &answered, false);
    assert!(!told(&environment).commits.contains_key(&first));
    // A crash: what is not copied yet keeps AuditOnly from being switched off.
    answered.commits.push(commit(&environment, 1).unwrap());
    process.kill();
    let refused = start(&machine, forward).err().unwrap();
    assert!(
        refused.to_string().contains("AuditOnly was on"),
        "{refused}"
    );
    let (process, environment) = start(&machine, USUAL).unwrap();
    check(&environment, &answered, false);
    environment.stop().unwrap();
    process.kill();
    // A generation of the forward log, and then one of the audit log.
    let (process, environment) = start(&machine, forward).unwrap();
    let unrecorded = commit(&environment, 1).unwrap();
    let segments = LogDirectory::scan(&environment.core().log_location().unwrap()).unwrap();
    let segments = segments.segments();
    assert_eq!(segments.last().unwrap().id.generation.get(), 2);
    assert!(
        segments
            .iter()
            .all(|info| info.header.kind == LogKind::Forward)
    );
    environment.stop().unwrap();
    process.kill();
    let (_process, environment) = start(&machine, USUAL).unwrap();
    let last = commit(&environment, 1).unwrap();
    copy(&environment);
    let told = told(&environment).commits;
    assert!(!told.contains_key(&unrecorded) && told.contains_key(&last));
    assert!(before < first && first < unrecorded);
}

#[test]
fn an_audit_log_of_another_history_is_refused() {
    let (machine, _) = scene(USUAL);
    let older = machine.copy();
    let (process, environment) = start(&machine, USUAL).unwrap();
    commit(&environment, 1).unwrap();
    environment.stop().unwrap();
    process.kill();
    // DataDir is brought back as it was, and the audit log stays.
    let from = older.process();
    let to = machine.process();
    let named = |machine: &SimulatedDisk| {
        let files = machine.files().into_iter();
        files
            .filter(|file| file.starts_with("/data"))
            .collect::<Vec<_>>()
    };
    for file in named(&machine) {
        to.disk().remove(&file).unwrap();
    }
    for file in named(&older) {
        let content = from.disk().read(&file).unwrap();
        to.disk().write_atomic(&file, &content, 0o600).unwrap();
    }
    to.kill();
    let refused = start(&machine, USUAL).err().unwrap();
    assert!(
        refused.to_string().contains("has commits up to"),
        "{refused}"
    );
}

#[test]
fn an_audit_log_that_is_not_there_is_waited_for() {
    let (machine, before) = scene(USUAL);
    let (process, environment) = start(&machine, USUAL).unwrap();
    let answered = Answered {
        before,
        commits: vec![commit(&environment, 1).unwrap()],
    };
    process.kill();
    let person = machine.process();
    let mut away = Vec::new();
    for file in machine.files() {
        if file.starts_with("/fwlog") {
            away.push((file.clone(), person.disk().read(&file).unwrap()));
            person.disk().remove(&file).unwrap();
        }
    }
    let (_process, environment) = start(&machine, USUAL).unwrap();
    let refused = commit(&environment, 1).unwrap_err().to_string();
    assert!(refused.contains("find the audit log in"), "{refused}");
    copy(&environment);
    assert!(commit(&environment, 1).is_err());
    for (file, content) in away {
        person.disk().write_atomic(&file, &content, 0o600).unwrap();
    }
    copy(&environment);
    check(&environment, &answered, false);
    commit(&environment, 1).unwrap();
}
