//! Slaves that begin anew: empty, or with a copy of their master's data.

use dbconfig::Role;

use crate::server::Server;
use crate::world::{Promised, World};

/// What every refusal of a copy says, and what to do then.
const REFUSAL: [&str; 2] = ["was last run by", "copy its DataDir again"];

impl World {
    /// A server that cannot follow begins anew, as an empty slave.
    pub(crate) fn replace(&mut self, server: usize) -> Result<(), String> {
        let name = format!("{}r", self.servers[server].name);
        let fresh = Server::create(&self.settings, &name, Role::Slave, &self.time)?;
        self.put_in_place(server, fresh);
        Ok(())
    }

    /// Puts a slave in the place of another that starts with a copy of the master's data. When the stop
    /// of the master was not clean, that may be overlooked: the copy says so when it is started, and the
    /// master is stopped once more.
    pub(crate) fn replace_by_copy(&mut self, server: usize) -> Result<(), String> {
        let master = self.master;
        let name = format!("{}c", self.servers[server].name);
        self.stop(master)?;
        self.clear_away();
        let mut clean = self.servers[master].is_clean()?;
        let mut copied = self.servers[master].copied(&name)?;
        if !clean && self.is_refused(&copied)? {
            self.tally.copies_refused += 1;
            self.repair_one(master)?;
            self.start(master)?;
            self.stop(master)?;
            clean = self.servers[master].is_clean()?;
            copied = self.servers[master].copied(&name)?;
            if !clean {
                return Err(format!("server {master} does not stop cleanly"));
            }
        }
        self.tell(|| {
            format!("  server {server} becomes a copy of server {master}; clean: {clean}")
        });
        self.tally.copies += 1;
        self.put_in_place(server, copied);
        self.start(master)
    }

    /// Whether a copy does not start, which it must say in the right words.
    fn is_refused(&mut self, copied: &Server) -> Result<bool, String> {
        let mut tried = copied.on(copied.machine.copy());
        let started = tried.start();
        tried.kill();
        let Err(error) = started else {
            return Ok(false);
        };
        let said = format!("{error}; {}", error.hint().unwrap_or_default());
        self.tell(|| format!("  a copy of a master that was not stopped cleanly: {said}"));
        if REFUSAL.iter().all(|part| said.contains(part)) {
            Ok(true)
        } else {
            Err(format!("a copy is refused in other words: {said}"))
        }
    }

    pub(crate) fn put_in_place(&mut self, server: usize, fresh: Server) {
        if self.story.is_some() {
            fresh.machine.trace(400);
        }
        self.servers[server] = fresh;
        self.promised[server] = Promised::default();
        self.arriving[server] = None;
        self.clients().servers[server].newest = 0;
        self.hooks.attach(server, &self.servers[server].machine);
    }
}
