//! How a slave begins: empty, or as a copy.

use dbtests::{Client, Cluster, Folder, PASSWORD, Server, Settings, files, follower};

use crate::shop::{items, open, sell};

#[test]
fn an_empty_slave_adopts_the_environment_with_its_users() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 10);
    master
        .dbctl_with_new_password(&["user", "create", "clerk"], "clerk's own")
        .ok();
    master.sql("system", "GRANT CONNECT ON DATABASE shop TO clerk");
    // The bootstrap password of the slave is another one than dba's on the master.
    let mut slave = Server::prepare(folder.path(), Settings::slave());
    slave.init_with("only to begin").ok();
    slave.start();
    let mut command = follower::dbrepl(&master, &slave, &["-v", "-S"]);
    let run = dbtests::process::run(command.env("EQ_DBPASSWORD", "only to begin"), b"");
    assert_eq!(run.code, Some(0), "{}", run.err);

    assert_eq!(items(&slave), 10);
    let clerk = user(&slave, "clerk", "clerk's own");
    assert_eq!(clerk.expect("clerk logs in").value("SELECT 7"), "7");
    // From here on the users are the master's.
    assert!(Client::connect(slave.address(), "shop", "only to begin").is_err());
    assert!(Client::connect(slave.address(), "shop", PASSWORD).is_ok());
    let id = |server: &Server| server.command("status").remove("environment");
    assert!(id(&master).is_some());
    assert_eq!(id(&master), id(&slave));
}

fn user(server: &Server, name: &str, password: &str) -> Result<Client, tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(server.address().port());
    config.user(name).password(password).dbname("shop");
    Client::with(&config)
}

#[test]
fn an_empty_slave_tells_its_status_before_a_master_has_come() {
    let folder = Folder::new();
    let mut slave = Server::create(folder.path(), Settings::slave());
    slave.start();
    let status = slave.command("status");
    assert_eq!(status["role"], "Slave");
    assert_eq!(status["replication"], "not connected");
    slave.restart();
    assert_eq!(
        slave.command("replication status")["replication"],
        "not connected"
    );
}

#[test]
fn a_slave_can_be_made_from_a_copy_of_the_masters_data() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 30);
    master.stop();
    let mut slave = Server::prepare(folder.path(), Settings::slave());
    files::copy_directory(&master.data_dir(), &slave.data_dir());
    std::fs::create_dir_all(slave.fwlog_dir()).unwrap();
    // The log from before the copy is gone: nobody needs it for this slave.
    master.start();
    for path in files::list(&master.fwlog_dir(), "fw-1-") {
        if Some(&path)
            != master
                .segments()
                .segments()
                .last()
                .map(|newest| &newest.path)
        {
            std::fs::remove_file(path).unwrap();
        }
    }
    slave.start();
    assert_eq!(items(&slave), 30, "the copy has all that was there");
    sell(&master, 30);
    let run = follower::replicate(&master, &slave, &["-S"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(items(&slave), 60);
    dbtests::compare::databases(&master, &slave);
    dbtests::compare::logs(&master, &slave);

    // It is a slave like any other from here on, also after a crash.
    sell(&master, 5);
    slave.kill9();
    slave.start();
    follower::replicate(&master, &slave, &["-S"]).ok();
    assert_eq!(items(&slave), 65);
    dbtests::compare::databases(&master, &slave);
}

#[test]
fn without_the_beginning_of_the_log_an_empty_slave_is_refused() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    cluster.master.restart();
    let first = cluster.master.segments().segments()[0].path.clone();
    files::hide(&first);
    let run = cluster.replicate(&["-S"]);
    let told = run.fails(5);
    assert!(told.contains("no longer begins at the beginning"), "{told}");
    assert!(told.contains("fw-1-1"), "it names the segment: {told}");
    assert!(
        told.contains("dbrepl gets it the pages"),
        "it says how to go on: {told}"
    );
    assert!(
        cluster.slave.is_running(),
        "the slave waits for another try"
    );
}
