//! Rounds of load and random faults.

use std::collections::BTreeMap;
use std::env;
use std::sync::Arc;
use std::time::Duration;

use dbtests::process::Background;
use dbtests::waiting::pause;
use dbtests::{Folder, PASSWORD, Server, Traffic};
use disk::testing::Random;
use fwlog::Timestamp;

use crate::client::Shared;
use crate::history::At;
use crate::injector::{CREATE, Injector, READ, RENAME, Rule, SYNC, UNLINK, WRITE, What};
use crate::load::{Load, Tally};
use crate::plan::{self, Fault, Role, Trouble};
use crate::trio::{SLAVES, Servers, Trio};

/// In the short form.
const ROUNDS: u64 = 8;
/// From so many rounds on it is the long form.
const LONG_FORM: u64 = 100;
/// All servers and pages are compared after so many rounds.
const COMPARE_EVERY: u64 = 4;

/// A trio whose file operations can be made to fail.
struct Stage {
    trio: Trio,
    injectors: BTreeMap<At, Injector>,
    random: Random,
}

#[test]
fn every_history_under_random_faults_is_one_of_whole_transactions_in_one_order() {
    let seed = number("ELOQDB_SEED").unwrap_or_else(|| Timestamp::now().micros());
    let rounds = number("ELOQDB_ROUNDS").unwrap_or(ROUNDS);
    println!("ELOQDB_SEED={seed} ELOQDB_ROUNDS={rounds}");
    let mut stage = Stage::set(seed);
    let shared = Arc::new(Shared::default());
    let mut tally = Tally::default();
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for round in 0..rounds {
        let faults = plan::round(&mut stage.random, rounds >= LONG_FORM);
        println!("round {round}: {faults:?}");
        let mut load = Load::usual(&shared, stage.random.next(), round);
        load.maker = true;
        let running = stage.trio.load(load);
        pause(Duration::from_millis(50 + stage.random.below(250)));
        stage.disturb(&faults);
        pause(Duration::from_millis(stage.random.below(200)));
        let lists = running.lists.clone();
        let history = running.stop();
        tally.add(&history);
        for fault in faults {
            *kinds.entry(fault.kind()).or_default() += 1;
        }
        stage.trio.judge(&history, &lists);
        if round % COMPARE_EVERY == COMPARE_EVERY - 1 {
            stage.trio.compare();
        }
    }
    println!("{tally:?}\n{kinds:?}\nrefusals: {:?}", shared.refusals());
    assert!(
        tally.committed() as u64 > rounds * 10,
        "the writers have done something"
    );
    assert!(
        tally.reads() as u64 > rounds * 10,
        "the readers have done something"
    );
    stage.trio.end();
}

/// Bug: blocks that came after the applier of a stopping slave had ended were refused for good, and
/// dbrepl gave up.
#[test]
fn a_slave_that_is_restarted_again_and_again_is_never_given_up() {
    let mut trio = Trio::start();
    let shared = Arc::new(Shared::default());
    let running = trio.load(Load::usual(&shared, 4, 0));
    for turn in 0..16 {
        let slave = turn % SLAVES;
        trio.slaves[slave].restart();
        let shipper = &mut trio.shippers[slave];
        assert!(shipper.is_running(), "{}", shipper.output());
        pause(Duration::from_millis(60));
    }
    let lists = running.lists.clone();
    let history = running.stop();
    trio.judge(&history, &lists);
    trio.end();
}

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

impl Stage {
    #[expect(clippy::print_stdout, reason = "the plan is shown with the report")]
    fn set(seed: u64) -> Self {
        let folder = Folder::new();
        let mut injectors = BTreeMap::new();
        let mut random = Random::new(seed);
        let compress = ["zstd", "none"][usize::from(random.coin())];
        let sync = u8::from(random.below(4) > 0);
        println!("FwCompress = {compress}, SyncMode = {sync}");
        let servers = Servers::create(
            &folder,
            |_, settings| {
                let settings = settings.set("ForwardLog", "FwCompress", compress);
                settings.set("Server", "SyncMode", sync)
            },
            |at, server: &mut Server| {
                injectors.insert(at, Injector::on(server));
            },
        );
        Self {
            trio: Trio::run(folder, servers),
            injectors,
            random,
        }
    }

