//! What has come becomes the state: at a start, before any file is opened.
//!
//! ```text
//!  of a copy:
//!  complete: old segments ─► lost/TIME; fw.position goes ─► placing
//!  placing:  new segments, data files, sums ─► databases that are no more ─► lost/TIME ─► control ─► no plan
//! ```
//! `super::rewound` has the way of a state that goes back. Each step finds what was done before a crash, so all of it is done once more until the plan is gone.

use std::io;
use std::path::{Path, PathBuf};

use disk::{Access, Disk};
use fwlog::{DurableEnd, SegmentId, SegmentStore};
use pagestore::sum_file;

use super::arriving::offset;
use super::arriving_log::ArrivingLog;
use super::plan::{Plan, PlannedLog, Stage};
use super::{clear, directory, rewound};
use crate::databases::control::{Control, DatabaseEntry, LogPlace};
use crate::databases::data_mark::DataMark;
use crate::databases::instance_files::abandon;
use crate::databases::layout::Layout;
use crate::error::EngineError;

/// Bytes that are copied at a time.
const PIECE: usize = 1 << 20;

const PAGE: usize = pagehash::PAGE_SIZE;

/// Carries out what is complete; most starts find nothing. `log_in` gives the segments of a place, if there is one.
/// `true`: the server begins with a copy.
pub(crate) fn go_on(
    layout: &Layout,
    mut control: Control,
    log_in: impl Fn(LogPlace) -> Result<SegmentStore, EngineError>,
) -> Result<(Control, bool), EngineError> {
    let Some(mut plan) = Plan::read(layout)? else {
        return Ok((control, false));
    };
    if plan.stage == Stage::Receiving {
        return Ok((control, false));
    }
    let store = log_in(control.log)?;
    if let PlannedLog::EndsAt(at) = plan.log {
        let control = rewound::go_back(layout, control, (&plan, at), &store)?;
        return Ok((control, false));
    }
    if plan.stage == Stage::Complete {
        abandon_branch(layout, &store, &control)?;
        set_log_aside(&store, &plan)?;
        // Whole segments of before may be in the other place; where there is none, there is nothing.
        if let Ok(other) = log_in(control.log.other()) {
            set_log_aside(&other, &plan)?;
        }
        plan.stage = Stage::Placing;
        plan.write(layout)?;
    }
    DataMark::forget(layout)?;
    place_log(layout, &store, &plan)?;
    make(layout.disk(), &layout.databases())?;
    for entry in plan.identity.databases.iter().filter(|it| it.applied) {
        place_database(layout, entry, &plan)?;
    }
    let before = control.identity.iter().flat_map(|it| &it.databases);
    for entry in before.filter(|entry| !plan.pages.contains_key(&entry.id)) {
        set_database_aside(layout, &entry.file, &plan)?;
    }
    control.next_database = control.next_database.max(plan.next_database);
    control.clean = false;
    control.detached = plan.log == PlannedLog::Begins;
    control.bootstrap = None;
    // It has the other one's log from now on; its own is aside.
    control.fence = None;
    control.identity = Some(plan.identity.clone());
    control.write(layout.disk(), &layout.control())?;
    clear(layout, |_name| false)?;
    Plan::remove(layout)?;
    tracing::info!(
        commit = plan.commit.get(),
        databases = plan.pages.len(),
        "the copy is the state of this server now"
    );
    Ok((control, true))
}

fn make(disk: &Disk, directory: &Path) -> Result<(), EngineError> {
    let made = disk.make_directory(directory, 0o700);
    made.map_err(|error| EngineError::file("make the directory", directory, &error))
}

fn is_there(disk: &Disk, path: &Path) -> Result<bool, EngineError> {
    let there = disk.exists(path);
    there.map_err(|error| EngineError::file("look for", path, &error))
}

fn rename(disk: &Disk, from: &Path, to: &Path) -> Result<(), EngineError> {
    let renamed = disk.rename(from, to);
    renamed.map_err(|error| EngineError::file("rename", from, &error))
}

fn remove(disk: &Disk, path: &Path) -> Result<(), EngineError> {
    if_there(path, disk.remove(path))
}

fn if_there(path: &Path, removed: io::Result<()>) -> Result<(), EngineError> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(EngineError::file("remove", path, &error))
        }
        _ => Ok(()),
    }
}

/// The history keeps what the log was, and where it ended. Where there was no state, it tells of the one that comes.
fn abandon_branch(
    layout: &Layout,
    store: &SegmentStore,
    control: &Control,
) -> Result<(), EngineError> {
    if control.identity.is_none() {
        return Ok(());
    }
    let location = store.location();
    // Where the end is not known to be durable, redo would begin somewhere before it.
    let known = DurableEnd::read(&location.disk, &location.directory);
    let known = known.map_err(EngineError::LogUnusable)?;
    let redo = control.identity.as_ref().map(|it| it.redo.point);
    match known.map(|end| end.durable.point).or(redo) {
        Some(end) => abandon(layout, end),
        None => Ok(()),
    }
}

