//! What must be in a log.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use disk::testing::SimulatedDisk;
use fwlog::{
    Begin, Block, BlockDecoder, DatabaseId, PAGE_SIZE, Position, Record, RecoverError,
    RecoverOptions, Recovered, SegmentId, Sequence, Timestamp, recover,
};

use crate::common::{WHOLE, commit, driven, store};
use crate::work::{options, size_of};

/// How many seeds a test tries.
pub(crate) fn seeds(default: u64) -> std::ops::Range<u64> {
    let wanted = std::env::var("ELOQDB_SEEDS").ok();
    0..wanted.map_or(default, |number| number.parse().unwrap())
}

/// The commits of a log: what was appended in which life of its owner, and what was acknowledged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// Present life. Commits of a life are in a database of this number.
    pub(crate) life: u32,
    /// The life of each commit, from commit 1 on.
    pub(crate) appended: Vec<u32>,
    /// Acknowledged: a crash of the process does not take it back.
    pub(crate) acknowledged: u64,
    /// On the disk: a power cut does not take it back.
    pub(crate) durable: u64,
}

impl Model {
    /// What recovery found after a crash is what was appended, and no less than `promised`. What it
    /// did not find has never been.
    pub(crate) fn settle(&mut self, found: &[u32], promised: u64, label: &str) {
        let count = found.len() as u64;
        assert!(
            count >= promised,
            "{label}: {promised} promised, {count} found"
        );
        let appended = self.appended.get(..found.len());
        assert_eq!(appended, Some(found), "{label}");
        self.appended.truncate(found.len());
        (self.acknowledged, self.durable) = (count, count);
        self.life += 1;
    }
}

/// A model that a hook of the disk sees too.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Model>>);

impl Shared {
    pub(crate) fn new(model: Model) -> Self {
        Self(Arc::new(Mutex::new(model)))
    }

    pub(crate) fn get(&self) -> MutexGuard<'_, Model> {
        self.0.lock().unwrap()
    }

    pub(crate) fn copy(&self) -> Model {
        self.get().clone()
    }
}

fn first_of_generation(position: Position) -> SegmentId {
    SegmentId {
        sequence: Sequence::FIRST,
        ..position.segment
    }
}

/// The life of each commit of a log, all of which are whole and in order.
#[derive(Default)]
struct Found(Vec<u32>);

impl Found {
    fn read(&mut self, decoder: &mut BlockDecoder, block: &Block) {
        let mut begins = block.start == Position::new(first_of_generation(block.start), 128);
        for record in decoder.records(block).unwrap() {
            let record = record.unwrap();
            let is_first = matches!(record, Record::Generation(_));
            assert_eq!(begins, is_first, "{}", block.start);
            begins = false;
            let Record::Commit(found) = record else {
                continue;
            };
            let number = found.number.get();
            assert_eq!(number, self.0.len() as u64 + 1);
            let mut pages = BTreeMap::new();
            for change in found.pages {
                let change = change.unwrap();
                let page = pages.entry(change.page).or_insert([0; PAGE_SIZE]);
                change.apply(page).unwrap();
            }
            assert_eq!(pages.into_values().next().unwrap(), content(number));
            self.0.push(found.database.get());
        }
    }
}

/// The page that a commit writes.
fn content(number: u64) -> [u8; PAGE_SIZE] {
    crate::common::page(number, size_of(number))
}

/// Whether a power cut can't take the block away.
fn is_on_disk(machine: &SimulatedDisk, block: &Block) -> bool {
    let path = format!("/fw-{}", block.start.segment);
    let range = usize::try_from(block.start.offset).unwrap()
        ..usize::try_from(block.end.position.offset).unwrap();
    let [now, durable] =
        [machine.content(&path), machine.durable_content(&path)].map(Option::unwrap_or_default);
    now[range.clone()] == *durable.get(range).unwrap_or_default()
}

/// Recovers a log; tells what is in it.
pub(crate) fn recover_commits(
    machine: &SimulatedDisk,
    options: RecoverOptions,
) -> Result<(Recovered, Vec<u32>), RecoverError> {
    let mut found = Found::default();
    let mut decoder = BlockDecoder::new();
    let recovered = recover(&store(machine), options, &mut |block: &Block| {
        assert!(
            is_on_disk(machine, block),
            "the block at {} was given, and the disk may lose it",
            block.start
        );
        found.read(&mut decoder, block);
        Ok(())
    })?;
    let end = recovered.end.position;
    let empty = Position::new(first_of_generation(end), 128);
    assert_ne!(end, empty, "a generation without a record");
    assert_eq!(recovered.last_commit.get(), found.0.len() as u64);
    Ok((recovered, found.0))
}

/// Recovers the log of a machine that starts again, where `promised` commits must be; settles the
/// model. `None`: there is no log, and there need not be one.
pub(crate) fn restart(
    machine: &SimulatedDisk,
    model: &mut Model,
    promised: u64,
    label: &str,
) -> Option<Recovered> {
    match recover_commits(machine, WHOLE) {
        Ok((recovered, found)) => {
            model.settle(&found, promised, label);
            Some(recovered)
        }
        Err(RecoverError::NoLog) => {
            model.settle(&[], promised, label);
            None
        }
        Err(error) => panic!("{label}: {error}"),
    }
}

/// The same, and then: another recovery changes nothing, and the log goes on.
pub(crate) fn restart_and_go_on(
    machine: &SimulatedDisk,
    mut model: Model,
    promised: u64,
    label: &str,
) {
    let recovered = restart(machine, &mut model, promised, label);
    let begin = match recovered {
        None => Begin::Create,
        Some(recovered) => {
            let (again, _) = recover_commits(machine, WHOLE).unwrap();
            let whole = Recovered {
                cut: None,
                ..recovered
            };
            assert_eq!(again, whole, "{label}");
            Begin::NextSegment {
                after: whole.durable(),
            }
        }
    };
    let writer = driven(machine, options(), begin).unwrap();
    for _ in 0..3 {
        model.appended.push(model.life);
        let number = model.appended.len() as u64;
        let database = DatabaseId::new(model.life);
        let records = commit(database, number, Timestamp::ZERO, size_of(number));
        let number = fwlog::CommitNumber::new(number);
        writer.append(records, Some((number, number))).unwrap();
        writer.wait_durable(number).unwrap();
    }
    let promised = model.appended.len() as u64;
    restart(
        &machine.after_power_cut(promised % 2),
        &mut model,
        promised,
        label,
    );
}
