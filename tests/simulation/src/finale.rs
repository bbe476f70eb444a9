//! The end of a simulation: all is mended, everybody catches up, and all is compared.

use crate::databases::{names_of, replicated};
use crate::draw::Draw as _;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dbserver::databases::control::LogPlace;
use dbserver::environment::Environment;
use disk::testing::Fault;
use fwlog::{LogLocation, LogPoint};
use pagestore::{PAGE_SIZE, PageData, PageNumber};

use crate::content::Print;
use crate::hooks::Crash;
use crate::line::{Broken, Line};
use crate::server::Server;
use crate::world::World;

/// The pages of each database.
type Pages = BTreeMap<u32, Vec<Print>>;

/// Rounds in which all must have caught up.
const MAX_ROUNDS: usize = 20_000;

impl World {
    pub(crate) fn finale(&mut self) -> Result<(), String> {
        self.tell(|| "finale".to_owned());
        self.hooks.disarm();
        self.clear_away();
        self.settings.within = false;
        self.settings.nested = false;
        self.repair()?;
        self.finish_copies()?;
        if self.settings.flips {
            self.flip_bits()?;
        }
        for server in 0..self.servers.len() {
            self.start(server)?;
        }
        self.close_gap()?;
        self.catch_up()?;
        self.compare()?;
        self.look_at_own()?;
        self.recover_twice()?;
        if self.settings.interrupts {
            self.resume_forward_logs()?;
            self.catch_up()?;
            self.check_resumed()?;
        }
        for server in 0..self.servers.len() {
            self.stop(server)?;
            self.check_data_files(server)?;
        }
        for server in 0..self.servers.len() {
            self.start(server)?;
        }
        self.catch_up()?;
        self.compare()?;
        self.lost_is_known()
    }

    /// Forward logging is on again, and the slaves begin anew, if it was off.
    fn close_gap(&mut self) -> Result<(), String> {
        if !self.gap {
            return Ok(());
        }
        let master = self.environment(self.master).ok_or("the master is down")?;
        if master.core().log_place() == LogPlace::Journal {
            self.move_log()?;
        }
        drop(master);
        let master = self.master;
        for server in (0..self.servers.len()).filter(|server| *server != master) {
            self.crash(server, Crash::Kill);
            self.replace_by_copy(server)?;
            self.start(server)?;
        }
        self.gap = false;
        Ok(())
    }

    /// Everything goes on until nothing is left to do.
    pub(crate) fn catch_up(&mut self) -> Result<(), String> {
        for round in 0..MAX_ROUNDS {
            self.pass(Duration::from_millis(20));
            if round % 50 == 0 {
                self.look_after_files();
            }
            self.write_log()?;
            self.note_acknowledged();
            for slave in 0..self.servers.len() {
                if slave == self.master {
                    continue;
                }
                if self.lines[slave].is_none() {
                    self.connect(slave)?;
                }
                for _ in 0..8 {
                    self.move_line(slave)?;
                }
            }
            for server in 0..self.servers.len() {
                if let Some(driver) = self
                    .environment(server)
                    .as_ref()
                    .and_then(|env| env.driver())
                {
                    while driver.apply() {}
                    let followed = driver.follow_checkpoint();
                    followed.map_err(|error| format!("a slave's checkpoint: {error}"))?;
                }
            }
            if let Some(violation) = self.clients().violation.take() {
                return Err(violation);
            }
            if self.is_even() {
                return Ok(());
            }
        }
        Err("the slaves do not catch up".to_owned())
    }

    /// Whether every slave has applied all that the master has.
    fn is_even(&self) -> bool {
        let Some(end) = self.environment(self.master).and_then(|env| env.durable()) else {
            return false;
        };
        (0..self.servers.len())
            .filter(|server| *server != self.master)
            .all(|server| {
                let environment = self.environment(server);
                let applied = environment
                    .and_then(|env| env.slave().and_then(|slave| slave.progress().applied));
                applied.is_some_and(|applied| applied.point == end.point)
                    && self.lines[server]
                        .as_ref()
                        .is_some_and(|shipping| shipping.line.is_idle())
            })
    }