/// The log that was here leads nowhere any more. What is in it may exist nowhere else, so it stays as files.
fn set_log_aside(store: &SegmentStore, plan: &Plan) -> Result<(), EngineError> {
    let location = store.location();
    let segments = store.list();
    let segments =
        segments.map_err(|error| EngineError::file("list", &location.directory, &error))?;
    if let (Some(first), Some(last)) = (segments.first(), segments.last()) {
        let aside = location.directory.join("lost").join(&plan.lost);
        make(&location.disk, &aside)?;
        for id in &segments {
            let to = aside.join(location.naming.file_name(*id));
            rename(&location.disk, &location.path(*id), &to)?;
        }
        tracing::warn!(%first, %last, to = %aside.display(), "the log of this server up to now is set aside");
    }
    // It tells of the log that was here.
    remove(&location.disk, &store.position_path())
}

/// Only what the plan names: what else may lie there is of another cut.
fn place_log(layout: &Layout, store: &SegmentStore, plan: &Plan) -> Result<(), EngineError> {
    let directory = directory(layout);
    let names = layout.disk().list(&directory);
    let names = names.map_err(|error| EngineError::file("list", &directory, &error))?;
    let segments = names.iter().filter_map(|name| name.to_str()?.parse().ok());
    let is_planned = |id: &SegmentId| matches!(&plan.log, PlannedLog::Arrives(log) if (log.from..=log.to.segment).contains(id));
    for id in segments.filter(is_planned).collect::<Vec<SegmentId>>() {
        let path = ArrivingLog::path(&directory, id);
        let failed = |error: io::Error| EngineError::file("take over", &path, &error);
        let file = layout.disk().open(&path, Access::Read).map_err(failed)?;
        let length = file.length().map_err(failed)?;
        store
            .create_copy(id, file.as_ref(), length)
            .map_err(failed)?;
        remove(layout.disk(), &path)?;
    }
    Ok(())
}

/// The sum file comes last: as long as it is not in its place, the database is not done.
pub(super) fn place_database(
    layout: &Layout,
    entry: &DatabaseEntry,
    plan: &Plan,
) -> Result<(), EngineError> {
    let (disk, data) = (layout.disk(), layout.data_file(&entry.file));
    let arrived = directory(layout).join(entry.id.get().to_string());
    let [new, pages, sum] = ["new", "pages", "sum"].map(|ending| arrived.with_extension(ending));
    if is_there(disk, &sum)? {
        if is_there(disk, &pages)? {
            let count = plan.pages.get(&entry.id).copied().unwrap_or(0);
            copy_pages(disk, (&new, &pages), &data, count)?;
        } else if is_there(disk, &new)? {
            rename(disk, &new, &data)?;
        }
        rename(disk, &sum, &sum_file(&data))?;
    }
    // Each page that came is a piece of its own: to give them back takes as long as to write them.
    if_there(&new, disk.remove_large(&new))?;
    remove(disk, &pages)
}

/// Copies the pages that have come over those of the data file.
fn copy_pages(
    disk: &Disk,
    (new, pages): (&Path, &Path),
    data: &Path,
    count: u32,
) -> Result<(), EngineError> {
    let bits = disk.read(pages);
    let bits = bits.map_err(|error| EngineError::file("read", pages, &error))?;
    let failed = |what, error: io::Error| EngineError::file(what, data, &error);
    let from = disk.open(new, Access::Read);
    let from = from.map_err(|error| EngineError::file("open", new, &error))?;
    let to = disk.open(data, Access::Write);
    let to = to.map_err(|error| failed("open", error))?;
    let is_staged = |page: &u32| {
        let at = *page as usize - 1;
        bits.get(at / 8)
            .is_some_and(|byte| byte & (1 << (at % 8)) != 0)
    };
    let staged: Vec<u32> = (1..=count).filter(is_staged).collect();
    let mut buffer = vec![0; PIECE];
    for run in staged.chunk_by(|one, next| one + 1 == *next) {
        for piece in run.chunks(PIECE / PAGE) {
            let Some(first) = piece.first() else { continue };
            let (at, length) = (offset(*first), piece.len() * PAGE);
            let bytes = &mut buffer[..length];
            from.read_exact_at(at, bytes)
                .map_err(|error| EngineError::file("read", new, &error))?;
            to.write_at(at, bytes)
                .map_err(|error| failed("write", error))?;
        }
    }
    to.set_length(u64::from(count) * PAGE as u64)
        .map_err(|error| failed("cut", error))?;
    to.sync().map_err(|error| failed("sync", error))
}

/// A database that the giver has not: it may exist nowhere else.
pub(super) fn set_database_aside(
    layout: &Layout,
    file: &str,
    plan: &Plan,
) -> Result<(), EngineError> {
    let (disk, data) = (layout.disk(), layout.data_file(file));
    let aside = layout.data_dir().join("lost").join(&plan.lost);
    for path in [sum_file(&data), data] {
        if is_there(disk, &path)? {
            make(disk, &aside)?;
            let to: PathBuf = aside.join(path.file_name().unwrap_or_default());
            rename(disk, &path, &to)?;
            tracing::warn!(file, to = %to.display(), "a database that is only here is set aside");
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
