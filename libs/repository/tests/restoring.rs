//! The log of a restore is that of the server, up to the point that is wanted, and not a record further.

#![expect(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::backup::{State, archive_in, back_up, backups, newest, pages};
use common::{ENVIRONMENT, Log, archive, repository};
use fwlog::{BlockDecoder, CommitNumber, Position, Record, SegmentId, Timestamp};
use repository::{
    Border, Chosen, Line, LogItem, LogWalk, RestoreError, RestoreTarget, RestoredLog, Store,
    choose, restore_log,
};

/// What a restore keeps: the bytes of each segment.
type Kept = BTreeMap<SegmentId, Vec<u8>>;

struct Place {
    _folder: tempfile::TempDir,
    store: Arc<dyn Store>,
}

impl Place {
    /// The log has a backup in the middle, and all of it is archived.
    fn new(log: &Log, behind: impl FnOnce(&Log)) -> Self {
        let (folder, store, to) = repository();
        log.commits(3);
        log.writer.switch().unwrap();
        log.commits(1);
        back_up(
            &backups(&store),
            &State::from([(1, pages(1, 3))]),
            None,
            Some(log),
        );
        behind(log);
        archive(log, &to, 500).unwrap();
        Self {
            _folder: folder,
            store,
        }
    }

    fn line(&self) -> Option<Line> {
        let archive = archive_in(&self.store);
        let catalog = archive.catalog().unwrap();
        let newest = catalog.newest().ok()?;
        Some(Line::to(&archive, &catalog, newest).unwrap())
    }

    fn choose(&self, target: RestoreTarget) -> Result<Chosen, repository::ArchiveError> {
        let (at, archive) = (backups(&self.store), archive_in(&self.store));
        let (catalog, log) = (at.catalog().unwrap(), archive.catalog().unwrap());
        let line = self.line();
        choose(
            (&at, &catalog),
            (&archive, &log),
            line.as_ref(),
            (target, None),
        )
    }

    fn restore(&self, target: RestoreTarget) -> Result<(Kept, RestoredLog), String> {
        let chosen = self.choose(target).map_err(|error| error.to_string())?;
        let mut kept = Kept::new();
        let (at, archive) = (backups(&self.store), archive_in(&self.store));
        let onward = chosen.line.as_ref().map(|line| (&archive, line));
        let log = restore_log::<String>(
            (&at, &chosen.manifest),
            onward,
            target,
            &mut |start, bytes| {
                let segment = kept.entry(start.segment).or_default();
                assert_eq!(
                    segment.len() as u64,
                    start.offset,
                    "bytes follow one another"
                );
                segment.extend_from_slice(bytes);
                Ok(())
            },
        );
        match log {
            Ok(log) => Ok((kept, log)),
            Err(RestoreError::Archive(error)) => Err(error.to_string()),
            Err(RestoreError::NotThere(why) | RestoreError::Keep(why)) => Err(why),
        }
    }
}

/// The commits of what was kept, with their times; each byte is that of the server.
fn commits(log: &Log, kept: &Kept, restored: &RestoredLog) -> Vec<(CommitNumber, Timestamp)> {
    let mut walk = LogWalk::new(ENVIRONMENT);
    let (mut found, mut decoder) = (Vec::new(), BlockDecoder::new());
    let mut note = |block: &fwlog::Block, up_to: Option<CommitNumber>| {
        for record in decoder.records(block).unwrap() {
            if let Record::Commit(commit) = record.unwrap()
                && up_to.is_none_or(|up_to| commit.number <= up_to)
            {
                found.push((commit.number, commit.time));
            }
        }
    };
    for (id, bytes) in kept {
        let file = std::fs::read(log.location().path(*id)).unwrap();
        assert!(file.starts_with(bytes), "segment {id}");
        walk.take(Position::new(*id, 0), bytes).unwrap();
        while let Some(item) = walk.next_item().unwrap() {
            if let LogItem::Block(block) = item {
                note(&block, None);
            }
        }
    }
    assert!(!walk.is_inside());
    assert_eq!(walk.end(), restored.end);
    assert_eq!(walk.is_sealed(), restored.sealed);
    if let Some((block, up_to)) = &restored.partial {
        let end: Border = restored.end.unwrap();
        block.continues(end.point.hash, end.commit).unwrap();
        note(block, Some(*up_to));
    }
    found
}

/// Blocks of several commits, a switch of the segment, a new generation.
fn much(log: &Log) {
    log.block_of(5);
    log.commits(2);
    log.writer.switch().unwrap();
    log.block_of(3);
    log.new_generation();
    log.block_of(4);
    log.commits(1);
}

