//! A certificate for a first try, which is its own authority; the configuration names it then.

use std::path::{Path, PathBuf};

use dbconfig::keys::{self, Section};
use dbconfig::{Config, instance};
use tls::{SelfSigned, self_signed};

use crate::commands::config;
use crate::error::{CommandError, Result};

/// Where the pair is put, beside the configuration.
const CERTIFICATE: &str = "eloqdb.crt";
const KEY: &str = "eloqdb.key";

/// A pair that was made.
pub(super) struct Made {
    pub(super) certificate: PathBuf,
    pub(super) fingerprint: String,
}

/// Nothing that is there is written over: looked at before anything else is made.
pub(super) fn refuse_existing(path: &Path, config: &Config) -> Result<()> {
    let (certificate, key) = places(path, config);
    for file in [certificate, key] {
        if file.exists() {
            return Err(CommandError::usage(format!(
                "{} is there already, and is not written over",
                file.display()
            ))
            .with_hint("set TlsCert and TlsKey to what you have, or move it away"));
        }
    }
    Ok(())
}

/// Makes a pair for this machine's names, and sets `TlsCert` and `TlsKey`.
pub(super) fn make(path: &Path, config: &Config) -> Result<Made> {
    let (certificate, key) = places(path, config);
    let made = self_signed(names(config)).map_err(|why| CommandError::error(why.to_string()))?;
    write(&key, &made.key, 0o600)?;
    write(&certificate, &made.certificate, 0o644)?;
    if config.server.tls.is_none() {
        let value = |file: &Path| file.display().to_string();
        let (certificate, key) = (value(&certificate), value(&key));
        let values = [("TlsCert", &certificate), ("TlsKey", &key)];
        let values = values.map(|(name, value)| {
            let key = keys::find(Section::Server, name).expect("a key of the table");
            (Section::Server.into(), key, value.as_str())
        });
        config::change(path, &values)?;
    }
    let SelfSigned { facts, .. } = made;
    Ok(Made {
        certificate,
        fingerprint: facts.fingerprint,
    })
}

/// Those that the configuration names, else two beside it.
fn places(path: &Path, config: &Config) -> (PathBuf, PathBuf) {
    if let Some(tls) = &config.server.tls {
        return (tls.certificate.clone(), tls.key.clone());
    }
    let directory = path.canonicalize().ok();
    let directory = directory.as_deref().unwrap_or(path).parent();
    let directory = directory.unwrap_or(Path::new("."));
    (directory.join(CERTIFICATE), directory.join(KEY))
}

/// What clients of this machine call it.
fn names(config: &Config) -> Vec<String> {
    let mut names = vec![
        instance::host_name(),
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    let listen = config.server.listen.iter();
    let named = listen.filter(|address| !address.is_unspecified());
    names.extend(named.map(ToString::to_string));
    let mut seen = Vec::new();
    names.retain(|name| {
        let is_new = !name.is_empty() && !seen.contains(name);
        seen.push(name.clone());
        is_new
    });
    names
}

fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    let written = disk::Disk::real().write_atomic(path, text.as_bytes(), mode);
    written.map_err(|error| CommandError::io("write", path, &error))
}
