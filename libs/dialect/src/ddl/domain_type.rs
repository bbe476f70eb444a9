//! CREATE DOMAIN and DROP DOMAIN, and columns of domains.

use std::rc::Rc;

use pgtypes::{PgType, SqlState};

use crate::access::Access;
use crate::analysis::Purpose;
use crate::catalog::{Type, type_by_name};
use crate::ddl::column::collated;
use crate::ddl::names::chosen_name;
use crate::ddl::{enum_type, layout, object_name, stored_rights};
use crate::domain::{self, Domain};
use crate::error::DialectError;
use crate::literal::{quote, quote_name};
use crate::pg_catalog::identifier;
use crate::qualify;
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Notice, Statement};
use crate::stored_name;
use crate::translator::{Column, DefinedTable, Translator};

/// CREATE DOMAIN name [AS] type [constraint …]; the name at `at`.
pub(crate) fn create(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    at: usize,
) -> Result<Statement, DialectError> {
    let (_, name, to) = object_name(src, at)?;
    let from = to + usize::from(src.is(to, "AS"));
    let type_end = layout::type_end(src, from, src.len());
    let mut translator = Translator::new(src, schema);
    if translator.domain(from, type_end).is_some() {
        return Err(src.unsupported(from, "a domain over a domain"));
    }
    let Some(base) = translator.declared_type(from, type_end)? else {
        return Err(src.syntax(from));
    };
    if name.contains("*/") {
        return Err(src.unsupported(at, "this name of a domain"));
    }
    let mut made = Domain {
        oid: 0,
        base,
        not_null: false,
        default: None,
        checks: Vec::new(),
        name,
    };
    read_clauses(src, type_end, &mut made)?;
    translator.check_domain(&made)?;
    if enum_type::is_taken(schema, &made.name) {
        let message = format!("type \"{}\" already exists", made.name);
        return Err(DialectError::new(SqlState::DUPLICATE_OBJECT, message));
    }
    made.oid = enum_type::free_number(schema, &made.name);
    let (name, oid) = (quote(&made.name), made.oid);
    let definition = quote(&made.definition());
    let sqlite = vec![
        Domain::CREATE.to_owned(),
        format!("INSERT INTO main.eloqdb_domain VALUES ({name}, {oid}, {definition})"),
    ];
    Ok(Statement {
        access: vec![Access::CreateType { name: made.name }],
        ..Statement::ddl("CREATE DOMAIN", sqlite)
    })
}

/// What is said of a name that is no domain's.
pub(super) fn none_of(schema: &dyn SchemaView, name: &str) -> DialectError {
    if enum_type::is_taken(schema, name) || type_by_name(name).is_some() {
        let message = format!("\"{name}\" is not a domain");
        return DialectError::new(SqlState::WRONG_OBJECT_TYPE, message);
    }
    let message = format!("type \"{name}\" does not exist");
    DialectError::new(SqlState::UNDEFINED_OBJECT, message)
}

/// What stands behind the type of a domain.
fn read_clauses(src: &Source<'_>, from: usize, made: &mut Domain) -> Result<(), DialectError> {
    let mut next = from;
    let mut null = false;
    while next < src.len() {
        let clause = layout::clause(src, next, src.len());
        match clause.keyword.as_str() {
            "not" => made.not_null = true,
            "null" => null = true,
            "default" => {
                if made.default.is_some() {
                    let message = "multiple default expressions";
                    return Err(src.error(next, SqlState::SYNTAX_ERROR, message));
                }
                made.default = Some(src.slice(clause.body, clause.end).to_owned());
            }
            "check" if src.sign(clause.body, "(") => {
                let close = src.partner(clause.body);
                end_of_clause(src, close + 1, clause.end)?;
                let taken = |name: &str| made.checks.iter().any(|(known, _)| known == name);
                let given = clause.name.clone();
                let check = given.unwrap_or_else(|| {
                    chosen_name(stored_name::base(&made.name), &[], "check", &taken)
                });
                if taken(&check) {
                    let message = format!(
                        "constraint \"{check}\" for domain \"{}\" already exists",
                        made.name
                    );
                    return Err(DialectError::new(SqlState::DUPLICATE_OBJECT, message));
                }
                made.checks.push((check, condition(src, clause.body)));
            }
            "collate" => {}
            _ => {
                return Err(src.unsupported(
                    next,
                    &format!("{} of a domain", clause.keyword.to_ascii_uppercase()),
                ));
            }
        }
        next = clause.end.max(next + 1);
    }
    if null && made.not_null {
        let message = "conflicting NULL/NOT NULL constraints";
        return Err(DialectError::new(SqlState::SYNTAX_ERROR, message));
    }
    Ok(())
}

/// The condition in the parentheses that open at `open`, without those that are around all of it.
pub(crate) fn condition(src: &Source<'_>, open: usize) -> String {
    let (mut from, mut to) = (open + 1, src.partner(open));
    while src.sign(from, "(") && src.partner(from) + 1 == to {
        (from, to) = (from + 1, to - 1);
    }
    src.slice(from, to).to_owned()
}

