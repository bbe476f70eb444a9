//! The role that writes is handed over by the servers' own calls, as dbctl carries them from one to the other: it may
//! end between any two of them, what it has sent may arrive late, and the servers end in the middle of any of them.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use dbconfig::Role;
use dbserver::databases::handover::{Handover, HandoverId, HandoverPoint};
use dbserver::environment::Environment;
use dbserver::error::EngineError;

use crate::hooks::Crash;
use crate::world::World;

/// Couriers that come while there is trouble.
const TROUBLED: usize = 6;
/// Couriers that come when all is mended: each ends it, unless one that was late was in its way.
const CALM: usize = 3;
/// So many things happen on a line until the slave has all.
const SHIPPED: usize = 20_000;

/// What a server says to a courier.
enum Answer<T> {
    Yes(T),
    No,
    /// The server can't be asked, has ended before its answer, or the courier has.
    Lost,
}

/// What dbctl asks of a server.
#[derive(Clone, Copy, Debug)]
enum Request {
    Take(HandoverId, HandoverPoint),
    Refuse(HandoverId, HandoverPoint),
    Withdraw(HandoverId),
}

/// What those who carry a handover have left.
#[derive(Debug, Default)]
pub(crate) struct Couriers {
    /// The master has given its role away, and nobody has it.
    pub(crate) in_doubt: bool,
    late: Vec<Late>,
}

/// A request whose courier has ended before it arrived.
#[derive(Clone, Copy, Debug)]
struct Late {
    server: usize,
    request: Request,
}

/// Between which two.
#[derive(Clone, Copy, Debug)]
struct Pair {
    old: usize,
    new: usize,
}

impl Request {
    /// `false`: it is not so, and the other one must not believe it.
    fn ask(self, environment: &Environment) -> Result<bool, EngineError> {
        match self {
            Self::Take(id, end) => environment.take(id, end, Duration::ZERO).map(|()| true),
            Self::Refuse(id, end) => environment.refuse(id, end),
            Self::Withdraw(id) => environment.withdraw(id).map(|()| true),
        }
    }
}

impl World {
    /// The role goes to a slave, or stays where it is; in any case one server has it in the end.
    pub(crate) fn hand_over(&mut self) -> Result<(), String> {
        let pair = Pair {
            old: self.master,
            new: self.below(self.servers.len()),
        };
        self.hooks.disarm();
        self.clear_away();
        // Where a slave's log begins later, the others could not follow it.
        let is_fit = self.has_history(pair.new) && !self.servers[pair.new].is_copy;
        let is_awaited = self.arriving.iter().any(Option::is_some);
        if pair.old == pair.new || !is_fit || is_awaited || self.environment(pair.old).is_none() {
            return Ok(());
        }
        self.copying = None;
        self.clients().cut = None;
        self.tell(|| format!("  the role goes from {} to {}", pair.old, pair.new));
        self.tally.handovers += 1;
        self.clients().changing = true;
        let root = self.hand_over_in_trouble(pair);
        self.hooks.disarm();
        let root = root?;
        self.clear_away();
        self.clients().changing = false;
        self.tell(|| format!("  server {root} is the root"));
        self.tally.handovers_taken += u64::from(root == pair.new);
        Ok(())
    }

    /// Couriers come until there is one root; gives it.
    fn hand_over_in_trouble(&mut self, pair: Pair) -> Result<usize, String> {
        for courier in 0..TROUBLED + CALM {
            let calm = courier >= TROUBLED;
            if calm {
                self.calm_down(pair)?;
            }
            let ended = self.carry(pair, calm)?;
            self.hooks.disarm();
            self.clear_away();
            self.check_roots(pair)?;
            if let Some(root) = ended {
                return self.check_root(root);
            }
            if !calm {
                self.between_couriers(pair)?;
            }
        }
        Err(format!(
            "{pair:?}: a courier comes again and again, and there is no root"
        ))
    }

    /// From now on nothing disturbs it.
    fn calm_down(&mut self, pair: Pair) -> Result<(), String> {
        let within = mem::replace(&mut self.settings.within, false);
        self.hooks.disarm();
        self.clear_away();
        self.repair()?;
        for server in [pair.old, pair.new] {
            self.start(server)?;
        }
        self.settings.within = within;
        Ok(())
    }

    /// Servers end and begin, and what was late arrives.
    fn between_couriers(&mut self, pair: Pair) -> Result<(), String> {
        for server in [pair.old, pair.new] {
            match self.random.below(6) {
                0 => {
                    if let Some(crash) = self.settings.worst_crash() {
                        self.tell(|| format!("  {crash:?} of server {server}"));
                        self.crash(server, crash);
                    }
                }
                1 => self.stop(server)?,
                2..=4 => self.start(server)?,
                _ => {}
            }
            self.clear_away();
            self.check_roots(pair)?;
        }
        self.arrives_late(pair)
    }

