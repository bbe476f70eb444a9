//! Servers end and begin.

use std::mem;

use dbserver::control_plane;
use dbserver::databases::control::LogPlace;

use crate::databases::names_of;
use crate::hooks::Crash;
use crate::world::{Promised, World};

impl World {
    pub(crate) fn crash_somebody(&mut self) -> Result<(), String> {
        let server = if self.one_in(3) {
            self.master
        } else {
            self.below(self.servers.len())
        };
        let crash = match (self.settings.kill, self.settings.power) {
            (true, true) if self.random.coin() => Crash::Power,
            (false, true) => Crash::Power,
            (true, _) => Crash::Kill,
            (false, false) => return self.stop(server),
        };
        if self.one_in(4) {
            return self.stop(server);
        }
        if self.settings.within && self.random.coin() {
            let left = self.random.below(60);
            self.tell(|| format!("  {crash:?} of server {server} in {left} operations"));
            self.hooks.arm(server, left, crash);
            return Ok(());
        }
        self.tell(|| format!("  {crash:?} of server {server}"));
        self.crash(server, crash);
        Ok(())
    }

    /// Ends a server now.
    pub(crate) fn crash(&mut self, server: usize, crash: Crash) {
        if self.servers[server].environment().is_none() {
            return;
        }
        self.hang_up(server);
        match crash {
            Crash::Kill => {
                self.tally.kills += 1;
                self.servers[server].kill();
            }
            Crash::Power => {
                self.tally.power_cuts += 1;
                let seed = self.random.next();
                self.servers[server].cut_power(seed);
                self.hooks.attach(server, &self.servers[server].machine);
                self.may_lose_unsynced(server);
            }
        }
    }

    /// Ends servers that a planned crash has struck.
    pub(crate) fn clear_away(&mut self) {
        while let Some((server, crash)) = self.hooks.struck() {
            self.tell(|| format!("  {crash:?} of server {server} in the middle of that"));
            self.crash_within(server, crash);
        }
    }

    /// Ends a server whose disk has stopped in the middle of an operation.
    pub(crate) fn crash_within(&mut self, server: usize, crash: Crash) {
        self.uncertain = true;
        self.hang_up(server);
        match crash {
            Crash::Kill => {
                self.tally.kills += 1;
                self.servers[server].kill();
                self.servers[server].machine = self.servers[server].machine.copy();
            }
            Crash::Power => {
                self.tally.power_cuts += 1;
                let seed = self.random.next();
                self.servers[server].cut_power(seed);
                self.may_lose_unsynced(server);
            }
        }
        self.hooks.attach(server, &self.servers[server].machine);
    }

    /// Whether a sync has failed that a slave's readers did not wait for: its log was cut behind what they see.
    fn has_lost_what_it_shows(&self, server: usize) -> bool {
        let slave = self.environment(server).and_then(|it| it.slave());
        slave.is_some_and(|slave| {
            let progress = slave.progress();
            progress.received.map(|at| at.commit) < progress.applied.map(|at| at.commit)
        })
    }

    /// With SyncMode = 0 a power cut may take the last commits, though clients were answered, and so may
    /// a sync that fails. A slave shows commits before its disk has them; it may lose those.
    fn may_lose_unsynced(&mut self, server: usize) {
        if !self.settings.sync_every_commit {
            self.own[server].forget();
        }
        if server != self.master {
            let kept = self.promised[server].commit;
            let seen = &mut self.clients().servers[server].newest;
            *seen = kept.min(*seen);
        }
        if server == self.master && !self.settings.sync_every_commit {
            let mut clients = self.clients();
            clients.model.forget_acknowledged();
            clients.servers[server].newest = 0;
        }
    }

    /// Forward logging is switched off, or on again.
    pub(crate) fn move_log(&mut self) -> Result<(), String> {
        let master = self.master;
        let Some(environment) = self.environment(master) else {
            return Ok(());
        };
        self.end_lines(master);
        self.gap = true;
        let command = match environment.core().log_place() {
            LogPlace::ForwardLog => "forwardlog disable --yes",
            LogPlace::Journal => "forwardlog enable",
        };
        self.tell(|| format!("  {command}"));
        self.tally.moves += 1;
        let failed = environment
            .driver()
            .is_some_and(|driver| driver.log_failure().is_some());
        // The commit order is held meanwhile: clients would wait for themselves.
        let moved = control_plane::run(
            &environment,
            control_plane::Person::without_connection("dba"),
            command,
        );
        if failed && moved.is_ok() {
            // What never became durable was taken back first.
            let durable = environment.durable().ok_or("a master without a log")?;
            self.clients().model.settle(durable.commit.get())?;
        }
        self.unless_hurt(
            master,
            moved
                .map(drop)
                .map_err(|error| format!("{command}: {error}")),
        )
    }

