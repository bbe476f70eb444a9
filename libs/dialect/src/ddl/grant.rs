//! GRANT and REVOKE, and ALTER DEFAULT PRIVILEGES.

use acl::{Kind, Privileges};
use pgtypes::SqlState;

use crate::ddl::namespace;
use crate::ddl::place::Object;
pub use crate::ddl::role::Who;
use crate::error::DialectError;
use crate::schema::SchemaView;
use crate::session::end_at;
use crate::source::Source;
use crate::statement::{Role, Statement, StatementKind};
use crate::stored_name::PUBLIC;

/// GRANT or REVOKE of privileges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// REVOKE.
    pub revokes: bool,
    /// WITH GRANT OPTION; of REVOKE: only that.
    pub option: bool,
    /// `None`: ALL.
    pub privileges: Option<Privileges>,
    /// On what.
    pub on: Granted,
    /// To or from whom.
    pub grantees: Vec<Who>,
    /// CASCADE.
    pub cascade: bool,
}

/// What privileges are granted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// Tables, views and sequences.
    Relations(Vec<String>),
    /// All tables and views of schemas.
    AllTables(Vec<String>),
    /// All sequences of schemas.
    AllSequences(Vec<String>),
    /// Schemas.
    Schemas(Vec<String>),
    /// Databases.
    Databases(Vec<String>),
    /// ALTER DEFAULT PRIVILEGES: what roles make from now on.
    Future {
        /// Tables or sequences.
        kind: Kind,
        /// FOR ROLE; none: the session's own.
        makers: Vec<Who>,
    },
}

/// GRANT or REVOKE of roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// REVOKE.
    pub revokes: bool,
    /// WITH ADMIN OPTION; of REVOKE: only that.
    pub option: bool,
    /// The groups.
    pub roles: Vec<Who>,
    /// Who becomes a member.
    pub members: Vec<Who>,
    /// CASCADE.
    pub cascade: bool,
}

impl Membership {
    pub(crate) fn statement(self) -> Statement {
        let tag = if self.revokes {
            "REVOKE ROLE"
        } else {
            "GRANT ROLE"
        };
        Statement {
            roles: named(self.roles.iter().chain(&self.members)),
            ..Statement::session(StatementKind::Membership(Box::new(self)), tag)
        }
    }
}

/// GRANT privileges ON objects TO roles; GRANT role TO role
pub(crate) fn grant(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    statement(src, schema, 0, None)
}

/// REVOKE privileges ON objects FROM roles; REVOKE role FROM role
pub(crate) fn revoke(src: &Source<'_>, schema: &dyn SchemaView) -> Result<Statement, DialectError> {
    statement(src, schema, 0, None)
}

/// ALTER DEFAULT PRIVILEGES [FOR ROLE role, …] [IN SCHEMA public] GRANT … | REVOKE …
pub(crate) fn alter_defaults(
    src: &Source<'_>,
    schema: &dyn SchemaView,
) -> Result<Statement, DialectError> {
    let mut at = 3;
    let mut makers = Vec::new();
    loop {
        if src.is(at, "FOR") && src.is_any(at + 1, &["ROLE", "USER"]) {
            let one = |src: &Source<'_>, at| Ok((Who::role(src, at)?, at + 1));
            (makers, at) = Who::list(src, at + 2, one)?;
        } else if src.are(at, &["IN", "SCHEMA"]) {
            let name = src.name(at + 2).ok_or_else(|| src.syntax(at + 2))?;
            if !namespace::exists(schema, &name) {
                return Err(namespace::missing(&name));
            }
            if name != PUBLIC {
                return Err(src.unsupported(
                    at,
                    "ALTER DEFAULT PRIVILEGES IN SCHEMA of another than public",
                ));
            }
            at += 3;
        } else {
            break;
        }
    }
    if !src.is_any(at, &["GRANT", "REVOKE"]) {
        return Err(src.syntax(at));
    }
    statement(src, schema, at, Some(makers))
}

