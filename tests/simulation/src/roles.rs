//! Roles change, by a restart or in the running process.

use std::mem;

use dbconfig::Role;
use dbproto::Progress;

use crate::hooks::Crash;
use crate::line::Broken;
use crate::world::{Promised, World};

/// What a slave asks for that has shown more than its disk has kept.
const RESTART: &str = "Restart the slave";

impl World {
    /// A slave becomes the master, and the master a slave.
    pub(crate) fn switch_roles(&mut self) -> Result<(), String> {
        let (old, new) = (self.master, self.below(self.servers.len()));
        // An empty slave could not follow a copy.
        let is_awaited = self.arriving.iter().any(Option::is_some);
        if old == new || is_awaited || !self.has_history(new) || self.servers[new].is_copy {
            return Ok(());
        }
        // The switch itself is not disturbed: what is lost by it must be known.
        let within = mem::replace(&mut self.settings.within, false);
        self.hooks.disarm();
        self.clear_away();
        self.clients().cut = None;
        self.repair()?;
        let in_process = self.settings.roles_in_process;
        if in_process {
            // Its role is changed where it runs: an edit that was made and taken back is none.
            self.start(old)?;
        } else {
            for server in [old, new] {
                if self.random.coin() {
                    self.stop(server)?;
                }
            }
        }
        // Who follows, too: it may have what the new master has not.
        for server in 0..self.servers.len() {
            if !in_process || (server != old && server != new) {
                self.crash(server, Crash::Kill);
            }
        }
        self.clear_away();
        self.tell(|| format!("  server {new} becomes the master instead of {old}"));
        self.tally.role_switches += 1;
        for server in 0..self.servers.len() {
            self.end_lines(server);
        }
        self.servers[old].role = Role::Slave;
        self.servers[new].role = Role::Master;
        self.master = new;
        self.uncertain = true;
        // Whatever the new master does not have is lost with the old one, by the operator's choice.
        {
            let mut clients = self.clients();
            clients.master = new;
            clients.model.forget_acknowledged();
        }
        let none = vec![Promised::default(); self.promised.len()];
        let before = mem::replace(&mut self.promised, none);
        if in_process {
            self.change_role(old, Role::Slave)?;
            // It may be ahead of the new master: nobody reads there until the two have met.
            self.clients().forget(old);
            self.change_role(new, Role::Master)?;
        }
        // Who is down by now, or was not changed in its process.
        self.start(new)?;
        let environment = self
            .environment(new)
            .ok_or("the new master does not start")?;
        let end = environment
            .durable()
            .ok_or("a master without a log")?
            .commit
            .get();
        self.tell(|| format!("  it goes on after commit {end}"));
        if before[new].commit > end {
            let had = before[new].commit;
            return Err(format!(
                "slave {new} had commit {had} on its disk, and begins after {end}"
            ));
        }
        for (server, before) in before.into_iter().enumerate() {
            if server != new {
                self.meet_new_master(server, before)?;
            }
        }
        self.settings.within = within;
        Ok(())
    }

    /// With less than its users a slave cannot be a master; what it shows and its disk has lost does not count.
    pub(crate) fn has_history(&self, server: usize) -> bool {
        let slave = self.environment(server).and_then(|it| it.slave());
        slave.is_some_and(|slave| {
            let progress = slave.progress();
            let has = |at: Option<Progress>| at.is_some_and(|at| at.commit.get() > 0);
            has(progress.applied) && has(progress.durable)
        })
    }

    /// Changes the role of a running server, while its clients go on.
    fn change_role(&mut self, server: usize, role: Role) -> Result<(), String> {
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        self.tell(|| format!("  server {server} becomes a {role:?} in its process"));
        self.tally.roles_in_process += 1;
        self.clients().changing = true;
        let changed = if self.settings.nested {
            self.hooks.among_clients(|| environment.change_role(role))
        } else {
            environment.change_role(role)
        };
        self.clients().changing = false;
        match changed {
            Err(error) if error.hint().is_some_and(|hint| hint.contains(RESTART)) => {
                self.tell(|| format!("  server {server} is restarted: {error}"));
                self.crash(server, Crash::Kill);
                return Ok(());
            }
            changed => changed.map_err(|error| format!("change of role: {error}"))?,
        }
        if environment.role() != role || environment.is_read_only() != (role == Role::Slave) {
            return Err(format!("server {server} is a {:?}", environment.role()));
        }
        self.look_after_start(server)
    }

    /// Who follows goes on, or is refused when it is ahead; then it begins anew.
    fn meet_new_master(&mut self, server: usize, before: Promised) -> Result<(), String> {
        self.clients().servers[server].newest = 0;
        if !self.settings.roles_in_process {
            self.crash(server, Crash::Kill);
        }
        // Nothing but the meeting is of interest here.
        let mut candidate = self.servers[server].on(self.servers[server].machine.copy());
        let environment = candidate
            .start()
            .map_err(|error| format!("start as a slave: {error}"))?;
        let ends = environment
            .slave()
            .and_then(|slave| slave.progress().durable);
        let met = self.try_line(&environment)?;
        drop(environment);
        candidate.kill();
        match met {
            None => {
                self.promised[server] = before;
                let running = self.environment(server);
                self.clients().servers[server].environment = running;
                Ok(())
            }
            Some(broken) if self.needs_copy()? => {
                self.tell(|| format!("  server {server} needs what was not logged: {broken:?}"));
                self.crash(server, Crash::Kill);
                self.replace_by_copy(server)
            }
            Some(Broken::Refused(refuse)) => {
                let ends = ends.map(|progress| progress.point);
                self.tell(|| {
                    format!("  server {server} ends at {ends:?} and is refused: {refuse:?}")
                });
                self.check_fork(server, ends)?;
                self.tally.forks_refused += 1;
                self.crash(server, Crash::Kill);
                if self.settings.rejoins && self.rejoin(server)? {
                    return Ok(());
                }
                if self.settings.base_copies {
                    return self.resynchronize(server);
                }
                if self.random.coin() {
                    self.replace(server)
                } else {
                    self.replace_by_copy(server)
                }
            }
            Some(Broken::Source(failure)) => Err(format!("dbrepl: {failure:?}")),
        }
    }
}