    pub(super) fn end_lines(&mut self, server: usize) {
        let copying = self.copying.as_ref();
        if copying.is_some_and(|it| server == it.giver || server == it.taker) {
            self.copying = None;
        }
        for slave in 0..self.lines.len() {
            if (server == self.master || server == slave)
                && let Some(shipping) = self.lines[slave].take()
            {
                shipping.process.kill();
            }
        }
    }

    /// Ends all lines and clients of a server.
    /// The server is about to end. What it shows, and its log has lost, is gone with it.
    fn hang_up(&mut self, server: usize) {
        if self.has_lost_what_it_shows(server) {
            self.may_lose_unsynced(server);
        }
        self.end_lines(server);
        self.clients().forget(server);
    }

    /// Stops a server cleanly.
    pub(crate) fn stop(&mut self, server: usize) -> Result<(), String> {
        if self.servers[server].environment().is_none() {
            return Ok(());
        }
        self.tell(|| format!("  stop of server {server}"));
        self.tally.stops += 1;
        let promised = self.environment(server).and_then(|env| env.durable());
        self.hang_up(server);
        let stopped = self.servers[server].stop();
        if server != self.master && stopped.is_err() {
            self.may_lose_unsynced(server);
        }
        // What a stop completes is as good as acknowledged where the stop is clean.
        if stopped.is_ok() && server == self.master && promised.is_some() {
            let mut clients = self.clients();
            let newest = clients.model.newest();
            if !clients.servers[server].hurt {
                clients.model.acknowledge(newest);
            }
        }
        self.unless_hurt(server, stopped.map_err(|error| format!("stop: {error}")))
    }

    pub(crate) fn start_somebody(&mut self) -> Result<(), String> {
        let down: Vec<usize> = (0..self.servers.len())
            .filter(|server| self.servers[*server].environment().is_none())
            .collect();
        if down.is_empty() {
            return Ok(());
        }
        let server = down[self.below(down.len())];
        self.start(server)
    }

    /// Starts a server, and looks whether all is there that must be.
    pub(crate) fn start(&mut self, server: usize) -> Result<(), String> {
        self.clear_away();
        if self.servers[server].environment().is_some() {
            return Ok(());
        }
        self.tell(|| format!("  start of server {server}"));
        self.tally.starts += 1;
        let crash = self.settings.worst_crash();
        if let Some(crash) = crash.filter(|_| self.settings.within && self.one_in(3)) {
            let left = self.random.below(80);
            self.hooks.arm(server, left, crash);
        }
        let starting = &mut self.servers[server];
        let started = if self.settings.nested {
            self.hooks.among_clients(|| starting.start())
        } else {
            starting.start()
        };
        match started {
            Ok(environment) => {
                if self.is_struck(server) {
                    return Ok(());
                }
                self.clients().servers[server].environment = Some(environment);
                self.look_at_own_of(server)?;
                self.look_after_start(server)
            }
            Err(error) => self.unless_hurt(server, Err(format!("start: {error}"))),
        }
    }

    pub(super) fn look_after_start(&mut self, server: usize) -> Result<(), String> {
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        self.note_root(server);
        if environment.paused().is_some() {
            // It takes no writes, and is looked at once it does.
            return if self.names.is_empty() {
                self.lead_first()
            } else {
                Ok(())
            };
        }
        let last = if server == self.master && !self.couriers.in_doubt {
            let last = environment
                .durable()
                .ok_or("a master without a log")?
                .commit
                .get();
            self.tell(|| format!("  server {server} has commit {last}"));
            let behind = self.promised.iter().find(|promised| promised.commit > last);
            if let Some(promised) = behind {
                return Err(format!(
                    "a slave has commit {}, and its master only {last}",
                    promised.commit
                ));
            }
            {
                let mut clients = self.clients();
                if clients.model.newest() == 0 {
                    clients.model.begin(last);
                }
                clients.model.settle(last)?;
            }
            self.check_names()?;
            last
        } else {
            let Some(slave) = environment.slave() else {
                return self.unless_hurt(server, Err("a slave without a mirror".to_owned()));
            };
            let progress = slave.progress();
            self.look_after_switch(server, &environment)?;
            let last = progress.applied.map_or(0, |applied| applied.commit.get());
            self.tell(|| format!("  server {server} has commit {last}"));
            let Promised { commit } = self.promised[server];
            if last < commit {
                return Err(format!(
                    "slave {server} had commit {commit} on its disk, and has only {last}"
                ));
            }
            last
        };
        let mut clients = self.clients();
        let seen = clients.servers[server].newest;
        if last < seen {
            return Err(format!(
                "a reader of server {server} saw commit {seen}, and it has only {last}"
            ));
        }
        clients.look_at_all(server)
    }

