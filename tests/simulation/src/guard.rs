//! A root is brought back from an old copy, and its slave has what the copy lacks: the root gets that back before it
//! writes, and loses nothing, wherever a process or the power ends in between.

use std::sync::Arc;

use dbproto::Identify;
use dbrepl::source;
use dbserver::environment::Environment;
use dbserver::environment::fence::OtherLog;
use dbserver::environment::pause::PeerSays;
use fwlog::hash_at;

use crate::hooks::Crash;
use crate::line::{Broken, Line};
use crate::server::Server;
use crate::settings::Settings;
use crate::world::{Shipping, World};

/// So often it is gone on with, until it has to be over.
const ROUNDS: usize = 200;
/// The root, and the slave that is ahead of it.
const ROOT: usize = 0;
const AHEAD: usize = 1;

/// Ends one of the two servers at every operation in turn; gives how many there were.
///
/// Errors: what was wrong.
pub fn get_back_in_trouble(seed: u64) -> Result<u64, String> {
    let mut tried = 0;
    for crash in [Crash::Kill, Crash::Power] {
        for server in [ROOT, AHEAD] {
            for at in 0.. {
                let mut world = World::new(Settings::guarded(seed), true)?;
                let struck = world.come_back_from_a_copy(server, crash, at);
                let told = |error| {
                    let story = world.story().join("\n");
                    format!("{crash:?} of server {server} at operation {at}: {error}\n{story}")
                };
                if !struck.map_err(told)? {
                    break;
                }
                tried += 1;
            }
        }
    }
    Ok(tried)
}

impl World {
    /// `false`: there was no such operation.
    fn come_back_from_a_copy(
        &mut self,
        server: usize,
        crash: Crash,
        at: u64,
    ) -> Result<bool, String> {
        self.lead_again()?;
        self.work_and_catch_up(2)?;
        let copy = self.servers[ROOT].machine.copy();
        self.work_and_catch_up(3)?;
        self.switch_segment()?;
        self.work_and_catch_up(2)?;
        // Its history lies beside its log from its start on.
        self.stop(AHEAD)?;
        self.start(AHEAD)?;
        self.crash(ROOT, Crash::Kill);
        self.servers[ROOT].machine = copy;
        self.hooks.attach(ROOT, &self.servers[ROOT].machine);
        self.hooks.arm(server, at, crash);
        self.lead_again()?;
        let struck = !self.hooks.is_armed();
        self.hooks.disarm();
        self.clear_away();
        // What it has got back outlives one more end.
        self.crash(ROOT, crash);
        self.lead_again()?;
        self.look_after_start(ROOT)?;
        self.work_and_catch_up(1)?;
        self.compare()?;
        Ok(struck)
    }

    /// An empty slave has nothing to say: the root of a new environment writes.
    pub(crate) fn lead_first(&mut self) -> Result<(), String> {
        let Some(root) = self
            .environment(ROOT)
            .filter(|root| root.paused().is_some())
        else {
            return Ok(());
        };
        root.resume().map_err(|error| error.to_string())?;
        self.look_after_start(ROOT)
    }

    fn work_and_catch_up(&mut self, transactions: usize) -> Result<(), String> {
        for _ in 0..transactions {
            self.transact()?;
            self.after_step()?;
        }
        self.catch_up()?;
        for slave in 0..self.servers.len() {
            self.note_promised(slave);
        }
        self.after_step()
    }

    /// Whoever is down is started, and the root asks its slave, until it writes.
    fn lead_again(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            if self.go_on_to_lead()? {
                return Ok(());
            }
        }
        Err("the root does not write again".to_owned())
    }

    /// One step. `true`: it writes.
    fn go_on_to_lead(&mut self) -> Result<bool, String> {
        for server in [ROOT, AHEAD] {
            self.start(server)?;
        }
        let (Some(root), Some(_)) = (self.environment(ROOT), self.environment(AHEAD)) else {
            return Ok(false);
        };
        let Some(pause) = root.paused() else {
            return Ok(!root.is_read_only());
        };
        let asked = match pause.back {
            None => self.hear_slave(&root),
            Some(_) => match root.has_got_back() {
                Ok(true) => Ok(()),
                Ok(false) => self.get_back(&root),
                Err(error) => Err(error.to_string()),
            },
        };
        let struck = self.is_struck(ROOT) || self.is_struck(AHEAD);
        self.clear_away();
        match asked {
            Err(_) if struck => Ok(false),
            other => other.map(|()| false),
        }
    }

    fn hear_slave(&mut self, root: &Arc<Environment>) -> Result<(), String> {
        let end = root.slave().and_then(|slave| slave.progress().durable);
        let end = end.ok_or("a root without a log")?.point;
        let process = self.servers[AHEAD].machine.process();
        let told = Server::source(&process).and_then(|source| {
            let told = introduced(&source)?;
            let there = hash_at(&source.location, end.position);
            Ok((told, there.map_err(|error| error.to_string())?))
        });
        process.kill();
        let (told, there) = told?;
        let log = OtherLog::of(&told).ok_or("a slave without a history")?;
        let heard = root.hear_peer(&log, there == Some(end.hash));
        self.tell(|| format!("  the root hears its slave: {heard:?}"));
        let heard = heard.map_err(|error| error.to_string())?;
        if heard == PeerSays::Nothing {
            let resumed = root.resume();
            self.tell(|| format!("  the root writes again: {resumed:?}"));
            resumed.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// The slave's dbrepl brings it, piece by piece.
    fn get_back(&mut self, root: &Arc<Environment>) -> Result<(), String> {
        let process = self.servers[AHEAD].machine.process();
        let line = Line::open(Server::source(&process)?, false, root);
        let mut shipping = match line {
            Ok(line) => Shipping { process, line },
            Err(broken) => return Err(format!("{broken:?}")),
        };
        let result = self.move_until_even(root, &mut shipping);
        shipping.process.kill();
        drop(shipping);
        result
    }

    fn move_until_even(
        &mut self,
        root: &Arc<Environment>,
        shipping: &mut Shipping,
    ) -> Result<(), String> {
        let line = &mut shipping.line;
        let wrong = |broken: Broken| format!("{broken:?}");
        loop {
            line.ship().map_err(wrong)?;
            while line.deliver_to_slave() {}
            line.hand_on();
            line.sync(self.now());
            while line.deliver_to_source().map_err(wrong)? {}
            let driver = root.driver().ok_or("an environment with threads")?;
            while driver.apply() {}
            if root.has_got_back().map_err(|error| error.to_string())? {
                return Ok(());
            }
        }
    }
}

pub(crate) fn introduced(source: &dbrepl::served_log::Source) -> Result<Identify, String> {
    let told = source::introduce(source, false);
    let mut told = told.map_err(|error| error.to_string())?;
    told.greeting = source::greeting(source)?.map(Box::new);
    Ok(told)
}
