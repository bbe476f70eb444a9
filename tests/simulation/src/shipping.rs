//! The lines between the master and its slaves, as far as the world handles them.

use dbproto::{Standing, state};

use crate::hooks::Crash;
use crate::line::{Broken, Line, is_divergence};
use crate::server::Server;
use crate::world::{Shipping, World};

impl World {
    /// One piece of the way from the master to a slave.
    pub(crate) fn ship(&mut self) -> Result<(), String> {
        let slave = self.below(self.servers.len());
        if slave == self.master || self.gap || self.gets_copy(slave) {
            return Ok(());
        }
        for _ in 0..=self.random.below(40) {
            if self.lines[slave].is_none() {
                self.connect(slave)?;
            }
            self.move_line(slave)?;
            if self.is_struck(slave) || self.is_struck(self.master) {
                return Ok(());
            }
        }
        Ok(())
    }

    pub(crate) fn connect(&mut self, slave: usize) -> Result<(), String> {
        let Some(environment) = self.environment(slave) else {
            return Ok(());
        };
        let process = self.servers[self.master].machine.process();
        let source = Server::source(&process)?;
        let pack = self.settings.pack;
        self.tell(|| format!("  dbrepl connects to server {slave}"));
        match self.nested(|| Line::open(source, pack, &environment)) {
            Ok(line) => {
                self.lines[slave] = Some(Shipping { process, line });
                self.tally.connections += 1;
                Ok(())
            }
            Err(broken) => {
                process.kill();
                self.broken(slave, &broken)
            }
        }
    }

    /// Something small happens on the line.
    pub(crate) fn move_line(&mut self, slave: usize) -> Result<(), String> {
        let what = self.random.below(8);
        let now = self.now();
        let Some(mut shipping) = self.lines[slave].take() else {
            return Ok(());
        };
        let line = &mut shipping.line;
        let moved = self.nested(|| match what {
            0..=2 => line.ship().map(drop),
            3..=4 => {
                line.deliver_to_slave();
                Ok(())
            }
            5 => {
                line.hand_on();
                Ok(())
            }
            6 => {
                line.sync(now);
                Ok(())
            }
            _ => line.deliver_to_source().map(drop),
        });
        match moved {
            Ok(()) => self.lines[slave] = Some(shipping),
            Err(broken) => {
                shipping.process.kill();
                drop(shipping);
                self.broken(slave, &broken)?;
            }
        }
        self.note_promised(slave);
        Ok(())
    }

    /// What a slave has on its disk by its own word.
    pub(crate) fn note_promised(&mut self, slave: usize) {
        let Some(environment) = self.environment(slave) else {
            return;
        };
        if self.is_struck(slave) {
            return;
        }
        let durable = environment
            .slave()
            .and_then(|slave| slave.progress().durable);
        if let Some(durable) = durable {
            let promised = &mut self.promised[slave].commit;
            *promised = durable.commit.get().max(*promised);
        }
    }

    /// A line that ended. A refusal is right only where something was broken on purpose.
    pub(crate) fn broken(&mut self, slave: usize, broken: &Broken) -> Result<(), String> {
        self.tell(|| format!("  the line to server {slave} ends: {broken:?}"));
        let excused = [slave, self.master].into_iter().any(|server| {
            self.servers[server].hurt
                || self.servers[server].environment().is_none()
                || self.is_struck(server)
        });
        match broken {
            Broken::Refused(refuse) if is_divergence(refuse) => {
                Err(format!("server {slave} has diverged: {refuse:?}"))
            }
            // It takes a moment until what was received has been applied.
            Broken::Refused(refuse) if refuse.sqlstate == state::IN_USE => Ok(()),
            _ if excused => Ok(()),
            Broken::Source(failure)
                if failure.standing == Some(Standing::LogMissing) && self.needs_copy()? =>
            {
                self.give_copy(slave)
            }
            Broken::Refused(refuse)
                if refuse.sqlstate == state::LOG_MISSING && self.needs_copy()? =>
            {
                self.give_copy(slave)
            }
            Broken::Source(failure)
                if self.settings.retention && failure.standing == Some(Standing::LogMissing) =>
            {
                self.bring_back_lost(slave)
            }
            Broken::Refused(refuse)
                if self.settings.retention && refuse.sqlstate == state::LOG_MISSING =>
            {
                self.bring_back_lost(slave)
            }
            _ => Err(format!("the line to server {slave} ended: {broken:?}")),
        }
    }

    fn give_copy(&mut self, slave: usize) -> Result<(), String> {
        self.crash(slave, Crash::Kill);
        self.replace_by_copy(slave)?;
        self.start(slave)
    }

    pub(crate) fn cut_line(&mut self) {
        let slave = self.below(self.servers.len());
        let Some(mut shipping) = self.lines[slave].take() else {
            return;
        };
        self.tell(|| format!("  the line to server {slave} is cut"));
        self.tally.cuts += 1;
        // Some of what is on its way still arrives.
        for _ in 0..self.random.below(4) {
            shipping.line.deliver_to_slave();
        }
        shipping.process.kill();
        drop(shipping);
        self.note_promised(slave);
    }
}
