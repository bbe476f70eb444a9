//! Statements that SQLite does not see: transactions, settings, prepared statements, databases.

use std::rc::Rc;

use dialect::{StatementKind, TransactionModes};
use pgtypes::{SqlState, SqlValue};

use crate::failure::Failure;
use crate::session::prepared::{Column, Columns, Prepared};
use crate::session::{Session, parameters};

/// The answer to a command.
#[derive(Debug, PartialEq)]
pub enum Reply {
    /// Nothing but a tag.
    Tag(String),
    /// Rows that are in memory.
    Rows {
        /// Their columns.
        columns: Columns,
        /// Their values.
        rows: Vec<Vec<SqlValue>>,
        /// The tag behind them.
        tag: String,
    },
}

impl Session {
    /// Runs a command.
    pub fn command(&mut self, prepared: &Prepared) -> Result<Reply, Failure> {
        let statement = &prepared.statement;
        let tag = statement.tag.render(0);
        match &statement.kind {
            StatementKind::Commit { chain } => return self.end_block(true, *chain),
            StatementKind::Rollback { chain } => return self.end_block(false, *chain),
            StatementKind::Show { name } => return self.show(name.as_deref()),
            StatementKind::Dbctl { command } => return self.dbctl(command),
            StatementKind::Begin(modes) => self.begin(*modes)?,
            StatementKind::Savepoint { name } => self.savepoint(name)?,
            StatementKind::Release { name } => self.release(name)?,
            StatementKind::RollbackTo { name } => self.rollback_to(name)?,
            StatementKind::Set { .. }
            | StatementKind::Reset { .. }
            | StatementKind::SetTransaction(_)
            | StatementKind::SetCharacteristics(_)
            | StatementKind::SetConstraints { .. }
            | StatementKind::Discard { .. } => self.setting(&statement.kind)?,
            StatementKind::Prepare { .. }
            | StatementKind::Deallocate { .. }
            | StatementKind::CloseCursor { .. } => self.named_object(&statement.kind)?,
            StatementKind::CreateDatabase { .. }
            | StatementKind::DropDatabase { .. }
            | StatementKind::AlterDatabaseRename { .. }
            | StatementKind::CreateUser { .. }
            | StatementKind::AlterUserPassword { .. }
            | StatementKind::DropUser { .. } => self.server_object(prepared)?,
            StatementKind::Checkpoint => self.env.checkpoint()?,
            StatementKind::Analyze { tables } => self.analyze(tables)?,
            StatementKind::Reindex(what) => self.reindex(what)?,
            StatementKind::Vacuum {
                full,
                analyze,
                tables,
            } => self.vacuum(*full, *analyze, tables)?,
            StatementKind::LockTable => self.lock_table()?,
            _ => {}
        }
        Ok(Reply::Tag(tag))
    }

    /// The columns of a command's answer; `None` when it has no rows.
    pub fn command_columns(&self, kind: &StatementKind) -> Option<Columns> {
        match kind {
            StatementKind::Show { name: Some(name) } => {
                let name = parameters::find(name).map_or(name.as_str(), |p| p.name);
                Some([Column::text(name)].into())
            }
            StatementKind::Show { name: None } => {
                Some(["name", "setting", "description"].map(Column::text).into())
            }
            StatementKind::Dbctl { .. } => Some([Column::text("dbctl")].into()),
            StatementKind::Fetch { name, .. } => {
                let portal = self.portals.get(name)?;
                portal.told.clone()
            }
            StatementKind::Execute { name, .. } => {
                let prepared = self.statements.get(name)?;
                prepared
                    .has_rows()
                    .then(|| prepared.describe_now(&self.sqlite).ok())?
            }
            _ => None,
        }
    }

    fn end_block(&mut self, commit: bool, chain: bool) -> Result<Reply, Failure> {
        let explicit = self.transaction.is_explicit();
        let failed =
            self.transaction.status() == pgwire::messages::response::TransactionStatus::Error;
        let modes = TransactionModes {
            isolation: Some(self.transaction.isolation()),
            read_only: Some(self.transaction.is_read_only()),
            deferrable: None,
        };
        if !explicit {
            if chain {
                let what = if commit { "COMMIT" } else { "ROLLBACK" };
                return Err(Failure::new(
                    SqlState::NO_ACTIVE_SQL_TRANSACTION,
                    format!("{what} AND CHAIN can only be used in transaction blocks"),
                ));
            }
            self.notice(
                "WARNING",
                SqlState::NO_ACTIVE_SQL_TRANSACTION,
                "there is no transaction in progress",
            );
        }
        let tag = if commit && !failed {
            "COMMIT"
        } else {
            "ROLLBACK"
        };
        if commit && !failed {
            self.commit()?;
        } else {
            self.rollback();
        }
        if chain {
            self.begin(modes)?;
        }
        Ok(Reply::Tag(tag.to_owned()))
    }

