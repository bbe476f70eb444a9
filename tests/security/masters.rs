//! Sessions that a slave hands to its master, and transactions that it forwards, within TLS.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use dbtests::process::Run;
use dbtests::{Cluster, Folder, Follower, SHORT, Settings, files, wait_for};
use tls::testing::{Authority, Flaw};

use crate::tap::Tap;
use crate::{SHOP, with_pair};

/// A master that wants certificates, a slave that has one and reaches it over a line that somebody reads.
struct Pair {
    cluster: Cluster,
    follower: Follower,
    tap: Tap,
    authority: String,
    folder: Folder,
}

const FORWARDER: &str = "forwarder";
const ITS_PASSWORD: &str = "between you and me";

fn pair(master_keys: &[(&str, &str)]) -> Pair {
    let folder = Folder::new();
    let authority = Authority::new(folder.path(), "authority").expect("an authority");
    let sign = |file: &str, name: &str| {
        authority
            .sign(folder.path(), file, name, Flaw::None)
            .expect("a certificate")
    };
    let master = with_pair(Settings::master(), &sign("master", "127.0.0.1"))
        .set("Server", "TlsClientCa", authority.certificate.display())
        .set("Replication", "RedirectFrom", "127.0.0.1");
    let master = master_keys.iter().fold(master, |master, (key, value)| {
        master.set("Server", key, value)
    });
    let slave = with_pair(Settings::slave(), &sign("slave", FORWARDER));
    let mut cluster = Cluster::with(master, slave);
    let tap = Tap::to(cluster.master.address());
    let password = folder.join("forwarder.password");
    files::write(&password, ITS_PASSWORD);
    fs::set_permissions(&password, Permissions::from_mode(0o600)).expect("a mode");
    let authority = authority.certificate.display().to_string();
    cluster.slave.reconfigure(|settings| {
        settings
            .set("Replication", "RedirectWrite", tap.address())
            .set("Replication", "RedirectTls", "verify-full")
            .set("Replication", "RedirectTlsCa", &authority)
            .set("Replication", "ForwardWrites", "on")
            .set("Replication", "ForwardUser", FORWARDER)
            .set("Replication", "ForwardPasswordFile", password.display())
    });
    cluster.slave.restart();
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.master.sql(SHOP, "CREATE TABLE note (line text)");
    // It has no certificate of its own.
    let make = ["--tls", "disable", "user", "create", FORWARDER];
    cluster
        .master
        .dbctl_with_new_password(&make, ITS_PASSWORD)
        .ok();
    cluster
        .master
        .dbctl(&["--tls", "disable", "user", "grant", FORWARDER, "forward"])
        .ok();
    let mut follower = cluster.follow();
    cluster.wait_for_slave(&mut follower);
    Pair {
        cluster,
        follower,
        tap,
        authority,
        folder,
    }
}

impl Pair {
    fn psql(&self, parameters: &str, sql: &str) -> Run {
        let database = format!("dbname={SHOP} {parameters}");
        self.cluster.slave.psql(&database, &["-Atc", sql], "")
    }
}

#[test]
fn a_redirected_session_is_within_tls_on_both_lines() {
    let mut pair = pair(&[("TlsClientCert", "required"), ("RequireTls", "1")]);
    let mode = "options='-c eloqdb.open_mode=1'";
    let secret = "a line that nobody else may read";
    let insert = format!("INSERT INTO note VALUES ('{secret}') RETURNING line");
    for sslmode in ["require", "disable"] {
        let shown = pair
            .psql(&format!("sslmode={sslmode} {mode}"), &insert)
            .ok();
        assert!(shown.starts_with(secret), "{shown}");
    }
    assert!(pair.tap.count() > 1000);
    for part in [secret, "INSERT", "SCRAM", SHOP] {
        assert!(!pair.tap.has_seen(part.as_bytes()), "{part}");
    }
    // The certificate that the client sees is the slave's: the master's can't be bound to it, and says so to nobody.
    let refused = pair
        .psql(
            &format!("sslmode=require channel_binding=require {mode}"),
            "SELECT 1",
        )
        .fails(2);
    assert!(refused.contains("channel binding is required"), "{refused}");
    pair.psql("sslmode=require channel_binding=require", "SELECT 1")
        .ok();
    pair.cluster.wait_for_slave(&mut pair.follower);
    assert_eq!(
        pair.psql("sslmode=require", "SELECT count(*) FROM note")
            .ok(),
        "2\n"
    );
}