    /// The master has the databases that it had, unless a change was cut short.
    fn check_names(&mut self) -> Result<(), String> {
        let Some(environment) = self.environment(self.master) else {
            return Ok(());
        };
        let now = names_of(&environment);
        if now != self.names && !self.uncertain {
            return Err(format!("databases {now:?} instead of {:?}", self.names));
        }
        self.note_databases();
        self.uncertain = false;
        Ok(())
    }

    /// A person comes: what is broken is mended, who cannot go on is started anew.
    pub(crate) fn repair(&mut self) -> Result<(), String> {
        for server in 0..self.servers.len() {
            if self.servers[server].hurt {
                self.repair_one(server)?;
            }
        }
        Ok(())
    }

    pub(crate) fn repair_one(&mut self, server: usize) -> Result<(), String> {
        let machine = self.servers[server].machine.clone();
        self.tell(|| format!("  server {server} is repaired"));
        // What a broken server has said may still be on its way.
        self.end_lines(server);
        self.may_lose_unsynced(server);
        machine.mend();
        for directory in ["/fwlog", "/data", "/tmp"] {
            machine.set_room(directory, None);
        }
        if self.random.coin() {
            machine.evict();
        }
        if self.needs_restart(server)? {
            let crash = self.settings.worst_crash().unwrap_or(Crash::Kill);
            self.crash(server, crash);
            // Whoever watches over a server starts it again.
            self.servers[server].hurt = false;
            self.clients().servers[server].hurt = false;
            return self.start(server);
        }
        self.servers[server].hurt = false;
        self.clients().servers[server].hurt = false;
        Ok(())
    }

    /// Whether a server cannot go on by itself.
    fn needs_restart(&mut self, server: usize) -> Result<bool, String> {
        let Some(environment) = self.environment(server) else {
            return Ok(false);
        };
        if self.has_no_log_of_its_own(server) {
            return Ok(true);
        }
        if let Some(slave) = environment.slave() {
            let suspended = slave.progress().suspended.is_some();
            return Ok(suspended || slave.has_failed());
        }
        let Some(driver) = environment.driver() else {
            return Ok(false);
        };
        let Some(durable) = environment.durable() else {
            // A change of its role has failed, and could not be taken back.
            return self
                .unless_hurt(server, Err("a master without a log".to_owned()))
                .map(|()| true);
        };
        if driver.log_failure().is_none() {
            return Ok(false);
        }
        // The commit order is held meanwhile: clients would wait for themselves.
        let mended = driver.mend_log();
        match mended {
            Ok(None) => {
                self.tell(|| format!("  the log of server {server} is brought back"));
                self.clients().model.settle(durable.commit.get())?;
                self.note_databases();
                Ok(false)
            }
            Ok(Some(failure)) => {
                self.tell(|| format!("  the log of server {server} has failed: {failure}"));
                Ok(true)
            }
            Err(_) if self.is_struck(server) => Ok(true),
            Err(_) if !self.settings.sync_every_commit => Ok(true),
            Err(error) => Err(format!(
                "the log of server {server} is not brought back: {error}"
            )),
        }
    }

    /// A slave is made anew.
    pub(crate) fn renew_slave(&mut self) -> Result<(), String> {
        let server = self.below(self.servers.len());
        if server == self.master || self.environment(self.master).is_none() {
            return Ok(());
        }
        self.hooks.disarm();
        self.clear_away();
        self.repair()?;
        self.crash(server, Crash::Kill);
        let within = mem::replace(&mut self.settings.within, false);
        let replaced = self.replace_by_copy(server);
        self.settings.within = within;
        replaced
    }
}
