//! Clients that know the slave alone, and write.

use std::fmt::Write as _;
use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dbtests::{Client, Cluster, LONG, PASSWORD, Refusal, SHORT, Server, Settings, files, wait_for};
use tokio_postgres::Config;

use crate::shop::{SHOP, items, open};

/// psql's words for a session that writes.
const WRITES: &str = "dbname=shop options='-c eloqdb.open_mode=1'";

/// A master and a slave that hands to it who writes.
fn cluster() -> Cluster {
    let master = Settings::master().set("Replication", "RedirectFrom", "127.0.0.1");
    let mut cluster = Cluster::with(master, Settings::slave());
    let master = cluster.master.address();
    cluster
        .slave
        .reconfigure(|settings| settings.set("Replication", "RedirectWrite", master));
    cluster.slave.restart();
    open(&cluster.master);
    cluster.synchronize();
    cluster
}

/// A session of dba in the shop that asks for this mode.
fn config(server: &Server, mode: u8) -> Config {
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(server.address().port())
        .user("dba")
        .password(PASSWORD)
        .dbname(SHOP)
        .options(format!("-c eloqdb.open_mode={mode}"));
    config
}

fn writer(server: &Server) -> Client {
    Client::with(&config(server, 1)).expect("a session of the master")
}

/// What the list of sessions says of those that are served elsewhere.
fn redirected(server: &Server) -> Vec<Vec<String>> {
    let mut sessions = server.sql("system", "DBCTL 'session list'");
    sessions.retain(|session| session[7] == "redirected");
    sessions
}

#[test]
fn what_is_written_through_the_slave_is_the_masters_and_comes_back() {
    let cluster = cluster();
    let insert = "INSERT INTO item (name, price) VALUES ('by psql', 1) RETURNING id";
    let out = cluster
        .slave
        .psql(WRITES, &["-A", "-t", "-c", insert], "")
        .ok();
    assert!(out.starts_with("1\n"), "{out}");
    // A role with a default needs no option, and has it on the slave as soon as that has the role.
    cluster.master.sql(
        SHOP,
        "CREATE USER app PASSWORD 'app''s own'; GRANT ALL ON DATABASE shop TO app",
    );
    cluster
        .master
        .sql(SHOP, "ALTER ROLE app SET eloqdb.open_mode = 1");
    cluster.synchronize();
    let mut app = config(&cluster.slave, 1);
    app.options("").user("app").password("app's own");
    let app = Client::with(&app).unwrap();
    app.run("INSERT INTO item (name, price) VALUES ('by app', 2)");
    let listed = cluster.slave.dbctl(&["--json", "session", "list"]).ok();
    assert!(
        listed.contains(&format!("\"{}\"", cluster.master.address())) && listed.contains("\"app\""),
        "{listed}"
    );
    assert_eq!((items(&cluster.master), items(&cluster.slave)), (2, 1));
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 2);
    let log = cluster.slave.log();
    assert!(log.contains("a session is redirected"), "{log}");
    drop(app);
    wait_for("the end in the log", SHORT, || {
        let log = cluster.slave.log();
        (log.matches("a redirected session has ended: the client has gone")
            .count()
            == 2)
            .then_some(())
    });
    cluster.compare();
}

#[test]
fn what_is_large_passes_in_both_directions() {
    let cluster = cluster();
    let out = cluster.folder().join("out.tsv");
    let mut lines = String::new();
    for n in 0..200_000 {
        writeln!(lines, "{n}\titem {n}\t{n}.25").unwrap();
    }
    let file = cluster.folder().join("in.tsv");
    files::write(&file, &lines);
    let script = format!(
        "\\copy item FROM '{}'\n\\copy (SELECT * FROM item ORDER BY id) TO '{}'\n",
        file.display(),
        out.display()
    );
    cluster.slave.psql(WRITES, &["-q"], &script).ok();
    assert_eq!(fs::read_to_string(&out).unwrap(), lines);
    let client = writer(&cluster.slave);
    client.run("CREATE TABLE big (a TEXT)");
    let big = "x".repeat(48 << 20);
    client
        .wait(
            client
                .driver()
                .execute("INSERT INTO big VALUES ($1)", &[&big]),
        )
        .unwrap();
    let row = client
        .wait(client.driver().query_one("SELECT a FROM big", &[]))
        .unwrap();
    assert!(row.get::<_, &str>(0) == big);
    // What has passed is counted a moment later.
    wait_for("the bytes to be counted", SHORT, || {
        let session = redirected(&cluster.slave).remove(0);
        let is_large = |column: usize| session[column].parse::<u64>().unwrap() > 48 << 20;
        (is_large(9) && is_large(10)).then_some(())
    });
}

