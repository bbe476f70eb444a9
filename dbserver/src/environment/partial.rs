//! A slave that applies some of its master's databases only (`Apply`, `ApplyNot`). Its log has them all, and it passes
//! all of it on; what it leaves out has no pages here. So it can never be the root, and nobody can be made from a cut
//! of it.
//!
//! ```text
//!  made in the log, or named anew in the configuration      name taken?  ─▶ has pages
//!                                                           not taken?   ─▶ left out: its files are set aside
//!  left out, and taken by now: lacking                      dbrepl makes a copy ─▶ has pages
//! ```
//! By its name is decided when a database is made, and when the server starts. Who gets another name later stays what it
//! was until the next start.

use std::path::PathBuf;

use dbconfig::Config;
use fwlog::Timestamp;
use pagestore::sum_file;
use serde::Serialize;

use crate::databases::Role;
use crate::databases::control::Control;
use crate::databases::layout::Layout;
use crate::environment::core::Core;
use crate::environment::{left_behind, roles};
use crate::error::EngineError;

/// Which databases a slave leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partial {
    /// What the configuration says.
    pub applies: String,
    /// Those that have no pages here and are to have none.
    pub left_out: Vec<String>,
    /// Those that are to have pages, and wait for a copy.
    pub lacking: Vec<String>,
}

impl Partial {
    /// In a few words.
    pub(crate) fn in_words(&self) -> String {
        let list = |what: &str, names: &[String]| {
            let named = format!("; {what}: {}", names.join(", "));
            if names.is_empty() {
                String::new()
            } else {
                named
            }
        };
        format!(
            "{}{}{}",
            self.applies,
            list("left out", &self.left_out),
            list("waiting for a copy", &self.lacking)
        )
    }
}

/// At a start, before any data file is opened: which databases of the control file have pages. Those that are not taken
/// any more are set aside as files. A server that is no slave leaves nothing out, whatever is configured: it will say
/// that it can't be the root.
pub(super) fn leave_out(
    layout: &Layout,
    config: &Config,
    mut control: Control,
    now: Timestamp,
) -> Result<Control, EngineError> {
    if roles::role_of(&control, config) != Role::Slave {
        return Ok(control);
    }
    let apply = &config.replication.apply;
    let entries = control.identity.iter_mut().flat_map(|it| &mut it.databases);
    let mut newly = Vec::new();
    for entry in entries.filter(|entry| entry.applied && !apply.takes(&entry.name)) {
        entry.applied = false;
        newly.push(entry.name.clone());
    }
    if !newly.is_empty() {
        // Before a file moves: a start that finds neither would call the data damaged.
        control.write(layout.disk(), &layout.control())?;
        tracing::warn!(
            "this slave applies {apply}: from now on without {}",
            newly.join(", ")
        );
    }
    for entry in control.identity.iter().flat_map(|it| &it.databases) {
        if !entry.applied {
            set_aside(layout, &entry.file, now)?;
        }
    }
    Ok(control)
}

/// The files are the slave's own, made from a log that has all of it; yet a name may have been misspelled.
fn set_aside(layout: &Layout, file: &str, now: Timestamp) -> Result<(), EngineError> {
    let (disk, data) = (layout.disk(), layout.data_file(file));
    let aside = layout
        .data_dir()
        .join("lost")
        .join(left_behind::name_of(now));
    for path in [sum_file(&data), data] {
        let there = disk.exists(&path);
        if !there.map_err(|error| EngineError::file("look for", &path, &error))? {
            continue;
        }
        disk.make_directory(&aside, 0o700)
            .map_err(|error| EngineError::file("make the directory", &aside, &error))?;
        let to: PathBuf = aside.join(path.file_name().unwrap_or_default());
        disk.rename(&path, &to)
            .map_err(|error| EngineError::file("set aside", &path, &error))?;
        tracing::warn!(to = %to.display(), "set aside: remove it where the room is wanted");
    }
    Ok(())
}

impl Core {
    /// What this server leaves out; `None`: nothing, and it is to leave nothing out.
    pub(crate) fn partial(&self) -> Option<Partial> {
        let apply = &self.config().replication.apply;
        let names = self.databases().left_out().into_iter().map(|it| it.name);
        let (lacking, left_out): (Vec<_>, Vec<_>) = names.partition(|name| apply.takes(name));
        (!apply.is_all() || !lacking.is_empty()).then(|| Partial {
            applies: apply.to_string(),
            left_out,
            lacking,
        })
    }

    /// Refuses where this server would be the root, or the source of a copy, with databases missing.
    pub(crate) fn refuse_partial(&self) -> Result<(), EngineError> {
        match self.partial() {
            None => Ok(()),
            Some(partial) => Err(EngineError::Partial {
                instance: self.config().server.instance.clone(),
                applies: partial.in_words(),
            }),
        }
    }

    /// What is said of a database that has no pages here.
    pub(super) fn not_applied(&self, name: &str) -> EngineError {
        let instance = &self.config().server.instance;
        if self.config().replication.apply.takes(name) {
            return EngineError::state(
                format!("the pages of database \"{name}\" are not on {instance} yet"),
                "dbrepl makes a copy as soon as it connects; 'dbctl status' shows how far it is. Until then open it on the master.",
            );
        }
        EngineError::state(
            format!(
                "database \"{name}\" is not applied on {instance}, which applies {}",
                self.config().replication.apply
            ),
            "Open it on the master. To have it here, change Apply or ApplyNot in section [Replication] of eloqdb.cfg and restart this server: dbrepl brings its pages.",
        )
    }
}

#[cfg(test)]
mod tests;