fn statement(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    start: usize,
    makers: Option<Vec<Who>>,
) -> Result<Statement, DialectError> {
    let revokes = src.is(start, "REVOKE");
    let mut first = start + 1;
    let option_only = revokes && src.are(first, &["GRANT", "OPTION", "FOR"]);
    first += if option_only { 3 } else { 0 };
    let word = if revokes { "FROM" } else { "TO" };
    let Some(on) = (first..src.len()).find(|at| src.is(*at, "ON")) else {
        return membership(src, revokes);
    };
    let behind = (on..src.len())
        .find(|at| src.is(*at, word))
        .ok_or_else(|| src.syntax(src.len()))?;
    let future = makers.is_some();
    let (on_what, kind) = objects(src, schema, (on + 1, behind), makers)?;
    let privileges = privileges(src, schema, (first, on), (&on_what, kind))?;
    let (grantees, mut at) = Who::list(src, behind + 1, Who::grantee)?;
    let with_option = !revokes && src.are(at, &["WITH", "GRANT", "OPTION"]);
    at += if with_option { 3 } else { 0 };
    if src.are(at, &["GRANTED", "BY"]) {
        if Who::role(src, at + 2)? != Who::Current {
            return Err(src.unsupported(at, "GRANTED BY another than CURRENT_USER"));
        }
        at += 3;
    }
    let cascade = revokes && src.is(at, "CASCADE");
    at += usize::from(revokes && src.is_any(at, &["CASCADE", "RESTRICT"]));
    end_at(src, at)?;
    let makers = match &on_what {
        Granted::Future { makers, .. } => makers.as_slice(),
        _ => &[],
    };
    let tag = match (future, revokes) {
        (true, _) => "ALTER DEFAULT PRIVILEGES",
        (false, true) => "REVOKE",
        (false, false) => "GRANT",
    };
    Ok(Statement {
        roles: named(grantees.iter().chain(makers)),
        ..Statement::session(
            StatementKind::Grant(Box::new(Grant {
                revokes,
                option: with_option || option_only,
                privileges,
                on: on_what,
                grantees,
                cascade,
            })),
            tag,
        )
    })
}

/// Roles that must exist.
fn named<'w>(roles: impl Iterator<Item = &'w Who>) -> Vec<Role> {
    roles.filter_map(Who::named).collect()
}

/// GRANT role, … TO role, … [WITH ADMIN OPTION]
fn membership(src: &Source<'_>, revokes: bool) -> Result<Statement, DialectError> {
    let admin_only = revokes && src.are(1, &["ADMIN", "OPTION", "FOR"]);
    let one = |src: &Source<'_>, at| Ok((Who::role(src, at)?, at + 1));
    let (roles, at) = Who::list(src, if admin_only { 4 } else { 1 }, one)?;
    if !src.is(at, if revokes { "FROM" } else { "TO" }) {
        return Err(src.syntax(at));
    }
    let (members, mut at) = Who::list(src, at + 1, Who::grantee)?;
    if members.contains(&Who::Public) {
        let message = "role \"public\" does not exist";
        return Err(DialectError::new(SqlState::UNDEFINED_OBJECT, message));
    }
    let with_admin = !revokes && src.are(at, &["WITH", "ADMIN", "OPTION"]);
    at += if with_admin { 3 } else { 0 };
    if src.are(at, &["GRANTED", "BY"]) {
        return Err(src.unsupported(at, "GRANTED BY"));
    }
    let cascade = revokes && src.is(at, "CASCADE");
    at += usize::from(revokes && src.is_any(at, &["CASCADE", "RESTRICT"]));
    end_at(src, at)?;
    Ok(Membership {
        revokes,
        option: with_admin || admin_only,
        roles,
        members,
        cascade,
    }
    .statement())
}

