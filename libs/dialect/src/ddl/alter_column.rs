//! ALTER TABLE … ALTER COLUMN.

use pgtypes::{PgType, SqlState};

use crate::analysis::Purpose;
use crate::catalog::coerce::{Context, can_coerce};
use crate::catalog::{Type, TypeId};
use crate::ddl::alter::Alter;
use crate::ddl::column::declared;
use crate::ddl::definition::plain_columns;
use crate::ddl::dependents::Dependents;
use crate::ddl::place::quoted;
use crate::error::DialectError;
use crate::literal::quote_name;
use crate::pg_catalog::identifier;
use crate::schema::Reader;
use crate::source::Source;
use crate::statement::{Check, Notice};
use crate::table_info::{ConstraintKind, Identity};
use crate::translator::Translator;

impl Alter<'_> {
    /// The action behind ALTER [COLUMN]; the column's name at `at`.
    pub(crate) fn alter_column(&mut self, at: usize, end: usize) -> Result<(), DialectError> {
        let src = self.src;
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        let Some(column) = self.present.column(&name) else {
            let message = format!(
                "column \"{name}\" of relation \"{}\" does not exist",
                self.table
            );
            return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
        };
        let next = at + 1;
        if src.are(next, &["SET", "DEFAULT"]) {
            return self.set_default(&name, column, next + 2, end);
        }
        if src.are(next, &["DROP", "DEFAULT"]) {
            self.check_no_identity(&name, false)?;
            if let Some((from, to)) = self.present.clause(column, "default") {
                self.present.replace(&mut self.change.edits, from, to, "");
                self.changed = true;
            }
            return Ok(());
        }
        if src.are(next, &["SET", "NOT", "NULL"]) {
            self.set_not_null(&name, column);
            return Ok(());
        }
        if src.are(next, &["DROP", "EXPRESSION"]) {
            return self.drop_expression(&name, column, src.are(next + 2, &["IF", "EXISTS"]));
        }
        if src.are(next, &["DROP", "NOT", "NULL"]) {
            if self
                .info
                .constraints
                .iter()
                .any(|key| key.kind == ConstraintKind::PrimaryKey && key.columns.contains(&name))
            {
                let message = format!("column \"{name}\" is in a primary key");
                return Err(DialectError::new(
                    SqlState::INVALID_TABLE_DEFINITION,
                    message,
                ));
            }
            if let Some((from, to)) = self.present.clause(column, "not") {
                self.present.replace(&mut self.change.edits, from, to, "");
                self.changed = true;
            }
            return Ok(());
        }
        if src.is(next, "TYPE") {
            return self.set_type(&name, column, next + 1, end);
        }
        if src.are(next, &["SET", "DATA", "TYPE"]) {
            return self.set_type(&name, column, next + 3, end);
        }
        if src.are(next, &["ADD", "GENERATED"]) {
            return self.add_identity(&name, column, next + 2, end);
        }
        if src.are(next, &["DROP", "IDENTITY"]) {
            return self.drop_identity(&name, column, src.are(next + 2, &["IF", "EXISTS"]));
        }
        let storage = ["STATISTICS", "STORAGE", "COMPRESSION"];
        if src.is(next, "SET") && (src.is_any(next + 1, &storage) || src.sign(next + 1, "(")) {
            return Ok(());
        }
        if src.is_any(next, &["RESTART", "SET"]) && !src.are(next, &["SET", "DATA"]) {
            return self.set_identity(&name, column, next, end);
        }
        Err(src.unsupported(next, &format!("ALTER COLUMN … {}", src.slice(next, end))))
    }

    pub(crate) fn type_name(&self, name: &str) -> Option<PgType> {
        let column = self
            .info
            .columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))?;
        column.type_name
    }

    fn set_default(
        &mut self,
        name: &str,
        column: (usize, usize),
        from: usize,
        to: usize,
    ) -> Result<(), DialectError> {
        self.check_no_identity(name, true)?;
        let mut translator = Translator::new(self.src, self.schema);
        let ty = self.type_name(name);
        translator.default_clause(from, to, ty.as_ref())?;
        let text = format!("DEFAULT {}", translator.rendered(from, to));
        if let Some((from, to)) = self.present.clause(column, "default") {
            self.present
                .replace(&mut self.change.edits, from, to, &text);
        } else {
            let end = self.present.src.end_before(column.1);
            self.change.edits.after(end, format!(" {text}"));
        }
        self.changed = true;
        Ok(())
    }

    fn set_not_null(&mut self, name: &str, column: (usize, usize)) {
        if self.present.clause(column, "not").is_some() {
            return;
        }
        let end = self.present.src.end_before(column.1);
        self.change.edits.after(end, " NOT NULL");
        let (table, quoted) = (quoted(self.place, &self.table), quote_name(name));
        // SQLite answers IS NULL by the new definition, without a look at the rows.
        let violation = self.null_values(name);
        self.change.checks.push(Check {
            query: format!("SELECT 1 FROM {table} WHERE typeof({quoted}) = 'null' LIMIT 1"),
            violation,
        });
        self.changed = true;
    }

    /// TYPE new [COLLATE c] [USING expression]
    fn set_type(
        &mut self,
        name: &str,
        column: (usize, usize),
        from: usize,
        to: usize,
    ) -> Result<(), DialectError> {
        let using = (from..to).find(|token| self.src.is(*token, "USING"));
        self.check_readers(name)?;
        self.change.retyped = true;
        let mut translator = Translator::new(self.src, self.schema);
        let type_end = (from..to)
            .find(|token| self.src.is_any(*token, &["COLLATE", "USING"]))
            .unwrap_or(to);
        let own_domain = self
            .info
            .columns
            .iter()
            .any(|info| info.name == name && info.domain.is_some());
        if own_domain || translator.domain(from, type_end).is_some() {
            return Err(self
                .src
                .unsupported(from, "a change of a column's type from or to a domain"));
        }
        let ty = translator.declared_type(from, type_end)?;
        let declared = match &ty {
            Some(ty) => declared(ty),
            None => self.src.slice(from, type_end).to_owned(),
        };
        let key = self
            .info
            .columns
            .iter()
            .any(|info| info.rowid_alias && info.name.eq_ignore_ascii_case(name));
        let integer = ty.as_ref().is_some_and(PgType::is_integer);
        let identity = self.identity(name).filter(|_| integer);
        let marker = identity.map_or("", Identity::marker);
        let text = if integer && (key || identity.is_some()) {
            format!("INTEGER /*{}{marker}*/", declared.to_ascii_lowercase())
        } else {
            declared
        };
        let src = self.present.src;
        let end = self.present.type_end(column);
        let range = src.start(column.0 + 1)..src.start(end);
        self.change.edits.replace(range, format!("{text} "));
        if let Some((from, to)) = self.present.clause(column, "collate") {
            self.present.replace(&mut self.change.edits, from, to, "");
        }
        translator.about(&self.table);
        let own = self.type_name(name);
        if using.is_none()
            && let (Some(own), Some(ty)) = (&own, &ty)
            && self.is_stored_alike(name, own, ty)
        {
            self.check_expressions(name, true)?;
            self.changed = true;
            return Ok(());
        }
        self.check_expressions(name, false)?;
        if let (None, Some(own), Some(ty)) = (using, own, ty) {
            check_cast(name, own, ty)?;
        }
        self.convert_default(name, column, (own, ty))?;
        let conversion = match using {
            Some(using) => {
                let target = ty.map_or(Type::new(TypeId::TEXT), Type::from);
                translator.typed(using + 1, to, Purpose::Using(name, target))?;
                translator.rendered(using + 1, to)
            }
            None => self.converted(name, ty.as_ref())?,
        };
        self.change.conversions.push((name.to_owned(), conversion));
        self.change.rebuild = true;
        self.changed = true;
        Ok(())
    }

    /// The default becomes one of the new type.
    fn convert_default(
        &mut self,
        name: &str,
        column: (usize, usize),
        (own, ty): (Option<PgType>, Option<PgType>),
    ) -> Result<(), DialectError> {
        let info = self.info.columns.iter().find(|info| info.name == name);
        let default = info.and_then(|info| info.default.clone());
        let (Some(default), Some((from, to)), Some(own), Some(ty)) =
            (default, self.present.clause(column, "default"), own, ty)
        else {
            return Ok(());
        };
        if check_cast(name, own, ty).is_err() {
            return Err(DialectError::new(
                SqlState::DATATYPE_MISMATCH,
                format!("default for column \"{name}\" cannot be cast automatically to type {ty}"),
            ));
        }
        let conversion = self.converted(name, Some(&ty))?;
        let quoted = quote_name(name);
        let reference = format!("{}.{quoted}", quote_name(&self.table));
        let default = format!("({default})");
        let text = conversion.replace(&reference, &default);
        let text = text.replace(&quoted, &default);
        let text = format!("DEFAULT ({text})");
        self.present
            .replace(&mut self.change.edits, from, to, &text);
        Ok(())
    }

    /// The texts of checks and of indexes over expressions were printed for the present type. `alike`: they mean the
    /// same as long as no arithmetic of that type is in them.
    fn check_expressions(&self, name: &str, alike: bool) -> Result<(), DialectError> {
        let bound = |text: &str| names(text, name) && (!alike || text.contains("pg_int"));
        let refused = |what: String| {
            let feature = format!("changing the type of column \"{name}\", which {what} uses,");
            let hint = "Drop it first, and add it again afterwards.";
            Err(DialectError::unsupported(feature).hint(hint))
        };
        for constraint in &self.info.constraints {
            if let ConstraintKind::Check { expression, .. } = &constraint.kind
                && bound(expression)
            {
                return refused(format!("the check constraint \"{}\"", constraint.name));
            }
        }
        for text in self.schema.dependents_in(self.place, &self.table) {
            let index = !text
                .trim_start()
                .to_ascii_uppercase()
                .starts_with("CREATE TRIGGER");
            if index && plain_columns(&text).is_none() && bound(&text) {
                return refused("an index over an expression or a part of the rows".to_owned());
            }
        }
        Ok(())
    }

    /// Views and generated columns were made for the present type.
    fn check_readers(&self, name: &str) -> Result<(), DialectError> {
        let reads = |reader: &&Reader| reader.columns.iter().any(|column| column == name);
        if let Some(reader) = self.schema.readers(&self.table).iter().find(reads) {
            return Err(DialectError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "cannot alter type of a column used by a view or rule",
            )
            .detail(format!(
                "rule _RETURN on view {} depends on column \"{name}\"",
                reader.view
            )));
        }
        let mut dependents = Dependents::new(self.schema, &[]);
        self.generated_from(name, &mut dependents);
        match dependents.first_column() {
            None => Ok(()),
            Some(column) => Err(DialectError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "cannot alter type of a column used by a generated column",
            )
            .detail(format!(
                "Column \"{name}\" is used by generated column \"{column}\"."
            ))),
        }
    }

    /// DROP EXPRESSION: the column keeps its values, and becomes one that is written.
    fn drop_expression(
        &mut self,
        name: &str,
        column: (usize, usize),
        if_exists: bool,
    ) -> Result<(), DialectError> {
        let clause = self
            .present
            .clause(column, "generated")
            .or_else(|| self.present.clause(column, "as"));
        let Some((from, to)) = clause else {
            let message = format!(
                "column \"{name}\" of relation \"{}\" is not a stored generated column",
                self.table
            );
            if if_exists {
                self.notices
                    .push(Notice::plain(format!("{message}, skipping")));
                return Ok(());
            }
            return Err(DialectError::new(
                SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
                message,
            ));
        };
        self.present.replace(&mut self.change.edits, from, to, "");
        self.change.rebuild = true;
        self.changed = true;
        Ok(())
    }

    /// Whether the values of one type are those of the other, byte for byte: then only the definition changes. Where
    /// the new type is narrower, a check finds what it has no room for.
    fn is_stored_alike(&mut self, name: &str, own: &PgType, ty: &PgType) -> bool {
        let column = quote_name(name);
        let text = |ty: &PgType| matches!(ty, PgType::Text | PgType::Varchar(_));
        let (beyond, violation) = if text(own) && text(ty) {
            let Some(length) = ty.length() else {
                return true;
            };
            let message = format!("value too long for type {ty}");
            (
                format!("length({column}) > {length}"),
                (SqlState::STRING_DATA_RIGHT_TRUNCATION, message),
            )
        } else if own.is_integer() && ty.is_integer() {
            let (low, high) = match ty {
                PgType::Int2 => (i64::from(i16::MIN), i64::from(i16::MAX)),
                PgType::Int4 => (i64::from(i32::MIN), i64::from(i32::MAX)),
                _ => return true,
            };
            let message = format!("{} out of range", ty.name());
            (
                format!("{column} NOT BETWEEN {low} AND {high}"),
                (SqlState::NUMERIC_VALUE_OUT_OF_RANGE, message),
            )
        } else {
            let room = |ty: &PgType| Some(ty.precision()?.saturating_sub(ty.scale()?));
            return own.base() == PgType::NUMERIC
                && ty.base() == PgType::NUMERIC
                && room(own).is_some()
                && own.scale() <= ty.scale()
                && room(own) <= room(ty);
        };
        let table = quoted(self.place, &self.table);
        let query = format!("SELECT 1 FROM {table} WHERE {beyond} LIMIT 1");
        let mut check = self.check(query, violation.0, violation.1, None);
        check.violation.table.clear();
        self.change.checks.push(check);
        true
    }

    /// The column cast to its new type.
    fn converted(&self, name: &str, ty: Option<&PgType>) -> Result<String, DialectError> {
        let Some(ty) = ty else {
            return Ok(quote_name(name));
        };
        let text = format!(
            "SELECT {}::{} AS v FROM {}",
            quote_name(name),
            ty,
            self.named()
        );
        let statement = crate::analyze(&text, self.schema)?;
        let sql = statement.sqlite.last().map_or("", String::as_str);
        let inner = sql
            .strip_prefix("SELECT ")
            .and_then(|rest| rest.split(" AS \"v\" FROM ").next());
        inner.map(str::to_owned).ok_or_else(|| {
            DialectError::unsupported(format!("a change of a column's type to {ty}"))
        })
    }
}

/// Whether an expression names a column.
fn names(text: &str, column: &str) -> bool {
    Source::new(text).is_ok_and(|src| {
        (0..src.len()).any(|at| {
            src.name(at)
                .is_some_and(|name| name.eq_ignore_ascii_case(column))
        })
    })
}

/// Without USING a type is changed as in an assignment.
fn check_cast(name: &str, own: PgType, ty: PgType) -> Result<(), DialectError> {
    let id = |ty: PgType| Type::from(ty.sent_as()).id;
    if can_coerce(&[id(own)], &[id(ty)], Context::Assignment) {
        return Ok(());
    }
    let target = ty.to_string();
    Err(DialectError::new(
        SqlState::DATATYPE_MISMATCH,
        format!("column \"{name}\" cannot be cast automatically to type {target}"),
    )
    .hint(format!(
        "You might need to specify \"USING {}::{target}\".",
        identifier(name)
    )))
}