    /// One that was sent by a courier that has ended long ago.
    fn arrives_late(&mut self, pair: Pair) -> Result<(), String> {
        if self.couriers.late.is_empty() || self.random.coin() {
            return Ok(());
        }
        let index = self.below(self.couriers.late.len());
        let Late { server, request } = self.couriers.late.swap_remove(index);
        if server != pair.old && server != pair.new {
            return Ok(());
        }
        self.tell(|| "  late:".to_owned());
        if matches!(request, Request::Take(..)) {
            self.end_lines(server);
        }
        self.send(pair, server, request, true).map(drop)
    }

    /// What dbctl does: one that begins, or goes on where another one has ended. `None`: it has ended, or could not end it.
    fn carry(&mut self, pair: Pair, calm: bool) -> Result<Option<usize>, String> {
        let (Some(old), Some(new)) = (self.environment(pair.old), self.environment(pair.new))
        else {
            return Ok(None);
        };
        let (id, end) = match old.handover() {
            Some(Handover::Given { id, end, .. }) if old.role() == Role::Slave => (id, end),
            _ if old.role() == Role::Slave => {
                // Nothing is left to do: what the other has written has come.
                return Ok((!new.is_read_only()).then_some(pair.new));
            }
            _ => {
                drop(old);
                match self.offer(pair, calm)? {
                    Answer::Yes(offered) => offered,
                    Answer::No | Answer::Lost => return Ok(None),
                }
            }
        };
        let there = new.handover();
        drop(new);
        if has_taken(there.as_ref(), id) {
            return Ok(self.leads(pair.new).then_some(pair.new));
        }
        self.keep(pair.old, end);
        if !calm && self.one_in(4) {
            return self.take_back(pair, (id, end), calm);
        }
        self.bring_the_rest(pair, end, calm)?;
        match self.send(pair, pair.new, Request::Take(id, end), calm)? {
            Answer::Yes(_) => Ok(Some(pair.new)),
            Answer::No => self.take_back(pair, (id, end), calm),
            Answer::Lost => Ok(None),
        }
    }

    fn offer(
        &mut self,
        pair: Pair,
        calm: bool,
    ) -> Result<Answer<(HandoverId, HandoverPoint)>, String> {
        let id = HandoverId::new(u128::from(self.random.next()));
        let to = self.servers[pair.new].name.clone();
        let asked = self.ask(pair, pair.old, calm, |environment| {
            environment.offer(id, &to)?;
            Ok(environment.handover())
        })?;
        match asked {
            Answer::Yes(Some(Handover::Given { id, end, .. })) => {
                self.keep(pair.old, end);
                Ok(Answer::Yes((id, end)))
            }
            Answer::Yes(other) => Err(format!("what was offered is {other:?}")),
            Answer::No if calm && !self.is_hurt(pair) => {
                Err("a master in good order offers nothing".to_owned())
            }
            Answer::No => Ok(Answer::No),
            Answer::Lost => Ok(Answer::Lost),
        }
    }

    /// The slave says that it never takes it, and then the old root goes on.
    fn take_back(
        &mut self,
        pair: Pair,
        (id, end): (HandoverId, HandoverPoint),
        calm: bool,
    ) -> Result<Option<usize>, String> {
        match self.send(pair, pair.new, Request::Refuse(id, end), calm)? {
            Answer::Yes(true) => {}
            Answer::Yes(false) => return Ok(self.leads(pair.new).then_some(pair.new)),
            Answer::No | Answer::Lost => return Ok(None),
        }
        match self.send(pair, pair.old, Request::Withdraw(id), calm)? {
            Answer::Yes(_) => Ok(Some(pair.old)),
            Answer::No | Answer::Lost => Ok(None),
        }
    }

    /// The log of the old root is shipped on, some of it or all.
    fn bring_the_rest(&mut self, pair: Pair, end: HandoverPoint, calm: bool) -> Result<(), String> {
        let pieces = if calm || self.random.coin() {
            SHIPPED
        } else {
            self.below(40)
        };
        for _ in 0..pieces {
            if self.master != pair.old || self.environment(pair.new).is_none() {
                break;
            }
            if self.lines[pair.new].is_none() {
                self.connect(pair.new)?;
            }
            self.move_line(pair.new)?;
            self.clear_away();
            let Some(environment) = self.environment(pair.new) else {
                break;
            };
            if let Some(driver) = environment.driver() {
                while driver.apply() {}
            }
            let durable = environment.slave().and_then(|it| it.progress().durable);
            if durable.is_some_and(|durable| durable.point == end.point) {
                break;
            }
            if self.is_hurt(pair) && self.one_in(100) {
                break;
            }
        }
        // The connection is on this one thread, and would be waited for.
        self.end_lines(pair.new);
        Ok(())
    }

    fn send(
        &mut self,
        pair: Pair,
        server: usize,
        request: Request,
        calm: bool,
    ) -> Result<Answer<bool>, String> {
        if !calm && self.one_in(8) {
            self.tell(|| format!("  the courier ends, and its {request:?} is on its way"));
            self.couriers.late.push(Late { server, request });
            return Ok(Answer::Lost);
        }
        self.tell(|| format!("  server {server}: {request:?}"));
        self.ask(pair, server, calm, |environment| request.ask(environment))
    }

