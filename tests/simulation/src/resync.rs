//! Slaves get copies from running servers over the base conversation: message by message, while all goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use dbproto::{Progress, state};
use dbserver::environment::Environment;
use disk::testing::Fault;

use crate::conversation::{Conversation, Moved, Over};
use crate::databases::names_of;
use crate::hooks::Crash;
use crate::world::{Promised, World};

/// Messages of one conversation at most: every database is one group.
const MAX_MESSAGES: usize = 10_000;

/// What a server must have that begins with a copy.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    names: BTreeMap<u32, String>,
    at: Progress,
    /// It was proved, and is durable. Otherwise the server may have what it had before.
    is_complete: bool,
}

/// A copy on its way.
pub(crate) struct Copying {
    pub(crate) giver: usize,
    pub(crate) taker: usize,
    conversation: Conversation,
    expected: Expected,
}

impl World {
    /// One that has begun goes on soon, so that many are complete. What is complete waits for a while: whatever comes
    /// meanwhile, the state of its server may not change.
    pub(crate) fn is_turn_of_copy(&mut self) -> bool {
        let chances = if self.copying.is_some() { 3 } else { 7 };
        self.one_in(chances)
    }

    /// Whether a slave is about to get a copy: dbrepl does nothing else there.
    pub(crate) fn gets_copy(&self, server: usize) -> bool {
        self.copying.as_ref().is_some_and(|it| it.taker == server)
    }

    /// A copy begins, goes on for some messages, or is complete, and its server begins anew.
    pub(crate) fn go_on_with_copy(&mut self) -> Result<(), String> {
        if let Some(server) = self.arriving.iter().position(Option::is_some) {
            return self.begin_anew(server);
        }
        if self.copying.is_none() {
            return self.begin_copy();
        }
        for _ in 0..=self.random.below(16) {
            self.move_copy()?;
        }
        Ok(())
    }

    fn begin_copy(&mut self) -> Result<(), String> {
        let taker = self.below(self.servers.len());
        let giver = if self.one_in(3) {
            self.below(self.servers.len())
        } else {
            self.master
        };
        if taker == self.master || taker == giver {
            return Ok(());
        }
        if self.one_in(4) {
            self.hooks.disarm();
            self.clear_away();
            self.crash(taker, Crash::Kill);
            self.replace(taker)?;
            self.start(taker)?;
        }
        let (Some(from), Some(to)) = (self.environment(giver), self.environment(taker)) else {
            return Ok(());
        };
        self.end_lines(taker);
        self.tell(|| format!("  server {taker} gets a copy from server {giver}"));
        let pack = self.settings.pack;
        match self.nested(|| Conversation::open(&from, &to, pack)) {
            Ok(conversation) => {
                let at = conversation.cut().at;
                let cut = format!("{:?}", conversation.cut());
                self.tell(|| format!("  it is {cut}"));
                self.copying = Some(Copying {
                    giver,
                    taker,
                    conversation,
                    expected: Expected {
                        names: names_of(&from),
                        at,
                        is_complete: false,
                    },
                });
                Ok(())
            }
            // A slave has nothing yet, or not on its disk yet.
            Err(refuse) if giver != self.master && refuse.sqlstate == state::PREREQUISITE => Ok(()),
            Err(refuse) => self.unless_hurt(giver, Err(format!("a copy: {refuse:?}"))),
        }
    }

    /// Something small happens.
    fn move_copy(&mut self) -> Result<(), String> {
        let Some(mut copying) = self.copying.take() else {
            return Ok(());
        };
        let Copying { giver, taker, .. } = copying;
        let side = if self.random.coin() { giver } else { taker };
        if self.settings.cuts && self.one_in(40) {
            self.tell(|| "  the line of the copy is cut".to_owned());
            self.tally.conversations_cut += 1;
            return Ok(());
        }
        self.trouble(side);
        let conversation = &mut copying.conversation;
        let moved = self.nested(|| {
            if side == giver {
                conversation.move_giver()
            } else {
                conversation.move_taker()
            }
        });
        let is_struck = self.is_struck(giver) || self.is_struck(taker);
        if copying.conversation.is_proving() {
            let mut expected = copying.expected.clone();
            expected.is_complete = moved.is_ok() && !self.is_struck(taker);
            self.arriving[taker] = Some(expected);
        }
        match moved {
            Ok(Moved::On) if !is_struck => self.copying = Some(copying),
            Ok(Moved::On) => {}
            Ok(Moved::Complete) => {
                self.tell(|| format!("  the copy is complete on server {taker}"));
                self.tally.conversations += 1;
            }
            Err(over) => {
                drop(copying);
                return self.over((giver, taker), &over);
            }
        }
        Ok(())
    }

    /// What may come in the middle of it.
    fn trouble(&mut self, side: usize) {
        let crash = self.settings.worst_crash();
        if let Some(crash) = crash.filter(|_| self.settings.within && self.one_in(12)) {
            let left = self.random.below(40);
            self.tell(|| format!("  {crash:?} of server {side} in {left} operations"));
            self.hooks.arm(side, left, crash);
        }
        if (self.settings.errors || self.settings.full) && self.one_in(40) {
            self.hurt(side);
        }
    }

