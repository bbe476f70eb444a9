//! `fwlog audit`: who has done what, from the audit records of the log.

use std::collections::BTreeMap;

use fwlog::{CommitNumber, DatabaseId, Position, Record, Timestamp};

use crate::args::FwlogAudit;
use crate::commands::fwlog::audited::Audited;
use crate::commands::fwlog::blocks::{self, Take};
use crate::commands::fwlog::printer::{Cell, Form, Printer};
use crate::commands::fwlog::selection::Filter;
use crate::error::Result;
use crate::invocation::Invocation;

pub(crate) async fn run(invocation: &Invocation, arguments: &FwlogAudit) -> Result<()> {
    let mut report = Report {
        filter: Filter::new(invocation, &arguments.selection)?,
        printer: Printer::new(invocation.output.json, arguments.selection.csv),
        names: BTreeMap::new(),
        waiting: Vec::new(),
    };
    blocks::each(invocation, &arguments.files, arguments.follow, &mut report).await
}

struct Report {
    filter: Filter,
    printer: Printer,
    /// The databases as far as the log has named them.
    names: BTreeMap<DatabaseId, String>,
    /// Records whose commit comes behind them.
    waiting: Vec<Audited>,
}

impl Take for Report {
    fn record(&mut self, record: &Record<'_>, at: Position) -> Result<()> {
        match record {
            Record::Audit(audit) => {
                self.waiting.push(Audited::of(audit));
                return Ok(());
            }
            Record::Commit(commit) => {
                let of_commit = |audited: &Audited| audited.database == commit.database;
                let (own, others): (Vec<_>, Vec<_>) = self.waiting.drain(..).partition(of_commit);
                self.tell(&others, None, at)?;
                return self.tell(&own, Some(commit.number), at);
            }
            Record::CreateDatabase { id, name, .. }
            | Record::RenameDatabase { id, name, .. }
            | Record::RestoreDatabase { id, name, .. } => {
                self.names.insert(*id, (*name).to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn block_ends(&mut self, at: Position) -> Result<()> {
        let alone = std::mem::take(&mut self.waiting);
        self.tell(&alone, None, at)
    }

    fn up_to_date(&mut self) -> Result<()> {
        self.printer.print()
    }

    fn ends_before(&self, time: Timestamp) -> bool {
        self.filter.ends_before(time)
    }
}

impl Report {
    fn tell(
        &mut self,
        records: &[Audited],
        commit: Option<CommitNumber>,
        at: Position,
    ) -> Result<()> {
        for audited in records {
            let name = self.database(audited.database);
            let is_named = |name: &String| self.filter.has_database(name);
            let named = !self.filter.names_databases() || name.as_ref().is_some_and(is_named);
            let meant = named
                && self.filter.has_kind(&audited.kind)
                && self.filter.has_user(std::slice::from_ref(audited))
                && self.filter.has_time(audited.time);
            if meant {
                self.print(audited, name.as_deref(), commit, at)?;
            }
        }
        Ok(())
    }

    /// None for what belongs to no database. One that was made before the files begin has no name there.
    fn database(&self, id: DatabaseId) -> Option<String> {
        let name = self.names.get(&id).cloned();
        (id.get() != 0).then(|| name.unwrap_or_else(|| format!("#{id}")))
    }

    fn print(
        &mut self,
        audited: &Audited,
        database: Option<&str>,
        commit: Option<CommitNumber>,
        at: Position,
    ) -> Result<()> {
        if self.printer.form == Form::Text {
            let commit = commit.map_or_else(|| "-".to_owned(), |commit| commit.to_string());
            return self.printer.line(&format!(
                "{} {} {} {} commit {commit} {}: {}",
                audited.time,
                database.unwrap_or("-"),
                audited.user,
                audited.client,
                audited.kind,
                audited.statement.replace('\n', " ")
            ));
        }
        self.printer.fields(&[
            ("time", Cell::text(audited.time.to_string())),
            (
                "commit",
                Cell::Text(commit.map(|commit| commit.to_string())),
            ),
            ("position", Cell::text(at.to_string())),
            ("database", Cell::Text(database.map(str::to_owned))),
            ("user", Cell::text(&audited.user)),
            ("address", Cell::text(audited.address())),
            ("program", Cell::text(audited.program())),
            ("kind", Cell::text(&audited.kind)),
            ("statement", Cell::text(&audited.statement)),
        ])
    }
}
