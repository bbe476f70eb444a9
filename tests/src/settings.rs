//! The configuration file of a server under test.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};

/// Sections, keys, values.
#[derive(Debug, Clone)]
pub struct Settings {
    name: String,
    values: BTreeMap<String, BTreeMap<String, String>>,
}

impl Settings {
    /// A master called `master`.
    pub fn master() -> Self {
        Self::new("master", "Master")
    }

    /// A slave called `slave`.
    pub fn slave() -> Self {
        Self::new("slave", "Slave")
    }

    /// A server of that name and role. Relative paths are below the configuration file.
    pub fn new(name: &str, role: &str) -> Self {
        let settings = Self {
            name: name.into(),
            values: BTreeMap::new(),
        };
        settings
            .set("Server", "Listen", "127.0.0.1")
            .set("Server", "DataDir", "data")
            // The default is a directory of the machine.
            .set("Server", "SocketDir", "none")
            .set("Server", "Instance", name)
            .set("ForwardLog", "FwLog", "fwlog/fw-%N")
            .set("Replication", "Role", role)
            .set("Replication", "TmpDir", "tmp")
    }

    /// The same with one key changed.
    #[must_use]
    pub fn set(mut self, section: &str, key: &str, value: impl Display) -> Self {
        self.values
            .entry(section.to_owned())
            .or_default()
            .insert(key.to_owned(), value.to_string());
        self
    }

    /// The same without a key: its default holds.
    #[must_use]
    pub fn without(mut self, section: &str, key: &str) -> Self {
        if let Some(keys) = self.values.get_mut(section) {
            keys.remove(key);
        }
        self
    }

    /// Name of the server: its folder and instance.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same under another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (section, keys) in &self.values {
            writeln!(text, "[{section}]").expect("a String takes all");
            for (key, value) in keys {
                writeln!(text, "{key} = {value}").expect("a String takes all");
            }
        }
        text
    }
}
