//! Sources as managed things: the server runs one dbrepl for all slaves that it feeds, and commands act on each of them.

use std::fs;

use dbtests::process::Run;
use dbtests::{
    Folder, LONG, Line, PASSWORD, Refusal, Server, Settings, compare, files, process, wait_for,
};
use serde_json::Value;

use crate::shop::{items, open, sell};

/// A master that can log in on its slaves, and a slave called `slave`.
pub(crate) struct Site {
    pub(crate) master: Server,
    pub(crate) slave: Server,
    pub(crate) folder: Folder,
}

impl Site {
    /// The slave stands in `Sources`.
    pub(crate) fn configured() -> Self {
        Self::with(|settings, slave| {
            settings.set("Replication", "Sources", format!("slave@{slave}"))
        })
    }

    /// It does not.
    pub(crate) fn by_command() -> Self {
        Self::with(|settings, _| settings)
    }

    pub(crate) fn with(settings: impl FnOnce(Settings, &str) -> Settings) -> Self {
        let folder = Folder::new();
        let mut slave = Server::create(folder.path(), with_login(&folder, Settings::slave()));
        slave.start();
        let master = with_login(&folder, Settings::master());
        let master = settings(master, &slave.address().to_string());
        let mut master = Server::create(folder.path(), master);
        master.start();
        open(&master);
        Self {
            master,
            slave,
            folder,
        }
    }

    /// One more slave.
    pub(crate) fn another(&self, name: &str) -> Server {
        let settings = with_login(&self.folder, Settings::new(name, "Slave"));
        let mut slave = Server::create(self.folder.path(), settings);
        slave.start();
        slave
    }

    pub(crate) fn source(&self, words: &[&str]) -> Run {
        self.master.dbctl(&[&["source"], words].concat())
    }

    pub(crate) fn begin(&self) {
        self.source(&["start", "slave", &self.slave.address().to_string()])
            .ok();
    }

    pub(crate) fn health(&self, words: &[&str]) -> Option<i32> {
        self.source(&[&["checkhealth"], words].concat()).code
    }

    /// Until the slave shows what the master has. Nobody may write meanwhile.
    pub(crate) fn wait_for_slave(&self) {
        wait_for_all(&self.master, &self.slave);
    }
}

pub(crate) fn with_login(folder: &Folder, settings: Settings) -> Settings {
    let file = folder.join("peers.password");
    files::write_private(&file, PASSWORD);
    settings.set("Replication", "PeerPasswordFile", file.display())
}

pub(crate) fn wait_for_all(master: &Server, slave: &Server) {
    wait_for("the slave to show what the master has", LONG, || {
        let master = master.command("forwardlog status").remove("position")?;
        let applied = slave.command("replication status").remove("applied")?;
        (applied.split(' ').next() == Some(master.as_str())).then_some(())
    });
}

pub(crate) fn list(server: &Server) -> Vec<Value> {
    let text = server.dbctl(&["--json", "source", "list"]).ok();
    serde_json::from_str(&text).expect("JSON")
}

pub(crate) fn shown(server: &Server, name: &str) -> Value {
    let mut named = list(server).into_iter().filter(|it| it["source"] == name);
    named.next().expect("a source of that name")
}

pub(crate) fn wait_for_state(server: &Server, name: &str, state: &str) -> Value {
    wait_for(&format!("{name} to be {state}"), LONG, || {
        let source = shown(server, name);
        (source["state"] == state).then_some(source)
    })
}

/// The one dbrepl of a server.
pub(crate) fn process_of(server: &Server) -> u32 {
    wait_for("a dbrepl", LONG, || {
        let sources = list(server);
        let numbers: Vec<u64> = sources
            .iter()
            .filter_map(|it| it["process"].as_u64())
            .collect();
        let first = *numbers.first()?;
        assert!(
            numbers.iter().all(|it| *it == first),
            "one for all: {sources:?}"
        );
        u32::try_from(first).ok()
    })
}

/// Whether a process is a dbrepl that runs; one that nobody has buried yet does not.
fn lives(pid: u32) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{pid}/status")) else {
        return false;
    };
    status.starts_with("Name:\tdbrepl\n") && !status.contains("State:\tZ")
}

fn wait_for_end(pid: u32) {
    wait_for("the dbrepl to end", LONG, || (!lives(pid)).then_some(()));
}

fn kill9(pid: u32) {
    assert!(lives(pid), "{pid}");
    let mut kill = std::process::Command::new("kill");
    process::run(kill.args(["-9", &pid.to_string()]), b"").ok();
}

pub(crate) fn refused(server: &Server, command: &str) -> Refusal {
    let command = command.replace('\'', "''");
    server
        .client("system")
        .refused(&format!("DBCTL '{command}'"))
}