/// The objects between ON and TO, and their kind.
fn objects(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    (at, end): (usize, usize),
    makers: Option<Vec<Who>>,
) -> Result<(Granted, Kind), DialectError> {
    if let Some(makers) = makers {
        end_of(src, at + 1, end)?;
        let kind = match src.text(at).to_ascii_uppercase().as_str() {
            "TABLES" => Kind::Table,
            "SEQUENCES" => Kind::Sequence,
            other => {
                return Err(src.unsupported(at, &format!("ALTER DEFAULT PRIVILEGES ON {other}")));
            }
        };
        return Ok((Granted::Future { kind, makers }, kind));
    }
    let all = src.is(at, "ALL") && src.are(at + 2, &["IN", "SCHEMA"]);
    let word = src.text(at + usize::from(all)).to_ascii_uppercase();
    if all {
        let names = each(src, at + 4, end, |name| schema_exists(schema, name))?;
        return match word.as_str() {
            "TABLES" => Ok((Granted::AllTables(names), Kind::Table)),
            "SEQUENCES" => Ok((Granted::AllSequences(names), Kind::Sequence)),
            _ => Err(src.unsupported(at, &format!("GRANT on all {word}"))),
        };
    }
    match word.as_str() {
        "SCHEMA" => {
            let names = each(src, at + 1, end, |name| match name {
                "pg_catalog" | "information_schema" => Err(DialectError::unsupported(
                    "GRANT on a schema of the server's",
                )),
                _ => schema_exists(schema, name),
            })?;
            Ok((Granted::Schemas(names), Kind::Schema))
        }
        "DATABASE" => {
            let names = each(src, at + 1, end, |name| database_exists(schema, name))?;
            Ok((Granted::Databases(names), Kind::Database))
        }
        "FUNCTION" | "FUNCTIONS" | "PROCEDURE" | "PROCEDURES" | "ROUTINE" | "ROUTINES" => {
            Err(src.unsupported(at, "GRANT on a function"))
        }
        "LANGUAGE" | "TYPE" | "DOMAIN" | "TABLESPACE" | "LARGE" | "FOREIGN" | "PARAMETER"
            if src.name(at + 1).is_some() =>
        {
            Err(src.unsupported(at, &format!("GRANT on a {word}")))
        }
        _ => {
            let said = src.is_any(at, &["TABLE", "SEQUENCE"]);
            let names = relations(src, schema, at + usize::from(said), end)?;
            let sequences = names.iter().all(|name| schema.sequence(name).is_some());
            let table = names.iter().find(|name| schema.sequence(name).is_none());
            if let Some(table) = table.filter(|_| word == "SEQUENCE") {
                let message = format!("\"{table}\" is not a sequence");
                return Err(DialectError::new(SqlState::WRONG_OBJECT_TYPE, message));
            }
            let kind = if sequences {
                Kind::Sequence
            } else {
                Kind::Table
            };
            Ok((Granted::Relations(names), kind))
        }
    }
}

fn end_of(src: &Source<'_>, at: usize, end: usize) -> Result<(), DialectError> {
    if at == end {
        Ok(())
    } else {
        Err(src.syntax(at))
    }
}

/// All privileges that PostgreSQL knows beside those that there are here.
const OTHERS: &[&str] = &["EXECUTE", "SET", "ALTER"];

