//! Slaves that begin with a copy of a DataDir: one that is complete goes on, any other says what it is at
//! its first start.

use dbconfig::Role;

use super::*;

impl Home {
    /// Another home with a copy of this one's DataDir, and with an empty log directory.
    fn copied(&self) -> Self {
        let copy = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        copy_directory(&self.path().join("data"), &copy.path().join("data"));
        fs::create_dir(copy.path().join("fw")).unwrap();
        copy
    }

    pub(super) fn start_slave(&self, instance: &str) -> Result<Arc<Environment>, EngineError> {
        let mut config = self.config(true);
        instance.clone_into(&mut config.server.instance);
        config.replication.role = Role::Slave;
        Environment::start(config, Sessions::new(10))
    }

    fn control(&self) -> Vec<u8> {
        fs::read(self.path().join("data/control")).unwrap()
    }

    /// A start as this slave is refused, and in these words; nothing is changed by it.
    fn refuses(&self, instance: &str, says: &[&str]) {
        let before = self.control();
        for _ in 0..2 {
            let error = self.start_slave(instance).err().unwrap();
            let said = format!("{error}; {}", error.hint().unwrap());
            for part in says {
                assert!(said.contains(part), "'{part}' is missing: {said}");
            }
            assert!(!said.contains("what recovery needs"), "{said}");
        }
        assert_eq!(self.control(), before);
    }
}

/// A master with a row, and some log behind its redo point.
fn running() -> (Home, Arc<Environment>) {
    let home = Home::new();
    let environment = home.start();
    environment.create_database("shop").unwrap();
    run(&environment, "shop", TABLE);
    environment.checkpoint().unwrap();
    run(&environment, "shop", "INSERT INTO t (b) VALUES ('kept')");
    (home, environment)
}

fn redo(environment: &Environment) -> String {
    environment
        .core()
        .redo()
        .unwrap()
        .point
        .position
        .to_string()
}

fn stop(environment: Arc<Environment>) {
    environment.stop().unwrap();
    drop(environment);
}

/// Bug: such a copy was refused by "the log does not have what recovery needs" alone, as if its log had
/// been lost; the way out, to copy again, was not told.
#[test]
fn a_copy_of_a_master_that_was_not_stopped_cleanly_says_so_at_its_first_start() {
    let (home, environment) = running();
    let needs = format!("the log from {} on", redo(&environment));
    let says = [
        "data was last run by 'north' (Master)",
        "not stopped cleanly",
        &needs,
        "fw does not have",
        "copy its DataDir again",
    ];
    // Whether it has got a name of its own or not.
    for instance in ["south", "north"] {
        home.copied().refuses(instance, &says);
    }
    // A log of before does not make it any better.
    let with_old_log = home.copied();
    fs::copy(
        home.path().join("fw/fw-1-1"),
        with_old_log.path().join("fw/fw-1-1"),
    )
    .unwrap();
    with_old_log.refuses("south", &says);
    stop(environment);
    let copy = home.copied();
    let slave = copy.start_slave("south").unwrap();
    assert_eq!(count(&slave, "shop"), 1);
    stop(slave);
}

#[test]
fn a_copy_of_a_crashed_master_with_its_log_is_a_slave() {
    let (home, environment) = running();
    let copy = home.crashed();
    let slave = copy.start_slave("south").unwrap();
    assert_eq!(count(&slave, "shop"), 1);
    assert_eq!(checksum(&slave, "shop"), checksum(&environment, "shop"));
}

/// Bug: "corrupt: No such file", of a segment that nobody had taken away.
#[test]
fn a_complete_copy_beside_the_log_of_another_history_asks_for_an_empty_directory() {
    let (home, environment) = running();
    stop(environment);
    let copy = home.copied();
    let strange = copy.path().join("fw/fw-1-1");
    fs::copy(home.path().join("fw/fw-1-1"), &strange).unwrap();
    copy.refuses(
        "south",
        &[
            "last run by 'north'",
            "of another log",
            "empty log directory",
        ],
    );
    fs::remove_file(strange).unwrap();
    let slave = copy.start_slave("south").unwrap();
    assert_eq!(count(&slave, "shop"), 1);
}

#[test]
fn a_copy_of_a_slave_needs_the_slaves_log() {
    let (home, environment) = running();
    let home = home.crashed();
    drop(environment);
    let slave = home.start_slave("south").unwrap();
    stop(slave);
    home.copied().refuses(
        "west",
        &[
            "last run by 'south' (Slave)",
            "a slave's data files are not complete without its log",
        ],
    );
    // It is no copy where it was.
    let error = home.copied().start_slave("south").err().unwrap();
    assert!(error.to_string().contains("what recovery needs"), "{error}");
}
