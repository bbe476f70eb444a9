//! The audit log beside other logs: of before, of another history, and where it is gone.

use disk::testing::SimulatedDisk;
use fwlog::{DurableEnd, LogDirectory, LogKind};

use super::testing::{Answered, Setting, USUAL, check, commit, copy, scene, start, told};
use crate::databases::control::LogPlace;
use crate::environment::log;

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
    let end = DurableEnd::read(&left.disk, &left.directory)
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
    lost_for_good(&machine.copy());
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

/// It is given up by a start with FwOnFailure = disable, and the next one begins another.
fn lost_for_good(machine: &SimulatedDisk) {
    let setting = Setting {
        on_failure: "disable",
        ..USUAL
    };
    let (process, environment) = start(machine, setting).unwrap();
    let unrecorded = commit(&environment, 1).unwrap();
    process.kill();
    let (process, environment) = start(machine, USUAL).unwrap();
    let recorded = commit(&environment, 1).unwrap();
    copy(&environment);
    let told = told(&environment).commits;
    assert!(told.contains_key(&recorded) && !told.contains_key(&unrecorded));
    process.kill();
}
