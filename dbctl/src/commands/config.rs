//! `config check | get | set`: the configuration file, without a server.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use dbconfig::keys::{self, Key, Kind, Section, Support};
use dbconfig::{Config, Document, Place, Setting};
use serde::Serialize;

use crate::config_args::ConfigCommand;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::{Table, json, note, text};

pub(crate) fn run(invocation: &Invocation, command: ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Check => check(invocation),
        ConfigCommand::Get { name } => get(invocation, name.as_deref()),
        ConfigCommand::Set { name, value } => set(invocation, &name, &value),
    }
}

#[derive(Serialize)]
struct Checked {
    file: String,
    ok: bool,
    warnings: Vec<String>,
}

fn check(invocation: &Invocation) -> Result<()> {
    let config = invocation.config()?;
    let late = config.late_password_files();
    let late: Vec<String> = late.iter().filter_map(|file| file.check().err()).collect();
    for why in &late {
        note(format_args!("warning: {why}"));
    }
    let file = config.path.display().to_string();
    invocation.output.line(format_args!("{file}: ok"))?;
    if invocation.output.json {
        json(&Checked {
            file,
            ok: true,
            warnings: config.warnings.into_iter().chain(late).collect(),
        })?;
    }
    Ok(())
}

/// One value prints as it is; several as a table.
fn get(invocation: &Invocation, name: Option<&str>) -> Result<()> {
    let wanted = match name {
        None => Wanted::All,
        Some(name) => wanted(name)?,
    };
    let config = invocation.config()?;
    let of = |setting: &&Setting| match &wanted {
        Wanted::All => true,
        Wanted::Section(place) => setting.place() == *place,
        Wanted::Key(place, key) => setting.key == *key && setting.place() == *place,
    };
    let settings: Vec<&Setting> = config.settings.iter().filter(of).collect();
    if invocation.output.json {
        let shown: Vec<ShownSetting<'_>> = settings.into_iter().map(shown).collect();
        return match (&wanted, shown.first()) {
            (Wanted::Key(..), Some(one)) => json(one),
            (Wanted::Key(place, key), None) => Err(not_set(place, key)),
            _ => json(&shown),
        };
    }
    if let Wanted::Key(place, key) = &wanted {
        let setting = settings.first().ok_or_else(|| not_set(place, key))?;
        return text(&format!("{}\n", setting.text));
    }
    invocation.output.result(&table(&settings))
}

/// Only a section for a database has no defaults.
fn not_set(place: &Place, key: &Key) -> CommandError {
    let name = key.name;
    CommandError::usage(format!("[{place}] has no key {name}")).with_hint(format!(
        "what [{}] says holds: 'dbctl config get {}.{name}' shows it",
        key.section, key.section
    ))
}

#[derive(Serialize)]
struct ShownSetting<'a> {
    section: String,
    key: &'a str,
    value: &'a str,
    /// Line in the file; null = the default.
    line: Option<usize>,
    default: &'a str,
    supported: bool,
    meaning: &'a str,
}

fn shown(setting: &Setting) -> ShownSetting<'_> {
    ShownSetting {
        section: setting.place().to_string(),
        key: setting.key.name,
        value: &setting.text,
        line: setting.line,
        default: setting.key.default,
        supported: matches!(setting.key.support, Support::Since(_)),
        meaning: setting.key.meaning,
    }
}

fn table(settings: &[&Setting]) -> Table {
    let mut table = Table::new(&["section", "key", "value", "from"]);
    for setting in settings {
        let from = setting
            .line
            .map_or_else(|| "default".to_owned(), |line| format!("line {line}"));
        let key = setting.key;
        let from = match key.support {
            Support::NotYet => format!("{from}, the only value that is supported yet"),
            Support::Since(_) => from,
        };
        table.push([
            setting.place().to_string(),
            key.name.to_owned(),
            setting.text.clone(),
            from,
        ]);
    }
    table
}

/// Checks the whole file with the new value before anything is written.
fn set(invocation: &Invocation, name: &str, value: &str) -> Result<()> {
    let Wanted::Key(place, key) = wanted(name)? else {
        return Err(CommandError::usage(format!(
            "`{name}` is a section, not a key"
        )));
    };
    let (path, config) = change(&invocation.config_path(), &[(place.clone(), key, value)])?;
    let line = config
        .settings
        .iter()
        .find(|setting| setting.key == key && setting.place() == place)
        .and_then(|s| s.line);
    let shown = if key.kind == Kind::Secret {
        "***"
    } else {
        value
    };
    let none = if place.database.is_some() {
        "not set"
    } else {
        "default"
    };
    let from = line.map_or_else(|| none.to_owned(), |line| format!("line {line}"));
    invocation.output.line(format_args!(
        "{}: [{place}] {} = {shown} ({from}); {}",
        path.display(),
        key.name,
        when_it_holds(key)
    ))
}

