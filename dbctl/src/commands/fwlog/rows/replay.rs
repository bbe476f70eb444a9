//! The log, applied to pages as a server does it, to see what each commit changes.

use std::collections::HashMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use fwlog::{
    Commit, DatabaseId, LogKind, Part, Position, Record, SegmentHeader, Timestamp, TransactionId,
};
use rowdiff::PAGE_SIZE;

use crate::commands::fwlog::audited::Audited;
use crate::commands::fwlog::blocks::Take;
use crate::commands::fwlog::rows::base::{Base, Bases};
use crate::commands::fwlog::rows::database::{Database, Written, through};
use crate::commands::fwlog::rows::report::{Report, Transaction};
use crate::commands::fwlog::rows::scratch::{self, Held, Scratch};
use crate::error::{CommandError, Result};

/// A database of the log.
enum Known {
    /// Its rows are told.
    Told(Box<Database>),
    /// Nobody asks for it.
    Other,
}

/// Reads the records of a log.
pub(crate) struct Replay {
    report: Report,
    scratch: Rc<Scratch>,
    databases: HashMap<DatabaseId, Known>,
    /// Bases whose number in the log is not known.
    bases: Vec<Base>,
    /// The newest commit that is in the bases.
    after: u64,
    /// Pages of transactions whose commit is still to come.
    parts: HashMap<TransactionId, Written>,
    audit: Vec<Audited>,
}

impl Replay {
    pub(crate) fn new(report: Report, bases: Bases) -> Result<Self> {
        let mut replay = Self {
            report,
            scratch: Rc::new(scratch::create()?),
            databases: HashMap::new(),
            bases: Vec::new(),
            after: bases.after,
            parts: HashMap::new(),
            audit: Vec::new(),
        };
        for base in bases.databases {
            match base.id {
                Some(id) => {
                    let known = replay.known(base)?;
                    replay.databases.insert(DatabaseId::new(id), known);
                }
                None => replay.bases.push(base),
            }
        }
        Ok(replay)
    }

    fn known(&self, base: Base) -> Result<Known> {
        if !self.report.filter.has_database(&base.name) {
            return Ok(Known::Other);
        }
        Ok(Known::Told(Box::new(Database::of(
            base,
            self.after,
            &self.scratch,
        )?)))
    }

    /// A base that was named for a database may be of a later commit than its creation.
    fn created(&mut self, id: DatabaseId, name: &str) -> Result<()> {
        if let Some(index) = self.bases.iter().position(|base| base.name == name) {
            let base = self.bases.swap_remove(index);
            let known = self.known(base)?;
            self.databases.insert(id, known);
            return Ok(());
        }
        let known = if self.report.filter.has_database(name) {
            Known::Told(Box::new(Database::empty(name, &self.scratch)))
        } else {
            Known::Other
        };
        self.databases.insert(id, known);
        Ok(())
    }

    /// A rename moves a database into what is asked for only where its pages are known.
    fn renamed(&mut self, id: DatabaseId, name: &str, at: Position) -> Result<()> {
        match self.databases.get_mut(&id) {
            Some(Known::Told(database)) => name.clone_into(&mut database.name),
            Some(Known::Other) if self.report.filter.has_database(name) => {
                return Err(CommandError::error(format!(
                    "{at}: a database that was not asked for is \"{name}\" from here on"
                ))
                .with_hint("ask for it by both names: --database OLD --database NEW"));
            }
            _ => {}
        }
        Ok(())
    }

    fn part(&mut self, part: &Part<'_>, at: Position) -> Result<()> {
        if matches!(self.databases.get(&part.database), Some(Known::Other)) {
            return Ok(());
        }
        let damaged =
            |why: fwlog::DecodeError| CommandError::error(format!("block at {at}: {why}"));
        let written = self.parts.entry(part.transaction).or_default();
        for change in part.pages {
            let change = change.map_err(damaged)?;
            let mut image = Arc::new([0; PAGE_SIZE]);
            change.apply(Arc::make_mut(&mut image)).map_err(damaged)?;
            let mut held = Held::Memory(image);
            scratch::store(&self.scratch, &mut held)?;
            if let Some(old) = written.insert(change.page.get(), held) {
                self.scratch.let_go(&old);
            }
        }
        Ok(())
    }

    fn commit(&mut self, commit: &Commit<'_>, at: Position) -> Result<()> {
        let transaction = commit.transaction;
        let parts = transaction.and_then(|id| self.parts.remove(&id));
        let audit = std::mem::take(&mut self.audit);
        self.find(commit, at)?;
        let Some(Known::Told(database)) = self.databases.get_mut(&commit.database) else {
            return Ok(());
        };
        if commit.number.get() <= database.after {
            return Ok(());
        }
        let told = Transaction {
            number: commit.number,
            time: commit.time,
            at,
            database: database.name.clone(),
            audit,
        };
        self.report.begin(&told);
        let report = &mut self.report;
        database.commit(commit, parts.unwrap_or_default(), &mut |change| {
            through(report.change(&told, &change))
        })
    }

    /// A database that the files do not create takes a base that has no number yet.
    fn find(&mut self, commit: &Commit<'_>, at: Position) -> Result<()> {
        if self.databases.contains_key(&commit.database) {
            return Ok(());
        }
        let only = if self.bases.len() == 1 {
            self.bases.pop()
        } else {
            None
        };
        if let Some(base) = only {
            let known = self.known(base)?;
            self.databases.insert(commit.database, known);
            return Ok(());
        }
        Err(CommandError::error(format!(
            "commit {} at {at} is in database number {}, which was made before these files begin",
            commit.number, commit.database
        ))
        .with_hint("give more of the log, or what it was with --base (dbctl fwlog rows --help)"))
    }
}

impl Take for Replay {
    fn segment(&mut self, header: &SegmentHeader, file: &Path) -> Result<()> {
        match header.kind {
            LogKind::Forward => Ok(()),
            kind @ LogKind::Audit => Err(CommandError::error(format!(
                "{} is of {kind}: it has no pages, so no rows can be told from it",
                file.display()
            ))
            .with_hint("'dbctl fwlog audit' prints what it has")),
        }
    }

    fn record(&mut self, record: &Record<'_>, at: Position) -> Result<()> {
        match record {
            Record::Audit(audit) => self.audit.push(Audited::of(audit)),
            Record::Commit(commit) => self.commit(commit, at)?,
            Record::Part(part) => self.part(part, at)?,
            Record::CreateDatabase { id, name, .. } => {
                if !self.databases.contains_key(id) {
                    self.created(*id, name)?;
                }
            }
            Record::RestoreDatabase { id, name, .. } => self.created(*id, name)?,
            Record::RenameDatabase { id, name, .. } => self.renamed(*id, name, at)?,
            Record::DropDatabase { id, .. } => {
                self.databases.remove(id);
            }
            Record::Generation(_)
            | Record::Checkpoint { .. }
            | Record::Access { .. }
            | Record::Copied { .. } => {}
        }
        Ok(())
    }

    fn block_ends(&mut self, _at: Position) -> Result<()> {
        self.audit.clear();
        Ok(())
    }

    fn up_to_date(&mut self) -> Result<()> {
        self.report.print()
    }

    fn ends_before(&self, time: Timestamp) -> bool {
        self.report.filter.ends_before(time)
    }
}
