//! Sources as managed things: the slaves that this server feeds by itself, through one dbrepl that it runs, and the
//! repositories that its log is archived in.
//!
//! ```text
//! control_plane ─▶ Sources (what is wished, durable; Supervisor) ─ steps ─▶ driver ─ orders ─▶ dbrepl --managed
//!                     ▲                                                        │
//!                     └──────────────── reports, its end ◀─────────────────────┘
//! ```
//! The pipes are the whole connection: nobody else can speak on them, they need no address and no password, and they end
//! with the server however that ends, which ends the dbrepl.

mod change;
mod definition;
pub(crate) mod driver;
mod process;
pub(crate) mod program;
pub(crate) mod refusal;
mod source;
mod supervisor;
mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dbconfig::Config;
use dbproto::managed::Run;
use disk::Disk;
use fwlog::{Clock, LogPoint};

use crate::commit::release::Release;
use crate::databases::host::Host;
use crate::databases::layout::Layout;
use crate::error::EngineError;

pub(crate) use change::Change;
use definition::Wishes;
pub(crate) use definition::{Definition, Receiver, Said, Wish};
pub(crate) use source::{Standing, State};
use supervisor::{Now, Step, Supervisor};
use watch::Watch;

/// All sources, and what operators have said of those who feed this server.
pub(crate) struct Sources {
    disk: Disk,
    path: PathBuf,
    clock: Clock,
    /// What slaves acknowledge goes there.
    release: Arc<Release>,
    held: Mutex<Held>,
    /// Rung when anything has changed.
    bell: Condvar,
}

struct Held {
    supervisor: Supervisor,
    receiver: Receiver,
    /// What the file has; an error: it can't be read.
    written: Result<Wishes, String>,
    /// Rung for the driver: something may have to be done.
    rung: bool,
    /// Which archives lack something for too long.
    watch: Watch,
}

impl Sources {
    /// Reads the file. One that can't be read keeps no server from starting; then nothing can be changed.
    pub(crate) fn open(
        layout: &Layout,
        config: &Config,
        host: &Host,
        release: &Arc<Release>,
    ) -> Self {
        let (disk, path) = (layout.disk().clone(), layout.sources());
        let written = Wishes::read(&disk, &path);
        if let Err(why) = &written {
            tracing::error!("{why}; only the sources of the configuration run. {WITHOUT_HINT}");
        }
        let known = written.clone().unwrap_or_default();
        let definitions = with_configured(known.sources, config);
        let limit = config.replication.sources.limit;
        Self {
            disk,
            path,
            release: Arc::clone(release),
            held: Mutex::new(Held {
                supervisor: Supervisor::new(definitions, limit, host.clock.now()),
                receiver: known.receiver,
                written,
                rung: true,
                watch: Watch::new(config),
            }),
            clock: host.clock.clone(),
            bell: Condvar::new(),
        }
    }

