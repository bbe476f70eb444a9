//! Data files made anew from the log, for `dbserver --rebuild`.
//!
//! The log has every page of every database from the environment's beginning on, as long as no
//! segment was taken away: redo from there makes the data files again, as it does on a slave. The old
//! ones are set aside, never deleted.
//!
//! ```text
//!  prepare: the log is whole? ─► file `rebuild` (what the old files are called from now on)
//!  go_on:   rename the old files ─► control: redo from the beginning, no database ─► remove `rebuild`
//!           ─► start as always
//! ```
//! Before `rebuild` is there, nothing has changed. From then on every start goes on: each step finds
//! done what was done before a crash. After it is gone, control makes each start redo everything,
//! until the first checkpoint is complete.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use dbconfig::Config;
use disk::Disk;
use fwlog::{DurableEnd, LogDirectory, LogLocation, Position, SegmentId, VerifyReport};

use crate::databases::control::{Control, Identity, RedoPoint};
use crate::databases::host::Host;
use crate::databases::layout::{Layout, SYSTEM_FILE};
use crate::environment::log;
use crate::error::EngineError;

/// Beside the control file while old data files are set aside; its content is what their names get.
const MARKER: &str = "rebuild";
/// Places of a damaged log that a message names.
const NAMED: usize = 5;

/// Checks that the log can make the data files anew, and has the next start do it. Refuses before
/// anything is touched.
pub fn prepare(host: &Host, config: &Config) -> Result<(), EngineError> {
    let layout = Layout::new(host.disk.clone(), &config.server.data_dir);
    let control =
        Control::read(&host.disk, &layout.control())?.ok_or_else(|| layout.no_environment())?;
    let _lock = layout.take_lock()?;
    let Some(identity) = &control.identity else {
        return Err(EngineError::state(
            "this is an empty slave: it has no data files to make anew",
            "Start it without --rebuild.",
        ));
    };
    let location = log::location(config, &layout, control.log)?;
    check_log(&location, identity)?;
    // They may be gone with the files.
    for directory in [layout.databases(), layout.journal()] {
        host.disk
            .make_directory(&directory, 0o700)
            .map_err(|error| EngineError::file("make the directory", &directory, &error))?;
    }
    let suffix = unused(&layout, &suffix(host))?;
    mark(&layout, &suffix)
}

/// Goes on with what [`prepare`] or a start before this one has begun; most starts find nothing.
pub(crate) fn go_on(layout: &Layout, mut control: Control) -> Result<Control, EngineError> {
    let (disk, marker) = (layout.disk(), marker(layout));
    let there = disk.exists(&marker);
    if !there.map_err(|error| EngineError::file("look for", &marker, &error))? {
        return Ok(control);
    }
    let suffix = disk
        .read(&marker)
        .map_err(|error| EngineError::file("read", &marker, &error))?;
    let suffix = String::from_utf8_lossy(&suffix);
    for path in data_files(layout)? {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(&*suffix);
        let aside = path.with_file_name(name);
        tracing::warn!(file = %path.display(), to = %aside.display(), "set aside");
        disk.rename(&path, &aside)
            .map_err(|error| EngineError::file("set aside", &path, &error))?;
    }
    control.set_redo(RedoPoint::BEGINNING, Vec::new());
    control.clean = false;
    control.detached = false;
    control.write(disk, &layout.control())?;
    disk.remove(&marker)
        .map_err(|error| EngineError::file("remove", &marker, &error))?;
    tracing::warn!("the data files are made anew from the whole log");
    Ok(control)
}

fn marker(layout: &Layout) -> PathBuf {
    layout.data_dir().join(MARKER)
}

fn mark(layout: &Layout, suffix: &str) -> Result<(), EngineError> {
    let marker = marker(layout);
    layout
        .disk()
        .write_atomic(&marker, suffix.as_bytes(), 0o600)
        .map_err(|error| EngineError::file("write", marker, &error))
}

/// What set-aside files have behind their names: when that was, without what shells dislike.
fn suffix(host: &Host) -> String {
    let now = host.clock.now().to_string();
    let seconds = now.split('.').next().unwrap_or_default();
    let plain: String = seconds
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!(".damaged-{plain}")
}

