//! dbrepl and dbctl within TLS.

use std::process::Command;

use dbtests::process::{Background, Run, run};
use dbtests::programs::ours;
use dbtests::{Cluster, Folder, PASSWORD, SHORT, Server, Settings, files, wait_for};
use tls::testing::{Authority, Flaw, Pair};

use crate::tap::Tap;
use crate::{Secured, secured, with_pair};

fn dbctl(server: &Server, options: &str) -> Run {
    let address = server.address().to_string();
    let mut words = vec!["-h", &address];
    words.extend(options.split_whitespace());
    words.extend(["user", "list"]);
    server.dbctl(&words)
}

#[test]
fn dbctl_takes_the_certificates_that_its_mode_allows() {
    let Secured {
        folder,
        authority,
        mut server,
    } = secured(&[]);
    let other = Authority::new(folder.path(), "other").unwrap();
    let root = format!("--ca-file {}", authority.certificate.display());
    let wrong = format!("--ca-file {}", other.certificate.display());
    for (options, code) in [
        ("", 0),
        ("--tls disable", 0),
        ("--tls require", 0),
        (&format!("--tls verify-ca {root}"), 0),
        (&format!("--tls verify-full {root}"), 0),
        (&format!("--tls verify-ca {wrong}"), 3),
        (&format!("--tls prefer {wrong}"), 3),
        ("--tls verify-full", 2),
        ("--tls allow", 2),
        ("--tls require --ca-file /nowhere/ca.pem", 2),
    ] {
        let run = dbctl(&server, options);
        assert_eq!(run.code, Some(code), "{options}: {}", run.err);
        if code == 3 {
            assert!(
                run.err.contains("UnknownIssuer") && run.err.contains("--ca-file"),
                "{}",
                run.err
            );
        }
    }
    let named = authority
        .sign(folder.path(), "named", "db.example", Flaw::None)
        .unwrap();
    server.reconfigure(|settings| with_pair(settings, &named));
    server.restart();
    dbctl(&server, &format!("--tls verify-ca {root}")).ok();
    let refused = dbctl(&server, &format!("--tls verify-full {root}")).fails(3);
    assert!(refused.contains("not valid for name"), "{refused}");
    // Without TLS on the server.
    server.reconfigure(|settings| {
        settings
            .without("Server", "TlsCert")
            .without("Server", "TlsKey")
    });
    server.restart();
    dbctl(&server, "--tls prefer").ok();
    let refused = dbctl(&server, "--tls require").fails(3);
    assert!(refused.contains("TlsCert"), "{refused}");
}

#[test]
fn dbctl_looks_at_the_certificate_in_each_mode_where_it_has_a_file_of_authorities() {
    let Secured {
        folder,
        authority,
        mut server,
    } = secured(&[]);
    let other = Authority::new(folder.path(), "other").unwrap();
    let sign = |by: &Authority, file: &str, name: &str, flaw| {
        by.sign(folder.path(), file, name, flaw).unwrap()
    };
    let modes = ["disable", "prefer", "require", "verify-ca", "verify-full"];
    for (pair, expected) in [
        (sign(&authority, "good", "127.0.0.1", Flaw::None), "00000"),
        (sign(&authority, "name", "db.example", Flaw::None), "00003"),
        (sign(&authority, "old", "127.0.0.1", Flaw::Expired), "03333"),
        (sign(&other, "else", "127.0.0.1", Flaw::None), "03333"),
        (
            Pair::own_authority(folder.path(), "localhost").unwrap(),
            "03333",
        ),
    ] {
        server.reconfigure(|settings| with_pair(settings, &pair));
        server.restart();
        let codes: String = modes
            .map(|mode| {
                let root = authority.certificate.display();
                let options = if mode == "disable" {
                    "--tls disable".to_owned()
                } else {
                    format!("--tls {mode} --ca-file {root}")
                };
                let code = dbctl(&server, &options).code;
                code.map_or_else(String::new, |code| code.to_string())
            })
            .concat();
        assert_eq!(codes, expected, "{}", pair.certificate.display());
    }
}

