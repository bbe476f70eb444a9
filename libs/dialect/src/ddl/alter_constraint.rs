//! ALTER TABLE … ADD CONSTRAINT and DROP CONSTRAINT.

use pgtypes::{PgType, SqlState};

use crate::ddl::alter::Alter;
use crate::ddl::comment;
use crate::ddl::definition::{is_key, unique_columns};
use crate::ddl::dependents::Dependents;
use crate::ddl::index::index_named;
use crate::ddl::layout::{self, Piece};
use crate::ddl::names::chosen_name;
use crate::ddl::object_name;
use crate::ddl::place::quoted;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::own_tables::refuse_reserved;
use crate::statement::{Check, Notice};
use crate::stored_name;
use crate::table_info::{Constraint, ConstraintKind};
use crate::translator::Translator;

impl Alter<'_> {
    /// ADD [CONSTRAINT name] PRIMARY KEY | UNIQUE | FOREIGN KEY | CHECK
    pub(crate) fn add_constraint(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        let mut end = end;
        let not_valid = src.are(end.saturating_sub(2), &["NOT", "VALID"]);
        if not_valid {
            end -= 2;
        }
        let clause = layout::clause(src, at, end);
        if let Some(using) =
            (clause.body..clause.end).find(|token| src.are(*token, &["USING", "INDEX"]))
        {
            return Err(src.unsupported(using, "ADD CONSTRAINT … USING INDEX"));
        }
        if let Some(name) = &clause.name
            && self.constraint_names().contains(name)
        {
            return Err(self.taken(name));
        }
        let columns = layout::column_names(src, clause.body);
        self.check_key_columns(&clause.keyword, &columns)?;
        let mut translator = Translator::new(src, self.schema);
        translator.check_names = self.constraint_names();
        translator.about(&self.table);
        translator.table_constraint(at, end)?;
        let text = translator.rendered(at, end);
        let given = clause.name.clone();
        let name = given
            .clone()
            .unwrap_or_else(|| match clause.keyword.as_str() {
                "check" => translator.check_names.last().cloned().unwrap_or_default(),
                "foreign" => self.free_name(&columns, "fkey"),
                "primary" => self.free_name(&[], "pkey"),
                _ => self.free_name(&columns, "key"),
            });
        match clause.keyword.as_str() {
            "unique" => return self.add_unique(&name, &columns),
            "primary" => return self.add_primary_key(&columns, &text, clause.body),
            // The rows that are there are looked at by VALIDATE CONSTRAINT.
            _ if not_valid => {}
            "foreign" => {
                let check = self.foreign_key_check(&name);
                self.change.checks.push(check);
            }
            _ => {
                let open = clause.body;
                let condition = translator.rendered(open, src.partner(open) + 1);
                let check = self.condition_check(&name, &condition);
                self.change.checks.push(check);
            }
        }
        let named = given.is_some() || clause.keyword == "check";
        let text = if named {
            text
        } else {
            format!("CONSTRAINT {} {text}", quote_name(&name))
        };
        self.present.append(&mut self.change.edits, &text);
        self.changed = true;
        Ok(())
    }

    fn check_key_columns(&self, keyword: &str, columns: &[String]) -> Result<(), DialectError> {
        let what = match keyword {
            "check" => return Ok(()),
            "foreign" => "referenced in foreign key constraint",
            _ => "named in key",
        };
        for column in columns {
            if !self.info.columns.iter().any(|info| info.name == *column) {
                let message = format!("column \"{column}\" {what} does not exist");
                return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
            }
        }
        Ok(())
    }

    fn add_unique(&mut self, name: &str, columns: &[String]) -> Result<(), DialectError> {
        refuse_reserved(name)?;
        if self.schema.index_table(name).is_some() {
            let message = format!("relation \"{name}\" already exists");
            return Err(DialectError::new(SqlState::DUPLICATE_TABLE, message));
        }
        let list: Vec<String> = columns.iter().map(|column| quote_name(column)).collect();
        self.sqlite.push(format!(
            "CREATE UNIQUE INDEX {} ON {} ({})",
            quoted(self.place, name),
            quote_name(&self.table),
            list.join(", ")
        ));
        Ok(())
    }

    /// All violations of the table's foreign keys: of those that it had there are none.
    pub(crate) fn foreign_key_check(&self, name: &str) -> Check {
        let query = format!(
            "SELECT 1 FROM pragma_foreign_key_check({})",
            crate::literal::quote(&self.table)
        );
        let message = format!(
            "insert or update on table \"{}\" violates foreign key constraint \"{name}\"",
            self.table
        );
        self.check(query, SqlState::FOREIGN_KEY_VIOLATION, message, Some(name))
    }

    /// The rows for which a condition is false.
    pub(crate) fn condition_check(&self, name: &str, condition: &str) -> Check {
        let table = quoted(self.place, &self.table);
        let query = format!("SELECT 1 FROM {table} WHERE NOT {condition} LIMIT 1");
        let message = format!(
            "check constraint \"{name}\" of relation \"{}\" is violated by some row",
            self.table
        );
        self.check(query, SqlState::CHECK_VIOLATION, message, Some(name))
    }

    fn taken(&self, name: &str) -> DialectError {
        let message = format!(
            "constraint \"{name}\" for relation \"{}\" already exists",
            self.table
        );
        DialectError::new(SqlState::DUPLICATE_OBJECT, message)
    }

    /// A name for a constraint as PostgreSQL makes it.
    fn free_name(&self, columns: &[String], label: &str) -> String {
        let names = self.constraint_names();
        chosen_name(stored_name::base(&self.table), columns, label, &|name| {
            names.iter().any(|taken| taken == name) || self.schema.index_table(name).is_some()
        })
    }

    /// RENAME CONSTRAINT name TO new
    pub(crate) fn rename_constraint(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        let new = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
        if !src.is(at + 1, "TO") || at + 3 < end {
            return Err(src.syntax(at + 1));
        }
        if self.constraint_names().contains(&new) {
            return Err(self.taken(&new));
        }
        let table = self.schema.index_table(&name);
        if table.is_some_and(|table| table.eq_ignore_ascii_case(&self.table)) {
            self.parts = vec![format!(
                "ALTER INDEX {} RENAME TO {}",
                quote_name(&name),
                quote_name(&new)
            )];
            return Ok(());
        }
        let Some(constraint) = self
            .info
            .constraints
            .iter()
            .find(|c| c.name == name)
            .cloned()
        else {
            let message = format!(
                "constraint \"{name}\" for table \"{}\" does not exist",
                self.table
            );
            return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
        };
        let Some((from, _, _)) = self.find_constraint(&constraint) else {
            return Err(src.unsupported(at, "renaming this constraint"));
        };
        let present = self.present.src;
        if present.is(from, "CONSTRAINT") {
            let range = present.start(from + 1)..present.end_before(from + 2);
            self.change.edits.replace(range, quote_name(&new));
        } else {
            let text = format!("CONSTRAINT {} ", quote_name(&new));
            self.change.edits.before(present.start(from), text);
        }
        self.change.first.extend(comment::rename_constraint(
            self.schema,
            &self.table,
            &name,
            &new,
        ));
        self.changed = true;
        Ok(())
    }

    fn add_primary_key(
        &mut self,
        columns: &[String],
        text: &str,
        at: usize,
    ) -> Result<(), DialectError> {
        let existing = self
            .info
            .constraints
            .iter()
            .find(|constraint| constraint.kind == ConstraintKind::PrimaryKey);
        if existing.is_some() {
            let message = format!(
                "multiple primary keys for table \"{}\" are not allowed",
                self.table
            );
            return Err(self
                .src
                .error(at, SqlState::INVALID_TABLE_DEFINITION, message));
        }
        for column in columns {
            // What would become SQLite's rowid would get a number in the place of NULL.
            self.first.push(Check {
                query: format!(
                    "SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1",
                    quoted(self.place, &self.table),
                    quote_name(column)
                ),
                violation: self.null_values(column),
            });
        }
        if let [only] = columns {
            self.make_integer_key(only);
        }
        for column in columns {
            let position = self.present.column(column);
            let bare = position.filter(|position| self.present.clause(*position, "not").is_none());
            if let Some(position) = bare {
                let to = self.present.src.end_before(position.1);
                self.change.edits.after(to, " NOT NULL");
            }
        }
        self.present.append(&mut self.change.edits, text);
        self.change.rebuild = true;
        self.changed = true;
        Ok(())
    }

    /// An integer column that becomes the key alone becomes the rowid.
    fn make_integer_key(&mut self, name: &str) {
        let column = self
            .info
            .columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name));
        let integer = column
            .and_then(|column| column.type_name.as_ref())
            .is_some_and(PgType::is_integer);
        let Some(position) = self.present.column(name).filter(|_| integer) else {
            return;
        };
        let type_end = self.present.type_end(position);
        let declared = self.present.src.slice(position.0 + 1, type_end);
        if !declared.eq_ignore_ascii_case("INTEGER") {
            let text = format!("INTEGER /*{}*/", declared.to_ascii_lowercase());
            self.present
                .replace(&mut self.change.edits, position.0 + 1, type_end, &text);
        }
    }

    /// DROP CONSTRAINT [IF EXISTS] name [CASCADE | RESTRICT]
    pub(crate) fn drop_constraint(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let (exists, name, to) = object_name(self.src, at)?;
        let cascade = self.src.is(to, "CASCADE");
        if to + usize::from(self.src.is_any(to, &["CASCADE", "RESTRICT"])) < end {
            return Err(self.src.syntax(to));
        }
        let index = self
            .schema
            .index_table(&name)
            .is_some_and(|table| table.eq_ignore_ascii_case(&self.table));
        let constraints = &self.info.constraints;
        let constraint = constraints.iter().find(|c| c.name == name).cloned();
        if let Some(key) = self.key_columns(constraint.as_ref(), &name) {
            let mut dependents = Dependents::new(self.schema, &[]);
            dependents.of_key(&self.info, &key, &format!("index {name}"));
            if !dependents.is_empty() {
                if !cascade {
                    let what = format!("constraint {name} on table {}", self.table);
                    return Err(dependents.refusal(Some(&what)));
                }
                self.notices.push(dependents.notice());
                self.parts = dependents.drops();
                self.parts.push(format!(
                    "ALTER TABLE {} DROP CONSTRAINT {}",
                    self.named(),
                    quote_name(&name)
                ));
                return Ok(());
            }
        }
        if index {
            self.sqlite
                .push(format!("DROP INDEX {}", quoted(self.place, &name)));
            return Ok(());
        }
        let Some(constraint) = constraint else {
            let message = format!(
                "constraint \"{name}\" of relation \"{}\" does not exist",
                self.table
            );
            if exists {
                self.notices
                    .push(Notice::plain(format!("{message}, skipping")));
                return Ok(());
            }
            return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
        };
        let Some((from, to, piece)) = self.find_constraint(&constraint) else {
            return Err(self.src.unsupported(at, "dropping this constraint"));
        };
        self.change.rebuild = is_key(&constraint.kind);
        let gone = comment::drop_constraint(self.schema, &self.table, &name);
        self.change.first.extend(gone);
        if piece {
            self.present.remove_piece(&mut self.change.edits, from, to);
        } else {
            self.present.replace(&mut self.change.edits, from, to, "");
        }
        self.changed = true;
        Ok(())
    }

    /// The columns of a key, or of the unique index of that name.
    fn key_columns(&self, constraint: Option<&Constraint>, name: &str) -> Option<Vec<String>> {
        if let Some(constraint) = constraint {
            return is_key(&constraint.kind).then(|| constraint.columns.clone());
        }
        let texts = self.schema.dependents_in(self.place, &self.table);
        let text = texts.iter().find(|sql| index_named(sql, name))?;
        unique_columns(text)
    }

    /// The tokens of a constraint in the present text, and whether they are an item of their own.
    fn find_constraint(&self, wanted: &Constraint) -> Option<(usize, usize, bool)> {
        let position = self
            .info
            .constraints
            .iter()
            .position(|constraint| constraint.name == wanted.name)?;
        let mut seen = 0;
        for piece in &self.present.layout.pieces {
            match *piece {
                Piece::Constraint { at, end } => {
                    if seen == position {
                        return Some((at, end, true));
                    }
                    seen += 1;
                }
                Piece::Column { at, end } => {
                    let mut next = self.present.type_end((at, end));
                    while next < end {
                        let clause = layout::clause(self.present.src, next, end);
                        if matches!(
                            clause.keyword.as_str(),
                            "primary" | "unique" | "check" | "references"
                        ) {
                            if seen == position {
                                return Some((next, clause.end, false));
                            }
                            seen += 1;
                        }
                        next = clause.end.max(next + 1);
                    }
                }
            }
        }
        None
    }
}
