//! What must hold of a table's definition beyond its grammar: names occur once, keys name columns that there are, foreign
//! keys refer to keys.

use std::rc::Rc;

use pgtypes::{PgType, SqlState};

use crate::analysis::tree::Output;
use crate::catalog::coerce::{Context, can_coerce};
use crate::catalog::{Type, TypeId};
use crate::ddl::alter::case_only;
use crate::ddl::dependents::{foreign_keys_to, primary_key, same_columns};
use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::source::Source;
use crate::table_info::{Constraint, ConstraintKind, TableInfo};

/// Checks a definition; `temporary`: the table is the session's own.
pub(crate) fn check(
    info: &TableInfo,
    temporary: bool,
    schema: &dyn SchemaView,
) -> Result<(), DialectError> {
    check_columns(&info.columns, |column| &column.name)?;
    for (place, constraint) in info.constraints.iter().enumerate() {
        let before = info.constraints.get(..place).unwrap_or_default();
        if before.iter().any(|other| other.name == constraint.name) {
            return Err(taken(info, constraint));
        }
        match &constraint.kind {
            ConstraintKind::PrimaryKey | ConstraintKind::Unique => check_key(info, constraint)?,
            ConstraintKind::ForeignKey { table, columns, .. } => {
                let key = ForeignKey {
                    child: info,
                    constraint,
                    table,
                    columns,
                    temporary,
                };
                key.check(schema)?;
            }
            ConstraintKind::Check { .. } => {}
        }
    }
    Ok(())
}

/// The foreign keys of other tables still refer to columns that are stored as their own.
pub(crate) fn check_referrers(
    parent: &TableInfo,
    schema: &dyn SchemaView,
) -> Result<(), DialectError> {
    for (_, child) in schema.referrers(&parent.name) {
        if child.name == parent.name {
            continue;
        }
        for constraint in foreign_keys_to(&child, &parent.name) {
            let ConstraintKind::ForeignKey { table, columns, .. } = &constraint.kind else {
                continue;
            };
            let key = ForeignKey {
                child: &child,
                constraint,
                table,
                columns,
                temporary: false,
            };
            key.check_against(parent, schema)?;
        }
    }
    Ok(())
}

fn taken(info: &TableInfo, constraint: &Constraint) -> DialectError {
    let message = format!(
        "constraint \"{}\" for relation \"{}\" already exists",
        constraint.name, info.name
    );
    DialectError::new(SqlState::DUPLICATE_OBJECT, message)
}

/// Refuses a column of a query that no table or view can have.
pub(crate) fn check_types(columns: &[Output]) -> Result<(), DialectError> {
    let of_rows = |column: &&Output| {
        column
            .ty
            .id
            .element()
            .unwrap_or(column.ty.id)
            .is_composite()
    };
    if let Some(column) = columns.iter().find(of_rows) {
        let what = format!("a column of the composite type {}", column.ty.id.name());
        return Err(DialectError::unsupported(what));
    }
    let pseudo = |column: &&Output| column.ty.id.is_pseudo() && column.ty.id != TypeId::UNKNOWN;
    let Some(column) = columns.iter().find(pseudo) else {
        return Ok(());
    };
    let message = format!(
        "column \"{}\" has pseudo-type {}",
        column.name,
        column.ty.id.name()
    );
    Err(DialectError::new(
        SqlState::INVALID_TABLE_DEFINITION,
        message,
    ))
}

/// Refuses a name that comes twice, or differs from another in its case only.
pub(crate) fn check_columns<T>(
    columns: &[T],
    name: impl Fn(&T) -> &str,
) -> Result<(), DialectError> {
    // The first that comes again is told.
    for (place, column) in columns.iter().enumerate() {
        let column = name(column);
        let mut behind = columns.iter().skip(place + 1).map(&name);
        if behind.any(|other| other == column) {
            let message = format!("column \"{column}\" specified more than once");
            return Err(DialectError::new(SqlState::DUPLICATE_COLUMN, message));
        }
        let mut before = columns.iter().take(place).map(&name);
        if before.any(|other| other.eq_ignore_ascii_case(column)) {
            return Err(case_only(column));
        }
    }
    Ok(())
}

/// Whether a constraint is one of keys.
pub(crate) fn is_key(kind: &ConstraintKind) -> bool {
    matches!(kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique)
}

fn check_key(info: &TableInfo, key: &Constraint) -> Result<(), DialectError> {
    for (place, name) in key.columns.iter().enumerate() {
        if !info.columns.iter().any(|column| column.name == *name) {
            let message = format!("column \"{name}\" named in key does not exist");
            return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
        }
        let before = key.columns.get(..place).unwrap_or_default();
        if before.contains(name) {
            let what = if key.kind == ConstraintKind::PrimaryKey {
                "primary key"
            } else {
                "unique"
            };
            let message = format!("column \"{name}\" appears twice in {what} constraint");
            return Err(DialectError::new(SqlState::DUPLICATE_COLUMN, message));
        }
    }
    Ok(())
}

