//! Who may write through a slave, who may act for him, and what others see of it.

use dbtests::{Client, LONG, SHORT, wait_for};

use super::{FORWARDER, Forwarding, config, write_password};
use crate::shop::SHOP;

#[test]
fn without_the_key_nothing_is_forwarded_and_without_the_rest_the_server_does_not_start() {
    let mut forwarding = Forwarding::start();
    let slave = &mut forwarding.cluster.slave;
    slave.reconfigure(|settings| settings.without("Replication", "ForwardWrites"));
    slave.restart();
    let client = slave.client(SHOP);
    let refused = client.refused("INSERT INTO item (name) VALUES ('a')");
    assert_eq!(refused.code, "25006");
    assert_eq!(
        refused.message,
        "cannot execute INSERT in a read-only transaction"
    );
    assert_eq!(client.refused("BEGIN READ WRITE").code, "25006");
    drop(client);
    slave.stop();
    for key in ["RedirectWrite", "ForwardUser", "ForwardPasswordFile"] {
        let before = slave.settings().clone();
        slave.reconfigure(|settings| {
            settings
                .set("Replication", "ForwardWrites", "on")
                .without("Replication", key)
        });
        let refused = slave.try_start().unwrap_err();
        assert!(
            refused.err.contains(&format!("ForwardWrites needs {key}")),
            "{refused:?}"
        );
        slave.reconfigure(|_| before);
    }
    slave.start();
}

#[test]
fn a_session_that_has_said_how_it_reads_only_reads() {
    let forwarding = Forwarding::start();
    let master = &forwarding.cluster.master;
    for mode in 5..=9 {
        let client = forwarding.cluster.slave.client_in_mode(SHOP, mode).unwrap();
        let refused = client.refused("INSERT INTO item (name) VALUES ('a')");
        assert_eq!(refused.code, "25006", "mode {mode}");
    }
    // Nor is anything written in the server's own database.
    let system = forwarding.cluster.slave.client("system");
    assert_eq!(system.refused("CREATE DATABASE other").code, "25006");
    // From a database of clients it is, as all SQL that writes.
    forwarding.client().run("CREATE DATABASE other");
    assert_eq!(
        master.sql("other", "SELECT current_database()"),
        [["other"]]
    );
}

#[test]
fn the_users_own_name_and_rights_hold_on_the_master() {
    let Forwarding {
        cluster,
        mut follower,
    } = Forwarding::start();
    let (master, slave) = (&cluster.master, &cluster.slave);
    master.sql(SHOP, "CREATE USER app PASSWORD 'its own'");
    let app = wait_for("the user on the slave", LONG, || {
        Client::with(config(slave, "app", "its own").application_name("till 7")).ok()
    });
    app.run("BEGIN");
    let who = "INSERT INTO item (name) VALUES (current_user || ' ' || session_user) RETURNING name";
    assert_eq!(app.value(who), "app app");
    // The master's own view of it: user, program and address are the client's; through whom it came is beside that.
    let sessions = master.sql("system", "DBCTL 'session list'");
    let own: Vec<_> = sessions
        .iter()
        .filter(|session| session[2] == SHOP)
        .collect();
    let [session] = own.as_slice() else {
        panic!("{sessions:?}");
    };
    assert_eq!(
        (session[1].as_str(), session[4].as_str()),
        ("app", "till 7")
    );
    assert_eq!(session[7], "idle in transaction");
    assert!(
        session
            .last()
            .unwrap()
            .starts_with(&format!("{FORWARDER}@127.0.0.1:")),
        "{session:?}"
    );
    let here = slave.sql("system", "DBCTL 'session list'");
    let here: Vec<_> = here.iter().filter(|session| session[1] == "app").collect();
    assert_eq!(here[0][5], session[5], "the client's address");
    assert_eq!(here[0][8], master.address().to_string());
    app.run("COMMIT");
    assert_eq!(
        app.refused("CREATE USER another PASSWORD 'p'").code,
        Client::with(&config(master, "app", "its own"))
            .unwrap()
            .refused("CREATE USER another PASSWORD 'p'")
            .code
    );
    // A user that the master has no more.
    follower.process().signal("STOP");
    drop(app);
    let app = Client::with(&config(slave, "app", "its own")).unwrap();
    master.sql("system", "DBCTL 'user drop app'");
    let refused = app.refused("INSERT INTO item (name) VALUES ('a')");
    follower.process().signal("CONT");
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        ("28000", "role \"app\" does not exist")
    );
}

#[test]
fn only_who_was_given_the_right_acts_for_others_and_only_from_where_slaves_are() {
    let mut forwarding = Forwarding::start();
    let insert = "INSERT INTO item (name) VALUES ('a')";
    // Another password: the file is read at each login.
    let path = write_password(forwarding.cluster.folder(), "wrong");
    let refused = forwarding.client().refused(insert);
    assert_eq!(refused.code, "28P01");
    assert_eq!(
        refused.message,
        "password authentication failed for user \"forwarder\""
    );
    assert!(refused.hint.contains("ForwardPasswordFile"), "{refused:?}");
    write_password(forwarding.cluster.folder(), super::ITS_PASSWORD);
    let client = forwarding.client();
    client.run(insert);
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    client.run(insert);
    let refused = forwarding.client().refused(insert);
    assert!(
        refused.message.contains("close it with chmod 600"),
        "{refused:?}"
    );
    write_password(forwarding.cluster.folder(), super::ITS_PASSWORD);
    // The right.
    let master = &forwarding.cluster.master;
    let listed = master.sql("system", "DBCTL 'user list'");
    assert_eq!(
        listed,
        [["dba", "dba", "-"], [FORWARDER, "user", "forward"]]
    );
    master.dbctl(&["user", "revoke", FORWARDER, "forward"]).ok();
    let refused = forwarding.client().refused(insert);
    assert_eq!(refused.code, "42501");
    assert_eq!(refused.message, "user \"forwarder\" may not act for others");
    assert!(
        refused.hint.contains("dbctl user grant forwarder forward"),
        "{refused:?}"
    );
    // No privilege brings it along, and nobody has it from an address of his own choice.
    for user in ["dba", FORWARDER] {
        let password = if user == "dba" {
            dbtests::PASSWORD
        } else {
            super::ITS_PASSWORD
        };
        let mut direct = config(master, user, password);
        direct.options("-c eloqdb.act_for=dba");
        let session = Client::with(&direct).expect("as any other setting of that kind");
        assert_eq!(
            session.value("SELECT session_user"),
            user,
            "options are no start-up parameter"
        );
    }
    master.dbctl(&["user", "grant", FORWARDER, "forward"]).ok();
    forwarding.client().run(insert);
    forwarding
        .cluster
        .master
        .reconfigure(|settings| settings.without("Replication", "RedirectFrom"));
    forwarding.cluster.master.restart();
    let refused = forwarding.client().refused(insert);
    assert_eq!(refused.code, "28000");
    assert!(refused.hint.contains("RedirectFrom"), "{refused:?}");
    wait_for("both logs to say so", SHORT, || {
        let (master, slave) = (
            forwarding.cluster.master.log(),
            forwarding.cluster.slave.log(),
        );
        (master.contains("access refused") && slave.contains("writes can't be forwarded"))
            .then_some(())
    });
}
