//! Configuration files: refused in words, or read; and what `dbctl config set` does to them.

use std::path::Path;

use dbconfig::{ClientConfig, Config, Document, ReplicationConfig, keys};

use super::choices::Choices;

/// Takes the bytes as a file, and their beginning as a change to it.
pub fn check(data: &[u8]) {
    let mut choices = Choices::new(data);
    let which = usize::from(choices.byte());
    let value = String::from_utf8_lossy(choices.take(which % 16)).into_owned();
    let Ok(text) = std::str::from_utf8(choices.rest()) else {
        return;
    };
    match Config::parse(Path::new("/etc/x.cfg"), text) {
        Ok(config) => {
            assert!(!config.server.data_dir.as_os_str().is_empty());
            assert!(config.server.max_sessions >= 1);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Err(error) = ReplicationConfig::parse(Path::new("/etc/r.cfg"), text) {
        assert!(!error.to_string().is_empty());
    }
    if let Err(error) = ClientConfig::parse(Path::new("/etc/c.cfg"), text) {
        assert!(!error.to_string().is_empty());
    }
    let Ok(mut document) = Document::parse(text) else {
        return;
    };
    assert_eq!(document.to_string(), text, "nothing is lost");
    let Some(key) = keys::KEYS.get(which % keys::KEYS.len()) else {
        return;
    };
    if document.set_key(key, &value).is_ok() {
        let changed = document.to_string();
        let Ok(again) = Document::parse(&changed) else {
            panic!("a changed file stays readable: {changed:?}");
        };
        let found = again
            .entries()
            .any(|entry| entry.text().trim() == value.trim());
        assert!(
            found || value.trim().is_empty(),
            "{value:?} is in {changed:?}"
        );
    }
}
