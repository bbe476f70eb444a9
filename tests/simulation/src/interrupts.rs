//! Slaves' forward logs are switched off and on.

use std::sync::Arc;

use dbserver::control_plane;
use dbserver::databases::control::LogPlace;
use dbserver::environment::Environment;
use fwlog::{LogDirectory, LogLocation, SegmentId};

use crate::server::Server;
use crate::world::World;

impl World {
    /// The master begins the next segment.
    pub(crate) fn switch_segment(&mut self) -> Result<(), String> {
        let master = self.master;
        let Some(environment) = self.environment(master) else {
            return Ok(());
        };
        let switched = control_plane::run(
            &environment,
            control_plane::Person::without_connection("dba"),
            "forwardlog switch",
        );
        self.unless_hurt(
            master,
            switched
                .map(drop)
                .map_err(|error| format!("switch: {error}")),
        )
    }

    /// The forward log of a slave is switched off, or on again.
    pub(crate) fn interrupt_log(&mut self) -> Result<(), String> {
        let server = self.below(self.servers.len());
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        if server == self.master || environment.slave().is_none() {
            return Ok(());
        }
        let off = self.random.coin();
        self.switch_mirrored_log(server, &environment, off)
    }

    /// By the command that an operator gives.
    pub(crate) fn switch_mirrored_log(
        &mut self,
        server: usize,
        environment: &Arc<Environment>,
        off: bool,
    ) -> Result<(), String> {
        // Nobody has the mirror of a server that is to begin anew.
        if self.arriving[server].is_some() {
            return Ok(());
        }
        // The connection would be asked for the mirror on this one thread.
        self.end_lines(server);
        let command = if off {
            "forwardlog disable"
        } else {
            "forwardlog enable"
        };
        self.tell(|| format!("  {command} on server {server}"));
        self.tally.interrupts += 1;
        let switched = self.nested(|| {
            let dba = control_plane::Person::without_connection("dba");
            control_plane::run(environment, dba, command)
        });
        match switched {
            Ok(_) if self.is_struck(server) => Ok(()),
            Ok(_) if off && environment.core().log_place() != LogPlace::Journal => Err(format!(
                "the forward log of server {server} is still written"
            )),
            Ok(_) => self.check_forward_log(server),
            Err(error) => self.unless_hurt(server, Err(format!("{command}: {error}"))),
        }
    }

    /// What a slave has in the directory of FwLog is what its master has there: whole segments, and of the one
    /// that it writes the beginning.
    pub(crate) fn check_forward_log(&self, server: usize) -> Result<(), String> {
        let Some(environment) = self.environment(server) else {
            return Ok(());
        };
        let (master, slave) = (&self.servers[self.master], &self.servers[server]);
        let location = LogLocation::parse("/fwlog/fw-%N").map_err(|error| error.to_string())?;
        let segments = slave.segments(&location);
        let written = (environment.core().log_place() == LogPlace::ForwardLog)
            .then(|| segments.last().copied())
            .flatten();
        for id in segments {
            let path = location.path(id);
            let own = slave.machine.content(&path).unwrap_or_default();
            let Some(masters) = master.machine.content(&path) else {
                // One that became the master with a log that had been interrupted.
                if self.settings.roles {
                    continue;
                }
                return Err(format!(
                    "the master has no segment {id}, slave {server} has"
                ));
            };
            let own = &own[..used(&own)];
            let is_right = if written == Some(id) {
                masters.starts_with(own)
            } else {
                masters[..used(&masters)] == *own
            };
            if !is_right && !slave.hurt && !self.is_struck(server) {
                let (own, masters) = (own.len(), used(&masters));
                return Err(format!(
                    "segment {id} of slave {server} has {own} bytes that are not the {masters} of its master's"
                ));
            }
        }
        Ok(())
    }

    /// All forward logs are on again: the next segment of the master is in each.
    pub(crate) fn resume_forward_logs(&mut self) -> Result<(), String> {
        for server in self.slaves() {
            let environment = self.environment(server).ok_or("a slave is down")?;
            self.switch_mirrored_log(server, &environment, false)?;
        }
        self.switch_segment()
    }

    /// Each slave writes where its master does.
    pub(crate) fn check_resumed(&self) -> Result<(), String> {
        let location = LogLocation::parse("/fwlog/fw-%N").map_err(|error| error.to_string())?;
        let newest = |server: usize| -> Option<SegmentId> {
            self.servers[server].segments(&location).last().copied()
        };
        for server in self.slaves() {
            self.check_forward_log(server)?;
            if newest(server) != newest(self.master) {
                return Err(format!(
                    "slave {server} writes {:?}, its master {:?}",
                    newest(server),
                    newest(self.master)
                ));
            }
        }
        Ok(())
    }

    /// Whether the master's log was interrupted while it was a slave: who needs more than is there begins anew.
    fn is_interrupted(&self, server: usize) -> Result<bool, String> {
        let process = self.servers[server].machine.process();
        let source = Server::source(&process)?;
        let directory = LogDirectory::scan(&source.location);
        process.kill();
        let directory = directory.map_err(|error| error.to_string())?;
        let first = directory.segments().first();
        Ok(!directory.gaps().is_empty() || first.is_none_or(|first| first.header.log_bytes > 0))
    }

    /// Whether slaves may lack what their master has not logged.
    pub(crate) fn needs_copy(&self) -> Result<bool, String> {
        Ok(self.settings.interrupts && self.settings.roles && self.is_interrupted(self.master)?)
    }

    fn slaves(&self) -> Vec<usize> {
        let all = 0..self.servers.len();
        all.filter(|server| *server != self.master).collect()
    }
}

/// Without zeros that are written ahead.
fn used(content: &[u8]) -> usize {
    content
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1)
}

impl Server {
    /// The segments in a directory, in order.
    pub(crate) fn segments(&self, location: &LogLocation) -> Vec<SegmentId> {
        let files = self.machine.files();
        let mut ids: Vec<_> = files
            .iter()
            .filter(|path| path.parent() == Some(location.directory.as_path()))
            .filter_map(|path| location.naming.segment_of(path.file_name()?.to_str()?))
            .collect();
        ids.sort_unstable();
        ids
    }
}