/// The suffix, with a number behind it where a file was set aside under this name before: nothing that
/// was set aside is replaced.
fn unused(layout: &Layout, suffix: &str) -> Result<String, EngineError> {
    let mut names = list(layout.disk(), layout.data_dir())?;
    names.extend(list(layout.disk(), &layout.databases())?);
    let is_used = |suffix: &str| {
        let mut names = names.iter().filter_map(|name| name.to_str());
        names.any(|name| name.ends_with(suffix))
    };
    let mut number = 1_u64;
    let mut candidate = suffix.to_owned();
    while is_used(&candidate) {
        number += 1;
        candidate = format!("{suffix}-{number}");
    }
    Ok(candidate)
}

/// Every data file and sum file: those of databases and what has the place of one; and pages that were on their
/// way there.
fn data_files(layout: &Layout) -> Result<Vec<PathBuf>, EngineError> {
    let mut files = Vec::new();
    for directory in [layout.data_dir(), &layout.databases()] {
        let names = list(layout.disk(), directory)?;
        let wanted = names.into_iter().map(|name| directory.join(name));
        files.extend(wanted.filter(|path| is_data_file(layout, path)));
    }
    Ok(files)
}

fn list(disk: &Disk, directory: &Path) -> Result<Vec<std::ffi::OsString>, EngineError> {
    disk.list(directory)
        .map_err(|error| EngineError::file("list", directory, &error))
}

fn is_data_file(layout: &Layout, path: &Path) -> bool {
    let data_file = if path.extension() == Some(OsStr::new("sum")) {
        path.with_extension("")
    } else {
        path.to_owned()
    };
    if data_file.parent() == Some(layout.data_dir()) {
        data_file == layout.data_file(SYSTEM_FILE) || data_file == layout.doublewrite()
    } else {
        data_file.extension() == Some(OsStr::new("db"))
    }
}

/// Every byte from the environment's beginning to the end that recovery will ask for: the durable one.
fn check_log(location: &LogLocation, identity: &Identity) -> Result<(), EngineError> {
    let directory = LogDirectory::scan(location)
        .and_then(LogDirectory::whole)
        .map_err(|error| unusable(location, &error.to_string()))?;
    let missing = missing(&directory, identity);
    if !missing.is_empty() {
        return Err(unusable(location, &missing.join("; ")));
    }
    let report = fwlog::verify(&directory, &mut |_progress| {})
        .map_err(|error| unusable(location, &error.to_string()))?;
    let durable = DurableEnd::read(&location.disk, &location.directory)
        .map_err(|error| unusable(location, &error.to_string()))?
        .map(|end| end.durable.point.position);
    let damage = damage(&report, identity, durable);
    if damage.is_empty() {
        Ok(())
    } else {
        Err(unusable(location, &damage.join("; ")))
    }
}

fn missing(directory: &LogDirectory, identity: &Identity) -> Vec<String> {
    let Some(first) = directory.segments().first() else {
        return vec!["there is no segment".into()];
    };
    let mut missing = Vec::new();
    if first.id != SegmentId::FIRST || first.header.log_bytes != 0 {
        missing.push(format!(
            "it begins with segment {}: all from {} on before it are missing",
            first.id,
            SegmentId::FIRST
        ));
    }
    for gap in directory.gaps() {
        missing.push(format!(
            "segment {} does not go on where {} ends: what was between them is missing",
            gap.behind, gap.before
        ));
    }
    if first.header.environment != identity.environment {
        missing.push(format!(
            "it is of another environment, {}",
            first.header.environment
        ));
    }
    missing
}

fn damage(report: &VerifyReport, identity: &Identity, durable: Option<Position>) -> Vec<String> {
    let findings = report.findings.iter().take(NAMED);
    let mut damage: Vec<String> = findings.map(ToString::to_string).collect();
    let redo = identity.redo.point.position;
    if report.end.is_none_or(|end| end.position < redo) {
        damage.push(format!("it ends before {redo}, which the data files have"));
    }
    if let Some(durable) = durable
        && report.end.is_none_or(|end| end.position < durable)
    {
        damage.extend(report.torn.as_ref().map(ToString::to_string));
        damage.push(format!("it was durable up to {durable}"));
    }
    damage
}

