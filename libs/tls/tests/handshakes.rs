//! Handshakes in memory: each mode of a client against each kind of certificate, clients' certificates, versions, and
//! pairs that are put in the place of others.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::TempDir;
use tls::testing::{Authority, Flaw, Pair};
use tls::{
    ClientCertificates, ClientOptions, ClientTls, Facts, Line, MinVersion, Mode, Renewal,
    SelfSigned, ServerOptions, ServerTls, Shown, TlsError, self_signed,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn authority(folder: &TempDir, name: &str) -> Authority {
    Authority::new(folder.path(), name).expect("an authority")
}

fn write(folder: &TempDir, made: &SelfSigned) -> Pair {
    Pair::write(folder.path(), "made", &made.certificate, &made.key)
}

fn options(pair: &Pair) -> ServerOptions {
    ServerOptions {
        certificate: pair.certificate.clone(),
        key: pair.key.clone(),
        client_authorities: None,
        client_certificates: ClientCertificates::Optional,
        min_version: MinVersion::Tls12,
        protocol: tls::ALPN,
    }
}

fn client(mode: Mode, authorities: Option<&Path>) -> ClientTls {
    ClientTls::load(&ClientOptions {
        mode,
        authorities: authorities.map(Path::to_owned),
        certificate: None,
    })
    .expect("good files")
}

/// What both sides have seen of a handshake that has succeeded.
struct Met {
    client_certificate: Option<Facts>,
    binding: Option<Vec<u8>>,
    protocol: Option<Vec<u8>>,
}

/// Shakes hands for the name `host`, and sends a word each way.
fn meet(server: &ServerTls, client: &ClientTls, host: &str) -> io::Result<Met> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let (near, far) = tokio::io::duplex(1 << 16);
        let serve = async {
            let mut stream = server.accept(far).await?;
            let mut word = [0; 4];
            stream.read_exact(&mut word).await?;
            stream.write_all(&word).await?;
            stream.flush().await?;
            let (_, connection) = stream.get_ref();
            let certificate = connection.peer_certificates().and_then(|all| all.first());
            let protocol = connection.alpn_protocol().map(<[u8]>::to_vec);
            io::Result::Ok((certificate.and_then(Facts::of), protocol))
        };
        let ask = async {
            let mut stream = Line::from(client.connect(host, near).await?);
            stream.write_all(b"word").await?;
            let mut word = [0; 4];
            stream.read_exact(&mut word).await?;
            assert_eq!(&word, b"word");
            io::Result::Ok(stream.binding())
        };
        let (served, asked) = tokio::join!(serve, ask);
        let binding = asked?;
        let (client_certificate, protocol) = served?;
        Ok(Met {
            client_certificate,
            binding,
            protocol,
        })
    })
}

/// Rows: the server's certificate; columns: require without a file, then require, verify-ca and verify-full with one.
#[test]
fn each_mode_takes_what_it_should_and_nothing_else() {
    let folder = folder();
    let (ours, theirs) = (authority(&folder, "ours"), authority(&folder, "theirs"));
    let sign = |by: &Authority, file: &str, name: &str, flaw| {
        by.sign(folder.path(), file, name, flaw).unwrap()
    };
    let own = Pair::own_authority(folder.path(), "db.example").unwrap();
    let made = self_signed(vec!["db.example".into(), "127.0.0.1".into()]).unwrap();
    let made = write(&folder, &made);
    let good = sign(&ours, "good", "db.example", Flaw::None);
    let other_name = sign(&ours, "name", "web.example", Flaw::None);
    let expired = sign(&ours, "old", "db.example", Flaw::Expired);
    let of_theirs = sign(&theirs, "else", "db.example", Flaw::None);
    let (ours, own_file) = (&ours.certificate, own.certificate.clone());
    let made_file = made.certificate.clone();
    for (what, pair, authorities, expected) in [
        ("good", good, ours, "yyyy"),
        ("other name", other_name, ours, "yyyn"),
        ("expired", expired, ours, "ynnn"),
        ("another authority", of_theirs.clone(), ours, "ynnn"),
        ("not the one in the file", of_theirs, &made_file, "ynnn"),
        ("calls itself an authority", own, &own_file, "yyyy"),
        ("self-signed by us", made, &made_file, "yyyy"),
    ] {
        let server = ServerTls::load(&options(&pair)).unwrap();
        let with_file = Some(authorities.as_path());
        let clients = [
            client(Mode::Require, None),
            client(Mode::Require, with_file),
            client(Mode::VerifyCa, with_file),
            client(Mode::VerifyFull, with_file),
        ];
        let outcomes: String = clients
            .iter()
            .map(|client| match meet(&server, client, "db.example") {
                Ok(met) => {
                    assert_eq!(met.binding.as_deref(), server.end_point());
                    assert_eq!(met.protocol.as_deref(), Some(tls::ALPN));
                    'y'
                }
                Err(_) => 'n',
            })
            .collect();
        assert_eq!(outcomes, expected, "{what}");
    }
}

