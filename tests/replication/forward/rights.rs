//! Who may write through a slave, who may act for him, and what others see of it.

use dbtests::{Client, LONG, SHORT, Settings, process, programs, wait_for};

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
        // The one before may not have left yet.
        let slave = &forwarding.cluster.slave;
        let client = wait_for("the mode to be free", LONG, || {
            slave.client_in_mode(SHOP, mode).ok()
        });
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
    master.sql(SHOP, "GRANT ALL ON DATABASE shop TO app");
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
    let audited = master.dbctl(&["fwlog", "audit"]).ok();
    let line = audited
        .lines()
        .find(|line| line.contains("INSERT INTO"))
        .unwrap_or_default();
    assert!(
        line.contains(&format!(" via {FORWARDER}@127.0.0.1:")),
        "{audited}"
    );
    let create = "CREATE USER another PASSWORD 'p'";
    let direct = Client::with(&config(master, "app", "its own")).unwrap();
    assert_eq!(app.refused(create), direct.refused(create));
    // A user that the master has no more.
    follower.process().signal("STOP");
    drop((app, direct));
    let app = Client::with(&config(slave, "app", "its own")).unwrap();
    master.sql("system", "REVOKE ALL ON DATABASE shop FROM app");
    master.sql("system", "DBCTL 'user drop app'");
    let refused = app.refused("INSERT INTO item (name) VALUES ('a')");
    follower.process().signal("CONT");
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        ("28000", "role \"app\" does not exist")
    );
}

#[test]
fn who_ends_a_session_here_ends_its_transaction_there() {
    let forwarding = Forwarding::start();
    let (master, slave) = (&forwarding.cluster.master, &forwarding.cluster.slave);
    let app = forwarding.client();
    app.run("SET application_name = 'app'; BEGIN; INSERT INTO item (name) VALUES ('a')");
    let activity = |state: &str, sql: &str| {
        let asked = format!("SELECT {state} FROM pg_stat_activity WHERE application_name = 'app'");
        wait_for(sql, LONG, || {
            (slave.sql(SHOP, &asked) == [[sql]]).then_some(())
        });
    };
    activity("state", "idle in transaction");
    let here = slave.sql("system", "DBCTL 'session list'");
    let here: Vec<_> = here.iter().filter(|session| session[4] == "app").collect();
    std::thread::scope(|scope| {
        let sleeps = scope.spawn(|| app.try_rows("SELECT pg_sleep(600)").unwrap_err());
        activity("wait_event", &format!("forwarding to {}", master.address()));
        slave.dbctl(&["session", "kill", &here[0][0]]).ok();
        sleeps.join().unwrap();
    });
    wait_for("the end there", LONG, || {
        let sessions = master.sql("system", "DBCTL 'session list'");
        sessions
            .iter()
            .all(|session| session[2] != SHOP)
            .then_some(())
    });
    assert_eq!(master.sql(SHOP, "SELECT count(*) FROM item"), [["0"]]);
}

#[test]
fn only_who_has_shown_the_password_and_has_the_right_acts_for_others() {
    let forwarding = Forwarding::start();
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
    let mut check = programs::ours("dbserver");
    check
        .arg("-c")
        .arg(forwarding.cluster.slave.config_path())
        .arg("--check");
    let check = format!("{:?}", process::run(&mut check, b""));
    assert!(
        check.contains(
            "warning: writes can't be forwarded (ForwardPasswordFile): the password file"
        ),
        "{check}"
    );
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
        [
            ["dba", "dba", "-", "-", "-"],
            [FORWARDER, "user", "forward", "-", "-"]
        ]
    );
    master.dbctl(&["user", "revoke", FORWARDER, "forward"]).ok();
    let refused = forwarding.client().refused(insert);
    assert_eq!(refused.code, "42501");
    assert_eq!(refused.message, "user \"forwarder\" may not act for others");
    assert!(
        refused.hint.contains("dbctl user grant forwarder forward"),
        "{refused:?}"
    );
    master.dbctl(&["user", "grant", FORWARDER, "forward"]).ok();
    forwarding.client().run(insert);
}

#[test]
fn no_privilege_brings_the_right_along_and_it_holds_only_from_where_slaves_are() {
    let mut forwarding = Forwarding::start();
    let insert = "INSERT INTO item (name) VALUES ('a')";
    write_password(forwarding.cluster.folder(), dbtests::PASSWORD);
    let as_user = |user: &'static str| {
        move |settings: Settings| settings.set("Replication", "ForwardUser", user)
    };
    forwarding.cluster.slave.reconfigure(as_user("dba"));
    forwarding.cluster.slave.restart();
    let refused = forwarding.client().refused(insert);
    assert_eq!(refused.message, "user \"dba\" may not act for others");
    write_password(forwarding.cluster.folder(), super::ITS_PASSWORD);
    forwarding.cluster.slave.reconfigure(as_user(FORWARDER));
    forwarding.cluster.slave.restart();
    // Nor does it hold from elsewhere than where slaves are.
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

#[test]
fn privileges_are_judged_on_the_master_at_the_time_of_the_write() {
    let forwarding = Forwarding::start();
    let cluster = &forwarding.cluster;
    let (master, slave) = (&cluster.master, &cluster.slave);
    master.sql(
        SHOP,
        "CREATE ROLE till; CREATE USER app PASSWORD 'its own' IN ROLE till; GRANT CONNECT ON DATABASE shop TO app;
         GRANT SELECT ON item TO app; GRANT INSERT, SELECT ON item TO till; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO till",
    );
    let app = wait_for("the user on the slave", LONG, || {
        Client::with(&config(slave, "app", "its own")).ok()
    });
    app.run("INSERT INTO item (name) VALUES ('by the group''s right')");
    let refused = app.refused("DELETE FROM item");
    let told = (refused.code.as_str(), refused.message.as_str());
    assert_eq!(told, ("42501", "permission denied for table item"));
    // What the master has taken away counts, also where the slave does not know of it.
    master.sql(SHOP, "REVOKE INSERT ON item FROM till");
    let refused = app.refused("INSERT INTO item (name) VALUES ('too late')");
    let told = (refused.code.as_str(), refused.message.as_str());
    assert_eq!(told, ("42501", "permission denied for table item"));
    // The role that the session acts as on the slave is the one on the master.
    let dba = slave.client(SHOP);
    dba.run("SET ROLE app");
    let refused = dba.refused("DELETE FROM item");
    assert_eq!(refused.code, "42501", "{refused:?}");
    // Who may not grant is warned, and has granted nothing.
    app.run("GRANT SELECT ON item TO PUBLIC");
    let public =
        "SELECT count(*) FROM information_schema.table_privileges WHERE grantee = 'PUBLIC'";
    assert_eq!(master.sql(SHOP, public), [["0"]]);
    dba.run("RESET ROLE");
    dba.run("GRANT INSERT ON item TO app; DELETE FROM item");
    app.run("INSERT INTO item (name) VALUES ('again')");
    assert_eq!(forwarding.names(), ["again"]);
}