/// A CHECK of a domain has nothing behind its condition but NOT VALID and the like, which are of no use here.
fn end_of_clause(src: &Source<'_>, at: usize, end: usize) -> Result<(), DialectError> {
    if at < end {
        return Err(src.syntax(at));
    }
    Ok(())
}

/// DROP DOMAIN [IF EXISTS] name [, …] [CASCADE | RESTRICT]
pub(crate) fn drop(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    let forgiven = src.are(2, &["IF", "EXISTS"]);
    let mut at = if forgiven { 4 } else { 2 };
    let mut statement = Statement::ddl("DROP DOMAIN", Vec::new());
    loop {
        let (_, name, to) = object_name(src, at)?;
        if let Some(found) = domain::find(schema, &name) {
            check_unused(schema, &found)?;
            let oid = found.oid;
            let gone = format!("DELETE FROM main.eloqdb_domain WHERE oid = {oid}");
            statement.sqlite.push(gone);
            let rights = stored_rights::drop_type(schema, &name);
            statement.sqlite.extend(rights);
            statement.access.push(Access::OwnType { name, drops: true });
        } else {
            let none = none_of(schema, &name);
            if !forgiven || none.sqlstate != SqlState::UNDEFINED_OBJECT {
                return Err(none);
            }
            let message = format!("{}, skipping", none.message);
            statement.notices.push(Notice::plain(message));
        }
        at = to;
        if !src.sign(at, ",") {
            break;
        }
        at += 1;
    }
    end_at(
        src,
        at + usize::from(src.is_any(at, &["CASCADE", "RESTRICT"])),
    )?;
    Ok(statement)
}

/// Columns of the domain keep it, also with CASCADE.
fn check_unused(schema: &dyn SchemaView, found: &Domain) -> Result<(), DialectError> {
    let uses = schema.columns_of_domain(&found.name);
    if uses.is_empty() {
        return Ok(());
    }
    let shown = identifier(&found.name);
    let lines = uses.iter().map(|(table, column)| {
        let (table, column) = (identifier(table), identifier(column));
        format!("column {column} of table {table} depends on type {shown}")
    });
    let message = format!("cannot drop type {shown} because other objects depend on it");
    let error = DialectError::new(SqlState::DEPENDENT_OBJECTS_STILL_EXIST, message);
    Err(error
        .detail(lines.collect::<Vec<_>>().join("\n"))
        .hint("Drop the columns first."))
}

impl Translator<'_> {
    /// The domain that tokens `from..to` name.
    pub(crate) fn domain(&self, from: usize, to: usize) -> Option<Domain> {
        let name = qualify::type_at(self.src, self.schema, from, to)?;
        if PgType::parse(self.src.slice(from, to)).is_some() {
            return None;
        }
        domain::find(self.schema, &name)
    }

    /// Whether the conditions and the default are such of the base type.
    pub(crate) fn check_domain(&mut self, made: &Domain) -> Result<(), DialectError> {
        let value = Column {
            name: "value".to_owned(),
            ty: Some(made.base),
            not_null: false,
        };
        self.table = Some(DefinedTable {
            name: made.name.clone(),
            columns: Rc::new([value]),
        });
        for (_, condition) in &made.checks {
            let condition = domain::over_column(condition, "value")?;
            self.unplaced(&condition, Purpose::Check)?;
        }
        if let Some(default) = &made.default {
            self.unplaced(default, Purpose::Default("", Type::from(made.base)))?;
        }
        self.table = None;
        Ok(())
    }

    /// An expression that does not stand in the statement.
    fn unplaced(&self, text: &str, purpose: Purpose<'_>) -> Result<String, DialectError> {
        let printed = self.typed_text(&format!("SELECT {text}"), purpose);
        printed.map_err(|error| DialectError {
            position: None,
            ..error
        })
    }

    /// What a column of a domain says behind its name: the base type, and what the domain demands.
    pub(crate) fn column_of_domain(
        &self,
        domain: &Domain,
        column: &str,
        has_default: bool,
    ) -> Result<String, DialectError> {
        let base = &domain.base;
        let mut parts = vec![format!(
            "{} /*{}*/{}",
            base.declaration(),
            domain.marker(),
            collated(base)
        )];
        let mut check = |name: &str, condition: &str| {
            let name = quote_name(name);
            parts.push(format!("CONSTRAINT {name} CHECK ({condition})"));
        };
        if domain.not_null {
            let condition = format!("{} IS NOT NULL", quote_name(column));
            check(&domain.not_null_name(), &condition);
        }
        for (name, condition) in &domain.checks {
            let condition = domain::over_column(condition, column)?;
            let printed = self.unplaced(&condition, Purpose::Check)?;
            check(&domain.check_name(name), &printed);
        }
        if let Some(default) = domain.default.as_ref().filter(|_| !has_default) {
            let printed = self.unplaced(default, Purpose::Default("", Type::from(*base)))?;
            parts.push(format!("DEFAULT ({printed})"));
        }
        Ok(parts.join(" "))
    }
}
