//! Every commit that exists has its audit record, once, and no other has one: whatever happens in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use disk::testing::{Fault, SimulatedDisk};
use fwlog::{DatabaseId, LogDirectory};
use pgtypes::SqlState;

use super::testing::{Answered, Setting, USUAL, audit, check, commit, copy, scene, start, told};
use crate::environment::Environment;
use crate::error::EngineError;

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
    // A start after a clean stop, and one after a crash.
    for round in 0..3 {
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

fn cut_at_every_operation(setting: Setting) {
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
    for at in 0..operations {
        let machine = scene.copy();
        machine.fail(Fault::after(at).power_off());
        let mut answered = answered(before);
        let lived = live(&machine, setting, &mut answered, false);
        assert!(lived.is_err() || at + 20 > operations, "cut at {at}");
        for seed in [0, 1, at + 2] {
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
    cut_at_every_operation(USUAL);
}

#[test]
fn the_same_where_commits_do_not_wait_for_the_disk() {
    let setting = Setting {
        sync_mode: 0,
        ..USUAL
    };
    cut_at_every_operation(setting);
}

#[test]
fn any_failing_operation_on_the_audit_log_loses_no_record() {
    let (scene, before) = scene(USUAL);
    let whole = scene.copy();
    let counted = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&counted);
    whole.set_hook(move |_, operation| {
        if operation.is_under("/fwlog".as_ref()) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    live(&whole, USUAL, &mut Answered::default(), false).unwrap();
    let mut struck = 0;
    for at in 0..counted.load(Ordering::Relaxed) {
        let machine = scene.copy();
        machine.fail(Fault::after(at).under("/fwlog"));
        let mut answered = Answered {
            before,
            commits: Vec::new(),
        };
        // A start that fails is one of the outcomes.
        let lived = live(&machine, USUAL, &mut answered, true);
        let all = answered.commits.len() == 24;
        struck += u64::from(!all);
        assert!(lived.is_ok() || !all);
        for machine in [machine.copy(), machine.after_power_cut(0)] {
            let (process, environment) =
                start(&machine, USUAL).unwrap_or_else(|error| panic!("failed at {at}: {error}"));
            check(&environment, &answered, false);
            process.kill();
        }
    }
    assert!(struck > 100, "{struck}");
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
    // What is committed already is safe in the journal, which would go now otherwise.
    let master = environment.master("a test").unwrap();
    master.writer().switch().unwrap();
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
