//! A slave's copy of a log, with power cuts, kills and failures at every operation. In the end it has
//! its master's bytes.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use disk::testing::{Fault, Kind, Random, SimulatedDisk};
use fwlog::{
    Begin, CommitNumber, Follow, FollowError, FollowItem, LogDirectory, LogPoint, Mirror,
    MirrorError, RecoverError, RecoverOptions, SealNewest, recover,
};

use crate::common::{ENVIRONMENT, location, store};
use crate::model::{Shared, seeds};
use crate::work::{Owner, options_of, pick, told_to_readers};

/// A slave goes on in the segment that it has.
const OPEN: RecoverOptions = RecoverOptions {
    from: None,
    seal: SealNewest::No,
    discard_behind: None,
};

/// A master's log of several segments and generations, closed.
pub(crate) fn master(seed: u64) -> SimulatedDisk {
    let machine = SimulatedDisk::new(seed);
    let mut random = Random::new(seed);
    let mut options = options_of(&mut random);
    options.max_segment_size = 3000;
    let owner = Owner::start(&machine, options, Begin::Create, Shared::default()).unwrap();
    owner.work(&mut random, 12).unwrap();
    machine
}

/// Why shipping stopped early.
#[derive(Debug)]
enum Stopped {
    Mirror(MirrorError),
    Follow(#[expect(dead_code, reason = "shown")] FollowError),
}

impl From<MirrorError> for Stopped {
    fn from(error: MirrorError) -> Self {
        Self::Mirror(error)
    }
}

impl From<FollowError> for Stopped {
    fn from(error: FollowError) -> Self {
        Self::Follow(error)
    }
}

/// A mirror, and what it has said to be on its disk.
struct Slave {
    mirror: Mirror,
    acknowledged: Arc<AtomicU64>,
}

impl Slave {
    fn new(machine: &SimulatedDisk) -> Self {
        Self {
            mirror: Mirror::open(Arc::new(store(machine)), ENVIRONMENT, 500, None).unwrap(),
            acknowledged: Arc::default(),
        }
    }

    /// Recovers a slave's log, which has at least `promised` commits, and opens the mirror where it
    /// ends.
    fn reopen(machine: &SimulatedDisk, promised: u64, label: &str) -> Self {
        let recovered = match recover(&store(machine), OPEN, &mut |_| Ok(())) {
            Ok(recovered) => Some(recovered),
            Err(RecoverError::NoLog) => None,
            Err(error) => panic!("{label}: {error}"),
        };
        let last = recovered.as_ref().map(|end| end.last_commit);
        let last = last.unwrap_or(CommitNumber::ZERO).get();
        assert!(
            last >= promised,
            "{label}: {promised} promised, {last} found"
        );
        let store = Arc::new(store(machine));
        let mirror = Mirror::open(store, ENVIRONMENT, 500, recovered.as_ref()).unwrap();
        Self {
            mirror,
            acknowledged: Arc::new(AtomicU64::new(last)),
        }
    }

    /// Takes what the master has; a sync now and then, and at the end.
    fn ship(&mut self, from: &SimulatedDisk, random: &mut Random) -> Result<(), Stopped> {
        let at = self.mirror.received();
        let at = at.map_or(LogPoint::ORIGIN, |end| end.point);
        let mut follow = Follow::start(location(from), at)?;
        follow.set_batch(1500);
        loop {
            match follow.next()? {
                FollowItem::Segment { header_bytes, .. } => {
                    self.mirror.segment(&header_bytes)?;
                }
                FollowItem::Blocks { bytes, .. } => drop(self.mirror.blocks(&bytes)?),
                FollowItem::Seal { bytes } => drop(self.mirror.seal(&bytes)?),
                FollowItem::UpToDate(durable) => {
                    self.sync()?;
                    assert_eq!(self.mirror.durable(), Some(durable));
                    return Ok(());
                }
                FollowItem::Until(_) => unreachable!("no time was set"),
            }
            if random.coin() {
                self.sync()?;
            }
        }
    }

