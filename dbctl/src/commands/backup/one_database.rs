//! `backup restore --database`: one database out of a backup, into the server that runs.
//!
//! ```text
//!  repository ─▶ a copy beside the server, in a directory that goes again ─▶ its data file
//!             ─▶ 'database restore NAME FILE [--replace]': one transaction of the running server, which slaves get
//! ```
//! The server reads that file itself, so all this is done on its machine, as its user.

use std::path::PathBuf;

use serde::Deserialize;

use super::older::Older;
use super::open::Opened;
use super::restore::{Restore, Wanted, not_there, target};
use super::scratch::Scratch;
use super::staging::Staging;
use crate::backup_args::RestoreArguments;
use crate::commands::asking::{ask, ask_json};
use crate::commands::fwlog::Bases;
use crate::connection::SYSTEM_DATABASE;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::Table;

/// What becomes of which database.
#[derive(Debug, PartialEq, Eq)]
struct Names<'a> {
    /// Its name in the backup.
    there: &'a str,
    /// Its name in the server.
    here: &'a str,
}

impl<'a> Names<'a> {
    /// `NAME` or `NAME=NEW`.
    fn read(text: &'a str) -> Result<Self> {
        let (there, here) = text.split_once('=').unwrap_or((text, text));
        if there.is_empty() || here.is_empty() {
            return Err(CommandError::usage(format!(
                "--database {text}: write NAME, or NAME=NEW"
            )));
        }
        if [there, here].contains(&SYSTEM_DATABASE) {
            return Err(CommandError::usage(
                "--database: users and privileges are not restored one by one",
            )
            .with_hint("restore all of it into a directory of its own, and look there"));
        }
        Ok(Self { there, here })
    }
}

/// What is to be known of the server before it is given anything.
#[derive(Deserialize)]
struct Server {
    role: String,
    instance: String,
}

pub(super) async fn run(
    invocation: &mut Invocation,
    arguments: &RestoreArguments,
    database: &str,
) -> Result<()> {
    let names = Names::read(database)?;
    let backup = match arguments.words.as_slice() {
        [] => None,
        [backup] => Some(backup.as_str()),
        _ => return Err(CommandError::usage("with --database write [BACKUP] alone")),
    };
    let target = target(&arguments.target)?;
    let aside = aside(invocation, arguments)?;
    may_be_put(invocation, &names, arguments.replace).await?;
    let (environment, history) = (&arguments.environment, &arguments.history);
    let opened = Opened::open(&arguments.from, environment.as_deref(), history.as_deref())?;
    let restore = Restore::choose(&opened, target, backup)?;
    if arguments.dry_run {
        let mut table = restore.plan(&Wanted::copy_in(aside));
        table.push(["database".to_owned(), database.to_owned()]);
        return invocation.output.result(&table);
    }
    let scratch = Scratch::in_directory(&aside)?;
    let copy = Wanted::copy_in(scratch.directory().to_owned());
    let older = arguments.delta.as_deref().map(Older::open).transpose()?;
    let staging = Staging::lock(scratch.directory())?.over(older.unwrap_or_default());
    let brought = restore.bring(staging)?;
    copy.make_it_the_state()?;
    let file = data_file(&scratch, names.there)?;
    put(invocation, &names, &file, arguments.replace).await?;
    let mut table = Table::new(&["name", "value"]);
    for (name, value) in [
        ("backup", restore.manifest().id.to_string()),
        ("commit", restore.end_of(&brought).to_string()),
        ("database", names.here.to_owned()),
    ] {
        table.push([name.to_owned(), value]);
    }
    invocation.output.result(&table)
}

/// The directory in which the copy is made.
fn aside(invocation: &Invocation, arguments: &RestoreArguments) -> Result<PathBuf> {
    let directory = match (&arguments.aside, invocation.config_if_any()?) {
        (Some(directory), _) => directory.clone(),
        (None, Some(config)) => config.replication.tmp_dir,
        (None, None) => {
            return Err(CommandError::usage(
                "there is no configuration whose TmpDir the copy could be made in",
            )
            .with_hint("say with -c which server is meant, or with --aside which directory"));
        }
    };
    std::path::absolute(&directory).map_err(|error| CommandError::io("find", &directory, &error))
}

/// Asked for before anything is fetched; the server looks once more.
async fn may_be_put(invocation: &mut Invocation, names: &Names<'_>, replaces: bool) -> Result<()> {
    let connection = invocation.control().await?;
    let server: Server = ask_json(connection, &["status"]).await?;
    let known = ask(connection, &["database".to_owned(), "list".to_owned()]).await?;
    let replicated = known.columns.iter().position(|name| name == "replication");
    let cell = |row: &Vec<Option<String>>, column: usize| row.get(column).cloned().flatten();
    let found = known
        .rows
        .iter()
        .find(|row| cell(row, 0).as_deref() == Some(names.here));
    let is_local = found
        .zip(replicated)
        .is_some_and(|(row, column)| cell(row, column).as_deref() == Some("off"));
    if server.role == "Slave" && !is_local {
        return Err(CommandError::error(format!(
            "{} is a slave: it takes databases from its master alone",
            server.instance
        ))
        .with_hint(
            "give the command on the master's machine; its slaves get the database by the log",
        ));
    }
    match (found.is_some(), replaces) {
        (true, false) => Err(CommandError::error(format!(
            "there is a database {} already",
            names.here
        ))
        .with_hint(format!(
            "bring it back beside it, with --database {}={}_before, or put it in its place, with --replace",
            names.there, names.here
        ))),
        (false, true) => Err(CommandError::error(format!(
            "there is no database {} that could be replaced",
            names.here
        ))
        .with_hint("without --replace it is made")),
        (true, true) | (false, false) => Ok(()),
    }
}

/// The file of a database of the copy, which was stopped cleanly: it has all pages.
fn data_file(scratch: &Scratch, name: &str) -> Result<PathBuf> {
    let copy = Bases::of_environment(scratch.directory())?;
    let mut names: Vec<&str> = copy.databases.iter().map(|it| it.name.as_str()).collect();
    names.retain(|name| *name != SYSTEM_DATABASE);
    let found = copy.databases.iter().find(|it| it.name == name);
    found.map(|it| it.path.clone()).ok_or_else(|| {
        not_there(format!(
            "at that time there was no database {name}, but {}",
            if names.is_empty() {
                "none at all".to_owned()
            } else {
                names.join(", ")
            }
        ))
    })
}

async fn put(
    invocation: &mut Invocation,
    names: &Names<'_>,
    file: &std::path::Path,
    replaces: bool,
) -> Result<()> {
    let file = file.to_str().ok_or_else(|| {
        CommandError::error(format!("{} is no text", file.display()))
            .with_hint("name another directory with --aside")
    })?;
    let mut words = ["database", "restore", names.here, file]
        .map(str::to_owned)
        .to_vec();
    words.extend(replaces.then(|| "--replace".to_owned()));
    let connection = invocation.control().await?;
    ask(connection, &words).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_keeps_its_name_unless_another_one_is_given() {
        let names = |there, here| Names { there, here };
        assert_eq!(Names::read("shop").unwrap(), names("shop", "shop"));
        assert_eq!(Names::read("shop=old").unwrap(), names("shop", "old"));
        for odd in ["", "=old", "shop=", "system", "shop=system"] {
            assert!(Names::read(odd).is_err(), "{odd}");
        }
    }
}