    /// Everybody has the same databases, the same pages, the same log, and all of it is right.
    pub(crate) fn compare(&mut self) -> Result<(), String> {
        let master = self.environment(self.master).ok_or("the master is down")?;
        let newest = self.clients().model.newest();
        let last = master
            .durable()
            .ok_or("a master without a log")?
            .commit
            .get();
        if last != newest {
            return Err(format!("the master has commit {last} instead of {newest}"));
        }
        let right = names_of(&master);
        let pages = pages_of(&master)?;
        let (whole, all_pages) = (right, pages);
        for server in 0..self.servers.len() {
            let environment = self.environment(server).ok_or("a server is down")?;
            let (mut right, mut pages) = (whole.clone(), all_pages.clone());
            let left_out = self.settings.left_out(&self.servers[server].name);
            right.retain(|_, name| Some(name.as_str()) != left_out);
            pages.retain(|id, _| right.contains_key(id) || !whole.contains_key(id));
            let names = names_of(&environment);
            if names != right {
                return Err(format!(
                    "server {server} has databases {names:?} instead of {right:?}"
                ));
            }
            self.clients().look_at_all(server)?;
            let found = pages_of(&environment)?;
            if found != pages {
                let counts = |pages: &BTreeMap<u32, Vec<Print>>| -> Vec<(u32, usize)> {
                    pages
                        .iter()
                        .map(|(id, prints)| (*id, prints.len()))
                        .collect()
                };
                return Err(format!(
                    "server {server} has other pages than the master; databases and pages: {:?}, and {:?}",
                    counts(&found),
                    counts(&pages)
                ));
            }
            if server != self.master {
                self.compare_logs(server)?;
            }
        }
        Ok(())
    }

    /// A slave's segments are its master's, byte for byte.
    pub(crate) fn compare_logs(&mut self, slave: usize) -> Result<(), String> {
        let (master, slave) = (&self.servers[self.master], &self.servers[slave]);
        let location = LogLocation::parse("/fwlog/fw-%N").map_err(|error| error.to_string())?;
        let (left, mut right) = (master.segments(&location), slave.segments(&location));
        if self.settings.interrupts && self.settings.roles {
            right.retain(|id| left.contains(id));
        }
        let same = if self.settings.interrupts {
            right.iter().all(|id| left.contains(id))
        } else if self.settings.retention {
            // Each keeps what it keeps.
            left.ends_with(&right) || right.ends_with(&left)
        } else if slave.is_copy {
            left.ends_with(&right)
        } else {
            left == right
        };
        if !same {
            return Err(format!(
                "{} has segments {left:?}, {} {right:?}",
                master.name, slave.name
            ));
        }
        let both = right.into_iter().filter(|id| left.contains(id));
        for path in both.map(|id| location.path(id)) {
            let (one, other) = (master.machine.content(&path), slave.machine.content(&path));
            let (one, other) = (one.unwrap_or_default(), other.unwrap_or_default());
            // The open one has a tail of zeros whose length is everybody's own business.
            let length = one.len().min(other.len());
            let rest = one[length..].iter().chain(&other[length..]);
            if one[..length] != other[..length] || rest.into_iter().any(|byte| *byte != 0) {
                return Err(format!("segment {} differs", path.display()));
            }
        }
        Ok(())
    }

    /// Recovery done again gives the same again.
    fn recover_twice(&mut self) -> Result<(), String> {
        for server in 0..self.servers.len() {
            let mut found = Vec::new();
            for _ in 0..2 {
                let mut again = self.servers[server].on(self.servers[server].machine.copy());
                for _ in 0..=found.len() {
                    again.kill();
                    let started = again.start();
                    started
                        .map_err(|error| format!("server {server} does not recover: {error}"))?;
                }
                let environment = again.environment().cloned().ok_or("not started")?;
                found.push((names_of(&environment), pages_of(&environment)?));
                drop(environment);
                again.kill();
            }
            if found[0] != found[1] {
                return Err(format!(
                    "recovery of server {server} done twice gives another state"
                ));
            }
            if self.one_in(4) && self.rebuilt(server)? != found[0] {
                return Err(format!(
                    "server {server} made anew from its log has another state"
                ));
            }
        }
        Ok(())
    }

    /// What a server has when its data files are made anew from its log, on a disk of its own, though
    /// the power fails in the middle of that.
    fn rebuilt(&mut self, server: usize) -> Result<(BTreeMap<u32, String>, Pages), String> {
        let mut anew = self.servers[server].on(self.servers[server].machine.copy());
        let failed = |error| format!("server {server} is not made anew: {error}");
        // With SyncMode = 0 it may take what no sync has brought to the disk.
        if self.settings.sync_every_commit {
            let cut = Fault::after(self.random.below(120)).power_off();
            anew.machine.fail(cut);
        }
        for _ in 0..2 {
            let prepared = anew.prepare_rebuild().is_ok();
            self.tally.rebuilds += u64::from(prepared);
            if prepared && anew.start().is_ok() {
                break;
            }
            anew.cut_power(self.random.next());
        }
        anew.machine.mend();
        if anew.environment().is_none() {
            anew.start().map_err(failed)?;
        }
        let environment = anew.environment().cloned().ok_or("not started")?;
        let found = (names_of(&environment), pages_of(&environment)?);
        drop(environment);
        anew.kill();
        Ok(found)
    }

