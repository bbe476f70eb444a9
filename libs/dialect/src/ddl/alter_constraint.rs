//! ALTER TABLE … ADD CONSTRAINT and DROP CONSTRAINT.

use pgtypes::{PgType, SqlState};

use crate::ddl::alter::Alter;
use crate::ddl::layout::{self, Piece};
use crate::ddl::object_name;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::table_info::{Constraint, ConstraintKind};
use crate::translator::Translator;

impl Alter<'_> {
    /// ADD [CONSTRAINT name] PRIMARY KEY | UNIQUE | FOREIGN KEY | CHECK
    pub(crate) fn add_constraint(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        let clause = layout::clause(src, at, end);
        if let Some(using) =
            (clause.body..clause.end).find(|token| src.are(*token, &["USING", "INDEX"]))
        {
            return Err(src.unsupported(using, "ADD CONSTRAINT … USING INDEX"));
        }
        let columns = layout::column_names(src, clause.body);
        for column in &columns {
            if self.present.column(column).is_none() && clause.keyword != "check" {
                let message = format!("column \"{column}\" named in key does not exist");
                return Err(src.error(clause.body, SqlState::UNDEFINED_COLUMN, message));
            }
        }
        let mut translator = Translator::new(src, self.schema);
        translator.about(&self.table);
        translator.table_constraint(at, end)?;
        let text = translator.rendered(at, end);
        let given = clause.name.clone();
        match clause.keyword.as_str() {
            "unique" => {
                let name =
                    given.unwrap_or_else(|| format!("{}_{}_key", self.table, columns.join("_")));
                let list: Vec<String> = columns.iter().map(|column| quote_name(column)).collect();
                let (name, table) = (quote_name(&name), quote_name(&self.table));
                self.sqlite.push(format!(
                    "CREATE UNIQUE INDEX {name} ON {table} ({})",
                    list.join(", ")
                ));
                return Ok(());
            }
            "primary" => return self.add_primary_key(&columns, &text, clause.body),
            "foreign" => {
                // All violations of the table: before this key there were none.
                self.change.checks.push(format!(
                    "SELECT 1 FROM pragma_foreign_key_check({})",
                    crate::literal::quote(&self.table)
                ));
                let name =
                    given.unwrap_or_else(|| format!("{}_{}_fkey", self.table, columns.join("_")));
                let message = format!(
                    "insert or update on table \"{}\" violates foreign key constraint \"{name}\"",
                    self.table
                );
                self.change.violation = Some((SqlState::FOREIGN_KEY_VIOLATION, message));
            }
            _ => {
                let open = clause.body;
                let condition = translator.rendered(open, src.partner(open) + 1);
                let table = quote_name(&self.table);
                self.change.checks.push(format!(
                    "SELECT 1 FROM {table} WHERE NOT {condition} LIMIT 1"
                ));
                let name = given.unwrap_or_else(|| format!("{}_check", self.table));
                let message = format!(
                    "check constraint \"{name}\" of relation \"{}\" is violated by some row",
                    self.table
                );
                self.change.violation = Some((SqlState::CHECK_VIOLATION, message));
            }
        }
        self.present.append(&mut self.change.edits, &text);
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

    /// DROP CONSTRAINT [IF EXISTS] name
    pub(crate) fn drop_constraint(&mut self, at: usize) -> Result<(), DialectError> {
        let (exists, name, _) = object_name(self.src, at)?;
        let index = self
            .schema
            .index_table(&name)
            .is_some_and(|table| table.eq_ignore_ascii_case(&self.table));
        if index {
            self.sqlite
                .push(format!("DROP INDEX {}", quote_name(&name)));
            return Ok(());
        }
        let Some(constraint) = self
            .info
            .constraints
            .iter()
            .find(|constraint| constraint.name == name)
            .cloned()
        else {
            if exists {
                return Ok(());
            }
            let message = format!(
                "constraint \"{name}\" of relation \"{}\" does not exist",
                self.table
            );
            return Err(self.src.error(at, SqlState::UNDEFINED_OBJECT, message));
        };
        let Some((from, to, piece)) = self.find_constraint(&constraint) else {
            return Err(self.src.unsupported(at, "dropping this constraint"));
        };
        self.change.rebuild = matches!(
            constraint.kind,
            ConstraintKind::PrimaryKey | ConstraintKind::Unique
        );
        if piece {
            self.present.remove_piece(&mut self.change.edits, from, to);
        } else {
            self.present.replace(&mut self.change.edits, from, to, "");
        }
        self.changed = true;
        Ok(())
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