#[test]
fn a_pair_by_sources_is_fed_by_one_dbrepl_that_is_begun_again_where_it_dies() {
    let site = Site::configured();
    sell(&site.master, 5);
    site.wait_for_slave();
    let other = site.another("other");
    site.source(&["start", "other", &other.address().to_string()])
        .ok();
    wait_for_all(&site.master, &other);
    let first = process_of(&site.master);
    assert!(lives(first));
    for name in ["slave", "other"] {
        wait_for_state(&site.master, name, "shipping");
    }
    kill9(first);
    sell(&site.master, 5);
    site.wait_for_slave();
    wait_for_all(&site.master, &other);
    let second = process_of(&site.master);
    assert_ne!(first, second);
    let log = site.master.log();
    assert!(
        log.contains("it has ended with signal: 9") && log.contains("it is started again"),
        "{log}"
    );
    compare::databases(&site.master, &site.slave);
    compare::logs(&site.master, &other);
    // Without sources there is no process.
    site.source(&["shutdown"]).ok();
    wait_for_end(second);
    assert_eq!(site.health(&[]), Some(1));
}

/// Each of the two has a source for the other one.
#[test]
fn of_a_pair_the_source_for_the_root_stands_by_and_ships_once_that_is_a_slave() {
    let site = Site::configured();
    let (master, slave) = (&site.master, &site.slave);
    site.wait_for_slave();
    let address = master.address().to_string();
    slave.dbctl(&["source", "start", "master", &address]).ok();
    let health = |server: &Server| server.dbctl(&["source", "checkhealth"]).code;
    let both = |root: &Server, other: &Server| {
        let (root_name, other_name) = (root.settings().name(), other.settings().name());
        let waits = wait_for_state(other, root_name, "standby");
        let why = format!("{root_name} is the root; it is fed once it is a slave");
        assert_eq!(waits["reason"], why.as_str());
        wait_for_state(root, other_name, "shipping");
        assert_eq!([root, other].map(health), [Some(0), Some(0)]);
        let tree = [format!("{root_name} root"), format!("{other_name} slave")];
        for server in [root, other] {
            wait_for("a tree of two", LONG, || {
                (instances(server) == tree).then_some(())
            });
        }
        assert_eq!(shown(other, root_name)["since"], waits["since"]);
    };
    both(master, slave);
    master.dbctl(&["replication", "switchover", "slave"]).ok();
    sell(slave, 3);
    both(slave, master);
    wait_for_all(slave, master);
    compare::databases(slave, master);
    // Asked for what is done, the new root shows the proof that the old one has.
    let again = slave.dbctl(&["replication", "switchover", "slave", "--json"]);
    let proof: Value = serde_json::from_str(&again.ok()).expect("a proof");
    assert_eq!(
        (&proof["master"], &proof["slave"]),
        (&"slave".into(), &"master".into())
    );
    // Two roots are no pair.
    let mut stranger = Server::create(site.folder.path(), Settings::new("stranger", "Master"));
    stranger.start();
    let address = stranger.address().to_string();
    slave.dbctl(&["source", "start", "stranger", &address]).ok();
    let waits = wait_for_state(slave, "stranger", "waiting");
    let why = waits["reason"].as_str().expect("a reason");
    assert!(
        why.starts_with("stranger is a root, and so is this server"),
        "{why}"
    );
    assert_eq!(health(slave), Some(3));
}

/// The tree as a server shows it: name and role.
fn instances(server: &Server) -> Vec<String> {
    let text = server.dbctl(&["--json", "replication", "tree"]).ok();
    let tree: Value = serde_json::from_str(&text).expect("JSON");
    let instances = tree["instances"].as_array().expect("a list").iter();
    let words =
        |it: &Value| ["instance", "role"].map(|key| it[key].as_str().unwrap_or("-").to_owned());
    instances.map(|it| words(it).join(" ")).collect()
}

#[test]
fn the_dbrepl_ends_with_its_server_after_the_end_of_the_log_was_sent() {
    let mut site = Site::configured();
    site.wait_for_slave();
    let before = process_of(&site.master);
    // Not by a signal of somebody's: the end of the log is still to be sent.
    let mut kill = std::process::Command::new("kill");
    process::run(kill.args(["-TERM", &before.to_string()]), b"").ok();
    sell(&site.master, 5);
    site.master.stop();
    assert!(!lives(before), "it ends before its server");
    let newest = |server: &Server| {
        let segments = server.segments();
        let newest = segments.segments().last().expect("a segment");
        (newest.id, files::read(&newest.path))
    };
    let (id, sealed) = newest(&site.master);
    assert_eq!(newest(&site.slave), (id, sealed), "with its seal");
    site.master.start();
    sell(&site.master, 1);
    site.wait_for_slave();
    compare::databases(&site.master, &site.slave);
}

#[test]
fn a_server_that_is_killed_leaves_no_dbrepl_behind() {
    let mut site = Site::configured();
    site.wait_for_slave();
    let pid = process_of(&site.master);
    site.master.kill9();
    wait_for_end(pid);
    let note = files::read(&site.master.fwlog_dir().join("slave-slave.status"));
    let note = String::from_utf8_lossy(&note);
    assert!(note.contains("has ended with its server"), "{note}");
    site.master.start();
    sell(&site.master, 1);
    site.wait_for_slave();
    // Nor one that is dead to the world when its server ends.
    let pid = process_of(&site.master);
    let signal = |name: &str| {
        let mut kill = std::process::Command::new("kill");
        process::run(kill.args([name, &pid.to_string()]), b"").ok();
    };
    signal("-STOP");
    site.master.kill9();
    signal("-CONT");
    wait_for_end(pid);
}