    /// One question, in whose middle a server may end.
    fn ask<T>(
        &mut self,
        pair: Pair,
        server: usize,
        calm: bool,
        question: impl FnOnce(&Environment) -> Result<T, EngineError>,
    ) -> Result<Answer<T>, String> {
        let Some(environment) = self.environment(server) else {
            return Ok(Answer::Lost);
        };
        if !calm {
            self.trouble_for(server);
        }
        let led = self.leads(server);
        let answer = self.nested(|| question(&environment));
        self.check_roots(pair)?;
        if self.is_struck(server) {
            self.clear_away();
            return Ok(Answer::Lost);
        }
        self.hooks.disarm();
        self.note_root(server);
        if self.leads(server) && !led {
            self.look_after_start(server)?;
        }
        self.follow_role(server, &environment, calm);
        match answer {
            _ if !calm && self.one_in(6) => {
                self.tell(|| "  the courier ends".to_owned());
                Ok(Answer::Lost)
            }
            Ok(answer) => Ok(Answer::Yes(answer)),
            Err(error) => {
                self.tell(|| format!("  server {server}: {error}"));
                Ok(Answer::No)
            }
        }
    }

    fn trouble_for(&mut self, server: usize) {
        let crash = self.settings.worst_crash();
        if let Some(crash) = crash.filter(|_| self.settings.within && self.one_in(2)) {
            let crash = if self.settings.kill && self.random.coin() {
                Crash::Kill
            } else {
                crash
            };
            let left = self.random.below(60);
            self.tell(|| format!("  {crash:?} of server {server} in {left} operations"));
            self.hooks.arm(server, left, crash);
        }
        if (self.settings.errors || self.settings.full) && self.one_in(8) {
            self.hurt(server);
        }
    }

    /// The configuration says what the server is, unless nobody can write it; the server may end before it has noted that.
    fn follow_role(&mut self, server: usize, environment: &Arc<Environment>, calm: bool) {
        if self.one_in(3) {
            return;
        }
        let role = environment.role();
        self.servers[server].role = role;
        if !calm && self.settings.kill && self.one_in(6) {
            self.tell(|| format!("  server {server} is killed, its configuration says {role:?}"));
            self.crash(server, Crash::Kill);
            return;
        }
        if let Err(error) = environment.configuration_says(role) {
            self.tell(|| format!("  server {server}, its configuration: {error}"));
        }
    }

    /// Who leads is the master from now on.
    pub(crate) fn note_root(&mut self, server: usize) {
        if !self.settings.handovers || self.is_struck(server) {
            return;
        }
        if self.leads(server) && self.master != server {
            for line in 0..self.servers.len() {
                self.end_lines(line);
            }
            self.master = server;
            self.clients().master = server;
        }
        self.couriers.in_doubt =
            self.environment(self.master).is_some() && !self.leads(self.master);
    }

    fn leads(&self, server: usize) -> bool {
        let environment = self.environment(server);
        environment.is_some_and(|environment| !environment.is_read_only())
    }

    /// What the old root has said to have, it has from now on.
    fn keep(&mut self, server: usize, end: HandoverPoint) {
        let kept = &mut self.promised[server].commit;
        *kept = end.commit.get().max(*kept);
    }

    fn is_hurt(&self, pair: Pair) -> bool {
        [pair.old, pair.new]
            .into_iter()
            .any(|it| self.servers[it].hurt)
    }

    /// Never two, also when they are started again.
    fn check_roots(&mut self, pair: Pair) -> Result<(), String> {
        let both = [pair.old, pair.new];
        if both
            .into_iter()
            .all(|it| self.leads(it) && !self.is_struck(it))
        {
            return Err(format!("{pair:?}: both take writes"));
        }
        if !self.one_in(3) {
            return Ok(());
        }
        let mut roots = 0;
        for server in both {
            let machine = self.servers[server].machine.copy();
            let machine = if self.settings.power && self.random.coin() {
                machine.after_power_cut(self.random.next())
            } else {
                machine
            };
            let mut again = self.servers[server].on(machine);
            roots += u32::from(again.start().is_ok_and(|it| !it.is_read_only()));
            again.kill();
        }
        if roots > 1 {
            return Err(format!(
                "{pair:?}: both take writes when they are started again"
            ));
        }
        Ok(())
    }

    /// The root writes, has all that was acknowledged, and is the one that the others follow.
    fn check_root(&mut self, root: usize) -> Result<usize, String> {
        if self.environment(root).is_none() {
            // It has ended since; its next start is looked at.
            return Ok(root);
        }
        if !self.leads(root) || self.master != root || self.couriers.in_doubt {
            return Err(format!(
                "server {root} is said to be the root, and does not write"
            ));
        }
        Ok(root)
    }
}

fn has_taken(known: Option<&Handover>, id: HandoverId) -> bool {
    matches!(known, Some(Handover::Taking { id: it } | Handover::Taken { id: it }) if *it == id)
}
