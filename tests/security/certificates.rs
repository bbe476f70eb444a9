//! Certificates of clients, and a server's that are renewed.

use dbtests::process::Run;
use dbtests::{SHORT, Server, files, wait_for};
use tls::testing::{Authority, Flaw, Pair};

use crate::{SHOP, Secured, secured};

/// psql as that user, with a certificate or without.
fn psql(server: &Server, user: &str, pair: Option<&Pair>) -> Run {
    let certificate = pair.map_or_else(String::new, |pair| {
        let (certificate, key) = (pair.certificate.display(), pair.key.display());
        format!("sslcert={certificate} sslkey={key}")
    });
    let database = format!("dbname={SHOP} user={user} sslmode=require {certificate}");
    server.psql(&database, &["-Atc", "SELECT current_user"], "")
}

#[test]
fn a_certificate_is_asked_for_where_it_must_be_shown() {
    let keys = [("TlsClientCa", "authority"), ("TlsClientCert", "required")];
    let Secured {
        folder,
        authority,
        server,
    } = secured(&keys);
    let other = Authority::new(folder.path(), "other").unwrap();
    let sign = |by: &Authority, file| by.sign(folder.path(), file, "till", Flaw::None).unwrap();
    let till = sign(&authority, "till");
    let stranger = sign(&other, "stranger");
    // The password is asked for all the same.
    assert_eq!(psql(&server, "dba", Some(&till)).ok(), "dba\n");
    psql(&server, "dba", None).fails(2);
    psql(&server, "dba", Some(&stranger)).fails(2);
    let old = authority
        .sign(folder.path(), "old", "till", Flaw::Expired)
        .unwrap();
    psql(&server, "dba", Some(&old)).fails(2);
    wait_for("the refusals in the log", SHORT, || {
        server
            .log()
            .contains("could not accept SSL connection")
            .then_some(())
    });
}

#[test]
fn the_common_name_is_the_user_and_stands_for_the_password() {
    let keys = [("TlsClientCa", "authority"), ("CertUser", "CN")];
    let Secured {
        folder,
        authority,
        server,
    } = secured(&keys);
    server.sql("system", "CREATE USER ann PASSWORD 'nobody knows it'");
    server.sql("system", "GRANT CONNECT ON DATABASE shop TO ann");
    let ann = authority
        .sign(folder.path(), "ann", "ann", Flaw::None)
        .unwrap();
    let nobody = authority
        .sign(folder.path(), "nobody", "nobody", Flaw::None)
        .unwrap();
    assert_eq!(psql(&server, "ann", Some(&ann)).ok(), "ann\n");
    let refused = psql(&server, "dba", Some(&ann)).fails(2);
    let words = "certificate authentication failed for user \"dba\"";
    assert!(refused.contains(words), "{refused}");
    let refused = psql(&server, "nobody", Some(&nobody)).fails(2);
    assert!(refused.contains("failed for user \"nobody\""), "{refused}");
    // As PostgreSQL's view of that name tells it.
    let question = "SELECT ssl, version, cipher, bits, client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    let certificate = format!(
        "dbname={SHOP} user=ann sslmode=require sslcert={} sslkey={}",
        ann.certificate.display(),
        ann.key.display()
    );
    let told = server.psql(&certificate, &["-Atc", question], "").ok();
    assert_eq!(told, "t|TLSv1.3|TLS_AES_256_GCM_SHA384|256|CN=ann\n");
    let clear = format!("dbname={SHOP} sslmode=disable");
    assert_eq!(server.psql(&clear, &["-Atc", question], "").ok(), "f||||\n");
    // Who shows none is asked for the password.
    assert_eq!(psql(&server, "dba", None).ok(), "dba\n");
}

#[test]
fn a_renewed_certificate_is_shown_and_nobody_is_sent_away() {
    let Secured {
        folder,
        authority,
        mut server,
    } = secured(&[]);
    let root = authority.certificate.display().to_string();
    let verified = |server: &Server| {
        let database = format!("dbname={SHOP} sslmode=verify-full sslrootcert={root}");
        server.psql(&database, &["-Atc", "SELECT 1"], "")
    };
    verified(&server).ok();
    let before = server.client(SHOP);
    let pair = Pair {
        certificate: folder.path().join("server.crt"),
        key: folder.path().join("server.key"),
    };
    let good = [&pair.certificate, &pair.key].map(|path| files::read(path));
    // Half of a certificate: the old one is shown, and the log says so once.
    files::write(&pair.certificate, &good[0][..200]);
    for _ in 0..3 {
        verified(&server).ok();
    }
    let told = |server: &Server| server.log().matches("the one that was shown stays").count();
    assert_eq!(told(&server), 1);
    // On SIGHUP it is tried whatever the files look like.
    server.process().signal("HUP");
    wait_for("a word on SIGHUP", SHORT, || {
        (told(&server) == 2).then_some(())
    });
    // Another authority's: taken at the next connection.
    let other = Authority::new(folder.path(), "other").unwrap();
    other
        .sign(folder.path(), "server", "127.0.0.1", Flaw::None)
        .unwrap();
    verified(&server).fails(2);
    assert!(server.log().contains("the certificate is read again"));
    files::write(&pair.certificate, &good[0]);
    files::write(&pair.key, &good[1]);
    verified(&server).ok();
    assert_eq!(before.value("SELECT 1"), "1");
}
