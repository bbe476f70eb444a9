//! Forward logs are switched off and on while their disk fails at each operation in turn, fills up, or the
//! machine ends there. Afterwards, on a disk that works, the next switch simply works: nothing waits for a person.

use std::io::ErrorKind;

use dbserver::databases::control::LogPlace;
use disk::testing::{Fault, Kind};

use crate::hooks::Crash;
use crate::settings::Settings;
use crate::world::World;

/// So many troubles come to one world: its log grows by each.
const LIFE: u64 = 12;

/// What happens at an operation.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    /// It fails.
    Fails,
    /// It fails, and the server ends some work later: what it has believed meanwhile must be so.
    FailsAndEnds(Crash),
    /// It fails, and so does all that comes later.
    Dies,
    /// There is no room any more.
    Full,
    /// The server ends there.
    Ends(Crash),
}

const TROUBLES: [Trouble; 7] = [
    Trouble::Fails,
    Trouble::FailsAndEnds(Crash::Kill),
    Trouble::FailsAndEnds(Crash::Power),
    Trouble::Dies,
    Trouble::Full,
    Trouble::Ends(Crash::Kill),
    Trouble::Ends(Crash::Power),
];

/// Whose log is switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The master's: `disable --yes`, `enable`.
    Master,
    /// A slave's.
    Slave,
}

/// Tries every trouble at every operation of some switches; gives how many there were.
///
/// Errors: what was wrong afterwards.
pub fn switch_on_failing_disks(whose: Whose, seed: u64) -> Result<u64, String> {
    let mut tried = 0;
    for trouble in TROUBLES {
        let mut world = World::new(Settings::calm(seed), true)?;
        for at in 0.. {
            if at % LIFE == LIFE - 1 {
                world = World::new(Settings::calm(seed), true)?;
            }
            let struck = world.switch_in_trouble(whose, trouble, at);
            let told = |error| {
                let story = world.story().join("\n");
                format!("{whose:?}, {trouble:?} at operation {at}: {error}\n{story}")
            };
            if !struck.map_err(told)? {
                break;
            }
            tried += 1;
        }
    }
    Ok(tried)
}

impl World {
    /// `false`: there was no such operation.
    fn switch_in_trouble(
        &mut self,
        whose: Whose,
        trouble: Trouble,
        at: u64,
    ) -> Result<bool, String> {
        self.forget_story();
        let server = match whose {
            Whose::Master => self.master,
            Whose::Slave => 1,
        };
        let machine = self.servers[server].machine.clone();
        let before = machine.operations();
        let fault = match trouble {
            Trouble::Fails | Trouble::FailsAndEnds(_) => Some(Fault::after(at)),
            Trouble::Dies => Some(Fault::after(at).and_all_later()),
            Trouble::Full => Some(
                Fault::after(at)
                    .of(&[Kind::Write, Kind::Create])
                    .with(ErrorKind::StorageFull)
                    .and_all_later(),
            ),
            Trouble::Ends(crash) => {
                self.hooks.arm(server, at, crash);
                None
            }
        };
        if let Some(fault) = fault {
            machine.fail(fault);
            self.servers[server].hurt = true;
            self.clients().servers[server].hurt = true;
        }
        let ends = match trouble {
            Trouble::FailsAndEnds(crash) => Some(crash),
            _ => None,
        };
        let all = [true, false, true];
        let switches = if ends.is_some() { &all[..1] } else { &all };
        self.switch_some(whose, switches)?;
        let struck = machine.operations() - before > at;
        self.hooks.disarm();
        self.clear_away();
        if let Some(crash) = ends {
            machine.mend();
            for _ in 0..4 {
                self.transact()?;
                self.write_log()?;
                self.after_step()?;
            }
            for _ in 0..40 {
                self.ship()?;
                self.after_step()?;
            }
            self.crash(server, crash);
        }
        if fault_lasts(trouble) {
            self.repair_one(server)?;
        }
        self.start(server)?;
        self.switch_in_good_order(whose)?;
        Ok(struck)
    }

    /// Off, or off and on and off again, with work in between.
    fn switch_some(&mut self, whose: Whose, switches: &[bool]) -> Result<(), String> {
        for off in switches {
            match whose {
                Whose::Master => self.move_log()?,
                Whose::Slave => self.switch_slave(*off)?,
            }
            self.after_step()?;
            self.some_work()?;
        }
        Ok(())
    }

    /// All disks work, and so does each switch.
    fn switch_in_good_order(&mut self, whose: Whose) -> Result<(), String> {
        match whose {
            Whose::Master => {
                for _ in 0..2 {
                    self.move_log()?;
                    self.some_work()?;
                }
                let place = self
                    .environment(self.master)
                    .map(|it| it.core().log_place());
                if place != Some(LogPlace::ForwardLog) {
                    self.move_log()?;
                    self.some_work()?;
                }
                self.crash(self.master, Crash::Kill);
                self.start(self.master)
            }
            Whose::Slave => {
                self.switch_slave(true)?;
                self.some_work()?;
                self.resume_forward_logs()?;
                self.catch_up()?;
                self.check_resumed()?;
                self.compare()
            }
        }
    }

    fn switch_slave(&mut self, off: bool) -> Result<(), String> {
        match self.environment(1) {
            Some(slave) => self.switch_mirrored_log(1, &slave, off),
            None => Ok(()),
        }
    }

    /// A transaction, a new segment of the master, and what the slave gets of it.
    fn some_work(&mut self) -> Result<(), String> {
        self.transact()?;
        self.after_step()?;
        self.write_log()?;
        self.after_step()?;
        if !self.gap {
            self.switch_segment()?;
            for _ in 0..10 {
                self.ship()?;
                self.after_step()?;
                self.apply()?;
                self.after_step()?;
            }
        }
        Ok(())
    }

    fn forget_story(&mut self) {
        if let Some(story) = &mut self.story {
            story.clear();
        }
    }
}

fn fault_lasts(trouble: Trouble) -> bool {
    !matches!(trouble, Trouble::Ends(_))
}
