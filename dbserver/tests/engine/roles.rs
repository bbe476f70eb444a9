//! The role changes in the running process, and at a start when the configuration was edited.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use dbconfig::Role;
use dbserver::databases::permit::Interrupt;

use super::*;

impl Home {
    fn start_configured_as(&self, role: Role) -> Arc<Environment> {
        let mut config = self.config(true);
        config.replication.role = role;
        Environment::start(config, Sessions::new(10)).unwrap()
    }

    /// A home whose database `shop` has one table with ten rows.
    fn with_ten_rows() -> Self {
        let home = Self::new();
        let environment = home.start();
        environment.create_database("shop").unwrap();
        run(&environment, "shop", TABLE);
        for row in 0..10 {
            insert(&environment, &row.to_string()).unwrap();
        }
        environment.stop().unwrap();
        home
    }
}

fn insert(environment: &Environment, text: &str) -> Result<(), EngineError> {
    let database = environment.database("shop")?;
    statement::write(environment, &database, |connection| {
        let changed = connection.execute("INSERT INTO t (b) VALUES (?1)", [text]);
        changed.map(drop).map_err(statement::internal)
    })
}

fn generation(environment: &Arc<Environment>) -> String {
    let position = command(environment, "forwardlog status", "position");
    position.split('-').next().unwrap().to_owned()
}

/// Does `work` while somebody reads without a pause; gives how often he has read.
fn under_a_reader(environment: &Arc<Environment>, work: impl FnOnce()) -> usize {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut reads, mut newest) = (0, 0);
            while reads == 0 || !ended.load(Ordering::Acquire) {
                let rows = count(environment, "shop");
                assert!(rows >= newest, "{rows} rows after {newest}");
                newest = rows;
                reads += 1;
            }
            reads
        });
        work();
        ended.store(true, Ordering::Release);
        reader.join().unwrap()
    })
}

#[test]
fn a_slave_becomes_a_master_and_a_master_a_slave_while_readers_go_on() {
    let home = Home::with_ten_rows();
    let environment = home.start_configured_as(Role::Slave);
    assert!(environment.is_read_only());
    assert_eq!(
        insert(&environment, "no").unwrap_err().sqlstate(),
        SqlState::READ_ONLY_SQL_TRANSACTION
    );
    let database = environment.database("shop").unwrap();
    let before = database.store().snapshot_durable();

    let reads = under_a_reader(&environment, || {
        environment.change_role(Role::Master).unwrap();
        assert!(!environment.is_read_only());
        assert_eq!(environment.role(), Role::Master);
        insert(&environment, "eleven").unwrap();
    });
    assert!(reads > 0);
    assert_eq!(generation(&environment), "2");
    assert_eq!(count(&environment, "shop"), 11);
    assert_eq!(
        command(&environment, "database verify shop", "result"),
        "ok"
    );

    under_a_reader(&environment, || {
        environment.change_role(Role::Slave).unwrap();
        assert!(environment.is_read_only());
        assert_eq!(
            insert(&environment, "no").unwrap_err().sqlstate(),
            SqlState::READ_ONLY_SQL_TRANSACTION
        );
        assert_eq!(
            environment.create_database("b").unwrap_err().sqlstate(),
            SqlState::READ_ONLY_SQL_TRANSACTION
        );
    });
    assert_eq!(
        generation(&environment),
        "2",
        "the log is sealed, and goes on with a master's"
    );

    environment.change_role(Role::Standalone).unwrap();
    insert(&environment, "twelve").unwrap();
    assert_eq!(generation(&environment), "3");
    let mut page = [0; 4096];
    let first = pagestore::PageNumber::new(1).unwrap();
    before.read(first, &mut page).unwrap();
    let expected = checksum(&environment, "shop");
    let crashed = home.crashed();
    environment.stop().unwrap();
    drop(environment);
    for again in [crashed, home] {
        let again = again.start_configured_as(Role::Slave);
        assert_eq!(again.role(), Role::Standalone, "control knows the role");
        assert_eq!(checksum(&again, "shop"), expected);
    }
}

#[test]
fn an_edited_role_is_carried_out_at_the_next_start_and_only_then() {
    let home = Home::with_ten_rows();
    let slave = home.start_configured_as(Role::Slave);
    slave.change_role(Role::Master).unwrap();
    slave.stop().unwrap();
    drop(slave);
    for (configured, role, begins) in [
        (Role::Slave, Role::Master, "2"),
        (Role::Standalone, Role::Standalone, "2"),
        (Role::Slave, Role::Slave, "2"),
        (Role::Slave, Role::Slave, "2"),
        (Role::Master, Role::Master, "3"),
    ] {
        let environment = home.start_configured_as(configured);
        assert_eq!(environment.role(), role, "Role = {configured:?}");
        assert_eq!(environment.is_read_only(), role == Role::Slave);
        assert_eq!(generation(&environment), begins, "Role = {configured:?}");
        environment.stop().unwrap();
    }
}

#[test]
fn what_was_written_before_a_change_of_role_is_not_committed_after_it() {
    let home = Home::with_ten_rows();
    let environment = home.start();
    let database = environment.database("shop").unwrap();
    let interrupt = Interrupt::for_this_thread();
    let permit = database.acquire_permit(&interrupt, None).unwrap();
    let (connection, handle) = database.open_connection().unwrap();
    handle.allow_write(true);
    let written = connection.execute("INSERT INTO t (b) VALUES ('lost')", []);
    written.unwrap();
    environment.change_role(Role::Slave).unwrap();
    environment.change_role(Role::Master).unwrap();
    let write_set = handle.take_write_set().unwrap();
    let lost = environment
        .commit(&database, &permit, write_set)
        .unwrap_err();
    assert_eq!(
        lost.sqlstate(),
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        "{lost}"
    );
    drop(permit);
    insert(&environment, "eleven").unwrap();
    assert_eq!(count(&environment, "shop"), 11);
}

#[test]
fn an_empty_slave_is_not_promoted() {
    let directory = tempfile::tempdir().unwrap();
    let home = Home { directory };
    let mut config = home.config(true);
    config.replication.role = Role::Slave;
    let verifier = verifier::from_password("secret").unwrap();
    create::create(&config, &verifier).unwrap();
    let environment = home.start_configured_as(Role::Slave);
    let error = environment.change_role(Role::Master).unwrap_err();
    assert!(error.to_string().contains("empty slave"), "{error}");
    assert!(error.hint().is_some());
    assert_eq!(environment.role(), Role::Slave);
    assert!(environment.slave().is_some());
}
