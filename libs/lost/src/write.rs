//! Making a directory.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use disk::Disk;
use fwlog::{
    Block, CommitNumber, LogLocation, Record, SegmentId, SegmentNaming, SegmentStore, TransactionId,
};
use rustc_hash::FxHashSet;

use crate::broken;
use crate::description::Description;
use crate::directory::Directory;
use crate::error::Error;
use crate::facts::{Facts, ForkState, Place};
use crate::hashed_file::proof_of;
use crate::parts::Parts;
use crate::replay::Replay;
use crate::scratch::Scratch;
use crate::tail::{self, TailEnd, Take};

/// The file that makes a directory one of lost transactions. It is written last.
pub(crate) const LOST_JSON: &str = "lost.json";

/// What was made.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The directory.
    pub directory: PathBuf,
    /// What stands in its `lost.json`.
    pub description: Description,
}

impl Summary {
    /// The name of the directory, below `lost`.
    pub fn name(&self) -> String {
        let name = self.directory.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

/// Keeps all that a log has behind the fork, in a directory of its own. The log is read only; all of it is durable on return.
///
/// The name follows from the facts and the log, so one that is made again, after a crash, is the same directory: one that
/// is complete is proved and left as it is, another begins anew. A log that is damaged behind the fork, or rows that can't
/// be told, are no errors: `exact` is false then, with the reason, and the segments are kept as they are.
///
/// Errors: the fork is no point of the log; a file can't be read or written. Nothing is complete then.
pub fn write(
    to: &Place,
    facts: &Facts,
    state: &ForkState<'_>,
    log: &SegmentStore,
) -> Result<Summary, Error> {
    let mut survey = Survey {
        newest: facts.fork.commit,
        large: FxHashSet::default(),
    };
    tail::each(log, facts.fork.point, &mut survey)?;
    let directory = to.directory.join(name_of(facts, survey.newest));
    if let Some(done) = begin(&to.disk, &directory)? {
        return Ok(done);
    }
    let scratch = Scratch::create(&to.disk, &directory);
    let scratch = Rc::new(scratch.map_err(Error::io("make a scratch file in", &directory))?);
    let earlier = Parts::before(log, facts.fork.point, &survey.large, &scratch)?;
    let mut replay = Replay::begin((&to.disk, &directory), facts, state, (earlier, scratch))?;
    let end = tail::each(log, facts.fork.point, &mut replay)?;
    let told = replay.end()?;
    let mut description = told.description;
    description
        .files
        .insert("lost.jsonl".to_owned(), told.lines);
    description.files.insert("lost.sql".to_owned(), told.script);
    if let Some(why) = &end.damaged {
        description.doubt(&format!("the log behind {} is damaged: {why}", end.point));
    }
    let mut others = segments(&to.disk, &directory, log, (facts, &end))?;
    let torn = end.torn.as_ref().map(|(at, _)| (log, *at));
    others.extend(broken::write(&to.disk, &directory, &told.broken, torn)?);
    for name in others {
        let proof = proof_of(&to.disk, &directory.join(&name))?;
        description.files.insert(name, proof);
    }
    finish(&to.disk, &directory, &description)?;
    Ok(Summary {
        directory,
        description,
    })
}

/// What has to be known before the directory has its name.
struct Survey {
    newest: CommitNumber,
    /// Transactions whose commit says that parts came before.
    large: FxHashSet<TransactionId>,
}

impl Take for Survey {
    fn record(&mut self, record: &Record<'_>, _block: &Block) -> Result<(), Error> {
        if let Record::Commit(commit) = record {
            self.newest = commit.number;
            self.large.extend(commit.transaction);
        }
        Ok(())
    }
}

/// `<instance>-<generation>-<first>-<last>-<time>`; without a transaction the commit of the fork is both.
fn name_of(facts: &Facts, newest: CommitNumber) -> String {
    let fork = facts.fork.commit;
    let first = if newest > fork { fork.next() } else { fork };
    let time = facts.time.to_string();
    let seconds = time.split('.').next().unwrap_or_default();
    let digits: String = seconds.chars().filter(char::is_ascii_digit).collect();
    let generation = facts.fork.point.position.segment.generation;
    format!("{}-{generation}-{first}-{newest}-{digits}", facts.instance)
}

/// Makes the directory; where it is complete already that is all.
fn begin(disk: &Disk, directory: &Path) -> Result<Option<Summary>, Error> {
    let there = disk.exists(&directory.join(LOST_JSON));
    if there.map_err(Error::io("look for", directory))? {
        let done = Directory::open(disk, directory)?;
        done.prove()?;
        return Ok(Some(Summary {
            directory: directory.to_owned(),
            description: done.description().clone(),
        }));
    }
    for below in [directory.to_owned(), directory.join("segments")] {
        disk.make_directory(&below, 0o700)
            .map_err(Error::io("make the directory", &below))?;
    }
    // What an attempt has left that was broken off.
    for below in ["", "segments", "broken"].map(|name| directory.join(name)) {
        if !disk.exists(&below).map_err(Error::io("look for", &below))? {
            continue;
        }
        for name in disk.list(&below).map_err(Error::io("list", &below))? {
            let path = below.join(&name);
            if name != "segments" && name != "broken" {
                disk.remove(&path).map_err(Error::io("remove", &path))?;
            }
        }
    }
    Ok(None)
}

/// Copies the segments that have bytes behind the fork; their names below the directory.
fn segments(
    disk: &Disk,
    directory: &Path,
    log: &SegmentStore,
    (facts, end): (&Facts, &TailEnd),
) -> Result<Vec<String>, Error> {
    let naming = SegmentNaming::parse("fw-%N").map_err(|error| Error::Block {
        at: facts.fork.point.position,
        why: error.to_string(),
    })?;
    let location = LogLocation {
        disk: disk.clone(),
        directory: directory.join("segments"),
        naming,
    };
    let copies = SegmentStore::at(location, 0o600);
    let mut names = Vec::new();
    for id in tail::segments_behind(log, facts.fork.point)? {
        copy(log, &copies, id, end)?;
        let name = copies.location().naming.file_name(id);
        names.push(format!("segments/{name}"));
    }
    Ok(names)
}

/// What is no complete block is kept apart.
fn copy(log: &SegmentStore, to: &SegmentStore, id: SegmentId, end: &TailEnd) -> Result<(), Error> {
    let path = log.path(id);
    let file = log.open_to_read(id).map_err(Error::io("open", &path))?;
    let length = file.length().map_err(Error::io("read", &path))?;
    let torn = end.torn.as_ref().map(|(at, _)| *at);
    let whole = match torn {
        Some(at) if at.segment == id => at.offset,
        _ => length,
    };
    to.create_copy(id, file.as_ref(), whole)
        .map_err(Error::io("copy", &path))
}

/// All names, and then the file that makes it one.
fn finish(disk: &Disk, directory: &Path, description: &Description) -> Result<(), Error> {
    disk.sync_directory(directory)
        .map_err(Error::io("sync", directory))?;
    let path = directory.join(LOST_JSON);
    let text = description
        .sealed()
        .map_err(|error| Error::damaged(&path, error.to_string()))?;
    disk.write_atomic(&path, text.as_bytes(), 0o600)
        .map_err(Error::io("write", &path))
}
