//! ALTER TABLE … DROP COLUMN, and the actions that change no definition.

use pgtypes::SqlState;

use crate::ddl::alter::Alter;
use crate::ddl::dependents::{Dependent, Dependents};
use crate::ddl::layout::{self, Piece};
use crate::ddl::place::quoted;
use crate::ddl::{comment, role, stored_rights};
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::sequence::stored;
use crate::statement::{Check, Notice, Violation};
use crate::stored_name;
use crate::table_info::ConstraintKind;

/// Storage parameters of tables that mean nothing here: where they are said, nothing is left undone.
const STORAGE: &[&str] = &[
    "fillfactor",
    "toast_tuple_target",
    "parallel_workers",
    "autovacuum_enabled",
    "autovacuum_vacuum_threshold",
    "autovacuum_vacuum_scale_factor",
    "autovacuum_vacuum_insert_threshold",
    "autovacuum_vacuum_insert_scale_factor",
    "autovacuum_analyze_threshold",
    "autovacuum_analyze_scale_factor",
    "autovacuum_vacuum_cost_delay",
    "autovacuum_vacuum_cost_limit",
    "autovacuum_freeze_min_age",
    "autovacuum_freeze_max_age",
    "autovacuum_freeze_table_age",
    "autovacuum_multixact_freeze_min_age",
    "autovacuum_multixact_freeze_max_age",
    "autovacuum_multixact_freeze_table_age",
    "log_autovacuum_min_duration",
    "vacuum_index_cleanup",
    "vacuum_truncate",
    "user_catalog_table",
    "deduplicate_items",
    "security_barrier",
    "security_invoker",
];

/// 22023 for a storage parameter that PostgreSQL does not know; the parentheses open at `open`.
pub(crate) fn check_storage(
    src: &crate::source::Source<'_>,
    open: usize,
) -> Result<(), DialectError> {
    let close = src.partner(open);
    let mut at = open + 1;
    while at < close {
        let mut named = at;
        if src.sign(at + 1, ".") {
            named = at + 2;
        }
        let name = src.name(named).ok_or_else(|| src.syntax(named))?;
        if name == "check_option" {
            return Err(src.unsupported(named, "WITH CHECK OPTION"));
        }
        if !STORAGE.contains(&name.as_str()) {
            let message = format!("unrecognized parameter \"{name}\"");
            return Err(DialectError::new(
                SqlState::INVALID_PARAMETER_VALUE,
                message,
            ));
        }
        let end = layout::item_end(src, at, close);
        if SWITCHES.contains(&name.as_str()) {
            let value = if src.sign(named + 1, "=") {
                src.slice(named + 2, end)
            } else {
                "true"
            };
            if !is_switch(value) {
                let message = format!("invalid value for boolean option \"{name}\": {value}");
                return Err(DialectError::new(
                    SqlState::INVALID_PARAMETER_VALUE,
                    message,
                ));
            }
            // Off is what every view is; the catalog does not keep the other.
            if is_on(value) && !src.is(open - 1, "RESET") {
                return Err(src.unsupported(named, &format!("a view WITH ({name})")));
            }
        }
        at = end + 1;
    }
    Ok(())
}

/// The parameters among them that are on or off.
const SWITCHES: &[&str] = &["security_barrier", "security_invoker"];

/// Whether a text is one for on or off, or the beginning of one.
fn is_switch(text: &str) -> bool {
    let text = text.trim_matches('\'').to_ascii_lowercase();
    let words = ["true", "false", "yes", "no"];
    ["on", "off", "of", "1", "0"].contains(&text.as_str())
        || (!text.is_empty() && words.iter().any(|word| word.starts_with(&text)))
}

/// Whether it is one for on.
fn is_on(text: &str) -> bool {
    let text = text.trim_matches('\'').to_ascii_lowercase();
    ["on", "1"].contains(&text.as_str()) || "true".starts_with(&text) || "yes".starts_with(&text)
}