#[test]
fn a_statement_of_the_master_is_cancelled_through_the_slave() {
    let cluster = cluster();
    let client = writer(&cluster.slave);
    let cancel = client.driver().cancel_token();
    let watch = cluster.master.client("system");
    let refused = thread::scope(|scope| {
        let sleeps = scope.spawn(|| client.try_rows("SELECT pg_sleep(600)").unwrap_err());
        wait_for("the statement to run", SHORT, || {
            let sessions = watch.rows("DBCTL 'session list'");
            let runs = |session: &Vec<String>| session[2] == SHOP && session[7] == "active";
            sessions.iter().any(runs).then_some(())
        });
        watch
            .wait(cancel.cancel_query(tokio_postgres::NoTls))
            .unwrap();
        sleeps.join().unwrap()
    });
    assert_eq!(Refusal::of(&refused).unwrap().code, "57014");
    assert_eq!(client.value("SELECT 1"), "1");
}

#[test]
fn a_master_that_is_killed_leaves_clear_errors_and_a_slave_that_goes_on() {
    let mut cluster = cluster();
    let began = AtomicUsize::new(0);
    let refusals: Vec<Option<Refusal>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| {
                let client = writer(&cluster.slave);
                let began = &began;
                scope.spawn(move || {
                    loop {
                        let written =
                            client.try_rows("INSERT INTO item (name, price) VALUES ('x', 1)");
                        if let Err(error) = written {
                            return Refusal::of(&error);
                        }
                        began.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        wait_for("work", LONG, || {
            (began.load(Ordering::Relaxed) > 100).then_some(())
        });
        cluster.master.kill9();
        let killed = Instant::now();
        let refusals = clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect();
        assert!(
            killed.elapsed() < Duration::from_secs(10),
            "{:?}",
            killed.elapsed()
        );
        refusals
    });
    // A driver that has not asked yet when the words come shows a closed connection.
    for refusal in refusals.into_iter().flatten() {
        assert_eq!(refusal.code, "08006", "{refusal:?}");
        let message = &refusal.message;
        assert!(
            message.contains("the connection to the master"),
            "{message}"
        );
    }
    assert_eq!(items(&cluster.slave), 0, "readers are served");
    let begun = Instant::now();
    let error = Client::with(&config(&cluster.slave, 1)).err().unwrap();
    assert!(
        begun.elapsed() < Duration::from_secs(6),
        "{:?}",
        begun.elapsed()
    );
    let refusal = Refusal::of(&error).unwrap();
    assert_eq!(refusal.code, "08001");
    assert!(refusal.hint.contains("RedirectWrite"), "{refusal:?}");
    cluster.master.start();
    writer(&cluster.slave).run("INSERT INTO item (name, price) VALUES ('y', 1)");
    assert!(items(&cluster.master) > 100);
}

#[test]
fn a_stop_of_the_slave_lets_redirected_transactions_end() {
    let mut cluster = cluster();
    let idle = writer(&cluster.slave);
    let works = writer(&cluster.slave);
    works.run("BEGIN");
    works.run("INSERT INTO item (name, price) VALUES ('last', 1)");
    thread::scope(|scope| {
        let slave = &mut cluster.slave;
        let stopped = scope.spawn(move || slave.stop());
        wait_for("the idle one to be ended", SHORT, || {
            idle.try_rows("SELECT 1").is_err().then_some(())
        });
        works.run("COMMIT");
        stopped.join().unwrap();
    });
    assert_eq!(items(&cluster.master), 1);
    assert!(works.try_rows("SELECT 1").is_err());
}

#[test]
fn a_stop_of_the_master_is_told_by_the_master() {
    let mut cluster = cluster();
    let client = writer(&cluster.slave);
    client.run("SELECT 1");
    cluster.master.stop();
    let ended = client.try_rows("SELECT 1").unwrap_err();
    if let Some(refusal) = Refusal::of(&ended) {
        assert_eq!(refusal.code, "57P01");
    }
    wait_for("the end in the log", SHORT, || {
        cluster
            .slave
            .log()
            .contains("ended: the master has ended it")
            .then_some(())
    });
    assert_eq!(items(&cluster.slave), 0);
}

#[test]
fn a_slave_that_the_master_does_not_name_is_told_and_so_are_both_logs() {
    let mut cluster = cluster();
    let elsewhere =
        |settings: Settings| settings.set("Replication", "RedirectFrom", "192.0.2.0/24");
    cluster.master.reconfigure(elsewhere);
    cluster.master.restart();
    let out = cluster.slave.psql(WRITES, &["-c", "SELECT 1"], "").fails(2);
    assert!(
        out.contains("sessions that 127.0.0.1 redirects are not accepted")
            && out.contains("RedirectFrom"),
        "{out}"
    );
    let told = "sessions that 127.0.0.1 redirects are not accepted by this server (28000)";
    wait_for("both logs to say so", SHORT, || {
        let (master, slave) = (cluster.master.log(), cluster.slave.log());
        let master = master.contains("access refused") && master.contains(told);
        let slave = slave.contains(&format!("a redirected session is refused there: {told}"));
        (master && slave).then_some(())
    });
}