/// A foreign key, and the table that has it.
struct ForeignKey<'a> {
    child: &'a TableInfo,
    constraint: &'a Constraint,
    table: &'a str,
    columns: &'a [String],
    temporary: bool,
}

impl ForeignKey<'_> {
    fn check(&self, schema: &dyn SchemaView) -> Result<(), DialectError> {
        let own;
        let found;
        let parent = if self.table == self.child.name {
            own = Rc::new(self.child.clone());
            &*own
        } else {
            found = self.parent(schema)?;
            &*found
        };
        self.check_against(parent, schema)
    }

    fn check_against(
        &self,
        parent: &TableInfo,
        schema: &dyn SchemaView,
    ) -> Result<(), DialectError> {
        let child_types = types(self.child, &self.constraint.columns)?;
        let referenced = if self.columns.is_empty() {
            primary_key(parent)
        } else {
            self.columns.to_vec()
        };
        if referenced.is_empty() {
            let message = format!(
                "there is no primary key for referenced table \"{}\"",
                self.table
            );
            return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
        }
        let parent_types = types(parent, &referenced)?;
        if !is_unique(parent, &referenced, schema) {
            let message = format!(
                "there is no unique constraint matching given keys for referenced table \"{}\"",
                self.table
            );
            return Err(DialectError::new(SqlState::INVALID_FOREIGN_KEY, message));
        }
        if child_types.len() != parent_types.len() {
            return Err(DialectError::new(
                SqlState::INVALID_FOREIGN_KEY,
                "number of referencing and referenced columns for foreign key disagree",
            ));
        }
        let pairs = child_types.into_iter().zip(parent_types);
        for ((child, parent), (own, key)) in
            pairs.zip(self.constraint.columns.iter().zip(&referenced))
        {
            self.check_types((own, child), (key, parent))?;
        }
        Ok(())
    }

    fn parent(&self, schema: &dyn SchemaView) -> Result<Rc<TableInfo>, DialectError> {
        let name = self.table;
        let shown = schema.table_info(name);
        let found = match shown {
            Some(found) if found.temporary && !self.temporary => schema.hidden_table(name),
            other => other,
        };
        let Some(found) = found else {
            if schema.is_temporary(name) {
                return Err(DialectError::new(
                    SqlState::INVALID_TABLE_DEFINITION,
                    "constraints on permanent tables may reference only permanent tables",
                ));
            }
            if schema.columns(name).is_some() {
                // Known by its columns alone.
                return Ok(Rc::new(TableInfo::default()));
            }
            let message = format!("relation \"{name}\" does not exist");
            return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
        };
        if found.view.is_some() {
            let message = format!("referenced relation \"{name}\" is not a table");
            return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
        }
        if self.temporary && !found.temporary {
            return Err(DialectError::new(
                SqlState::INVALID_TABLE_DEFINITION,
                "constraints on temporary tables may reference only temporary tables",
            ));
        }
        Ok(found)
    }

    /// Keys are compared as they are stored.
    fn check_types(
        &self,
        (own, child): (&str, PgType),
        (key, parent): (&str, PgType),
    ) -> Result<(), DialectError> {
        let text = |ty: &PgType| matches!(ty, PgType::Text | PgType::Varchar(_) | PgType::Name);
        let float = |ty: &PgType| matches!(ty, PgType::Float4 | PgType::Float8);
        let alike = child.base() == parent.base()
            || (child.is_integer() && parent.is_integer())
            || (text(&child) && text(&parent))
            || (float(&child) && float(&parent));
        if alike {
            return Ok(());
        }
        let id = |ty: PgType| -> TypeId { Type::from(ty.sent_as()).id };
        if can_coerce(&[id(child)], &[id(parent)], Context::Implicit) {
            return Err(DialectError::unsupported(format!(
                "a foreign key between columns of types {} and {}",
                child.name(),
                parent.name()
            )));
        }
        let message = format!(
            "foreign key constraint \"{}\" cannot be implemented",
            self.constraint.name
        );
        Err(
            DialectError::new(SqlState::DATATYPE_MISMATCH, message).detail(format!(
                "Key columns \"{own}\" and \"{key}\" are of incompatible types: {} and {}.",
                child.name(),
                parent.name()
            )),
        )
    }
}