fn unusable(location: &LogLocation, why: &str) -> EngineError {
    EngineError::state(
        format!(
            "the log in {} can't make the data files anew: {why}",
            location.directory.display()
        ),
        "Nothing was touched. Bring back the missing or damaged segments (on a replica they are byte-identical) and try again; or restore a copy of DataDir; or copy the damaged data files with their .sum from a replica that was stopped cleanly.",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use dbconfig::Role;
    use disk::testing::{Fault, Kind, SimulatedDisk};
    use disk::{Access, DiskFile};
    use fwlog::EnvironmentId;

    use super::*;
    use crate::databases::control::LogPlace;

    const FILES: [&str; 5] = [
        "/data/system.db",
        "/data/system.db.sum",
        "/data/db/shop.db",
        "/data/db/shop.db.sum",
        "/data/db/old.db.damaged-1",
    ];

    fn control() -> Control {
        Control {
            instance: "north".into(),
            configured_role: Role::Master,
            role: Role::Master,
            clean: true,
            log: LogPlace::ForwardLog,
            detached: true,
            next_database: 9,
            identity: Some(Identity {
                environment: EnvironmentId::from_bytes([7; 16]),
                redo: RedoPoint {
                    log_bytes: 77,
                    ..RedoPoint::BEGINNING
                },
                databases: Vec::new(),
            }),
            bootstrap: None,
            audit_open: false,
            handover: None,
            fence: None,
            alone_since: None,
        }
    }

    /// An environment whose data files have their names as content.
    fn machine(seed: u64) -> (SimulatedDisk, Layout) {
        let simulated = SimulatedDisk::new(seed);
        let disk = simulated.process().disk();
        disk.make_directory(Path::new("/data/db"), 0o700).unwrap();
        for file in FILES {
            disk.write_atomic(Path::new(file), file.as_bytes(), 0o600)
                .unwrap();
        }
        let layout = Layout::new(disk.clone(), "/data");
        control().write(&disk, &layout.control()).unwrap();
        (simulated, layout)
    }

    fn rebuild(layout: &Layout) -> Result<Control, EngineError> {
        mark(layout, ".damaged-2")?;
        go_on(layout, control())
    }

    fn restart(simulated: &SimulatedDisk, seed: u64) -> (SimulatedDisk, Layout) {
        let simulated = simulated.power_cut(seed);
        let layout = Layout::new(simulated.process().disk(), "/data");
        (simulated, layout)
    }

    #[test]
    fn a_power_cut_at_any_operation_leaves_all_as_it_was_or_all_set_aside() {
        let (mut untouched, mut complete) = (0, 0);
        let mut struck = true;
        for at in 0.. {
            if !std::mem::take(&mut struck) {
                break;
            }
            for outcome in 0..6 {
                let (simulated, layout) = machine(at);
                simulated.fail(Fault::after(at).of(Kind::CHANGES).power_off());
                struck |= rebuild(&layout).is_err();
                let (simulated, layout) = restart(&simulated, outcome);
                let known = Control::read(layout.disk(), &layout.control());
                let control_now = go_on(&layout, known.unwrap().unwrap()).unwrap();
                let names = simulated.files();
                assert!(!names.contains(&marker(&layout)), "{names:?}");
                let aside = names.contains(&PathBuf::from("/data/db/shop.db.damaged-2"));
                for file in FILES {
                    let set_aside = aside && !file.ends_with("damaged-1");
                    let path = if set_aside {
                        format!("{file}.damaged-2")
                    } else {
                        file.to_owned()
                    };
                    assert_eq!(simulated.content(&path).unwrap(), file.as_bytes());
                    assert!(!set_aside || simulated.content(file).is_none());
                }
                let redo = control_now.identity.unwrap().redo;
                assert_eq!(redo == RedoPoint::BEGINNING, aside, "operation {at}");
                complete += u64::from(aside);
                untouched += u64::from(!aside);
            }
        }
        assert!(untouched > 0 && complete > 0);
    }

    /// Bug: two rebuilds within a second gave the same name twice, and the files that were set aside
    /// first were replaced.
    #[test]
    fn what_was_set_aside_before_is_not_replaced() {
        let (_simulated, layout) = machine(1);
        assert_eq!(unused(&layout, ".damaged-2").unwrap(), ".damaged-2");
        assert_eq!(unused(&layout, ".damaged-1").unwrap(), ".damaged-1-2");
        mark(&layout, ".damaged-1-2").unwrap();
        go_on(&layout, control()).unwrap();
        assert_eq!(unused(&layout, ".damaged-1").unwrap(), ".damaged-1-3");
    }

    #[test]
    fn files_that_are_no_data_files_stay() {
        let (simulated, layout) = machine(1);
        let notes = Path::new("/data/db/notes.txt");
        let file: Arc<dyn DiskFile> =
            Arc::from(layout.disk().open(notes, Access::Create(0o600)).unwrap());
        file.write_at(0, b"mine").unwrap();
        rebuild(&layout).unwrap();
        assert_eq!(simulated.content(notes).unwrap(), b"mine");
        assert!(layout.disk().exists(&layout.control()).unwrap());
    }
}