#[test]
fn addresses_are_names_too() {
    let folder = folder();
    let made = self_signed(vec!["db.example".into(), "127.0.0.1".into()]).unwrap();
    let pair = write(&folder, &made);
    let server = ServerTls::load(&options(&pair)).unwrap();
    assert_eq!(server.facts(), &made.facts);
    assert_eq!(made.facts.common_name.as_deref(), Some("db.example"));
    assert_eq!(made.facts.fingerprint.len(), 64);
    let client = client(Mode::VerifyFull, Some(&pair.certificate));
    assert!(meet(&server, &client, "127.0.0.1").is_ok());
    let error = meet(&server, &client, "127.0.0.2").err().unwrap();
    assert!(error.to_string().contains("127.0.0.2"), "{error}");
}

#[test]
fn a_clients_certificate_is_asked_for_and_known_by_its_name() {
    let folder = folder();
    let (ours, theirs) = (authority(&folder, "ours"), authority(&folder, "theirs"));
    let sign = |by: &Authority, file: &str, name: &str| {
        by.sign(folder.path(), file, name, Flaw::None).unwrap()
    };
    let pair = sign(&ours, "server", "db.example");
    let mut options = options(&pair);
    options.client_authorities = Some(ours.certificate.clone());
    let with = |pair: Option<&Pair>| {
        let certificate = pair.map(|pair| (pair.certificate.clone(), pair.key.clone()));
        ClientTls::load(&ClientOptions {
            mode: Mode::Require,
            authorities: None,
            certificate,
        })
        .unwrap()
    };
    let ann = sign(&ours, "ann", "ann");
    let stranger = sign(&theirs, "stranger", "ann");
    for (required, none) in [
        (ClientCertificates::Optional, true),
        (ClientCertificates::Required, false),
    ] {
        options.client_certificates = required;
        let server = ServerTls::load(&options).unwrap();
        let met = meet(&server, &with(Some(&ann)), "db.example").unwrap();
        let name = met.client_certificate.unwrap().common_name;
        assert_eq!(name.as_deref(), Some("ann"));
        assert!(meet(&server, &with(Some(&stranger)), "db.example").is_err());
        assert_eq!(meet(&server, &with(None), "db.example").is_ok(), none);
    }
    options.client_authorities = None;
    assert!(matches!(
        ServerTls::load(&options),
        Err(TlsError::Options(_))
    ));
}

#[test]
fn files_that_are_of_no_use_are_refused_by_name() {
    let folder = folder();
    let made = self_signed(vec!["db.example".into()]).unwrap();
    let other = self_signed(vec!["db.example".into()]).unwrap();
    let pair = write(&folder, &made);
    let mixed = Pair::write(folder.path(), "mixed", &made.certificate, &other.key);
    let refused = |options: &ServerOptions| ServerTls::load(options).unwrap_err();
    assert!(matches!(refused(&options(&mixed)), TlsError::Pair { .. }));
    let swapped = Pair {
        certificate: pair.key.clone(),
        key: pair.certificate.clone(),
    };
    let error = refused(&options(&swapped));
    assert!(matches!(error, TlsError::Content { .. }), "{error}");
    fs::set_permissions(&pair.key, Permissions::from_mode(0o644)).unwrap();
    let error = refused(&options(&pair));
    assert!(
        matches!(error, TlsError::Open { mode: 0o644, .. }),
        "{error}"
    );
    fs::remove_file(&pair.key).unwrap();
    let error = refused(&options(&pair));
    assert!(matches!(error, TlsError::Read { .. }), "{error}");
    assert!(matches!(
        ClientTls::load(&ClientOptions {
            mode: Mode::VerifyCa,
            ..ClientOptions::default()
        }),
        Err(TlsError::NoAuthorities(Mode::VerifyCa))
    ));
}

#[test]
fn a_new_pair_is_shown_and_a_bad_one_leaves_the_old() {
    let folder = folder();
    let [first, second] = [(); 2].map(|()| self_signed(vec!["db.example".into()]).unwrap());
    let pair = write(&folder, &first);
    let shown = Shown::load(options(&pair)).unwrap();
    assert!(matches!(shown.renew(false), Renewal::Same));
    let before = shown.current();
    assert_eq!(before.facts(), &first.facts);
    Pair::write(folder.path(), "made", "half a certific", &first.key);
    assert!(matches!(shown.renew(false), Renewal::Refused(_)));
    // It is told once, unless somebody asks.
    assert!(matches!(shown.renew(false), Renewal::Same));
    assert!(matches!(shown.renew(true), Renewal::Refused(_)));
    assert_eq!(shown.current().facts(), &first.facts);
    write(&folder, &second);
    assert!(matches!(shown.renew(false), Renewal::Renewed(_)));
    assert_eq!(shown.current().facts(), &second.facts);
    // Who was there before goes on with what he has.
    assert_eq!(before.facts(), &first.facts);
}