    /// How each source stands, by name.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        self.held().supervisor.standings()
    }

    /// The passive ones that become active once this server is the root.
    pub(crate) fn as_root(&self) -> Vec<String> {
        let definitions = self.held().supervisor.definitions().into_iter();
        let waits = |it: &Definition| it.wish == Wish::Passive { auto: true };
        definitions.filter(waits).map(|it| it.name).collect()
    }

    /// What operators have said of those who feed this server.
    pub(crate) fn receiver(&self) -> Receiver {
        self.held().receiver.clone()
    }

    /// Whether each message that comes is to be told.
    pub(crate) fn tells_messages(&self) -> bool {
        self.held().receiver.stats
    }

    /// Changes what is wished; durable on return. After an error all is as it was.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut Supervisor, &mut Receiver, Now) -> Result<T, EngineError>,
    ) -> Result<T, EngineError> {
        let mut held = self.held();
        let written = held.written.as_ref().map_err(|why| {
            EngineError::state(format!("the sources are not known: {why}"), WITHOUT_HINT)
        })?;
        let (mut supervisor, mut receiver) = (held.supervisor.clone(), held.receiver.clone());
        let result = change(&mut supervisor, &mut receiver, self.now())?;
        let wishes = Wishes {
            sources: supervisor.definitions(),
            receiver: receiver.clone(),
        };
        if wishes != *written {
            wishes.write(&self.disk, &self.path)?;
        }
        (held.supervisor, held.receiver, held.written) = (supervisor, receiver, Ok(wishes));
        held.rung = true;
        self.bell.notify_all();
        Ok(result)
    }

    /// A source is to run, or to be passive; see [`Supervisor::start`].
    pub(crate) fn start(&self, new: Definition) -> Result<(), EngineError> {
        self.change(|supervisor, _, now| supervisor.start(new, now))
    }

    /// Changes a source that runs. False: it is as wanted already.
    pub(crate) fn set(
        &self,
        name: &str,
        set: impl FnOnce(&mut Definition),
    ) -> Result<bool, EngineError> {
        self.change(|supervisor, _, now| supervisor.change(name, set, now))
    }

    /// Takes the sources from a configuration that was read again, and tries those again that were given up: whoever
    /// has mended a password file says so by that.
    pub(crate) fn reload(&self, config: &Config) -> Result<Vec<Change>, EngineError> {
        let limit = config.replication.sources.limit;
        self.held().watch.adopt(config);
        self.change(|supervisor, _, now| {
            let definitions = with_configured(supervisor.definitions(), config);
            if definitions.len() > limit {
                return Err(refusal::too_many_configured(definitions.len(), limit));
            }
            Ok(supervisor.adopt(definitions, limit, now))
        })
    }

    /// Ends a source, or all; see [`Supervisor::shut_down`].
    pub(crate) fn shut_down(
        &self,
        name: Option<&str>,
        grace: Duration,
    ) -> Result<Vec<String>, EngineError> {
        self.change(|supervisor, _, now| supervisor.shut_down(name, grace, now))
    }

    /// Forgets a source that does not run.
    pub(crate) fn forget(&self, name: &str) -> Result<(), EngineError> {
        self.change(|supervisor, _, _| supervisor.forget(name))
    }

    /// Notes what an operator says of those who feed this server.
    pub(crate) fn set_receiver(&self, set: impl FnOnce(&mut Receiver)) -> Result<(), EngineError> {
        self.change(|_, receiver, _| {
            set(receiver);
            Ok(())
        })
    }

    /// Waits until a source, or none of them, has a task any more, so long at most. Gives whether that is so.
    pub(crate) fn wait_for_end(&self, name: Option<&str>, at_most: Duration) -> bool {
        let (held, _timed_out) = self
            .bell
            .wait_timeout_while(self.held(), at_most, |held| held.supervisor.has_task(name))
            .unwrap_or_else(PoisonError::into_inner);
        !held.supervisor.has_task(name)
    }

    /// Has the state machine go on with what has happened.
    fn happened<T>(&self, work: impl FnOnce(&mut Supervisor, Now) -> T) -> T {
        let mut held = self.held();
        let result = work(&mut held.supervisor, self.now());
        self.tell_release(&held.supervisor);
        held.rung = true;
        self.bell.notify_all();
        result
    }

    /// Commits wait for slaves that are fed, or would be.
    fn tell_release(&self, supervisor: &Supervisor) {
        self.release.set_sources(&supervisor.fed());
    }

    /// What a slave has.
    fn acknowledged(&self, run: Run, durable: LogPoint, applied: LogPoint) {
        let name = self.held().supervisor.name_of(run).map(str::to_owned);
        if let Some(name) = name {
            self.release.acknowledged(&name, durable, applied);
        }
    }

    /// What is to be done next; waits for it, so long at most.
    fn next_steps(&self, at_most: Duration) -> Vec<Step> {
        let held = self.held();
        let until = held.supervisor.next_look();
        let due = until.map(|at| at.saturating_duration_since(Instant::now()));
        let wait = due.map_or(at_most, |due| due.min(at_most));
        let (mut held, _timed_out) = self
            .bell
            .wait_timeout_while(held, wait, |held| !held.rung)
            .unwrap_or_else(PoisonError::into_inner);
        held.rung = false;
        held.supervisor.take_steps()
    }

    /// Time has passed.
    fn look(&self, is_root: bool) {
        let mut held = self.held();
        held.supervisor.look(is_root, self.now());
        let release = &self.release;
        held.supervisor
            .want_prompt(|name| release.wants(name), self.now());
        self.tell_release(&held.supervisor);
        let standings = held.supervisor.standings();
        for news in held.watch.look(&standings, self.now()) {
            news.tell();
        }
        let wishes = Wishes {
            sources: held.supervisor.definitions(),
            receiver: held.receiver.clone(),
        };
        // A passive source that has become active; where it can't be written, that is found again at the next start.
        if held
            .written
            .as_ref()
            .is_ok_and(|written| *written != wishes)
        {
            match wishes.write(&self.disk, &self.path) {
                Ok(()) => held.written = Ok(wishes),
                Err(error) => tracing::debug!(%error, "what the sources are is not written yet"),
            }
        }
    }

    fn now(&self) -> Now {
        Now {
            instant: Instant::now(),
            time: self.clock.now(),
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const WITHOUT_HINT: &str = "Bring DataDir/sources back, or remove it and restart the server: then sources that were begun by command are forgotten, and whoever feeds this server is let in.";

/// What was wished before, and what stands in the configuration: that says where a slave is, and operators whether it is
/// fed.
fn with_configured(known: Vec<Definition>, config: &Config) -> Vec<Definition> {
    let configured = configured(config);
    let mut all: BTreeMap<String, Definition> = known
        .into_iter()
        .filter(|it| !it.configured || configured.iter().any(|(name, _)| *name == it.name))
        .map(|it| (it.name.clone(), it))
        .collect();
    for (name, address) in configured {
        let definition = all
            .entry(name.clone())
            .or_insert_with(|| Definition::new(&name, &address));
        (definition.address, definition.configured) = (address, true);
    }
    all.into_values().collect()
}

/// The slaves, and the archives as if they were some: name and place.
fn configured(config: &Config) -> Vec<(String, String)> {
    let slaves = config.replication.sources.slaves.iter();
    let slaves = slaves.map(|slave| (slave.name.clone(), slave.address.to_string()));
    let archives = config.archives.iter();
    let archives = archives.map(|archive| (archive.among_slaves(), archive.url.clone()));
    slaves.chain(archives).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_configuration_says_where_a_slave_is_and_operators_whether_it_is_fed() {
        let text = "[Server]\nDataDir = /data\nInstance = north\n[ForwardLog]\nFwLog = l/fw-%N\n[Replication]\nPeerPasswordFile = pw\nSources = south@:1, west@:2\n[Archive Far]\nUrl = s3://b/x\n";
        let config = Config::parse(Path::new("/etc/eloqdb.cfg"), text).unwrap();
        let known = |name: &str, configured| Definition {
            wish: Wish::Rest,
            configured,
            ..Definition::new(name, "elsewhere:7")
        };
        let all = with_configured(
            vec![
                known("west", true),
                known("gone", true),
                known("east", false),
            ],
            &config,
        );
        let shown: Vec<_> = all
            .iter()
            .map(|it| {
                (
                    it.name.as_str(),
                    it.address.as_str(),
                    it.wish,
                    it.configured,
                )
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("archive.far", "s3://b/x", Wish::Ship, true),
                ("east", "elsewhere:7", Wish::Rest, false),
                ("south", "127.0.0.1:1", Wish::Ship, true),
                ("west", "127.0.0.1:2", Wish::Rest, true),
            ]
        );
    }
}
