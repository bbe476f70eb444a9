//! The long life of a log: it is written, fails, is recovered, and goes on, with everything that can go
//! wrong by chance.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use disk::testing::{Fault, Kind, Random, SimulatedDisk};
use fwlog::{
    Begin, GenerationReason, RecoverOptions, Recovered, SimulatedTime, Timestamp, WriterOptions,
};

use crate::common::WHOLE;
use crate::model::{Model, Shared, recover_commits, restart, seeds};
use crate::work::{INTERVAL, Owner, options_of, pick, told_to_readers};

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Close,
    Kill,
    PowerCut,
}

/// How many lives a log has.
const LIVES: u32 = 25;

struct Life {
    machine: SimulatedDisk,
    random: Random,
    model: Model,
    label: String,
    time: SimulatedTime,
}

impl Life {
    /// Faults that strike by chance in this life.
    fn set_faults(&mut self) {
        let random = &mut self.random;
        if random.coin() {
            return;
        }
        let kinds = [ErrorKind::Other, ErrorKind::StorageFull][pick(random, 2)];
        let rare = 20 + random.below(200);
        self.machine.fail(match random.below(3) {
            0 => Fault::one_in(rare).of(&[Kind::Sync, Kind::SyncDirectory]),
            1 => Fault::one_in(rare).of(Kind::CHANGES).with(kinds),
            _ => Fault::after(rare).with(kinds).and_all_later(),
        });
    }

    /// How the log goes on after recovery, or begins.
    fn begin(&mut self, recovered: Option<&Recovered>) -> Begin {
        let Some(recovered) = recovered else {
            return Begin::Create;
        };
        let after = recovered.durable();
        if self.random.below(4) == 0 {
            let reason = GenerationReason::Promote;
            Begin::NewGeneration { reason, after }
        } else {
            Begin::NextSegment { after }
        }
    }

    /// An owner works until something fails, or it has done enough. Then the log is as it is left.
    fn live(&mut self, options: WriterOptions, begin: Begin) -> Option<fwlog::Durable> {
        let model = Shared::new(self.model.clone());
        let owner = Owner::start(&self.machine, options, begin, model.clone()).ok()?;
        let steps = 1 + self.random.below(12);
        let end = [End::Close, End::Kill, End::PowerCut][pick(&mut self.random, 3)];
        let mut failed = false;
        for _ in 0..steps {
            self.time.pass(Duration::from_millis(self.random.below(8)));
            failed = owner.step(&mut self.random).is_err();
            if failed {
                break;
            }
        }
        if end == End::Close && !failed {
            failed = owner.work(&mut self.random, 0).is_err();
        }
        if failed {
            drop(owner.wait());
        }
        let durable = owner.writer.durable();
        self.model = model.copy();
        let told = told_to_readers(&self.machine);
        assert!(told <= self.model.appended.len() as u64, "{}", self.label);
        self.model.durable = self.model.durable.max(told);
        match end {
            End::PowerCut => {
                self.model.acknowledged = self.model.durable;
                self.machine = self.machine.power_cut(self.random.next());
            }
            // What is queued is not written by a process that is killed.
            End::Kill => self.machine = self.machine.copy(),
            End::Close => {}
        }
        drop(owner);
        (failed && end == End::Close).then_some(durable)
    }

    /// Memory may get short: then commits are lost that no sync has brought to the disk.
    fn may_lose(&mut self) -> bool {
        let evicted = self.random.below(3) == 0;
        if evicted {
            self.machine.evict();
            self.model.acknowledged = self.model.durable;
        }
        evicted
    }

    /// The log is recovered, perhaps at the second attempt.
    fn recover(&mut self, mut own: Option<fwlog::Durable>) -> Option<Recovered> {
        if self.random.below(8) == 0 {
            // Somebody takes it for a left-over.
            let disk = self.machine.process().disk();
            disk.remove_if_there(Path::new("/fw.position")).unwrap();
        }
        if self.random.below(4) == 0 {
            self.machine.fail(Fault::one_in(8));
            drop(recover_commits(&self.machine, WHOLE));
            self.machine.mend();
            if self.random.coin() {
                self.machine = self.machine.power_cut(self.random.next());
                self.model.acknowledged = self.model.durable;
                own = None;
            }
        }
        if let Some(durable) = own {
            let options = RecoverOptions {
                discard_behind: Some(durable.point.position),
                ..WHOLE
            };
            let (own, _) = recover_commits(&self.machine, options).unwrap();
            let known = own.last_commit.get();
            assert_eq!(known, self.model.acknowledged, "{}", self.label);
        }
        let promised = self.model.acknowledged;
        let label = format!("{} life {}", self.label, self.model.life);
        restart(&self.machine, &mut self.model, promised, &label)
    }
}

#[test]
fn a_log_survives_a_long_life() {
    for seed in seeds(40) {
        let mut random = Random::new(seed);
        let time = SimulatedTime::new(Timestamp::from_micros(1_000_000));
        let mut life = Life {
            machine: SimulatedDisk::new(seed),
            model: Model::default(),
            label: format!("seed {seed}"),
            time,
            random: random.clone(),
        };
        let mut recovered = None;
        for _ in 0..LIVES {
            let mut options = options_of(&mut random);
            options.clock = life.time.clock();
            if random.below(4) == 0 {
                options.sync = INTERVAL;
            }
            let begin = life.begin(recovered.as_ref());
            life.set_faults();
            let own = life.live(options, begin);
            life.machine.mend();
            let own = own.filter(|_| !life.may_lose());
            recovered = life.recover(own);
        }
    }
}