    /// After a clean stop the data files are complete.
    fn check_data_files(&mut self, server: usize) -> Result<(), String> {
        let commit = self.clients().model.newest();
        let machine = self.servers[server].machine.clone();
        let left_out = self.settings.left_out(&self.servers[server].name);
        for (id, name) in self.names.clone() {
            if Some(name.as_str()) == left_out {
                continue;
            }
            let count = self.clients().model.page_count(id, commit);
            // A renamed database keeps its file: any file with the right content will do.
            let right = |content: &[u8]| {
                content.len() == count as usize * PAGE_SIZE
                    && content
                        .chunks_exact(PAGE_SIZE)
                        .zip(1..)
                        .all(|(page, number)| {
                            let page: Result<&PageData, _> = page.try_into();
                            page.is_ok_and(|page| {
                                self.clients().model.page(id, number, commit)
                                    == Some(Print::of(page))
                            })
                        })
            };
            let mut files = machine
                .files()
                .into_iter()
                .filter(|path| path.starts_with("/data/db"));
            if !files.any(|path| {
                machine
                    .content(&path)
                    .is_some_and(|content| right(&content))
            }) {
                return Err(format!("server {server}: no data file is database {name}"));
            }
        }
        Ok(())
    }

    /// What a line to this server comes to: `None` when the two meet.
    pub(crate) fn try_line(&mut self, slave: &Arc<Environment>) -> Result<Option<Broken>, String> {
        let process = self.servers[self.master].machine.process();
        let source = Server::source(&process)?;
        let now = self.now();
        let result = Line::open(source, self.settings.pack, slave).and_then(|mut line| {
            for _ in 0..MAX_ROUNDS {
                while line.deliver_to_slave() {}
                line.sync(now);
                while line.deliver_to_source()? {}
                if line.has_met() {
                    break;
                }
            }
            Ok(())
        });
        process.kill();
        Ok(result.err())
    }

    /// A slave was refused by a new master: then that one's log does not have the slave's end.
    pub(crate) fn check_fork(
        &mut self,
        server: usize,
        end: Option<LogPoint>,
    ) -> Result<(), String> {
        let end = end.ok_or_else(|| format!("empty server {server} was refused"))?;
        let process = self.servers[self.master].machine.process();
        let source = Server::source(&process)?;
        let known = fwlog::hash_at(&source.location, end.position);
        process.kill();
        if known.map_err(|error| error.to_string())? == Some(end.hash) {
            return Err(format!(
                "server {server} was refused, and its end {end} is in the master's log"
            ));
        }
        Ok(())
    }

    /// Bits flip in the files of servers that are down: they are found, or they do no harm.
    fn flip_bits(&mut self) -> Result<(), String> {
        for server in 0..self.servers.len() {
            self.crash(server, Crash::Kill);
            let machine = self.servers[server].machine.clone();
            let files = machine.files();
            for _ in 0..4 {
                let path = &files[self.below(files.len())];
                let length = machine.content(path).unwrap_or_default().len();
                if length == 0 {
                    continue;
                }
                let (byte, bit) = (self.random.index(length) as u64, self.random.small(8));
                let bit = u8::try_from(bit).unwrap_or_default();
                self.flip_one(server, path, byte, bit)?;
            }
        }
        Ok(())
    }

    fn flip_one(&mut self, server: usize, path: &Path, byte: u64, bit: u8) -> Result<(), String> {
        let mut damaged = self.servers[server].on(self.servers[server].machine.copy());
        damaged.machine.flip(path, byte, bit);
        self.tally.flips += 1;
        self.tell(|| {
            format!(
                "  bit {bit} of byte {byte} of {} of server {server} flips",
                path.display()
            )
        });
        let Ok(environment) = damaged.start() else {
            self.tally.flips_found += 1;
            return Ok(());
        };
        // Started all the same: then readers get what is right, or an error.
        let mut checked = self.clients();
        let kept = checked.servers[server]
            .environment
            .replace(Arc::clone(&environment));
        let (hurt, newest) = (checked.servers[server].hurt, checked.servers[server].newest);
        checked.servers[server].hurt = true;
        let looked = checked.look_at_all(server);
        checked.servers[server].environment = kept;
        checked.servers[server].hurt = hurt;
        checked.servers[server].newest = newest;
        drop(checked);
        drop(environment);
        damaged.kill();
        looked.map_err(|error| format!("after a flip in {}: {error}", path.display()))
    }
}

/// Prints of all pages of all databases of a server, `system` too.
pub(crate) fn pages_of(environment: &Environment) -> Result<Pages, String> {
    let mut all = BTreeMap::new();
    for database in replicated(environment) {
        let snapshot = database.store().snapshot_durable();
        let mut prints = Vec::new();
        for number in 1..=snapshot.page_count() {
            let page = PageNumber::new(number).ok_or("page 0")?;
            let mut data: PageData = [0; PAGE_SIZE];
            snapshot
                .read(page, &mut data)
                .map_err(|error| error.to_string())?;
            prints.push(Print::of(&data));
        }
        all.insert(database.id().get(), prints);
    }
    Ok(all)
}
