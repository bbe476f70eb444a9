//! From a document to the values of the keys: what is known, what is set, what is wrong.

use std::collections::HashSet;
use std::env;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use configparser::ini::{Ini, IniDefault};

use crate::document::{Document, Entry};
use crate::error::{ConfigError, Problem};
use crate::hint::nearest;
use crate::keys::{self, ALIASES, Key, Kind, Section, Support};
use crate::line::unquote;
use crate::net::networks;
use crate::place::{DatabaseName, Place};
use crate::service::shortened;
use crate::value::{self, MAX_VALUE_CHARS};

/// Largest file that is taken for a configuration, in bytes.
const MAX_FILE_SIZE: u64 = 1 << 20;

/// Gives the value of an environment variable.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The environment of this process.
pub(crate) fn process_environment(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// The values of one file. Problems are collected, so that one run shows them all; a value that
/// has one reads as the default of its type and never reaches a user, because
/// [`Reader::finish`] then fails.
pub(crate) struct Reader {
    path: PathBuf,
    directory: PathBuf,
    sections: &'static [Section],
    values: Vec<Value>,
    /// Each key that stands in the file, good or not, with its database and its first line.
    seen: Vec<(&'static Key, Option<DatabaseName>, usize)>,
    /// The sections for a database, with the line of their first head.
    databases: Vec<(Place, usize)>,
    /// The database whose sections are read; none = those for all.
    database: Option<DatabaseName>,
    asked: HashSet<(Section, &'static str)>,
    problems: Vec<Problem>,
    pub(crate) warnings: Vec<String>,
}

struct Value {
    key: &'static Key,
    database: Option<DatabaseName>,
    text: String,
    line: usize,
    /// The file has the text itself, and no variable.
    spelled_out: bool,
}

/// Reads a file that must be UTF-8 text of a bounded size.
pub(crate) fn read_text(path: &Path) -> Result<String, ConfigError> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?
            .take(MAX_FILE_SIZE + 1)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|reason| ConfigError::Read {
        path: path.to_owned(),
        reason,
    })?;
    let invalid = |line, message: &str| ConfigError::Invalid {
        path: path.to_owned(),
        problems: vec![Problem {
            line,
            message: message.to_owned(),
        }],
    };
    if bytes.len() as u64 > MAX_FILE_SIZE {
        return Err(invalid(None, "a configuration file has at most 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to());
        let line = good.filter(|byte| **byte == b'\n').count() + 1;
        invalid(Some(line), "this is not UTF-8 text")
    })
}

impl Reader {
    /// Reads the sections of a text that came from `path`.
    pub(crate) fn new(
        path: &Path,
        text: &str,
        sections: &'static [Section],
        environment: Lookup<'_>,
    ) -> Result<Self, ConfigError> {
        let invalid = |problems| ConfigError::Invalid {
            path: path.to_owned(),
            problems,
        };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let document = Document::parse(text).map_err(invalid)?;
        let ini = parse_values(&document).map_err(|message| {
            invalid(vec![Problem {
                line: None,
                message,
            }])
        })?;
        let absolute = std::path::absolute(path).map_err(|reason| ConfigError::Read {
            path: path.to_owned(),
            reason,
        })?;
        let mut reader = Self {
            path: path.to_owned(),
            directory: absolute.parent().unwrap_or(Path::new("/")).to_owned(),
            sections,
            values: Vec::new(),
            seen: Vec::new(),
            databases: Vec::new(),
            database: None,
            asked: HashSet::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        };
        reader.check_heads(&document);
        for entry in document.entries() {
            // The parser keeps the last value of a key; the line of the first one has no say.
            let last = document
                .get(entry.section, entry.key)
                .is_none_or(|l| l.line == entry.line);
            if let Err(message) = reader.take(&entry, last.then_some(&ini), environment) {
                reader.problems.push(Problem::at(entry.line, message));
            }
        }
        Ok(reader)
    }

    fn check_heads(&mut self, document: &Document) {
        for head in document.heads() {
            let Some(place) = Place::find(self.sections, head.section) else {
                let names = self.sections.iter().map(|section| section.name());
                let hint = did_you_mean(nearest(head.section, names));
                let message = format!("unknown section [{}]{hint}", shortened(head.section));
                self.problems.push(Problem::at(head.line, message));
                continue;
            };
            let is_known = self.databases.iter().any(|(known, _)| *known == place);
            if place.database.is_some() && !is_known {
                self.databases.push((place, head.line));
            }
        }
    }

    /// Takes one entry, its value from the parser if there is one. An entry of an unknown section is passed over: its head was reported.
    fn take(
        &mut self,
        entry: &Entry<'_>,
        ini: Option<&Ini>,
        environment: Lookup<'_>,
    ) -> Result<(), String> {
        let Some(Place { section, database }) = Place::find(self.sections, entry.section) else {
            return Ok(());
        };
        let key = self.known_key(section, entry)?;
        let is_same = |seen: &Key, of: &Option<DatabaseName>| seen == key && *of == database;
        if let Some((.., first)) = self.seen.iter().find(|(seen, of, _)| is_same(seen, of)) {
            return Err(format!("{} was already set in line {first}", key.name));
        }
        self.seen.push((key, database.clone(), entry.line));
        let Some(ini) = ini else { return Ok(()) };
        let raw = ini.get(entry.section, entry.key).unwrap_or_default();
        let written = unquote(&raw);
        let text = expand(written, environment)?;
        let spelled_out = text == written;
        if text.chars().count() > MAX_VALUE_CHARS {
            return Err(format!(
                "the value of {} is longer than {MAX_VALUE_CHARS} characters",
                key.name
            ));
        }
        if key.support == Support::NotYet && !is_default(key, &text) {
            return Err(format!(
                "[{section}] {} is not supported by this version",
                key.name
            ));
        }
        self.values.push(Value {
            key,
            database,
            text,
            line: entry.line,
            spelled_out,
        });
        Ok(())
    }

    fn known_key(&mut self, section: Section, entry: &Entry<'_>) -> Result<&'static Key, String> {
        if let Some(key) = keys::find(section, entry.key) {
            return Ok(key);
        }
        let alias = ALIASES
            .iter()
            .find(|(of, alias, _)| *of == section && alias.eq_ignore_ascii_case(entry.key));
        if let Some(key) = alias.and_then(|(_, _, name)| keys::find(section, name)) {
            self.warn(
                entry.line,
                &format!("`{}` is read as {}", entry.key, key.name),
            );
            return Ok(key);
        }
        let elsewhere = self
            .sections
            .iter()
            .find(|other| keys::find(**other, entry.key).is_some());
        let hint = match elsewhere {
            Some(other) => format!("; it belongs in [{other}]"),
            None => did_you_mean(nearest(
                entry.key,
                keys::of_section(section).map(|key| key.name),
            )),
        };
        Err(format!(
            "unknown key `{}` in [{section}]{hint}",
            shortened(entry.key)
        ))
    }

    /// The value of a key, or its default. An empty value is the same as none.
    pub(crate) fn get<T: Default>(
        &mut self,
        section: Section,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        self.optional(section, name, read).unwrap_or_default()
    }

    /// The value of a key, or its default; none when both are empty.
    pub(crate) fn optional<T>(
        &mut self,
        section: Section,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let key = keys::find(section, name).expect("only keys of the table are read");
        self.asked.insert((section, key.name));
        let (text, line) = self.text(key);
        if text.is_empty() {
            return None;
        }
        match read(text) {
            Ok(value) => Some(value),
            Err(message) => {
                let message = format!("{}: {message}", key.name);
                self.problems.push(Problem { line, message });
                None
            }
        }
    }

    /// The text that holds for a key, and the line where it is set. In a section for a database there are no
    /// defaults: the section for all has them.
    pub(crate) fn text(&self, key: &Key) -> (&str, Option<usize>) {
        let set = self.values.iter().find(|value| {
            value.key == key && value.database == self.database && !value.text.is_empty()
        });
        let default = match self.database {
            None => key.default,
            Some(_) => "",
        };
        set.map_or((default, None), |value| {
            (value.text.as_str(), Some(value.line))
        })
    }

    /// From now on, the section for that database is read.
    pub(crate) fn enter(&mut self, place: &Place) {
        self.database.clone_from(&place.database);
    }

    /// From now on, the sections for all databases are read again.
    pub(crate) fn leave(&mut self) {
        self.database = None;
    }

    /// The sections of this kind that are for a database.
    pub(crate) fn places_of_databases(&self, section: Section) -> Vec<Place> {
        let places = self.databases.iter().map(|(place, _)| place);
        places
            .filter(|place| place.section == section)
            .cloned()
            .collect()
    }

    /// The head of a section, with file and line where the file has it.
    pub(crate) fn head(&self, place: &Place) -> String {
        let found = self.databases.iter().find(|(of, _)| of == place);
        let line = found
            .map(|(_, line)| format!(":{line}"))
            .unwrap_or_default();
        format!("{}{line}: [{place}]", self.path.display())
    }

    /// A key of the section that is read, with file and line, or that it is the default.
    pub(crate) fn told(&self, section: Section, name: &str) -> String {
        let place = Place {
            section,
            database: self.database.clone(),
        };
        let path = self.path.display();
        match self.line(section, name) {
            Some(line) => format!("{path}:{line}: {name} of [{place}]"),
            None => format!("{path}: {name} of [{place}] is the default"),
        }
    }

    /// A path; a relative one starts at the directory of the file.
    pub(crate) fn path(&mut self, section: Section, name: &str) -> Option<PathBuf> {
        let directory = self.directory.clone();
        self.optional(section, name, |text| Ok(directory.join(text)))
    }

    /// Whether the file has a value for the key that could not be taken, and a problem that says so.
    pub(crate) fn is_faulty(&self, section: Section, name: &str) -> bool {
        let key = keys::find(section, name);
        self.seen.iter().any(|(seen, ..)| Some(*seen) == key)
            && !self.values.iter().any(|value| Some(value.key) == key)
    }

    /// Whether the section that is read sets the key.
    pub(crate) fn is_set(&self, section: Section, name: &str) -> bool {
        keys::find(section, name).is_some_and(|key| !self.text(key).0.is_empty())
    }

    /// Whether the text of the key stands in the file: a variable leaves it elsewhere.
    pub(crate) fn is_spelled_out(&self, section: Section, name: &str) -> bool {
        let key = keys::find(section, name);
        self.values
            .iter()
            .any(|value| Some(value.key) == key && value.spelled_out)
    }

    /// The directory of the file.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Reports a problem with the value of a key, or with its absence.
    pub(crate) fn problem(&mut self, section: Section, name: &str, message: impl Into<String>) {
        let line = self.line(section, name);
        self.problems.push(Problem {
            line,
            message: message.into(),
        });
    }

    /// The line where a key is set.
    pub(crate) fn line(&self, section: Section, name: &str) -> Option<usize> {
        keys::find(section, name).and_then(|key| self.text(key).1)
    }

    /// Adds a warning about a line.
    pub(crate) fn warn(&mut self, line: usize, message: &str) {
        self.warnings
            .push(format!("{}:{line}: {message}", self.path.display()));
    }

    /// Fails when anything was wrong.
    pub(crate) fn finish(mut self) -> Result<(), ConfigError> {
        let all = self
            .sections
            .iter()
            .flat_map(|section| keys::of_section(*section));
        for key in all {
            let name = (key.section, key.name);
            assert!(
                self.asked.contains(&name),
                "{} must be read, or it is silently ignored",
                key.name
            );
        }
        if self.problems.is_empty() {
            return Ok(());
        }
        self.problems
            .sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
        Err(ConfigError::Invalid {
            path: self.path,
            problems: self.problems,
        })
    }
}

/// Lets configparser read the values. It cuts comments without regard to quotes and takes `:` for
/// `=`, so it gets the text without comments and with one delimiter.
pub(crate) fn parse_values(document: &Document) -> Result<Ini, String> {
    let mut defaults = IniDefault::default();
    defaults.delimiters = vec!['='];
    defaults.enable_inline_comments = false;
    let mut ini = Ini::new_from_defaults(defaults);
    ini.read(document.without_comments())?;
    Ok(ini)
}

/// Replaces each `${NAME}`. What comes out is not looked at again.
fn expand(text: &str, environment: Lookup<'_>) -> Result<String, String> {
    let mut expanded = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, behind)) = after.split_once('}') else {
            return Err("the closing `}` of `${` is missing".to_owned());
        };
        let value = environment(name)
            .ok_or_else(|| format!("the environment variable {} is not set", shortened(name)))?;
        expanded.push_str(before);
        expanded.push_str(&value);
        rest = behind;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

/// Whether a value says the same as the default of its key.
fn is_default(key: &Key, text: &str) -> bool {
    let same = match key.kind {
        Kind::Switch => value::switch(text) == value::switch(key.default),
        Kind::Networks => networks(text) == networks(key.default),
        _ => text.eq_ignore_ascii_case(key.default),
    };
    text.is_empty() || same
}

fn did_you_mean(name: Option<&str>) -> String {
    name.map(|name| format!("; did you mean {name}?"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn variables_are_replaced_once() {
        let environment = |name: &str| (name == "A").then(|| "${A}".to_owned());
        assert_eq!(
            expand("x${A}y${A}", &environment),
            Ok("x${A}y${A}".to_owned())
        );
        assert_eq!(expand("$A {A} $", &environment), Ok("$A {A} $".to_owned()));
        assert!(
            expand("${B}", &environment)
                .unwrap_err()
                .contains("B is not set")
        );
        assert!(expand("${A", &environment).unwrap_err().contains("closing"));
    }

    proptest! {
        /// The scan that knows lines and the parser that gives values must see the same file.
        #[test]
        fn the_scan_and_the_parser_agree(text in "([\\[\\]a-cA-C=:;#\" \t$\\{\\}%/.,]{0,12}\r?\n){0,12}") {
            if let Ok(document) = Document::parse(&text) {
                let ini = parse_values(&document).unwrap();
                for entry in document.entries() {
                    let last = document.get(entry.section, entry.key).unwrap();
                    let parsed = ini.get(entry.section, entry.key).unwrap();
                    prop_assert_eq!(last.raw, parsed.as_str());
                    prop_assert_eq!(last.text(), unquote(&parsed));
                }
                let sections = document.heads().map(|head| head.section.to_lowercase());
                let known: HashSet<String> = ini.sections().into_iter().collect();
                prop_assert_eq!(sections.collect::<HashSet<_>>(), known);
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in any::<String>()) {
            let reader = Reader::new(Path::new("x.cfg"), &text, &Section::SERVER_FILE, &|_| None);
            if let Err(error) = reader {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}
