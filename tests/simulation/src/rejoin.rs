//! A former master, or a slave, that is ahead of the new master goes back to where the two logs part, though the power fails
//! anywhere on the way and in the starts behind it; what it takes back is kept.

use dbproto::state::NO_HISTORY;
use dbserver::environment::Environment;
use dbserver::environment::fence::OtherLog;
use dbserver::environment::rewind::{Fork, Plan};
use dbserver::error::EngineError;
use disk::testing::Fault;
use fwlog::hash_at;
use lost::Directory;

use crate::guard::introduced;
use crate::server::Server;
use crate::world::{Promised, World};

/// What the first look at it said.
struct Expected {
    fork: Fork,
    plan: Plan,
    /// Those that the files have to tell of.
    commits: u64,
}

/// How far one attempt has come.
enum Attempt {
    /// Its log is the beginning of the master's.
    Back,
    /// It is to begin anew.
    Begun,
    /// Only a copy helps.
    NeedsCopy,
}

impl World {
    /// A server that is down and is ahead goes back. `false`: it needs a copy.
    pub(crate) fn rejoin(&mut self, server: usize) -> Result<bool, String> {
        let process = self.servers[self.master].machine.process();
        let told = Server::source(&process).and_then(|source| introduced(&source));
        process.kill();
        let other = OtherLog::of(&told?).ok_or("a master without a history")?;
        let mut expected = None;
        let mut troubles = if self.settings.power {
            self.random.below(4)
        } else {
            0
        };
        loop {
            let troubled = troubles > 0;
            if troubled {
                troubles -= 1;
                let left = self.random.below(300);
                // In a third of them when all is done: what is not on the disk by then is lost.
                if left < 200 {
                    let fault = Fault::after(left).power_off();
                    self.servers[server].machine.fail(fault);
                }
            }
            let attempt = self.try_rejoin(server, &other, &mut expected);
            if troubled {
                self.power_again(server);
                self.tally.rejoins_cut += 1;
                continue;
            }
            self.servers[server].kill();
            match attempt? {
                Attempt::Begun => {}
                Attempt::NeedsCopy => return Ok(false),
                Attempt::Back => break,
            }
        }
        let Some(expected) = expected else {
            return Err(format!(
                "server {server} was refused, and has nothing to take back"
            ));
        };
        if expected.commits > 0 {
            self.check_lost(server, &expected)?;
        }
        match expected.plan {
            Plan::Cut => self.tally.rejoins_by_cut += 1,
            _ => self.tally.rejoins_by_log += 1,
        }
        self.promised[server] = Promised {
            commit: expected.fork.at.commit.get(),
        };
        self.clients().servers[server].newest = 0;
        self.start(server)?;
        Ok(true)
    }

    fn try_rejoin(
        &mut self,
        server: usize,
        other: &OtherLog,
        expected: &mut Option<Expected>,
    ) -> Result<Attempt, String> {
        let started = self.servers[server].start();
        let environment = started.map_err(|error| format!("start before a rejoin: {error}"))?;
        let fork = match environment.fork_from(other, self.has_end(&environment)?) {
            Ok(Some(fork)) => fork,
            Ok(None) => return Ok(Attempt::Back),
            Err(error) => return self.has_no_fork(server, other, &error),
        };
        let planned = environment.plan_rejoin(fork.clone(), None);
        let planned = match planned {
            Ok(planned) => planned,
            Err(error) => return self.has_no_fork(server, other, &error),
        };
        let (plan, transactions, commits) =
            (planned.plan, planned.transactions(), planned.commits());
        self.tell(|| {
            let at = fork.at.point.position;
            format!("  server {server} goes back to {at} by {plan}: {transactions} transactions")
        });
        if let Some(before) = expected.as_ref().filter(|before| before.fork != fork) {
            return Err(format!(
                "it was to go back to {:?}, and now to {fork:?}",
                before.fork
            ));
        }
        if plan == Plan::Compare {
            return Ok(Attempt::NeedsCopy);
        }
        *expected = Some(Expected {
            fork,
            plan,
            commits,
        });
        let begun = environment.begin_rejoin(&planned);
        begun.map_err(|error| format!("the rejoin of server {server}: {error}"))?;
        Ok(Attempt::Begun)
    }

    /// Whether the master's log has the end of this one.
    fn has_end(&self, environment: &Environment) -> Result<bool, String> {
        let progress = environment.slave().map(|slave| slave.progress());
        let end = progress
            .and_then(|it| it.durable)
            .ok_or("a slave without a log")?;
        let process = self.servers[self.master].machine.process();
        let there = Server::source(&process).and_then(|source| {
            let there = hash_at(&source.location, end.point.position);
            there.map_err(|error| error.to_string())
        });
        process.kill();
        Ok(there? == Some(end.point.hash))
    }

    /// One that began with a copy may have no log as far back as the two part, and a part of it may be in the journal.
    fn has_no_fork(
        &mut self,
        server: usize,
        other: &OtherLog,
        error: &EngineError,
    ) -> Result<Attempt, String> {
        let may_be = self.servers[server].is_copy || self.settings.interrupts;
        let is_short = may_be && error.sqlstate() == NO_HISTORY;
        self.tell(|| format!("  server {server} has no fork with {other:?}: {error}"));
        if is_short {
            Ok(Attempt::NeedsCopy)
        } else {
            Err(format!("where server {server} parts: {error}"))
        }
    }

    /// Nothing is lost beyond what the files have.
    fn check_lost(&mut self, server: usize, expected: &Expected) -> Result<(), String> {
        let machine = self.servers[server].machine.copy();
        let process = machine.process();
        let disk = process.disk();
        let files = machine.files().into_iter();
        let made =
            files.filter(|file| file.ends_with("lost.json") && file.starts_with("/data/lost"));
        let fork = expected.fork.at.point.position.to_string();
        let mut wrong = format!("server {server} has kept nothing of what it has taken back");
        for file in made {
            let directory = file.parent().unwrap_or(&file);
            let found = Directory::open(&disk, directory).map_err(|error| error.to_string())?;
            let told = found.description();
            if told.fork.position != fork {
                continue;
            }
            found.prove().map_err(|error| error.to_string())?;
            if told.transactions == expected.commits {
                return Ok(());
            }
            wrong = format!(
                "server {server} took back {} transactions, and kept {}",
                expected.commits, told.transactions
            );
        }
        Err(wrong)
    }
}