#[test]
fn a_redirected_session_within_tls_carries_much_is_cancelled_and_ends_in_order() {
    let pair = pair(&[]);
    let mode = "sslmode=require options='-c eloqdb.open_mode=1'";
    let much = "SELECT count(*), max(length(repeat('x', 100000))) FROM generate_series(1, 50)";
    assert_eq!(pair.psql(mode, much).ok(), "50|100000\n");
    let rows = pair
        .psql(
            mode,
            "SELECT repeat('x', 100000) FROM generate_series(1, 100)",
        )
        .ok();
    assert_eq!(rows.len(), 100 * 100_001);
    let sql = format!("INSERT INTO note VALUES ('{}')", "y".repeat(3 << 20));
    let database = format!("dbname={SHOP} {mode}");
    pair.cluster
        .slave
        .psql(&database, &["-v", "ON_ERROR_STOP=1"], &sql)
        .ok();
    let stopped = "sslmode=require options='-c eloqdb.open_mode=1 -c statement_timeout=300'";
    let words = pair.psql(stopped, "SELECT pg_sleep(60)").fails(1);
    assert!(words.contains("statement timeout"), "{words}");
    let sessions = || pair.cluster.slave.sql("system", "DBCTL 'session list'");
    wait_for("the sessions to have left", SHORT, || {
        let redirected = sessions().iter().any(|session| session[7] == "redirected");
        (!redirected).then_some(())
    });
}

/// The slave logs in by its certificate, whose name is the forwarder's: the password is not asked for.
#[test]
fn forwarded_transactions_are_within_tls_and_the_slave_is_known_by_its_certificate() {
    for keys in [&[][..], &[("CertUser", "CN")]] {
        let pair = pair(keys);
        let secret = "a line that nobody else may read";
        let insert = format!("INSERT INTO note VALUES ('{secret}'); SELECT line FROM note");
        let shown = pair.psql("sslmode=require", &insert).ok();
        assert!(shown.contains(secret), "{shown}");
        for part in [secret, "INSERT", "SCRAM", ITS_PASSWORD, FORWARDER] {
            // The name stands in the certificate, which TLS 1.3 hides.
            assert!(!pair.tap.has_seen(part.as_bytes()), "{part}");
        }
        let cancelled = pair.psql(
            "sslmode=require options='-c statement_timeout=300'",
            "INSERT INTO note SELECT pg_sleep(60)::text",
        );
        assert!(cancelled.fails(1).contains("statement timeout"));
    }
}

/// The forwarder and the slave need no place in the rules.
#[test]
fn a_forwarded_session_is_judged_as_its_user() {
    let mut pair = pair(&[]);
    let insert = "INSERT INTO note VALUES ('x')";
    for (key, user, is_refused) in [
        ("allow-users", "dba", false),
        ("deny-users", FORWARDER, false),
        ("deny-users", "dba", true),
    ] {
        let master = &mut pair.cluster.master;
        master.reconfigure(|settings| settings.set("db-access shop", key, user));
        master.restart();
        let run = pair.psql("sslmode=require", insert);
        assert_eq!(run.code != Some(0), is_refused, "{key} = {user}: {run:?}");
    }
    let log = pair.cluster.master.log();
    assert!(log.contains("deny-users of [db-access shop]"), "{log}");
    let told = "no access for host \"127.0.0.1\", user \"dba\", database \"shop\"";
    assert!(log.contains(told), "{log}");
    // A session that is handed on is judged there, too.
    let mode = "options='-c eloqdb.open_mode=1'";
    let words = pair.psql(mode, insert).fails(2);
    assert!(words.contains(told), "{words}");
}

#[test]
fn a_master_whose_certificate_is_not_right_gets_no_session() {
    let mut pair = pair(&[]);
    let other = Authority::new(pair.folder.path(), "other").unwrap();
    let wrong = other.certificate.display().to_string();
    pair.cluster
        .slave
        .reconfigure(|settings| settings.set("Replication", "RedirectTlsCa", &wrong));
    pair.cluster.slave.restart();
    let mode = "options='-c eloqdb.open_mode=1'";
    for parameters in [mode, ""] {
        let refused = pair.psql(parameters, "INSERT INTO note VALUES ('x')");
        let words = refused.err;
        assert!(
            refused.code != Some(0) && words.contains("no TLS with the server"),
            "{words}"
        );
    }
    let authority = pair.authority.clone();
    pair.cluster
        .slave
        .reconfigure(|settings| settings.set("Replication", "RedirectTlsCa", &authority));
    pair.cluster.slave.restart();
    pair.psql(mode, "INSERT INTO note VALUES ('x')").ok();
}