#[test]
fn each_commit_is_a_point_to_go_to() {
    let log = Log::new();
    let place = Place::new(&log, much);
    let (kept, latest) = place.restore(RestoreTarget::Latest).unwrap();
    assert!(latest.exhausted && latest.partial.is_none());
    let all = commits(&log, &kept, &latest);
    let end = log.writer.durable();
    assert_eq!(latest.end.unwrap().commit, end.commit);
    let base = place.choose(RestoreTarget::Latest).unwrap().manifest.commit;
    for wanted in base.get()..=end.commit.get() {
        let wanted = CommitNumber::new(wanted);
        let (kept, restored) = place.restore(RestoreTarget::Commit(wanted)).unwrap();
        let right: Vec<_> = all
            .iter()
            .filter(|(it, _)| *it <= wanted)
            .copied()
            .collect();
        assert_eq!(commits(&log, &kept, &restored), right, "commit {wanted}");
        // Nothing that was done behind it: each of these blocks has a record there.
        if let Some((_, up_to)) = &restored.partial {
            assert_eq!(*up_to, wanted);
        }
    }
    let before = RestoreTarget::Commit(CommitNumber::new(base.get() - 1));
    let why = place.restore(before).unwrap_err();
    assert!(why.contains("no backup leads to"), "{why}");
    let behind = RestoreTarget::Commit(end.commit.next());
    assert!(place.restore(behind).unwrap().1.exhausted);
}

#[test]
fn each_time_is_a_point_to_go_to() {
    let log = Log::new();
    let place = Place::new(&log, much);
    let (kept, latest) = place.restore(RestoreTarget::Latest).unwrap();
    let all = commits(&log, &kept, &latest);
    let base = place.choose(RestoreTarget::Latest).unwrap().manifest;
    let times = all.iter().map(|(_, time)| *time);
    for time in times.filter(|time| *time >= base.time) {
        for wanted in [time, Timestamp::from_micros(time.micros() + 1)] {
            let (kept, restored) = place.restore(RestoreTarget::Time(wanted)).unwrap();
            let right: Vec<_> = all
                .iter()
                .filter(|(_, at)| *at <= wanted)
                .copied()
                .collect();
            assert_eq!(commits(&log, &kept, &restored), right, "{wanted}");
        }
    }
}

#[test]
fn each_border_is_a_point_to_go_to_and_what_is_inside_of_a_block_is_refused() {
    let log = Log::new();
    let place = Place::new(&log, much);
    let base = place.choose(RestoreTarget::Latest).unwrap().manifest;
    let end = log.writer.durable().point.position;
    let directory = fwlog::LogDirectory::scan(&log.location()).unwrap();
    let mut borders = 0;
    for segment in directory.segments() {
        let mut reader = fwlog::SegmentReader::open(&disk::Disk::real(), &segment.path).unwrap();
        while let fwlog::ReadItem::Block(block) = reader.next(None).unwrap() {
            let at = block.end.position;
            if at < base.log_end.unwrap().point.position || at > end {
                continue;
            }
            let (_, restored) = place.restore(RestoreTarget::Position(at)).unwrap();
            assert_eq!(restored.end.unwrap().point, block.end);
            borders += 1;
            if block.start >= base.log_end.unwrap().point.position {
                let inside = Position::new(at.segment, at.offset - 1);
                let why = place.restore(RestoreTarget::Position(inside)).unwrap_err();
                assert!(why.contains("inside of a block"), "{why}");
            }
        }
    }
    assert!(borders > 6, "{borders}");
}

/// Two servers go on from one point, and the backup is of one of them.
#[test]
fn a_backup_that_the_line_passes_by_is_not_begun_with() {
    let log = Log::new();
    let place = Place::new(&log, |log| log.commits(1));
    let other = log.promoted_copy();
    log.commits(2);
    let at = backups(&place.store);
    let abandoned = back_up(
        &at,
        &State::from([(1, pages(2, 3))]),
        newest(&at).as_ref(),
        Some(&log),
    );
    let to = archive_in(&place.store);
    archive(&log, &to, 500).unwrap();
    other.commits(4);
    archive(&other, &to, 500).unwrap();
    let chosen = place.choose(RestoreTarget::Latest).unwrap();
    assert_ne!(chosen.manifest.id, abandoned.id);
    let (kept, restored) = place.restore(RestoreTarget::Latest).unwrap();
    assert_eq!(restored.end.unwrap().commit, other.writer.durable().commit);
    assert!(
        kept.keys()
            .any(|id| id.generation == fwlog::Generation::new(2))
    );
}

#[test]
fn without_an_archive_a_backup_is_its_own_moment() {
    let (folder, store, _) = repository();
    let log = Log::new();
    log.commits(5);
    let made = back_up(
        &backups(&store),
        &State::from([(1, pages(1, 3))]),
        None,
        Some(&log),
    );
    let place = Place {
        _folder: folder,
        store,
    };
    let (kept, restored) = place.restore(RestoreTarget::Latest).unwrap();
    commits(&log, &kept, &restored);
    assert_eq!(restored.end, made.log_end);
    assert_eq!(restored.end.unwrap().point, log.writer.durable().point);
}

#[test]
fn a_gap_in_the_archive_is_named() {
    let log = Log::new();
    let place = Place::new(&log, much);
    let to = archive_in(&place.store);
    let catalog = to.catalog().unwrap();
    let (history, objects) = catalog.histories.iter().next().unwrap();
    let at = objects.places(history.generation).last().unwrap();
    let object = repository::LogObject::Part(at.segment.sequence, at.offset);
    let name = to.name(*history, object);
    place.store.delete(&name).unwrap();
    let why = place.restore(RestoreTarget::Latest).unwrap_err();
    assert!(
        why.contains("the archive has not what is at") || why.contains("does not go on"),
        "{why}"
    );
}
