//! libpq's modes against good and bad certificates, what passes on the line, and what of TLS is spoken.

use dbtests::process::{Run, run};
use dbtests::programs::needed;
use dbtests::{Server, Settings, files};
use tls::testing::{Authority, Flaw, Pair};

use crate::tap::Tap;
use crate::{SHOP, Secured, secured, with_pair};

/// psql with these connection parameters; prints whether the session is within TLS.
fn psql(server: &Server, parameters: &str) -> Run {
    let database = format!("dbname={SHOP} {parameters}");
    server.psql(
        &database,
        &["-At", "-c", "SELECT 1", "-c", "\\conninfo"],
        "",
    )
}

/// In a column for each mode: y = within TLS, c = in clear text, n = not at all.
#[test]
fn each_mode_of_libpq_takes_what_it_should() {
    let Secured {
        folder,
        authority,
        mut server,
    } = secured(&[]);
    let other = Authority::new(folder.path(), "other").unwrap();
    let sign = |by: &Authority, file: &str, name: &str, flaw| {
        by.sign(folder.path(), file, name, flaw).unwrap()
    };
    let own = Pair::own_authority(folder.path(), "localhost").unwrap();
    let root = authority.certificate.display().to_string();
    let modes = [
        "disable",
        "allow",
        "prefer",
        "require",
        "verify-ca",
        "verify-full",
    ];
    for (what, pair, expected) in [
        (
            "good",
            sign(&authority, "good", "127.0.0.1", Flaw::None),
            "ccyyyy",
        ),
        (
            "another name",
            sign(&authority, "name", "db.example", Flaw::None),
            "ccyyyn",
        ),
        (
            "expired",
            sign(&authority, "old", "127.0.0.1", Flaw::Expired),
            "cccnnn",
        ),
        (
            "another authority",
            sign(&other, "else", "127.0.0.1", Flaw::None),
            "cccnnn",
        ),
        ("self-signed", own, "cccnnn"),
    ] {
        server.reconfigure(|settings| with_pair(settings, &pair));
        server.restart();
        let outcomes: String = modes
            .map(|mode| {
                let run = psql(&server, &format!("sslmode={mode} sslrootcert={root}"));
                match (
                    run.code,
                    run.out.contains("SSL connection (protocol: TLSv1.3"),
                ) {
                    (Some(0), true) => 'y',
                    (Some(0), false) => 'c',
                    _ => 'n',
                }
            })
            .iter()
            .collect();
        assert_eq!(outcomes, expected, "{what}");
    }
    // Without a file of authorities `require` looks at nothing.
    psql(&server, "sslmode=require").ok();
}

#[test]
fn a_log_in_is_bound_to_the_certificate() {
    let Secured {
        server,
        folder: _folder,
        ..
    } = secured(&[]);
    psql(&server, "sslmode=require channel_binding=require").ok();
    let refused = psql(&server, "sslmode=disable channel_binding=require").fails(2);
    assert!(refused.contains("channel binding required"), "{refused}");
}

#[test]
fn nothing_of_a_session_can_be_read_on_the_line() {
    let Secured {
        server,
        folder: _folder,
        ..
    } = secured(&[]);
    let secret = "a row that nobody else may read";
    let sql = format!(
        "CREATE TABLE note (line text); INSERT INTO note VALUES ('{secret}'); SELECT * FROM note"
    );
    for (mode, is_read) in [("require", false), ("disable", true)] {
        let tap = Tap::to(server.address());
        let port = tap.address().port();
        let database = format!("dbname={SHOP} port={port} sslmode={mode}");
        let shown = server.psql(&database, &["-At", "-c", &sql], "").ok();
        assert!(shown.contains(secret), "{shown}");
        assert!(tap.count() > 500);
        for part in [secret, "CREATE TABLE", "SCRAM", SHOP] {
            assert_eq!(tap.has_seen(part.as_bytes()), is_read, "{part} with {mode}");
        }
        server.sql(SHOP, "DROP TABLE note");
    }
}

/// `openssl s_client` on the service port: what it has agreed on.
fn s_client(server: &Server, arguments: &[&str]) -> Run {
    let mut command = needed("openssl", "openssl");
    command
        .args([
            "s_client",
            "-brief",
            "-connect",
            &server.address().to_string(),
        ])
        .args(arguments);
    run(&mut command, b"")
}

#[test]
fn no_old_version_and_no_weak_cipher_is_spoken() {
    let Secured {
        mut server,
        folder: _folder,
        ..
    } = secured(&[]);
    let asks = ["-starttls", "postgres"];
    let with = |server: &Server, more: &[&str]| s_client(server, &[&asks, more].concat());
    let agreed = with(&server, &[]);
    assert!(agreed.err.contains("TLSv1.3"), "{}", agreed.err);
    with(&server, &["-tls1_2"]).ok();
    with(&server, &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]).fails(1);
    for weak in [
        "AES128-SHA",
        "AES256-GCM-SHA384",
        "ECDHE-ECDSA-AES128-SHA",
        "NULL",
        "aNULL",
    ] {
        let cipher = format!("{weak}:@SECLEVEL=0");
        with(&server, &["-tls1_2", "-cipher", &cipher]).fails(1);
    }
    server.reconfigure(|settings| settings.set("Server", "TlsMinVersion", "1.3"));
    server.restart();
    with(&server, &["-tls1_2"]).fails(1);
    with(&server, &["-tls1_3"]).ok();
}