impl Alter<'_> {
    /// DROP [COLUMN] [IF EXISTS] name [CASCADE | RESTRICT]
    pub(crate) fn drop_column(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        let if_exists = src.are(at, &["IF", "EXISTS"]);
        let at = at + if if_exists { 2 } else { 0 };
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        let behaviour = src.is_any(at + 1, &["CASCADE", "RESTRICT"]);
        if at + 1 + usize::from(behaviour) < end {
            return Err(src.syntax(at + 1 + usize::from(behaviour)));
        }
        let known = self.info.columns.iter().any(|column| column.name == name);
        let Some(column) = self.present.column(&name).filter(|_| known) else {
            let message = format!(
                "column \"{name}\" of relation \"{}\" does not exist",
                self.table
            );
            if if_exists {
                self.notices
                    .push(Notice::plain(format!("{message}, skipping")));
                return Ok(());
            }
            return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
        };
        let mut dependents = Dependents::new(self.schema, &[]);
        self.generated_from(&name, &mut dependents);
        dependents.of_column(&self.info, &name);
        if !dependents.is_empty() {
            if !src.is(at + 1, "CASCADE") {
                let what = format!("column {name} of table {}", self.table);
                return Err(dependents.refusal(Some(&what)));
            }
            self.notices.push(dependents.notice());
            self.parts = dependents.drops();
            self.parts.push(format!(
                "ALTER TABLE {} DROP COLUMN {}",
                self.named(),
                quote_name(&name)
            ));
            return Ok(());
        }
        if self.info.columns.len() == 1 {
            return Err(src.unsupported(at, "a table without columns"));
        }
        self.present
            .remove_piece(&mut self.change.edits, column.0, column.1);
        self.remove_constraints(&name, column);
        self.change.without.push(name.clone());
        if self.place == "main" {
            for (sequence, owner) in self.schema.owned_sequences(&self.table) {
                if owner == name {
                    self.change.after.extend(stored::drop(&sequence));
                    let gone = stored_rights::drop(self.schema, &sequence);
                    self.change.after.extend(gone);
                }
            }
            self.change
                .after
                .extend(comment::drop_column(self.schema, &self.table, &name));
        }
        self.change.rebuild = true;
        self.changed = true;
        Ok(())
    }

    /// The table as a statement of PostgreSQL's names it.
    pub(crate) fn named(&self) -> String {
        if self.place == "temp" {
            format!("pg_temp.{}", quote_name(&self.table))
        } else {
            stored_name::qualified(&self.table)
        }
    }

    /// The generated columns that are computed from a column.
    pub(crate) fn generated_from(&self, name: &str, dependents: &mut Dependents<'_>) {
        for column in self.info.columns.iter().filter(|column| column.computed) {
            let uses = self.present.column(&column.name).is_some_and(|(at, end)| {
                let from = self.present.type_end((at, end));
                (from..end).any(|token| self.present.src.name(token).as_deref() == Some(name))
            });
            if uses && column.name != name {
                let dependent = Dependent::Generated {
                    table: self.table.clone(),
                    column: column.name.clone(),
                };
                let on = format!("column {name} of table {}", self.table);
                dependents.add(dependent, &on);
            }
        }
    }

    /// The table's constraints that name the column go with it.
    fn remove_constraints(&mut self, name: &str, column: (usize, usize)) {
        let src = self.present.src;
        for piece in &self.present.layout.pieces {
            match *piece {
                Piece::Constraint { at, end } => {
                    let clause = layout::clause(src, at, end);
                    let to = match clause.keyword.as_str() {
                        "foreign" => (clause.body..end).find(|token| src.is(*token, "REFERENCES")),
                        _ => None,
                    };
                    let mut tokens = clause.body..to.unwrap_or(end);
                    if tokens.any(|token| src.name(token).as_deref() == Some(name)) {
                        self.present.remove_piece(&mut self.change.edits, at, end);
                    }
                }
                Piece::Column { at, end } if at != column.0 => {
                    let mut next = self.present.type_end((at, end));
                    while next < end {
                        let clause = layout::clause(src, next, end);
                        let to = clause.end.max(next + 1);
                        let mut tokens = clause.body..to;
                        if clause.keyword == "check"
                            && tokens.any(|token| src.name(token).as_deref() == Some(name))
                        {
                            self.present.replace(&mut self.change.edits, next, to, "");
                        }
                        next = to;
                    }
                }
                Piece::Column { .. } => {}
            }
        }
    }

    /// Actions about what is not here: they are looked at, and what would have to happen is refused.
    pub(crate) fn setting(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        if src.are(at, &["OWNER", "TO"]) {
            self.roles
                .extend(role::read(src, at + 2, Some(role::OWNER))?);
            return Ok(());
        }
        if src.is_any(at, &["SET", "RESET"]) && src.sign(at + 1, "(") {
            return check_storage(src, at + 1);
        }
        if src.are(at, &["CLUSTER", "ON"]) {
            let name = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
            if self.has_index(&name) {
                return Err(src.unsupported(at, "ALTER TABLE … CLUSTER ON"));
            }
            return Err(self.no_index(&name));
        }
        if src.are(at, &["SET", "WITHOUT", "CLUSTER"])
            || src.are(at, &["SET", "WITHOUT", "OIDS"])
            || src.are(at, &["SET", "LOGGED"])
        {
            return Ok(());
        }
        if src.are(at, &["SET", "SCHEMA"]) {
            return match src.name(at + 2).as_deref() {
                Some("public") => Ok(()),
                Some(other) => Err(DialectError::new(
                    SqlState::INVALID_SCHEMA_NAME,
                    format!("schema \"{other}\" does not exist"),
                )),
                None => Err(src.syntax(at + 2)),
            };
        }
        if src.are(at, &["SET", "TABLESPACE"]) {
            return match src.name(at + 2).as_deref() {
                Some("pg_default") => Ok(()),
                Some(other) => Err(DialectError::new(
                    SqlState::UNDEFINED_OBJECT,
                    format!("tablespace \"{other}\" does not exist"),
                )),
                None => Err(src.syntax(at + 2)),
            };
        }
        if src.are(at, &["VALIDATE", "CONSTRAINT"]) {
            return self.validate_constraint(at + 2);
        }
        if src.are(at, &["REPLICA", "IDENTITY", "DEFAULT"]) {
            return Ok(());
        }
        if src.name(at).is_none() {
            return Err(src.syntax(at));
        }
        let words = src.slice(at, end.min(at + 2)).to_ascii_uppercase();
        Err(src.unsupported(at, &format!("ALTER TABLE … {words}")))
    }

    /// VALIDATE CONSTRAINT: the rows are looked at.
    fn validate_constraint(&mut self, at: usize) -> Result<(), DialectError> {
        let name = self.src.name(at).ok_or_else(|| self.src.syntax(at))?;
        let known = self
            .info
            .constraints
            .iter()
            .find(|known| known.name == name);
        let table = quoted(self.place, &self.table);
        let check = match known.map(|constraint| &constraint.kind) {
            Some(ConstraintKind::Check { expression, .. }) => {
                self.condition_check(&name, &format!("({expression})"))
            }
            Some(ConstraintKind::ForeignKey { .. }) => self.foreign_key_check(&name),
            Some(_) => {
                let message = format!(
                    "constraint \"{name}\" of relation \"{}\" is not a foreign key or check constraint",
                    self.table
                );
                return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
            }
            None => return Err(self.no_constraint(&name)),
        };
        self.first.push(check);
        // Something that runs, so that the check does.
        self.sqlite.push(format!("SELECT 1 FROM {table} WHERE 0"));
        Ok(())
    }

    fn no_constraint(&self, name: &str) -> DialectError {
        let message = format!(
            "constraint \"{name}\" of relation \"{}\" does not exist",
            self.table
        );
        DialectError::new(SqlState::UNDEFINED_OBJECT, message)
    }

    pub(crate) fn has_index(&self, name: &str) -> bool {
        let of_table = self.schema.index_table(name);
        of_table.is_some_and(|table| table.eq_ignore_ascii_case(&self.table))
            || self.info.constraints.iter().any(|constraint| {
                constraint.name == name && crate::ddl::definition::is_key(&constraint.kind)
            })
    }

    fn no_index(&self, name: &str) -> DialectError {
        DialectError::new(
            SqlState::UNDEFINED_OBJECT,
            format!(
                "index \"{name}\" for table \"{}\" does not exist",
                self.table
            ),
        )
    }

    /// A check of the table's rows.
    pub(crate) fn check(
        &self,
        query: String,
        sqlstate: SqlState,
        message: String,
        constraint: Option<&str>,
    ) -> Check {
        Check {
            query,
            violation: Violation {
                sqlstate,
                message,
                table: self.table.clone(),
                column: None,
                constraint: constraint.map(str::to_owned),
            },
        }
    }
}
