//! Slow statements in the log.

use bytes::Bytes;
use dbtests::{Folder, LONG, Server, Settings, wait_for};
use futures::SinkExt as _;

fn started(folder: &Folder, log_slow: &str) -> Server {
    let settings = Settings::master()
        .set("Server", "LogSlow", log_slow)
        .set("Server", "LogFlags", "warn");
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server
}

/// The line about a statement, once it is there.
#[track_caller]
fn line(server: &Server, statement: &str) -> String {
    wait_for(statement, LONG, || {
        let log = server.log();
        let slow = log
            .lines()
            .filter(|line| line.contains("slow: slow statement"));
        let mut found = slow.filter(|line| line.contains(statement));
        found.next().map(str::to_owned)
    })
}

#[test]
fn a_statement_that_takes_long_is_one_line_with_who_and_what() {
    let folder = Folder::new();
    let server = started(&folder, "50ms");
    server.sql("system", "CREATE DATABASE shop");
    let client = server.client("shop");
    client.run("SELECT pg_sleep(0.1),\n\t'two\nlines'");
    let told = line(&server, "SELECT pg_sleep(0.1), 'two lines'");
    for part in [
        "duration_seconds=0.",
        "user=\"dba\"",
        "database=\"shop\"",
        "address=127.0.0.1:",
        "application=\"dbtests\"",
        "rows=1",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("failed="), "{told}");

    client.run("SET statement_timeout = '100ms'");
    client.refused("SELECT pg_sleep(600)");
    let told = line(&server, "SELECT pg_sleep(600)");
    assert!(
        told.contains("failed=\"57014\"") && !told.contains("rows="),
        "{told}"
    );
    client.run("RESET statement_timeout");

    // Each statement of a message has its own time.
    client.run("SELECT pg_sleep(0.11); SELECT pg_sleep(0.12)");
    line(&server, "statement=\"SELECT pg_sleep(0.11)\"");
    line(&server, "statement=\"SELECT pg_sleep(0.12)\"");

    let prepared = client.wait(
        client
            .driver()
            .prepare("SELECT pg_sleep($1::float8), 'prepared'"),
    );
    let prepared = prepared.expect("prepared");
    let rows = client.wait(client.driver().query(&prepared, &[&0.1_f64]));
    assert_eq!(rows.expect("a row").len(), 1);
    let told = line(&server, "SELECT pg_sleep($1::float8), 'prepared'");
    assert!(told.contains("rows=1"), "{told}");

    let copied = server.psql(
        "shop",
        &["-c", "COPY (SELECT pg_sleep(0.1), 'copied') TO STDOUT"],
        "",
    );
    assert!(copied.ok().contains("copied"));
    assert!(line(&server, "COPY (SELECT").contains("application=\"psql\""));
    // LogFlags = warn has kept the rest of the log quiet.
    assert!(!server.log().contains("database shop is made"));
}

/// Waits until a statement with this text has been running for longer than the limit.
#[track_caller]
fn runs_long(server: &Server, statement: &str) {
    let question = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '{statement}' \
         AND clock_timestamp() - query_start > INTERVAL '100 ms'"
    );
    wait_for(statement, LONG, || {
        (server.sql("system", &question)[0][0] == "1").then_some(())
    });
}

#[test]
fn a_wait_for_a_lock_and_a_copy_that_the_client_is_slow_with_belong_to_the_statement() {
    let folder = Folder::new();
    let server = started(&folder, "50ms");
    server.sql("system", "CREATE DATABASE shop");
    let holder = server.client("shop");
    holder.run("CREATE TABLE t (a int); INSERT INTO t VALUES (1)");
    holder.run("BEGIN; UPDATE t SET a = 2");
    let waiter = server.client("shop");
    std::thread::scope(|scope| {
        let waits = scope.spawn(move || waiter.run("UPDATE t SET a = 3"));
        runs_long(&server, "UPDATE t SET a = 3");
        holder.run("COMMIT");
        waits.join().expect("the update is done");
    });
    let told = line(&server, "statement=\"UPDATE t SET a = 3\"");
    assert!(told.contains("rows=1"), "{told}");

    let copying = "COPY t FROM STDIN";
    let sink = holder.wait(holder.driver().copy_in::<_, Bytes>(copying));
    let mut sink = Box::pin(sink.expect("a COPY"));
    holder
        .wait(sink.send(Bytes::from_static(b"7\n8\n")))
        .expect("sent");
    runs_long(&server, copying);
    let rows = holder.wait(sink.as_mut().finish());
    assert_eq!(rows.expect("the end of COPY"), 2);
    let told = line(&server, "statement=\"COPY t FROM STDIN\"");
    assert!(told.contains("rows=2"), "{told}");
}

#[test]
fn no_password_is_in_it() {
    let folder = Folder::new();
    let server = started(&folder, "1ms");
    let client = server.client("system");
    client.run("CREATE USER app PASSWORD 'open sesame'");
    client.run("ALTER USER app PASSWORD 'other sesame'");
    client.refused("ALTER USER app PASSWORD 'third sesame' AND MORE");
    let verifier = "SCRAM-SHA-256$4096:c2VzYW1l$c2VzYW1l:c2VzYW1l";
    client.run(&format!("DBCTL 'user password app ''{verifier}'''"));
    client.run("SELECT pg_sleep(0.1), 'the last'");
    line(&server, "'the last'");
    let log = server.log();
    assert!(
        !log.contains("sesame") && !log.contains("c2VzYW1l"),
        "{log}"
    );
}

#[test]
fn the_limit_is_read_again_on_sighup() {
    let folder = Folder::new();
    let mut server = started(&folder, "0");
    let client = server.client("system");
    client.run("SELECT pg_sleep(0.1), 'unnoticed'");
    server.reconfigure(|settings| settings.set("Server", "LogSlow", "50ms"));
    server.process().signal("HUP");
    wait_for("the limit to hold", LONG, || {
        client.run("SELECT pg_sleep(0.1), 'noticed'");
        server.log().contains("'noticed'").then_some(())
    });
    assert!(!server.log().contains("'unnoticed'"));
}