/// Writes values into a file that is good with them; gives its path and what it says then.
pub(super) fn change(path: &Path, values: &[(Place, &Key, &str)]) -> Result<(PathBuf, Config)> {
    let path = path.canonicalize().map_err(|error| {
        CommandError::usage(format!(
            "{}: cannot read the configuration file: {error}",
            path.display()
        ))
    })?;
    let old = fs::read_to_string(&path).map_err(|error| CommandError::io("read", &path, &error))?;
    let mut document = Document::parse(&old).map_err(|_| {
        // The same mistakes again, with file and line.
        Config::parse(&path, &old)
            .map_or_else(CommandError::from, |_| CommandError::usage("unreadable"))
    })?;
    for (place, key, value) in values {
        document
            .set_key_at(place, key, value)
            .map_err(CommandError::usage)?;
    }
    let new = document.to_string();
    let config = Config::parse(&path, &new)
        .map_err(|error| CommandError::from(error).with_hint("the file was not changed"))?;
    replace(&path, &new)?;
    Ok((path, config))
}

/// When a running server takes a new value.
fn when_it_holds(key: &Key) -> &'static str {
    if key.support == Support::NotYet {
        "this version does not support it"
    } else if key.is_reloaded() {
        "a running server reads it on 'dbctl reload' or SIGHUP, else at its next start"
    } else {
        "a running server reads it at its next start"
    }
}

/// Writes the file anew with the owner and the permissions that it has.
fn replace(path: &Path, content: &str) -> Result<()> {
    let write = || {
        let before = fs::metadata(path)?;
        let mode = before.permissions().mode() & 0o7777;
        disk::Disk::real().write_atomic(path, content.as_bytes(), mode)?;
        let after = fs::metadata(path)?;
        if (before.uid(), before.gid()) != (after.uid(), after.gid()) {
            chown(path, Some(before.uid()), Some(before.gid()))?;
        }
        Ok(())
    };
    write().map_err(|error| CommandError::io("write", path, &error))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    All,
    Section(Place),
    Key(Place, &'static Key),
}

/// Reads `Section.Key`, a key that only one section has, or a section, which may be for a database.
fn wanted(name: &str) -> Result<Wanted> {
    let unknown = || {
        CommandError::usage(format!("there is no key or section `{name}`"))
            .with_hint("dbctl config get shows all")
    };
    // The name of a database may have dots, too.
    if let Some((head, key)) = name.rsplit_once('.')
        && let Some(place) = Place::find(&Section::SERVER_FILE, head)
        && let Some(key) = keys::find(place.section, key)
    {
        return Ok(Wanted::Key(place, key));
    }
    if let Some(place) = Place::find(&Section::SERVER_FILE, name) {
        return Ok(Wanted::Section(place));
    }
    let mut found = Section::SERVER_FILE
        .iter()
        .filter_map(|section| keys::find(*section, name));
    match (found.next(), found.next()) {
        (Some(key), None) => Ok(Wanted::Key(key.section.into(), key)),
        (Some(one), Some(other)) => Err(CommandError::usage(format!(
            "more than one section has a key `{name}`: write {}.{} or {}.{}",
            one.section, one.name, other.section, other.name
        ))),
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key_of(name: &str) -> (Section, &'static str) {
        match wanted(name) {
            Ok(Wanted::Key(place, key)) if place == key.section.into() => (key.section, key.name),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_key_is_named_with_or_without_its_section() {
        assert_eq!(key_of("fwlog"), (Section::ForwardLog, "FwLog"));
        assert_eq!(key_of("Server.service"), (Section::Server, "Service"));
        assert_eq!(key_of("db-access.allow"), (Section::DbAccess, "allow"));
        assert_eq!(
            wanted("volumes").unwrap(),
            Wanted::Section(Section::Volumes.into())
        );
    }

    #[test]
    fn the_section_of_a_database_is_named_with_it() {
        for (name, database) in [
            ("db-access shop.allow", "shop"),
            ("DB-Access my.Shop.ALLOW", "my.shop"),
            ("db-access my shop.allow", "my shop"),
        ] {
            let Ok(Wanted::Key(place, key)) = wanted(name) else {
                panic!("{name}");
            };
            assert_eq!(key.name, "allow");
            assert_eq!(place.to_string(), format!("db-access {database}"));
        }
        let Ok(Wanted::Section(place)) = wanted("db-access shop") else {
            panic!("a section");
        };
        assert!(place.database.is_some());
        for name in [
            "http-access shop.allow",
            "db-access a]b.allow",
            "shop.allow",
        ] {
            assert!(wanted(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_key_of_two_sections_needs_its_section() {
        let message = wanted("allow").unwrap_err().message;
        assert!(
            message.contains("db-access.allow or http-access.allow"),
            "{message}"
        );
        assert!(wanted("nothing").is_err());
        assert!(wanted("Server.FwLog").is_err());
    }
}