    fn show(&mut self, name: Option<&str>) -> Result<Reply, Failure> {
        let text = SqlValue::Text;
        let (columns, rows): (Columns, Vec<Vec<SqlValue>>) = match name {
            None => {
                let all = self.settings.all();
                let rows = all
                    .into_iter()
                    .map(|(name, value, meaning)| vec![text(name), text(value), text(meaning)]);
                (
                    ["name", "setting", "description"].map(Column::text).into(),
                    rows.collect(),
                )
            }
            Some(name) => {
                let value = match parameters::find(name).map(|p| p.name) {
                    Some("transaction_isolation") => self.transaction.isolation().name().to_owned(),
                    Some("transaction_read_only") => {
                        let read_only = self.transaction.is_read_only() || self.env.is_read_only();
                        (if read_only { "on" } else { "off" }).to_owned()
                    }
                    _ => self.settings.show(name)?,
                };
                let name = parameters::find(name).map_or(name, |p| p.name);
                ([Column::text(name)].into(), vec![vec![text(value)]])
            }
        };
        Ok(Reply::Rows {
            columns,
            rows,
            tag: "SHOW".to_owned(),
        })
    }

    fn setting(&mut self, kind: &StatementKind) -> Result<(), Failure> {
        match kind {
            StatementKind::Set { name, value, local } => self.set(name, value.as_deref(), *local),
            StatementKind::Reset { name: Some(name) } => self.set(name, None, false),
            StatementKind::Reset { name: None } => {
                self.settings.reset_all();
                Ok(())
            }
            StatementKind::SetTransaction(modes) => {
                if !self.transaction.is_explicit() {
                    let message = "SET TRANSACTION can only be used in transaction blocks";
                    self.notice("WARNING", SqlState::NO_ACTIVE_SQL_TRANSACTION, message);
                }
                self.set_modes(*modes)
            }
            StatementKind::SetCharacteristics(modes) => {
                if let Some(isolation) = modes.isolation {
                    self.set(
                        "default_transaction_isolation",
                        Some(isolation.name()),
                        false,
                    )?;
                }
                if let Some(read_only) = modes.read_only {
                    let value = if read_only { "on" } else { "off" };
                    self.set("default_transaction_read_only", Some(value), false)?;
                }
                Ok(())
            }
            StatementKind::SetConstraints { deferred } => self.defer_constraints(*deferred),
            StatementKind::Discard { all: true } => {
                self.outside_block("DISCARD ALL")?;
                self.portals.clear();
                self.statements.clear();
                self.settings.reset_all();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn set(&mut self, name: &str, value: Option<&str>, local: bool) -> Result<(), Failure> {
        let explicit = self.transaction.is_explicit();
        match parameters::find(name).map(|parameter| parameter.name) {
            Some("transaction_isolation") => {
                return self.set_modes(TransactionModes {
                    isolation: value.map(isolation).transpose()?,
                    ..TransactionModes::default()
                });
            }
            Some("transaction_read_only") => {
                let read_only = value.map(|v| matches!(v, "on" | "true" | "1" | "yes"));
                return self.set_modes(TransactionModes {
                    read_only,
                    ..TransactionModes::default()
                });
            }
            _ => {}
        }
        let mut value = value;
        if let Some(zone) = value
            && parameters::is_time_zone(name)
            && !parameters::is_utc(zone)
        {
            self.notice(
                "WARNING",
                SqlState::FEATURE_NOT_SUPPORTED,
                "times are kept and shown in UTC",
            );
            value = Some("UTC");
        }
        if local && !explicit {
            self.notice(
                "WARNING",
                SqlState::NO_ACTIVE_SQL_TRANSACTION,
                "SET LOCAL can only be used in transaction blocks",
            );
        }
        self.settings.set(name, value, local, explicit)?;
        if name.eq_ignore_ascii_case("application_name") {
            let name = self.settings.get("application_name").unwrap_or_default();
            self.registered.entry.set_application(name);
        }
        self.facts.set_settings(&self.settings);
        self.catalog.outdate();
        Ok(())
    }

    fn named_object(&mut self, kind: &StatementKind) -> Result<(), Failure> {
        match kind {
            StatementKind::Prepare {
                name,
                types,
                statement,
            } => {
                if self.statements.contains_key(name) {
                    return Err(Failure::new(
                        SqlState::DUPLICATE_PREPARED_STATEMENT,
                        format!("prepared statement \"{name}\" already exists"),
                    ));
                }
                let oids: Vec<u32> = types.iter().map(|ty| ty.sent_as().oid().get()).collect();
                let prepared = self.prepare(statement, &oids)?;
                self.statements.insert(name.clone(), prepared);
            }
            StatementKind::Deallocate { name: Some(name) } => {
                self.statements
                    .remove(name)
                    .ok_or_else(|| no_statement(name))?;
            }
            StatementKind::Deallocate { name: None } => self.statements.clear(),
            StatementKind::CloseCursor { name: Some(name) } => {
                self.portals.remove(name).ok_or_else(|| no_cursor(name))?;
            }
            StatementKind::CloseCursor { name: None } => self.portals.clear(),
            _ => {}
        }
        Ok(())
    }

    /// The statement behind EXECUTE, with its arguments evaluated.
    pub fn resolve_execute(
        &mut self,
        name: &str,
        arguments: &[String],
    ) -> Result<(Rc<Prepared>, Vec<SqlValue>), Failure> {
        let prepared = self
            .statements
            .get(name)
            .cloned()
            .ok_or_else(|| no_statement(name))?;
        if arguments.len() != prepared.parameters.len() {
            return Err(Failure::new(
                SqlState::SYNTAX_ERROR,
                format!(
                    "wrong number of parameters for prepared statement \"{name}\"; expected {}, got {}",
                    prepared.parameters.len(),
                    arguments.len()
                ),
            ));
        }
        if arguments.is_empty() {
            return Ok((prepared, Vec::new()));
        }
        let call = self.prepare(&format!("SELECT {}", arguments.join(", ")), &[])?;
        self.before_read()?;
        let mut statement = self.sqlite.prepare(call.text())?;
        let mut rows = statement.raw_query();
        let mut values = Vec::with_capacity(arguments.len());
        if let Some(row) = rows.next()? {
            for index in 0..arguments.len() {
                values.push(crate::session::mapping::value(row.get_ref(index)?)?.to_owned());
            }
        }
        Ok((prepared, values))
    }

    fn lock_table(&mut self) -> Result<(), Failure> {
        if self.transaction.is_explicit() {
            return Ok(());
        }
        Err(Failure::new(
            SqlState::NO_ACTIVE_SQL_TRANSACTION,
            "LOCK TABLE can only be used in transaction blocks",
        ))
    }

    /// Refuses what can't be undone with a transaction.
    pub(super) fn outside_block(&self, what: &str) -> Result<(), Failure> {
        if self.transaction.is_explicit() || self.transaction.has_written() {
            return Err(Failure::new(
                SqlState::ACTIVE_SQL_TRANSACTION,
                format!("{what} cannot run inside a transaction block"),
            ));
        }
        Ok(())
    }
}

fn isolation(name: &str) -> Result<dialect::Isolation, Failure> {
    match name.to_ascii_lowercase().as_str() {
        "read committed" | "read uncommitted" => Ok(dialect::Isolation::ReadCommitted),
        "repeatable read" => Ok(dialect::Isolation::RepeatableRead),
        "serializable" => Ok(dialect::Isolation::Serializable),
        _ => Err(Failure::new(
            SqlState::INVALID_PARAMETER_VALUE,
            format!("invalid value for parameter \"transaction_isolation\": \"{name}\""),
        )),
    }
}

/// 26000
pub fn no_statement(name: &str) -> Failure {
    Failure::new(
        SqlState::INVALID_SQL_STATEMENT_NAME,
        format!("prepared statement \"{name}\" does not exist"),
    )
}

/// 34000
pub fn no_cursor(name: &str) -> Failure {
    Failure::new(
        SqlState::INVALID_CURSOR_NAME,
        format!("cursor \"{name}\" does not exist"),
    )
}
