//! Certificate and key files, which somebody else may have made: taken, or refused in words that name the file.

use std::path::{Path, PathBuf};

use tls::{
    ClientCertificates, ClientOptions, ClientTls, MinVersion, Mode, ServerOptions, ServerTls,
};

use super::choices::Choices;

/// Takes the bytes as the files of a server and of a client, cut where the first two say.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let (first, second) = (choices.byte(), choices.byte());
    let text = choices.rest();
    let cut = |part: u8| text.len() * usize::from(part) / 255;
    let (first, second) = (cut(first.min(second)), cut(first.max(second)));
    let Ok(directory) = tempfile::tempdir() else {
        return;
    };
    let file = |name: &str, bytes: &[u8]| -> PathBuf {
        let path = directory.path().join(name);
        let written = write(&path, bytes);
        assert!(written.is_ok(), "{written:?}");
        path
    };
    let certificate = file("certificate.pem", &text[..first]);
    let key = file("key.pem", &text[first..second]);
    let authorities = file("authorities.pem", &text[second..]);
    let options = ServerOptions {
        certificate: certificate.clone(),
        key: key.clone(),
        client_authorities: (second < text.len()).then(|| authorities.clone()),
        client_certificates: ClientCertificates::Optional,
        min_version: MinVersion::default(),
        protocol: tls::ALPN,
    };
    let refused = |why: String| assert!(why.contains(".pem"), "{why}");
    match ServerTls::load(&options) {
        Ok(server) => assert!(!server.pem().is_empty()),
        Err(error) => refused(error.to_string()),
    }
    let options = ClientOptions {
        mode: Mode::VerifyFull,
        authorities: Some(authorities),
        certificate: Some((certificate, key)),
    };
    if let Err(error) = ClientTls::load(&options) {
        refused(error.to_string());
    }
}

/// Closed to others, as a key has to be.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?
        .write_all(bytes)
}