/// A dbrepl that ends for it at once would be begun again for ever.
#[test]
fn a_password_file_that_is_missing_is_named_and_the_source_waits_for_a_person() {
    let mut site = Site::by_command();
    let hidden = files::hide(&site.folder.join("peers.password"));
    site.begin();
    let source = wait_for_state(&site.master, "slave", "refused");
    let why = source["reason"].as_str().expect("a reason");
    for part in [
        "can't read the password file",
        "peers.password",
        "'dbctl source start slave'",
    ] {
        assert!(why.contains(part), "{part}: {why}");
    }
    assert_eq!(site.health(&["slave"]), Some(5));
    let checked = site.master.dbctl(&["config", "check"]);
    assert_eq!(checked.code, Some(0), "{checked:?}");
    assert!(
        checked.err.contains("(PeerPasswordFile): can't read"),
        "{checked:?}"
    );
    site.master.restart();
    wait_for_state(&site.master, "slave", "refused");
    assert!(site.master.log().contains("(PeerPasswordFile): can't read"));
    files::unhide(&hidden);
    site.source(&["start", "slave"]).ok();
    site.wait_for_slave();
}

#[test]
fn a_source_of_the_configuration_rests_through_restarts_once_it_is_shut_down() {
    let mut site = Site::configured();
    site.wait_for_slave();
    site.source(&["shutdown", "slave"]).ok();
    site.master.restart();
    let source = shown(&site.master, "slave");
    assert_eq!(
        (&source["state"], &source["configured"]),
        (&"stopped".into(), &true.into())
    );
    let told = site.source(&["drop", "slave"]).fails(1);
    assert!(told.contains("stands in Sources"), "{told}");
    let told = site.source(&["start", "slave", "127.0.0.1:1"]).fails(1);
    assert!(told.contains("stands in Sources"), "{told}");
    site.source(&["start", "slave"]).ok();
    sell(&site.master, 1);
    site.wait_for_slave();
}

#[test]
fn a_passive_source_sends_nothing_until_it_is_activated() {
    let site = Site::by_command();
    let address = site.slave.address().to_string();
    let moved = Line::to(site.slave.address());
    site.source(&["start", "slave", &moved.address().to_string(), "--passive"])
        .ok();
    let source = shown(&site.master, "slave");
    assert_eq!(
        (&source["state"], &source["process"]),
        (&"passive".into(), &Value::Null)
    );
    assert_eq!(site.health(&["slave"]), Some(0), "as it is to be");
    let refusal = refused(&site.master, "source start slave");
    assert_eq!(
        refusal.message,
        "the source for slave is running already (passive)"
    );
    // Somewhere else than it was to be.
    site.source(&["activate", "slave", &address, "--root"]).ok();
    site.wait_for_slave();
    assert_eq!(moved.carried(), 0);
    let told = site.source(&["activate", "slave", "127.0.0.1:1"]).fails(1);
    assert!(told.contains("deactivate slave"), "{told}");
    assert!(
        site.source(&["activate", "slave"])
            .ok()
            .contains("active already")
    );
    let before = items(&site.slave);
    site.source(&["deactivate", "slave", "--root"]).ok();
    let told = site
        .source(&["deactivate", "slave", "--propagate"])
        .fails(1);
    assert!(told.contains("master is the root"), "{told}");
    sell(&site.master, 3);
    assert_eq!(items(&site.slave), before);
    let told = site.master.dbctl(&["replication", "check"]).out;
    assert!(
        told.contains("'dbctl source activate slave' has it send"),
        "{told}"
    );
    site.source(&["activate", "slave"]).ok();
    site.wait_for_slave();
}

#[test]
fn a_passive_source_becomes_active_with_its_server_or_makes_that_the_root() {
    let mut site = Site::configured();
    sell(&site.master, 3);
    site.wait_for_slave();
    let address = site.master.address().to_string();
    let on_slave = |words: &[&str]| site.slave.dbctl(&[&["source"], words].concat());
    on_slave(&["start", "master", &address, "--passive", "--auto"]).ok();
    let third = site.another("third");
    on_slave(&["start", "third", &third.address().to_string(), "--passive"]).ok();
    let source = shown(&site.slave, "master");
    let reason = source["reason"].as_str().expect("why").to_owned();
    assert!(reason.contains("becomes the root"), "{reason}");
    site.master.stop();
    let told = on_slave(&["activate", "third", "--root"]).ok();
    assert!(
        told.contains("slave is the master") && told.contains("the source for third is active"),
        "{told}"
    );
    let refusal = refused(&site.slave, "source deactivate third --propagate");
    assert_eq!(refusal.code, "R0101");
    wait_for_all(&site.slave, &third);
    // The other one has become active by itself.
    site.master.set_role("Slave");
    site.master.start();
    sell(&site.slave, 2);
    wait_for_all(&site.slave, &site.master);
    assert_eq!(shown(&site.slave, "master")["state"], "shipping");
    compare::databases(&site.slave, &third);
}
