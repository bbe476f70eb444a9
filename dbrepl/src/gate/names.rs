//! Names of databases, for the filter. The log names a database where it is made or gets another name; of those before that the
//! master's control file tells, where this program may read it.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use fwlog::{DatabaseId, Record, sealed_text};

/// What is known of them.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<DatabaseId, String>);

impl Names {
    /// As the control file in this directory has them; without it none is known.
    pub(super) fn read(data_dir: &Path) -> Self {
        let text = fs::read_to_string(data_dir.join("control")).unwrap_or_default();
        let entries = sealed_text::open(&text).map(sealed_text::entries);
        let entries = entries.into_iter().flatten().flatten();
        let databases = entries.filter(|(key, _)| matches!(*key, "database" | "left_out"));
        Self(databases.filter_map(|(_, value)| named(value)).collect())
    }

    /// One of them is not known: the control file may name it by now.
    pub(super) fn look_for(&mut self, database: DatabaseId, data_dir: &Path) {
        if !self.0.contains_key(&database) {
            let known = Self::read(data_dir);
            for (id, name) in known.0 {
                self.0.entry(id).or_insert(name);
            }
        }
    }

    /// A record of the log may change one.
    pub(super) fn follow(&mut self, record: &Record<'_>) {
        match record {
            Record::CreateDatabase { id, name, .. } | Record::RenameDatabase { id, name, .. } => {
                self.0.insert(*id, (*name).to_owned());
            }
            _ => {}
        }
    }

    /// The name, if it is known.
    pub(super) fn of(&self, database: DatabaseId) -> Option<&str> {
        self.0.get(&database).map(String::as_str)
    }
}

/// `5 shop.db the shop`
fn named(value: &str) -> Option<(DatabaseId, String)> {
    let mut words = value.splitn(3, ' ');
    let id = words.next()?.parse().ok()?;
    let name = words.nth(1)?;
    Some((DatabaseId::new(id), name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_file_names_databases_and_a_damaged_one_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut body = sealed_text::Body::default();
        body.line("database", "1 system.db system");
        body.line("database", "5 the_shop.db the shop");
        let text = body.seal();
        let path = folder.path().join("control");
        let disk = disk::Disk::real();
        disk.write_atomic(&path, text.as_bytes(), 0o600).unwrap();
        let names = Names::read(folder.path());
        assert_eq!(names.of(DatabaseId::new(5)), Some("the shop"));
        assert_eq!(names.of(DatabaseId::new(6)), None);
        let damaged = text.replace("shop", "ship");
        disk.write_atomic(&path, damaged.as_bytes(), 0o600).unwrap();
        assert_eq!(Names::read(folder.path()).of(DatabaseId::new(5)), None);
    }
}