#[test]
fn dbctl_shows_a_certificate_where_it_is_asked_for() {
    let keys = [("TlsClientCa", "authority"), ("TlsClientCert", "required")];
    let Secured {
        folder,
        authority,
        server,
    } = secured(&keys);
    let own = authority
        .sign(folder.path(), "own", "dba", Flaw::None)
        .unwrap();
    let (certificate, key) = (own.certificate.display(), own.key.display());
    dbctl(
        &server,
        &format!("--cert-file {certificate} --key-file {key}"),
    )
    .ok();
    dbctl(&server, "").fails(3);
    dbctl(&server, &format!("--cert-file {certificate}")).fails(2);
}

/// dbrepl from this master to an address, with options.
fn dbrepl(cluster: &Cluster, to: std::net::SocketAddr, options: &str) -> Command {
    let mut command = ours("dbrepl");
    command
        .arg("-c")
        .arg(cluster.master.config_path())
        .args(options.split_whitespace())
        .arg(to.to_string())
        .env("EQ_DBPASSWORD", PASSWORD);
    command
}

/// Rows and log go through a line that somebody reads: within TLS nothing of them is to be seen, in clear text all.
#[test]
fn nothing_of_the_log_can_be_read_on_the_line() {
    let folder = Folder::new();
    let authority = Authority::new(folder.path(), "authority").unwrap();
    let pair = authority
        .sign(folder.path(), "slave", "127.0.0.1", Flaw::None)
        .unwrap();
    // Stored plain, so that it could be read.
    let master = Settings::master().set("ForwardLog", "FwCompress", "none");
    let cluster = Cluster::with(master, with_pair(Settings::slave(), &pair));
    cluster.master.sql("system", "CREATE DATABASE shop");
    let root = format!("--ca-file {}", authority.certificate.display());
    let mut number = 0;
    for (options, is_read) in [
        ("", false),
        (&*format!("--tls verify-full {root}"), false),
        ("--tls disable", true),
    ] {
        number += 1;
        let secret = format!("a row that nobody else may read, {number}");
        let sql = format!(
            "CREATE TABLE note{number} (line text); INSERT INTO note{number} VALUES ('{secret}')"
        );
        cluster.master.sql("shop", &sql);
        let tap = Tap::to(cluster.slave.address());
        let options = format!("-S {options}");
        run(&mut dbrepl(&cluster, tap.address(), &options), b"").ok();
        let there = cluster
            .slave
            .sql("shop", &format!("SELECT line FROM note{number}"));
        assert_eq!(there, [[secret.clone()]]);
        assert!(tap.count() > 1000);
        for part in [&*secret, "forwardlog", "SCRAM"] {
            assert_eq!(
                tap.has_seen(part.as_bytes()),
                is_read,
                "{part} with {options}"
            );
        }
    }
    cluster.compare();
}

#[test]
fn dbrepl_says_what_is_wrong_with_a_certificate_and_sends_nothing() {
    let folder = Folder::new();
    let authority = Authority::new(folder.path(), "authority").unwrap();
    let pair = authority
        .sign(folder.path(), "slave", "db.example", Flaw::None)
        .unwrap();
    let root = format!("--ca-file {}", authority.certificate.display());
    let cluster = Cluster::with(Settings::master(), with_pair(Settings::slave(), &pair));
    let ask = |options: &str| {
        let options = format!("-S {options}");
        run(
            &mut dbrepl(&cluster, cluster.slave.address(), &options),
            b"",
        )
    };
    let refused = ask(&format!("--tls verify-full {root}")).fails(3);
    assert!(
        refused.contains("not valid for name") && refused.contains("--ca-file"),
        "{refused}"
    );
    ask(&format!("--tls verify-ca {root}")).ok();
    let refused = ask("--tls verify-ca").fails(2);
    assert!(refused.contains("needs a file"), "{refused}");
}

