//! Cuts are taken from running servers, and servers made of them: cut, directory, start, compare with the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbproto::Progress;
use dbserver::databases::tree;
use dbserver::environment::Environment;
use dbserver::environment::cut::CutError;
use dbserver::error::EngineError;
use disk::testing::{Fault, Random};
use pagehash::Root;
use pagestore::{PAGE_SIZE, PageData, PageNumber};

use crate::content::Print;
use crate::databases::names_of;
use crate::hooks::Crash;
use crate::server::Server;
use crate::taking::Taking;
use crate::world::World;

impl World {
    /// A cut is taken, or copied a little further while all goes on; when all has arrived, it is looked at.
    pub(crate) fn go_on_with_cut(&mut self) -> Result<(), String> {
        let taking = self.clients().cut.take();
        let Some(mut taking) = taking else {
            return self.take_cut();
        };
        let server = taking.server;
        for _ in 0..=self.random.below(8) {
            let mut random = Random::new(self.random.next());
            match self.nested(|| taking.take_some(&mut random)) {
                Ok(false) => {}
                Ok(true) => return self.use_cut(&taking),
                Err(CutError::Ended(why)) => {
                    self.tell(|| format!("  {why}"));
                    self.tally.state_cuts_ended += 1;
                    return Ok(());
                }
                Err(error) => return self.unless_hurt(server, Err(format!("a cut: {error}"))),
            }
        }
        if !self.is_struck(server) {
            self.clients().cut = Some(taking);
        }
        Ok(())
    }

    fn take_cut(&mut self) -> Result<(), String> {
        let server = if self.one_in(3) {
            self.below(self.servers.len())
        } else {
            self.master
        };
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        self.tell(|| format!("  cut of server {server}"));
        let opened = self.nested(|| environment.open_cut("simulation"));
        match opened {
            Ok(cut) => {
                let taking = Taking::new(server, cut, &environment);
                self.tell(|| format!("  it is {:?}", taking.cut()));
                self.clients().cut = Some(taking);
                Ok(())
            }
            // A slave has nothing yet, or not on its disk yet.
            Err(EngineError::State { message, .. }) if server != self.master => {
                self.tell(|| format!("  {message}"));
                Ok(())
            }
            Err(error) => self.unless_hurt(server, Err(format!("a cut: {error}"))),
        }
    }

    /// All has arrived.
    fn use_cut(&mut self, taking: &Taking) -> Result<(), String> {
        self.tally.state_cuts += 1;
        let cut = taking.cut();
        let in_parts = taking.server == self.master && cut.redo.point != cut.at.point;
        if taking.has_log() && in_parts {
            self.tally.state_cuts_in_parts += 1;
        }
        if !taking.has_log() {
            return self.compare_state(taking);
        }
        let name = format!("cut{}", self.tally.state_cuts);
        let giver = &self.servers[taking.server];
        let giver_hurt = taking.server != self.master && giver.hurt;
        let made = giver.of_cut(&name, taking);
        let mut made = match made {
            Ok(made) => made,
            Err(error) => return self.unless_hurt(taking.server, Err(error)),
        };
        if self.settings.power {
            // The power fails somewhere in its first start.
            made.machine
                .fail(Fault::after(self.random.below(80)).power_off());
            drop(made.start());
            made.cut_power(self.random.next());
            made.machine.mend();
        }
        let started = made.start();
        let environment = started.map_err(|error| format!("a copy does not start: {error}"))?;
        // A slave whose disk fails in the middle of what it applies shows databases of commits that it does not have.
        let names = if giver_hurt {
            names_of(&environment)
        } else {
            taking.names.clone()
        };
        self.compare_copy((&names, cut.at), &taking.roots(), &environment)?;
        drop(environment);
        made.kill();
        self.use_copy(made, cut.redo.point != cut.at.point)
    }

    /// What a cut without a log has given is the state at its commit.
    fn compare_state(&mut self, taking: &Taking) -> Result<(), String> {
        let commit = taking.cut().at.commit.get();
        for id in taking.names.keys() {
            let Some(pages) = taking.pages(*id) else {
                return Err(format!("the cut has no database {id}"));
            };
            let (pages, _) = pages.as_chunks::<PAGE_SIZE>();
            self.compare_pages(*id, commit, pages.iter().copied())?;
        }
        Ok(())
    }

    /// A server that began with a cut has the state at its commit: by its list, by the model, by the checksums.
    pub(crate) fn compare_copy(
        &mut self,
        (right, at): (&BTreeMap<u32, String>, Progress),
        roots: &BTreeMap<u32, Root>,
        copy: &Arc<Environment>,
    ) -> Result<(), String> {
        let applied = copy.slave().and_then(|slave| slave.progress().applied);
        if applied.map(|it| (it.point, it.commit)) != Some((at.point, at.commit)) {
            return Err(format!(
                "a copy of commit {} is at {applied:?}",
                at.commit.get()
            ));
        }
        let names = names_of(copy);
        if names != *right {
            return Err(format!(
                "a copy has databases {names:?} instead of {right:?}"
            ));
        }
        for database in copy.databases() {
            let id = database.id().get();
            let snapshot = database.store().snapshot_durable();
            let tree = tree::of(&snapshot).map_err(|error| format!("a copy: {error}"))?;
            if roots.get(&id).is_some_and(|root| *root != tree.root) {
                return Err(format!(
                    "database {id} of a copy has another checksum than the cut"
                ));
            }
            if !names.contains_key(&id) {
                continue;
            }
            let mut pages = Vec::new();
            for number in (1..=snapshot.page_count()).filter_map(PageNumber::new) {
                let mut page = [0; PAGE_SIZE];
                let read = snapshot.read(number, &mut page);
                read.map_err(|error| format!("a copy: {error}"))?;
                pages.push(page);
            }
            self.compare_pages(id, at.commit.get(), pages.into_iter())?;
        }
        Ok(())
    }

    fn compare_pages(
        &mut self,
        id: u32,
        commit: u64,
        pages: impl ExactSizeIterator<Item = PageData>,
    ) -> Result<(), String> {
        let mut clients = self.clients();
        let right = clients.model.page_count(id, commit) as usize;
        if pages.len() != right {
            let found = pages.len();
            return Err(format!(
                "database {id} of a cut at commit {commit} has {found} pages instead of {right}"
            ));
        }
        clients.compared += pages.len() as u64;
        for (number, page) in (1..).zip(pages) {
            if clients.model.page(id, number, commit) != Some(Print::of(&page)) {
                return Err(format!(
                    "database {id} of a cut at commit {commit}: page {number} has wrong content"
                ));
            }
        }
        Ok(())
    }

    /// Sometimes the copy takes the place of a slave, and always where redo had something to do: its master's log goes on
    /// there, perhaps with the rest of what was under way.
    fn use_copy(&mut self, made: Server, always: bool) -> Result<(), String> {
        let slaves = (0..self.servers.len()).filter(|server| *server != self.master);
        let slaves: Vec<usize> = slaves
            .filter(|server| !self.servers[*server].hurt)
            .collect();
        if self.gap || slaves.is_empty() || (!always && self.one_in(2)) {
            return Ok(());
        }
        let server = slaves[self.below(slaves.len())];
        self.hooks.disarm();
        self.clear_away();
        self.crash(server, Crash::Kill);
        self.tell(|| format!("  it takes the place of server {server}"));
        self.tally.state_cuts_used += 1;
        self.put_in_place(server, made);
        self.start(server)
    }
}