    /// All faults of a round begin; then each of them ends.
    fn disturb(&mut self, faults: &[Fault]) {
        for fault in faults {
            self.begin(*fault);
        }
        for fault in faults {
            if let Fault::Disk {
                at,
                trouble,
                time,
                kill,
            } = *fault
            {
                self.trouble(at, trouble, time, kill);
            }
        }
        for fault in faults {
            self.end(*fault);
        }
    }

    fn begin(&mut self, fault: Fault) {
        match fault {
            Fault::Kill {
                role: Role::Server(at),
                ..
            } => self.trio.server(at).kill9(),
            Fault::Kill {
                role: Role::Shipper(slave),
                ..
            } => self.trio.shippers[slave].kill9(),
            Fault::Freeze { role, .. } => self.signal(role, "STOP"),
            Fault::Restart {
                role: Role::Server(at),
            } => self.trio.server(at).stop(),
            Fault::Restart {
                role: Role::Shipper(slave),
            } => self.trio.shippers[slave].stop(),
            Fault::Line { slave, traffic, .. } => self.trio.lines[slave].set(traffic),
            Fault::Disk { .. } => {}
        }
    }

    fn end(&mut self, fault: Fault) {
        match fault {
            Fault::Kill {
                role,
                down,
                interrupted,
            } => {
                pause(down);
                if let (Role::Server(at), Some(after)) = (role, interrupted) {
                    self.trio.server(at).start_interrupted(after);
                }
                self.start(role);
            }
            Fault::Freeze { role, time } => {
                pause(time);
                self.signal(role, "CONT");
            }
            Fault::Restart { role } => self.start(role),
            Fault::Line { slave, time, .. } => {
                pause(time);
                self.trio.lines[slave].set(Traffic::Carry);
            }
            Fault::Disk { .. } => {}
        }
    }

    fn start(&mut self, role: Role) {
        match role {
            Role::Server(at) => self.trio.server(at).start(),
            Role::Shipper(slave) => self.trio.ship_again(slave),
        }
    }

    fn signal(&mut self, role: Role, name: &str) {
        match role {
            Role::Server(at) => self.trio.server(at).process().signal(name),
            Role::Shipper(slave) => self.trio.shippers[slave].process().signal(name),
        }
    }

    /// File operations fail for a while. A master whose log has failed otherwise than by a full disk
    /// is restarted, which is what it asks for; all else must go on by itself.
    #[expect(clippy::print_stdout, reason = "the plan is shown with the report")]
    fn trouble(&mut self, at: At, trouble: Trouble, time: Duration, kill: bool) {
        let injector = &self.injectors[&at];
        let rule = rule(injector, at, trouble, &mut self.random);
        // Data files are written by checkpoints only. Where the master does not answer, neither does
        // this.
        let mut command = self.trio.master.dbctl_command();
        command.arg("checkpoint").env("EQ_DBPASSWORD", PASSWORD);
        let log = self.trio.folder().join("checkpoints.log");
        let _checkpoint = Background::start(&mut command, &log);
        pause(time);
        let hits = rule.hits();
        drop(rule);
        println!("  {trouble:?} of {at:?}: {hits} operations");
        let asks = matches!(
            trouble,
            Trouble::LogSync | Trouble::LogWrite | Trouble::LogNames
        );
        if kill || (asks && hits > 0 && at == At::Master) {
            self.trio.server(at).kill9();
            self.trio.server(at).start();
        }
    }
}

fn rule<'a>(injector: &'a Injector, at: At, trouble: Trouble, random: &mut Random) -> Rule<'a> {
    let folder = crate::injector::folder_of(at);
    let segments = format!("{folder}fwlog/fw-");
    let data = format!("{folder}data/");
    let skip = u32::try_from(random.below(6)).expect("small");
    match trouble {
        Trouble::LogFull => injector.always(WRITE | CREATE, &segments, What::NoSpace),
        Trouble::DataFull => injector.always(WRITE | CREATE, &data, What::NoSpace),
        Trouble::LogSync => injector.once(SYNC, &segments, What::IoError, skip),
        Trouble::DataSync => injector.once(SYNC, &data, What::IoError, skip),
        Trouble::LogWrite => injector.once(WRITE, &segments, What::IoError, skip),
        Trouble::LogNames => injector.always(CREATE | RENAME, &segments, What::IoError),
        Trouble::DataRead => injector.always(READ, &data, What::IoError),
        Trouble::DataNames => injector.always(CREATE | RENAME | UNLINK, &data, What::IoError),
        Trouble::Slow => injector.always(SYNC, &folder, What::Slow(20_000)),
    }
}