fn types(info: &TableInfo, names: &[String]) -> Result<Vec<PgType>, DialectError> {
    let of = |name: &String| {
        let column = info.columns.iter().find(|column| column.name == *name);
        let column = column.ok_or_else(|| {
            let message =
                format!("column \"{name}\" referenced in foreign key constraint does not exist");
            DialectError::new(SqlState::UNDEFINED_COLUMN, message)
        })?;
        Ok(column.type_name.unwrap_or(PgType::Text))
    };
    names.iter().map(of).collect()
}

/// Whether columns are a key of a table: of a constraint's or of an index over them alone.
pub(crate) fn is_unique(table: &TableInfo, columns: &[String], schema: &dyn SchemaView) -> bool {
    let place = if table.temporary { "temp" } else { "main" };
    table
        .constraints
        .iter()
        .any(|key| is_key(&key.kind) && same_columns(&key.columns, columns))
        || schema
            .dependents_in(place, &table.name)
            .iter()
            .filter_map(|sql| unique_columns(sql))
            .any(|key| same_columns(&key, columns))
}

/// The columns of a unique index over columns alone; `None` of any other.
pub(crate) fn unique_columns(sql: &str) -> Option<Vec<String>> {
    let src = Source::new(sql).ok()?;
    let unique = src.are(0, &["CREATE", "UNIQUE", "INDEX"]);
    plain_columns(sql).filter(|_| unique)
}

/// The columns of an index over columns alone and all rows; `None` of any other.
pub(crate) fn plain_columns(sql: &str) -> Option<Vec<String>> {
    let src = Source::new(sql).ok()?;
    let open = (2..src.len()).find(|at| src.sign(*at, "("))?;
    let close = src.partner(open);
    let mut columns = Vec::new();
    let mut at = open + 1;
    while at < close {
        columns.push(src.name(at)?);
        let mut end = at + 1;
        while end < close && !src.sign(end, ",") {
            if !src.is_any(end, &["ASC", "DESC"]) {
                return None;
            }
            end += 1;
        }
        at = end + 1;
    }
    (close + 1 >= src.len()).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::NoSchema;
    use crate::table_info::parse_create_table;

    fn refused(sql: &str) -> String {
        let info = parse_create_table(sql).unwrap();
        let error = check(&info, false, &NoSchema).unwrap_err();
        format!("{}: {}", error.sqlstate, error.message)
    }

    #[test]
    fn a_foreign_key_refers_to_a_key_of_columns_of_its_types() {
        let table = |key: &str| {
            format!("CREATE TABLE t (k INTEGER PRIMARY KEY, u TEXT UNIQUE, a INTEGER, {key})")
        };
        for key in [
            "FOREIGN KEY (a) REFERENCES t",
            "FOREIGN KEY (a) REFERENCES t (k)",
            "FOREIGN KEY (u) REFERENCES t (u)",
        ] {
            let info = parse_create_table(&table(key)).unwrap();
            assert_eq!(check(&info, false, &NoSchema), Ok(()), "{key}");
        }
        for (key, state) in [
            ("FOREIGN KEY (k) REFERENCES t (a)", "42830"),
            ("FOREIGN KEY (k, a) REFERENCES t (k)", "42830"),
            ("FOREIGN KEY (k) REFERENCES t (z)", "42703"),
            ("FOREIGN KEY (z) REFERENCES t (k)", "42703"),
            ("FOREIGN KEY (u) REFERENCES t (k)", "42804"),
            ("FOREIGN KEY (a) REFERENCES other", "42P01"),
        ] {
            assert!(refused(&table(key)).starts_with(state), "{key}");
        }
    }

    #[test]
    fn names_occur_once() {
        assert_eq!(
            refused("CREATE TABLE t (a INT, a TEXT)"),
            "42701: column \"a\" specified more than once"
        );
        assert!(refused("CREATE TABLE t (\"A\" INT, a TEXT)").starts_with("0A000"));
        assert!(refused("CREATE TABLE t (a INT, UNIQUE (a, a))").starts_with("42701"));
        assert!(refused("CREATE TABLE t (a INT, UNIQUE (b))").starts_with("42703"));
    }

    #[test]
    fn an_index_is_a_key_if_it_is_over_all_rows_of_columns() {
        let key = |sql| unique_columns(sql);
        assert_eq!(
            key("CREATE UNIQUE INDEX i ON t (a, \"B\" DESC)"),
            Some(vec!["a".to_owned(), "B".to_owned()])
        );
        assert_eq!(key("CREATE INDEX i ON t (a)"), None);
        assert_eq!(key("CREATE UNIQUE INDEX i ON t (a) WHERE a > 1"), None);
        assert_eq!(key("CREATE UNIQUE INDEX i ON t (lower(a))"), None);
    }
}
