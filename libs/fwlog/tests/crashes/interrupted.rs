//! A mirror that goes on in another directory and comes back, with a power cut or a kill at every operation.

use std::sync::{Arc, Mutex};

use disk::testing::{Random, SimulatedDisk};
use fwlog::{
    CommitNumber, Follow, FollowItem, LogLocation, LogPoint, Mirror, RecoverOptions, SealNewest,
    SegmentId, SegmentReader, SegmentStore, recover,
};

use crate::common::{ENVIRONMENT, location};
use crate::model::seeds;
use crate::slave;

/// The two directories of a slave's log.
const PLACES: [&str; 2] = ["/kept/fw-%N", "/private/fw-%N"];
const KEPT: usize = 0;
const PRIVATE: usize = 1;

fn place(machine: &SimulatedDisk, place: usize) -> LogLocation {
    let location = LogLocation::parse(PLACES[place]).unwrap();
    location.on(machine.process().disk())
}

fn store(machine: &SimulatedDisk, at: usize) -> SegmentStore {
    SegmentStore::at(place(machine, at), 0o600)
}

fn machine(seed: u64) -> SimulatedDisk {
    let machine = SimulatedDisk::new(seed);
    let disk = machine.process().disk();
    for directory in ["/kept", "/private"] {
        disk.make_directory(directory.as_ref(), 0o700).unwrap();
    }
    machine
}

/// What a server notes about its log: where it is, and from where on it is needed. It changes at once.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    place: usize,
    redo: Option<LogPoint>,
    /// Commits that are on the disk, by the mirror's word.
    promised: u64,
}

/// A mirror whose directory changes.
struct Slave {
    machine: SimulatedDisk,
    mirror: Mirror,
    noted: Arc<Mutex<Noted>>,
    wants: usize,
}

impl Slave {
    fn new(seed: u64) -> Self {
        let machine = machine(seed);
        let mirror = Mirror::open(Arc::new(store(&machine, KEPT)), ENVIRONMENT, 500, None).unwrap();
        Self {
            machine,
            mirror,
            noted: Arc::default(),
            wants: KEPT,
        }
    }

    fn noted(&self) -> Noted {
        *self.noted.lock().unwrap()
    }

    fn note(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.noted.lock().unwrap());
    }

    /// The log goes on in the private directory at once.
    fn leave(&mut self) {
        self.sync();
        self.wants = PRIVATE;
        if self.noted().place == PRIVATE {
            return;
        }
        let private = Arc::new(store(&self.machine, PRIVATE));
        let copy = self.mirror.copy_newest(private).unwrap();
        self.note(|noted| noted.place = PRIVATE);
        self.mirror.go_on_in(copy);
        remove_open(&self.machine);
    }

    fn begin(&mut self, header: &[u8]) {
        if self.wants == self.noted().place {
            self.mirror.segment(header).unwrap();
            return;
        }
        remove_open(&self.machine);
        let kept = Arc::new(store(&self.machine, KEPT));
        self.mirror.segment_in(kept, header).unwrap();
        self.note(|noted| noted.place = KEPT);
    }

    fn sync(&mut self) {
        if let Some(durable) = self.mirror.sync().unwrap() {
            self.note(|noted| noted.promised = durable.commit.get());
        }
    }

    /// Takes the whole log of a master, with changes of the directory in between.
    fn live(&mut self, master: &SimulatedDisk, random: &mut Random) {
        let mut follow = Follow::start(location(master), LogPoint::ORIGIN).unwrap();
        follow.set_batch(600);
        loop {
            match follow.next().unwrap() {
                FollowItem::Segment { header_bytes, .. } => self.begin(&header_bytes),
                FollowItem::Blocks { bytes, .. } => drop(self.mirror.blocks(&bytes).unwrap()),
                FollowItem::Seal { bytes } => drop(self.mirror.seal(&bytes).unwrap()),
                FollowItem::UpToDate(_) => return self.sync(),
                FollowItem::Until(_) => unreachable!("no time was set"),
            }
            match random.below(6) {
                0 => self.leave(),
                1 => self.wants = KEPT,
                2 => self.sync(),
                3 if random.below(3) == 0 => {
                    // A checkpoint.
                    self.sync();
                    let end = self.mirror.durable().map(|end| end.point);
                    self.note(|noted| noted.redo = end);
                    recycle(&self.machine, end.unwrap().position.segment);
                }
                _ => {}
            }
        }
    }
}