/// The privileges between two tokens; `None` for ALL.
///
/// Errors: 42601 for a word that is none, 0LP01 for one that there is not on such objects, 42703.
fn privileges(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    (mut at, on): (usize, usize),
    (objects, kind): (&Granted, Kind),
) -> Result<Option<Privileges>, DialectError> {
    let (mut found, mut all) = (Privileges::NONE, false);
    while at < on {
        let written = src.text(at);
        let known = Privileges::named(written);
        if src.is(at, "ALL") {
            all = true;
            at += usize::from(src.is(at + 1, "PRIVILEGES"));
        } else if let Some(privilege) = known.filter(|one| kind.all().has(*one)) {
            found = found.and(privilege);
        } else {
            return Err(no_privilege(written, known.is_some(), kind));
        }
        at += 1;
        if src.sign(at, "(") {
            let columns: Vec<String> = (at + 1..src.partner(at))
                .filter_map(|token| src.name(token))
                .collect();
            if let Granted::Relations(tables) = objects {
                check_columns(schema, tables, &columns)?;
            }
            return Err(src
                .unsupported(at, "a privilege on columns")
                .hint("Grant it on the table, or on a view with these columns."));
        }
        if at < on && !src.sign(at, ",") {
            return Err(src.syntax(at));
        }
        at += 1;
    }
    if !all && found.is_empty() {
        return Err(src.syntax(on));
    }
    Ok((!all).then_some(found))
}

fn no_privilege(written: &str, known: bool, kind: Kind) -> DialectError {
    let upper = written.to_ascii_uppercase();
    if known || OTHERS.contains(&upper.as_str()) {
        let message = format!("invalid privilege type {upper} for {}", kind.name());
        return DialectError::new(SqlState::INVALID_GRANT_OPERATION, message);
    }
    let message = format!(
        "unrecognized privilege type \"{}\"",
        written.to_ascii_lowercase()
    );
    DialectError::new(SqlState::SYNTAX_ERROR, message)
}

fn check_columns(
    schema: &dyn SchemaView,
    tables: &[String],
    columns: &[String],
) -> Result<(), DialectError> {
    for table in tables {
        let known = schema.columns(table).unwrap_or_default();
        let missing = columns
            .iter()
            .find(|column| !known.iter().any(|own| own.name == **column));
        if let Some(column) = missing {
            let message = format!("column \"{column}\" of relation \"{table}\" does not exist");
            return Err(DialectError::new(SqlState::UNDEFINED_COLUMN, message));
        }
    }
    Ok(())
}

/// The names of a list, each of which is looked at.
fn each(
    src: &Source<'_>,
    mut at: usize,
    end: usize,
    look: impl Fn(&str) -> Result<(), DialectError>,
) -> Result<Vec<String>, DialectError> {
    let mut names = Vec::new();
    loop {
        let name = src.name(at).ok_or_else(|| src.syntax(at))?;
        look(&name)?;
        names.push(name);
        if !src.sign(at + 1, ",") {
            end_of(src, at + 1, end)?;
            return Ok(names);
        }
        at += 2;
    }
}

fn schema_exists(schema: &dyn SchemaView, name: &str) -> Result<(), DialectError> {
    if namespace::exists(schema, name) {
        return Ok(());
    }
    Err(namespace::missing(name))
}

fn database_exists(schema: &dyn SchemaView, name: &str) -> Result<(), DialectError> {
    if schema.database() == name || schema.databases().iter().any(|known| known == name) {
        return Ok(());
    }
    let message = format!("database \"{name}\" does not exist");
    Err(DialectError::new(SqlState::INVALID_CATALOG_NAME, message))
}

/// The relations of a list, which are there.
fn relations(
    src: &Source<'_>,
    schema: &dyn SchemaView,
    mut at: usize,
    end: usize,
) -> Result<Vec<String>, DialectError> {
    let mut found = Vec::new();
    loop {
        let object = Object::read(src, schema, at)?;
        if object.is_elsewhere() {
            return Err(object.no_schema());
        }
        if schema.columns(&object.name).is_none() {
            let message = format!("relation \"{}\" does not exist", object.dotted());
            return Err(DialectError::new(SqlState::UNDEFINED_TABLE, message));
        }
        if object.place == "temp" {
            return Err(src.unsupported(at, "GRANT on a temporary table"));
        }
        at = object.to;
        found.push(object.name);
        if !src.sign(at, ",") {
            end_of(src, at, end)?;
            return Ok(found);
        }
        at += 1;
    }
}