    /// A refusal is right only where something was broken on purpose, or the cut has ended.
    fn over(&mut self, (giver, taker): (usize, usize), over: &Over) -> Result<(), String> {
        self.tell(|| format!("  the copy ends: {over:?}"));
        self.tally.conversations_refused += 1;
        let (server, refuse) = match over {
            Over::Giver(refuse) => (giver, refuse),
            Over::Taker(refuse) => (taker, refuse),
        };
        let known = [state::CANNOT_CONNECT_NOW, state::IN_USE];
        let excused = known.iter().any(|it| refuse.sqlstate == *it);
        if excused {
            return Ok(());
        }
        self.unless_hurt(server, Err(format!("a copy: {refuse:?}")))
    }

    /// The server ends, in whatever way, and starts with what has come.
    fn begin_anew(&mut self, server: usize) -> Result<(), String> {
        match self.settings.worst_crash() {
            Some(crash) if self.random.coin() => self.crash(server, crash),
            _ => self.stop(server)?,
        }
        self.start(server)
    }

    /// A server has started to which a copy had come: it has what it had, or all that has come.
    pub(crate) fn look_after_switch(
        &mut self,
        server: usize,
        environment: &Arc<Environment>,
    ) -> Result<(), String> {
        let Some(expected) = self.arriving[server].take() else {
            return Ok(());
        };
        let applied = environment.slave().and_then(|it| it.progress().applied);
        let at = expected.at;
        if applied.map(|it| it.point) != Some(at.point) {
            if expected.is_complete {
                return Err(format!(
                    "a copy of commit {} was complete on server {server}, which begins at {applied:?}",
                    at.commit.get()
                ));
            }
            return Ok(());
        }
        self.tally.conversations_used += 1;
        self.tell(|| format!("  server {server} begins with the copy"));
        self.servers[server].is_copy = true;
        self.promised[server] = Promised {
            commit: at.commit.get(),
        };
        self.clients().servers[server].newest = 0;
        let compared = self.compare_copy((&expected.names, at), &BTreeMap::new(), environment);
        self.unless_hurt(server, compared)
    }

    /// Copies that are complete become the state.
    pub(crate) fn finish_copies(&mut self) -> Result<(), String> {
        self.copying = None;
        for server in 0..self.servers.len() {
            if self.arriving[server].is_some() {
                self.begin_anew(server)?;
            }
        }
        Ok(())
    }

    /// A slave that is down, and of another history, gets the state of its master, though the power fails somewhere on the
    /// way and once more in the switch. Nobody reads there before.
    pub(crate) fn resynchronize(&mut self, server: usize) -> Result<(), String> {
        self.tell(|| format!("  server {server} is resynchronized"));
        self.arriving[server] = None;
        if self.settings.power {
            let left = self.random.below(400);
            if self.copy_with_power_cut(server, left) {
                self.tally.conversations_cut += 1;
            }
        }
        let expected = self.copy_at_once(server)?;
        let expected = expected.ok_or("a copy ends though nothing is broken")?;
        if self.settings.power {
            let left = self.random.below(150);
            let starting = &mut self.servers[server];
            starting.kill();
            starting.machine.fail(Fault::after(left).power_off());
            drop(starting.start());
            self.power_again(server);
        } else {
            self.servers[server].kill();
        }
        self.arriving[server] = Some(expected);
        self.tally.conversations += 1;
        self.start(server)
    }

    /// `true`: the power has failed before all had come.
    fn copy_with_power_cut(&mut self, server: usize, left: u64) -> bool {
        let fault = Fault::after(left).power_off();
        self.servers[server].machine.fail(fault);
        let copied = self.copy_at_once(server);
        self.power_again(server);
        !matches!(copied, Ok(Some(_)))
    }

    pub(crate) fn power_again(&mut self, server: usize) {
        let seed = self.random.next();
        let server_again = &mut self.servers[server];
        server_again.cut_power(seed);
        server_again.machine.mend();
        self.hooks.attach(server, &self.servers[server].machine);
    }

    /// The whole conversation with the master. `None`: it has ended before.
    fn copy_at_once(&mut self, server: usize) -> Result<Option<Expected>, String> {
        let master = self.environment(self.master).ok_or("the master is down")?;
        let started = self.servers[server].start();
        let taker = started.map_err(|error| format!("start before a copy: {error}"))?;
        let opened = Conversation::open(&master, &taker, self.settings.pack);
        let mut conversation = opened.map_err(|refuse| format!("a copy: {refuse:?}"))?;
        for _ in 0..MAX_MESSAGES {
            let moved = if self.random.coin() {
                conversation.move_giver()
            } else {
                conversation.move_taker()
            };
            match moved {
                Ok(Moved::On) => {}
                Ok(Moved::Complete) => {
                    return Ok(Some(Expected {
                        names: names_of(&master),
                        at: conversation.cut().at,
                        is_complete: true,
                    }));
                }
                Err(over) => {
                    self.tell(|| format!("  the copy ends: {over:?}"));
                    return Ok(None);
                }
            }
        }
        Err("a copy does not end".to_owned())
    }
}