    fn sync(&mut self) -> Result<(), MirrorError> {
        if let Some(durable) = self.mirror.sync()? {
            self.acknowledged
                .fetch_max(durable.commit.get(), Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Both machines have the same segments, and the same bytes in them.
fn assert_same_bytes(master: &SimulatedDisk, slave: &SimulatedDisk, label: &str) {
    let log = LogDirectory::scan(&location(master)).unwrap();
    let copy = LogDirectory::scan(&location(slave)).unwrap();
    let ids =
        |log: &LogDirectory| -> Vec<_> { log.segments().iter().map(|info| info.id).collect() };
    assert_eq!(ids(&copy), ids(&log), "{label}");
    for info in log.segments() {
        let (one, other) = (master.content(&info.path), slave.content(&info.path));
        assert!(one == other, "{label}: segment {}", info.id);
    }
}

/// A slave with this disk goes on to the end.
fn go_on(master: &SimulatedDisk, machine: &SimulatedDisk, promised: u64, label: &str) {
    let mut slave = Slave::reopen(machine, promised, label);
    // What recovery has found is on the disk.
    let found = slave.acknowledged.load(Ordering::Relaxed);
    drop(Slave::reopen(&machine.after_power_cut(0), found, label));
    slave.ship(master, &mut Random::new(promised)).unwrap();
    assert_same_bytes(master, machine, label);
    let after = machine.after_power_cut(0);
    assert_same_bytes(master, &after, label);
}

#[test]
fn a_slave_loses_nothing_by_a_power_cut_or_a_kill_at_any_operation_and_ends_the_same() {
    let count = Arc::new(AtomicU64::new(0));
    for seed in seeds(2) {
        let master = master(seed);
        let machine = SimulatedDisk::new(seed);
        let mut slave = Slave::new(&machine);
        let (source, acknowledged) = (master.copy(), Arc::clone(&slave.acknowledged));
        let counted = Arc::clone(&count);
        machine.set_hook(move |machine, operation| {
            if !operation.kind.changes() {
                return;
            }
            counted.fetch_add(1, Ordering::Relaxed);
            let promised = acknowledged.load(Ordering::Relaxed);
            let promised = promised.max(told_to_readers(machine));
            let cuts = [0, 1, 2, 3].map(|loss| machine.after_power_cut(loss));
            for after in cuts.into_iter().chain([machine.copy()]) {
                after.clear_hook();
                let label = format!("seed {seed}, {operation}");
                go_on(&source, &after, promised, &label);
            }
        });
        slave.ship(&master, &mut Random::new(seed)).unwrap();
        assert_same_bytes(&master, &machine, "at last");
    }
    assert!(count.load(Ordering::Relaxed) > 50);
}

/// Lets the operation of a slave fail, and looks at what comes of it. `false`: there was none.
fn fail_at(master: &SimulatedDisk, seed: u64, operation: u64, full: bool) -> bool {
    let label = format!("seed {seed}, operation {operation}, full: {full}");
    let machine = SimulatedDisk::new(seed * 1000 + operation);
    let mut slave = Slave::new(&machine);
    let fault = Fault::after(operation).of(Kind::CHANGES);
    machine.fail(if full {
        fault.with(ErrorKind::StorageFull).and_all_later()
    } else {
        fault
    });
    let mut random = Random::new(seed);
    match slave.ship(master, &mut random) {
        // There was no room for zeros ahead, which is no failure.
        Ok(()) => return machine.operations() > operation && full,
        Err(Stopped::Mirror(MirrorError::Io(failure))) => {
            assert_eq!(failure.is_disk_full(), full, "{label}");
            machine.mend();
            let kept = MirrorError::Io(failure);
            assert_eq!(slave.mirror.sync(), Err(kept.clone()), "{label}");
            assert_eq!(slave.mirror.segment(&[]), Err(kept), "{label}");
        }
        Err(other) => panic!("{label}: {other:?}"),
    }
    let promised = slave.acknowledged.load(Ordering::Relaxed);
    drop(slave);
    let cut = machine.after_power_cut(random.next());
    let evicted = machine.copy();
    evicted.evict();
    for machine in [machine, cut, evicted] {
        go_on(master, &machine, promised, &label);
    }
    true
}

#[test]
fn a_slave_keeps_a_failure_and_goes_on_when_it_was_opened_anew() {
    let mut count = 0;
    for seed in seeds(2) {
        let master = master(seed);
        for full in [false, true] {
            count += (0..1000)
                .take_while(|operation| fail_at(&master, seed, *operation, full))
                .count();
        }
    }
    assert!(count > 100, "only {count} operations");
}

#[test]
fn a_slave_of_a_master_that_crashes_too_is_never_ahead_of_it_and_ends_the_same() {
    for seed in seeds(10) {
        let label = format!("seed {seed}");
        let mut random = Random::new(seed);
        let mut master = SimulatedDisk::new(seed);
        let mut slave = SimulatedDisk::new(seed + 1);
        let mut begin = Begin::Create;
        let mut promised = 0;
        for _ in 0..10 {
            let options = options_of(&mut random);
            let owner = Owner::start(&master, options, begin, Shared::default()).unwrap();
            owner.model.get().appended = vec![0; commits_of(&begin)];
            let mut copy = Slave::reopen(&slave, promised, &label);
            slave.fail(Fault::one_in(150).of(Kind::CHANGES));
            master.fail(Fault::one_in(300).of(Kind::CHANGES));
            for _ in 0..random.below(10) {
                let working = owner.step(&mut random).is_ok();
                let shipping = copy.ship(&master, &mut random);
                assert!(
                    !matches!(shipping, Err(Stopped::Follow(_))),
                    "{label}: {shipping:?}"
                );
                if !working || shipping.is_err() {
                    break;
                }
            }
            master.mend();
            slave.mend();
            promised = copy.acknowledged.load(Ordering::Relaxed);
            drop((owner, copy));
            slave = after(&slave, &mut random);
            master = after(&master, &mut random);
            let end = recover(&store(&master), crate::common::WHOLE, &mut |_| Ok(()));
            begin = Begin::NextSegment {
                after: end.unwrap().durable(),
            };
        }
        let mut copy = Slave::reopen(&slave, promised, &label);
        copy.ship(&master, &mut random).unwrap();
        assert_same_bytes(&master, &slave, &label);
    }
}

fn commits_of(begin: &Begin) -> usize {
    match begin {
        Begin::NextSegment { after } => usize::try_from(after.commit.get()).unwrap(),
        _ => 0,
    }
}

/// The disk after a crash of any kind, or as it is.
fn after(machine: &SimulatedDisk, random: &mut Random) -> SimulatedDisk {
    match pick(random, 4) {
        0 => machine.power_cut(random.next()),
        1 => machine.copy(),
        2 => {
            machine.evict();
            machine.copy()
        }
        _ => machine.clone(),
    }
}