/// Only whole segments are kept while the log is elsewhere.
fn remove_open(machine: &SimulatedDisk) {
    let kept = store(machine, KEPT);
    for id in kept.list().unwrap() {
        if SegmentReader::open_in(&kept, id)
            .unwrap()
            .sealed()
            .is_none()
        {
            kept.remove(id).unwrap();
        }
    }
}

fn recycle(machine: &SimulatedDisk, needed: SegmentId) {
    let private = store(machine, PRIVATE);
    for id in private.list().unwrap() {
        if id < needed {
            private.remove(id).unwrap();
        }
    }
}

fn used(content: &[u8]) -> &[u8] {
    let used = content.iter().rposition(|byte| *byte != 0);
    &content[..used.map_or(0, |last| last + 1)]
}

/// After a crash: the log is found as far as it was promised, and what is kept is the master's.
fn look(master: &SimulatedDisk, machine: &SimulatedDisk, noted: Noted, label: &str) {
    let older = place(machine, 1 - noted.place);
    let here = store(machine, noted.place).with_older_in(older);
    let options = RecoverOptions {
        from: noted.redo,
        seal: SealNewest::No,
        discard_behind: None,
    };
    if here.list().unwrap().is_empty() {
        assert_eq!(noted.promised, 0, "{label}: {noted:?}");
    } else {
        let mut last = None;
        let recovered = recover(&here, options, &mut |block| {
            let goes_on =
                last.is_none_or(|last: CommitNumber| block.head.first_commit == last.next());
            assert!(goes_on, "{label}: no commit is left out, none comes twice");
            last = Some(block.head.last_commit);
            Ok(())
        });
        let recovered = recovered.unwrap_or_else(|error| panic!("{label}, {noted:?}: {error}"));
        let found = recovered.last_commit.get();
        assert!(found >= noted.promised, "{label}: {found}, {noted:?}");
    }
    if noted.place == PRIVATE {
        remove_open(machine);
    }
    let kept = store(machine, KEPT).list().unwrap();
    for id in &kept {
        let own = machine.content(place(machine, KEPT).path(*id)).unwrap();
        let masters = master.content(location(master).path(*id)).unwrap();
        let is_written = noted.place == KEPT && kept.last() == Some(id);
        let is_right = if is_written {
            masters.starts_with(used(&own))
        } else {
            masters == own
        };
        assert!(is_right, "{label}: segment {id}, {noted:?}");
    }
}

#[test]
fn a_log_that_is_interrupted_anywhere_recovers_and_keeps_only_what_its_master_has() {
    let mut changes = 0;
    for seed in seeds(12) {
        let master = slave::master(seed);
        let mut slave = Slave::new(seed);
        let (noted, source) = (Arc::clone(&slave.noted), master.copy());
        let count = Arc::new(Mutex::new(0));
        let counted = Arc::clone(&count);
        slave.machine.set_hook(move |machine, operation| {
            if !operation.kind.changes() {
                return;
            }
            *counted.lock().unwrap() += 1;
            let noted = *noted.lock().unwrap();
            let cuts = [0, 1, 2].map(|loss| machine.after_power_cut(loss));
            for after in cuts.into_iter().chain([machine.copy()]) {
                after.clear_hook();
                look(&source, &after, noted, &format!("seed {seed}, {operation}"));
            }
        });
        let mut random = Random::new(seed);
        slave.live(&master, &mut random);
        let end = slave.noted();
        slave.machine.clear_hook();
        look(
            &master,
            &slave.machine,
            end,
            &format!("seed {seed}, at last"),
        );
        changes += *count.lock().unwrap();
    }
    assert!(changes > 500, "only {changes} operations");
}
