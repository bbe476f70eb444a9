//! The master removes log by its rules: FwKeep, and the slots that it knows by the notes of dbrepl. A slave that is lost
//! with it gets a copy over the base conversation.

use std::mem;

use dbconfig::Keep;
use dbproto::{SlaveReport, Standing};
use dbserver::environment::retention::SlotStatus;

use crate::hooks::Crash;
use crate::world::World;

/// What a removal is refused with that would lose a slave, where nobody is sure.
const LOSES: &str = "would be removed: it is too far behind";

impl World {
    /// dbrepl's processes write down how far their slaves are, and somebody removes what the rules let go.
    pub(crate) fn remove_log(&mut self) -> Result<(), String> {
        let master = self.master;
        for slave in 0..self.servers.len() {
            if slave != master && !self.one_in(4) {
                self.note_slave(slave)?;
            }
        }
        let Some(environment) = self.environment(master) else {
            return Ok(());
        };
        let keep = Keep::Bytes(self.random.below(3) * self.settings.segment_size);
        let sure = self.random.coin();
        self.tell(|| format!("  log is removed but for {keep:?}; sure: {sure}"));
        let removed = self.nested(|| environment.remove_segments(Some(keep), false, sure));
        match removed {
            Ok(removed) => {
                let gone = removed.segments.iter().filter(|segment| segment.removed);
                let lost = gone.map(|segment| segment.loses.len()).sum::<usize>();
                self.tell(|| format!("  {} segments go", removed.removed_segments));
                self.tally.segments_removed += removed.removed_segments as u64;
                if lost > 0 && !sure {
                    return Err(format!("{lost} slots are lost, and nobody was sure"));
                }
                Ok(())
            }
            Err(error) if !sure && error.to_string().contains(LOSES) => {
                self.tally.removals_refused += 1;
                Ok(())
            }
            Err(error) => self.unless_hurt(master, Err(format!("log is removed: {error}"))),
        }
    }

    /// What dbrepl writes beside the log while it is connected.
    fn note_slave(&mut self, slave: usize) -> Result<(), String> {
        let Some(shipping) = &self.lines[slave] else {
            return Ok(());
        };
        let durable = self.environment(slave).and_then(|it| it.slave());
        let Some(durable) = durable.and_then(|it| it.progress().durable) else {
            return Ok(());
        };
        let now = self.time.clock().now();
        let report = SlaveReport {
            instance: self.servers[slave].name.clone(),
            speaker: None,
            address: String::new(),
            rival: None,
            standing: Standing::Following,
            since: now,
            connected: now,
            reason: None,
            written: now,
            heard: now,
            durable: Some(durable),
            applied: Some(durable),
            delay: std::time::Duration::ZERO,
            partial: false,
        };
        let path = format!("/fwlog/{}", SlaveReport::file_name(&report.instance));
        let disk = shipping.process.disk();
        let written = disk.write_atomic(path.as_ref(), &report.encode(), 0o600);
        let written = written.map_err(|error| format!("{path}: {error}"));
        self.unless_hurt(self.master, written)
    }

    /// A slave needs log that is gone: that is right only where it was not kept for it.
    pub(crate) fn bring_back_lost(&mut self, slave: usize) -> Result<(), String> {
        let master = self.environment(self.master).ok_or("the master is down")?;
        let name = &self.servers[slave].name;
        let slots = SlotStatus::all(&master).map_err(|error| format!("slots: {error}"))?;
        if let Some(slot) = slots.iter().find(|slot| slot.name == *name)
            && slot.state == "active"
        {
            return Err(format!(
                "server {slave} needs log that is removed, and it is kept for it: {slot:?}"
            ));
        }
        self.tally.slaves_lost += 1;
        let within = mem::replace(&mut self.settings.within, false);
        self.hooks.disarm();
        self.clear_away();
        self.crash(slave, Crash::Kill);
        let brought = self.resynchronize(slave);
        self.settings.within = within;
        brought
    }
}
