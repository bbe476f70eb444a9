//! The head of a section: which section it is, and for which database or archive.

use std::fmt;

use crate::keys::{Section, find_section};
use crate::line::unquote;

/// The name of a database, or of an archive, in the head of a section. As all names of sections it ignores case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DatabaseName(String);

impl DatabaseName {
    /// A database by its name.
    pub fn new(name: &str) -> Self {
        Self(name.to_lowercase())
    }
}

impl fmt::Display for DatabaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What stands between the brackets: `[Server]`, `[db-access shop]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The section.
    pub section: Section,
    /// The database that it is for, or the archive; none = all that have no section of their own.
    pub database: Option<DatabaseName>,
}

impl Place {
    /// The place that a head names, if it is one of these sections.
    pub fn find(sections: &[Section], head: &str) -> Option<Self> {
        if let Some(section) = find_section(sections, head) {
            return Some(section.into());
        }
        let (section, name) = head.split_once(char::is_whitespace)?;
        let name = unquote(name.trim());
        // These could not be written back between brackets.
        if name.is_empty() || name.contains(|c: char| "[]\"".contains(c) || c.is_control()) {
            return None;
        }
        let section = find_section(sections, section)?;
        matches!(section, Section::DbAccess | Section::Archive).then(|| Self {
            section,
            database: Some(DatabaseName::new(name)),
        })
    }
}

impl From<Section> for Place {
    fn from(section: Section) -> Self {
        Self {
            section,
            database: None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.database {
            None => write!(f, "{}", self.section),
            Some(database) => write!(f, "{} {database}", self.section),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn db_access_is_for_a_database_and_archive_for_one_of_several() {
        let find = |head: &str| Place::find(&Section::SERVER_FILE, head);
        let shop = Some(DatabaseName::new("shop"));
        for head in ["db-access shop", "DB-Access  SHOP", "db-access\t\"Shop\""] {
            let place = find(head).unwrap_or_else(|| panic!("{head}"));
            assert_eq!((place.section, &place.database), (Section::DbAccess, &shop));
            assert_eq!(place.to_string(), "db-access shop");
        }
        assert!(find("Archive offsite").is_some_and(|place| place.database.is_some()));
        assert_eq!(find("db-access"), Some(Section::DbAccess.into()));
        assert_eq!(
            find("db-access my shop").and_then(|place| place.database),
            Some(DatabaseName::new("my shop"))
        );
        for head in [
            "http-access shop",
            "Server x",
            "db-accesss shop",
            "db-access \"\"",
            "db-access a[b",
            "db-access a\"b",
        ] {
            assert_eq!(find(head), None, "{head}");
        }
    }
}