/// As libpq 17 does it with `sslnegotiation=direct`.
#[test]
fn tls_may_begin_without_a_request_if_the_protocol_is_named() {
    let Secured {
        server,
        folder: _folder,
        ..
    } = secured(&[]);
    s_client(&server, &["-alpn", "postgresql"]).ok();
    s_client(&server, &["-alpn", "h2"]).fails(1);
    // The hand is shaken, and what comes then is the end.
    drop(s_client(&server, &[]));
    dbtests::wait_for("the refusal in the log", dbtests::SHORT, || {
        server.log().contains("without ALPN protocol").then_some(())
    });
}

#[test]
fn what_came_before_tls_is_not_taken_for_what_came_within() {
    use std::io::{Read as _, Write as _};
    let Secured {
        server,
        folder: _folder,
        ..
    } = secured(&[]);
    let mut stream = std::net::TcpStream::connect(server.address()).unwrap();
    let mut bytes = tls::request::SSL_REQUEST.to_vec();
    bytes.extend(b"\0\0\0\x08\0\x03\0\0");
    stream.write_all(&bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with('E'), "{answer}");
    assert!(
        answer.contains("received unencrypted data after SSL request"),
        "{answer}"
    );
}

#[test]
fn a_server_with_a_bad_pair_does_not_start_and_says_why() {
    let folder = dbtests::Folder::new();
    let authority = Authority::new(folder.path(), "authority").unwrap();
    let one = authority
        .sign(folder.path(), "one", "127.0.0.1", Flaw::None)
        .unwrap();
    let two = authority
        .sign(folder.path(), "two", "127.0.0.1", Flaw::None)
        .unwrap();
    let mixed = Pair {
        certificate: one.certificate,
        key: two.key,
    };
    let mut server = Server::create(folder.path(), with_pair(Settings::master(), &mixed));
    let why = server.try_start().unwrap_err().err;
    assert!(why.contains("one.crt") && why.contains("two.key"), "{why}");
    files::write(&mixed.key, "no key");
    let why = server.try_start().unwrap_err().err;
    assert!(
        why.contains("two.key") && why.contains("private key"),
        "{why}"
    );
}

/// An address of this machine that is not loopback, if it has one: nothing is sent to find it.
fn own_address() -> Option<std::net::IpAddr> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("198.51.100.1:9").ok()?;
    let address = socket.local_addr().ok()?.ip();
    (!address.is_loopback() && !address.is_unspecified()).then_some(address)
}

#[test]
fn clear_text_is_refused_where_tls_is_required_but_for_loopback() {
    let Some(address) = own_address() else {
        eprintln!("this machine has no address but loopback: not tried");
        return;
    };
    let Secured {
        mut server,
        folder: _folder,
        ..
    } = secured(&[("RequireTls", "1")]);
    server.reconfigure(|settings| {
        settings
            .set("Server", "Listen", format!("127.0.0.1, {address}"))
            .set("db-access", "allow", "all")
    });
    server.restart();
    psql(&server, "sslmode=disable").ok();
    psql(&server, &format!("host={address} sslmode=require")).ok();
    let refused = psql(&server, &format!("host={address} sslmode=disable")).fails(2);
    assert!(
        refused.contains("this server takes no connection in clear text"),
        "{refused}"
    );
    assert!(refused.contains("sslmode=require"), "{refused}");
}

/// The status page within TLS: the same page, by the same certificate.
#[test]
fn the_status_page_is_served_within_tls() {
    let Secured {
        server,
        authority,
        folder: _folder,
    } = secured(&[("ServiceHttps", "0")]);
    let lock = std::fs::read_to_string(server.data_dir().join("lock")).expect("a lock file");
    let address = lock.lines().find_map(|line| line.strip_prefix("https = "));
    let address = address.expect("the address of the page");
    let ask = |more: &[&str]| {
        let mut command = needed("openssl", "openssl");
        command
            .args([
                "s_client",
                "-quiet",
                "-verify_return_error",
                "-verify_ip",
                "127.0.0.1",
            ])
            .args(["-connect", address, "-CAfile"])
            .arg(&authority.certificate)
            .args(more);
        run(&mut command, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    };
    assert!(ask(&[]).out.ends_with("ok\n"));
    assert!(ask(&["-alpn", "http/1.1"]).out.ends_with("ok\n"));
    assert!(ask(&["-tls1_2"]).out.ends_with("ok\n"));
    assert_eq!(ask(&["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"]).out, "");
    // In clear text nobody answers there.
    let mut stream = std::net::TcpStream::connect(address).expect("a connection");
    std::io::Write::write_all(&mut stream, b"GET /healthz HTTP/1.1\r\n\r\n").expect("a request");
    let mut answer = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut answer).expect("an end");
    assert!(!String::from_utf8_lossy(&answer).contains("ok"));
}