/// A slave that wants certificates and no clear text is fed by a dbrepl that has one; its file says so.
#[test]
fn dbrepl_follows_within_tls_by_its_file_and_over_a_renewed_certificate() {
    let folder = Folder::new();
    let authority = Authority::new(folder.path(), "authority").unwrap();
    let sign = |file: &str, name: &str| {
        authority
            .sign(folder.path(), file, name, Flaw::None)
            .unwrap()
    };
    let pair = sign("slave", "127.0.0.1");
    let own = sign("dbrepl", "dbrepl");
    let slave = with_pair(Settings::slave(), &pair)
        .set("Server", "TlsClientCa", authority.certificate.display())
        .set("Server", "TlsClientCert", "required")
        .set("Server", "RequireTls", 1);
    let mut cluster = Cluster::with(Settings::master(), slave);
    cluster.master.sql("system", "CREATE DATABASE shop");
    let file = folder.path().join("dbrepl.cfg");
    let text = format!(
        "[dbrepl]\ntls = verify-full\nca-file = {}\ncert-file = {}\nkey-file = {}\n",
        authority.certificate.display(),
        own.certificate.display(),
        own.key.display()
    );
    files::write(&file, text);
    let options = format!("-C {}", file.display());
    let command = &mut dbrepl(&cluster, cluster.slave.address(), &options);
    let log = folder.path().join("dbrepl.log");
    let mut follower = Background::start(command, &log);
    let mut arrives = |cluster: &Cluster| {
        wait_for("the log on the slave", SHORT, || {
            assert!(follower.ended().is_none(), "{}", follower.output());
            let ends = [&cluster.master, &cluster.slave].map(fwlog_end);
            (ends[0].is_some() && ends[0] == ends[1]).then_some(())
        });
    };
    arrives(&cluster);
    sign("slave", "127.0.0.1");
    cluster.slave.restart();
    cluster.master.sql("shop", "CREATE TABLE t (a int)");
    arrives(&cluster);
    assert!(follower.terminate().success());
    cluster.compare();
}

/// The durable end of a server's log, as its file says it.
fn fwlog_end(server: &Server) -> Option<fwlog::Position> {
    let end = fwlog::DurableEnd::read(&disk::Disk::real(), &server.fwlog_dir());
    Some(end.ok()??.durable.point.position)
}

#[test]
fn init_makes_a_certificate_for_a_first_try() {
    let folder = Folder::new();
    let mut server = Server::prepare(folder.path(), Settings::master());
    let comment = "# kept\n";
    let text = format!("{comment}{}", server.settings().to_text());
    files::write(
        &server.config_path(),
        text + &format!("[Server]\nService = {}\n", server.address().port()),
    );
    let told = server.dbctl(&["init", "--tls"]).ok();
    let fingerprint = told
        .lines()
        .find_map(|line| line.strip_prefix("SHA-256"))
        .expect(&told)
        .trim();
    server.start();
    let certificate = server.folder().join("eloqdb.crt");
    let verified = format!("--tls verify-full --ca-file {}", certificate.display());
    dbctl(&server, &verified).ok();
    // What openssl says of it is what was told.
    let mut openssl = dbtests::programs::needed("openssl", "openssl");
    openssl
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&certificate);
    let shown = run(&mut openssl, b"").ok().replace(':', "").to_lowercase();
    assert!(shown.contains(fingerprint), "{shown} {fingerprint}");
    let config = std::fs::read_to_string(server.config_path()).expect("the configuration");
    assert!(
        config.starts_with(comment) && config.contains("TlsCert"),
        "{config}"
    );
    // A second time nothing is written over.
    let other = Server::prepare(&folder.path().join("other"), Settings::master());
    files::write(&other.folder().join("eloqdb.key"), "mine");
    let refused = other.dbctl(&["init", "--tls"]).fails(2);
    assert!(refused.contains("eloqdb.key is there already"), "{refused}");
    assert_eq!(files::read(&other.folder().join("eloqdb.key")), b"mine");
    assert!(!other.data_dir().join("control").exists());
}
