//! What a server has taken back becomes known at the master without a step of a person, though the master ends on the way.

use std::collections::{BTreeMap, BTreeSet};

use dbserver::system::{lost_forks, lost_news};
use disk::testing::Fault;
use fwlog::{ChainHash, InstanceId, LogPoint, LostForkId, LostForks};
use lost::Directory;

use crate::hooks::Crash;
use crate::line::{Broken, Line};
use crate::world::World;

/// Deliveries until a line has told what there is to tell.
const DELIVERIES: usize = 20_000;

impl World {
    /// At the very end, because what a server itself writes is none of the clients' transactions.
    pub(crate) fn lost_is_known(&mut self) -> Result<(), String> {
        let kept = self.kept_by_all()?;
        if kept.is_empty() {
            return Ok(());
        }
        // Whoever can take it says so, from its first look on; and that it is the root.
        self.look_at_lost(self.master)?;
        // It has noted what it has lost itself, when it was not the master.
        let noted = self.newest_commit(self.master)?;
        let mut clients = self.clients();
        let own = noted - clients.model.newest();
        clients.model.server_may_commit(own);
        drop(clients);
        let driver = self.environment(self.master).and_then(|it| it.driver());
        driver.ok_or("the master is down")?.look_after_tree();
        let mut told = BTreeMap::new();
        let master = self.master;
        for slave in (0..self.servers.len()).filter(|server| *server != master) {
            let name = self.servers[slave].name.clone();
            told.insert(name, self.told_by(slave)?);
        }
        // What it has noted it may have lost again; then it is told again.
        let troubled = self.settings.power && self.settings.sync_every_commit;
        if troubled && self.random.coin() {
            self.leave_told(&told)?;
            let fault = Fault::after(self.random.below(60)).power_off();
            self.servers[self.master].machine.fail(fault);
            // Whether it was done shows what comes. Each fork is a commit.
            drop(self.look_at_lost(self.master));
            let forks: usize = told.values().map(|forks| forks.all().len()).sum();
            self.clients().model.server_may_commit(forks as u64);
            self.crash(self.master, Crash::Power);
            self.servers[self.master].machine.mend();
            self.start(self.master)?;
        }
        self.leave_told(&told)?;
        self.look_at_lost(self.master)?;
        let master = self.environment(self.master).ok_or("the master is down")?;
        let forks = lost_forks::LostForks::of(&master);
        let known = forks.all().map_err(|error| error.to_string())?;
        let known: BTreeSet<LostForkId> =
            known.iter().filter_map(lost_forks::LostFork::id).collect();
        for (fork, id) in kept {
            if !forks.has(fork).map_err(|error| error.to_string())? {
                // A later master has left the log before that.
                continue;
            }
            if !known.contains(&id) {
                return Err(format!(
                    "the master does not know what {} has lost behind {}",
                    id.instance, fork.position
                ));
            }
            self.tally.lost_known += 1;
        }
        let durable = || master.durable().map(|durable| durable.commit);
        let before = durable();
        lost_news::look(&master).map_err(|error| error.to_string())?;
        if durable() == before {
            Ok(())
        } else {
            Err("what is known was noted once more".to_owned())
        }
    }

    fn newest_commit(&self, server: usize) -> Result<u64, String> {
        let environment = self.environment(server).ok_or("a server is down")?;
        let durable = environment.durable().ok_or("a server has no log")?;
        Ok(durable.commit.get())
    }

    fn look_at_lost(&self, server: usize) -> Result<(), String> {
        let environment = self.environment(server).ok_or("a server is down")?;
        let looked = lost_news::look(&environment);
        looked.map_err(|error| format!("what server {server} looks for was lost: {error}"))
    }

    /// The forks of all directories that are on the disks of all servers.
    fn kept_by_all(&self) -> Result<Vec<(LogPoint, LostForkId)>, String> {
        let mut kept = Vec::new();
        for server in (0..self.servers.len()).filter(|server| *server != self.master) {
            let process = self.servers[server].machine.copy().process();
            let found = Directory::all(&process.disk(), "/data/lost".as_ref());
            for (path, opened) in found.map_err(|error| error.to_string())? {
                let opened = opened.map_err(|error| format!("{}: {error}", path.display()))?;
                let told = opened.description();
                if told.transactions == 0 {
                    continue;
                }
                let odd = || format!("{} tells no fork", path.display());
                let hash: ChainHash = told.fork.hash.parse().map_err(|_| odd())?;
                let instance: InstanceId = told.instance_id.parse().map_err(|_| odd())?;
                let position = told.fork.position.parse().map_err(|_| odd())?;
                let id = LostForkId { hash, instance };
                kept.push((LogPoint::new(position, hash), id));
            }
        }
        Ok(kept)
    }

    /// What a slave tells on a new connection.
    fn told_by(&mut self, slave: usize) -> Result<LostForks, String> {
        self.look_at_lost(slave)?;
        self.end_lines(slave);
        self.connect(slave)?;
        let now = self.now();
        let mut shipping = self.lines[slave].take().ok_or("nobody feeds a slave")?;
        let line = &mut shipping.line;
        let run = |line: &mut Line| -> Result<(), Broken> {
            for _ in 0..DELIVERIES {
                let mut moved = line.ship()?;
                moved |= line.deliver_to_slave();
                line.hand_on();
                line.sync(now);
                moved |= line.deliver_to_source()?;
                if !moved && line.has_met() {
                    return Ok(());
                }
            }
            Ok(())
        };
        let told = run(line).and_then(|()| {
            line.report_lost();
            run(line)
        });
        let told = told.map(|()| line.lost().clone());
        self.lines[slave] = Some(shipping);
        told.map_err(|broken| format!("the line to server {slave} ends: {broken:?}"))
    }

    /// As dbrepl leaves it beside the master's log.
    fn leave_told(&self, told: &BTreeMap<String, LostForks>) -> Result<(), String> {
        let process = self.servers[self.master].machine.process();
        for (name, forks) in told {
            let path = format!("/fwlog/{}", LostForks::file_name(name));
            let written = forks.write(&process.disk(), path.as_ref(), 0o600);
            written.map_err(|error| error.to_string())?;
        }
        process.kill();
        Ok(())
    }
}
