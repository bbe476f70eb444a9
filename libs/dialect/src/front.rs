//! The front end with types: a statement is parsed, analysed and printed.

use pgtypes::PgType;

use crate::analysis::tree::{Output, Statement as Tree};
use crate::analysis::{self, Analyzed};
use crate::catalog::{Type, TypeId};
use crate::changing_with;
use crate::error::DialectError;
use crate::known_schema::KnownSchema;
use crate::schema::SchemaView;
use crate::sqlite::{self, Printed};
use crate::statement::{CommandTag, Statement, StatementKind};
use crate::syntax;

/// A query or a change of rows, ready for SQLite; `None` for a statement of another kind.
pub(crate) fn statement(
    sql: &str,
    schema: &dyn SchemaView,
    parameters: &[u32],
) -> Result<Option<Statement>, DialectError> {
    if parameters.iter().any(|oid| *oid >= FIRST) {
        // Reading them makes their numbers known.
        schema.user_types();
    }
    let told: Vec<Option<Type>> = parameters.iter().map(|oid| told(*oid)).collect();
    let Some(tree) = syntax::parse(sql)? else {
        return Ok(None);
    };
    if changing_with::is_one(&tree) {
        return changing_with::statement(sql, &tree, schema, &told);
    }
    let Some(analyzed) = analysis::analyze(sql, &tree, &KnownSchema(schema), &told)? else {
        return Ok(None);
    };
    let printed = sqlite::print(sql, &analyzed)?;
    finish(&analyzed, printed).map(Some)
}

/// What the server must know of a printed statement.
pub(crate) fn finish(analyzed: &Analyzed, printed: Printed) -> Result<Statement, DialectError> {
    let (kind, tag) = match &analyzed.statement {
        Tree::Query(_) => (StatementKind::Query, CommandTag::Select),
        Tree::Insert(_) => (StatementKind::Dml, CommandTag::Insert),
        Tree::Update(_) => (StatementKind::Dml, CommandTag::Update),
        Tree::Delete(_) => (StatementKind::Dml, CommandTag::Delete),
    };
    let writes = kind == StatementKind::Dml;
    let only_inserts = matches!(&analyzed.statement, Tree::Insert(insert) if insert.with.is_empty() && insert.on_conflict.is_none());
    let outputs = analyzed.columns();
    let returning = writes && !outputs.is_empty();
    let columns = outputs.iter().map(column).collect::<Result<_, _>>()?;
    Ok(Statement {
        sqlite: vec![printed.text],
        parameters: analyzed
            .parameters
            .iter()
            .map(|ty| ty.result_type())
            .collect(),
        tag,
        writes,
        by_key: analyzed.by_key,
        only_inserts,
        moves_rows: analyzed.moves_rows,
        tables: analyzed
            .changed_table()
            .map(str::to_owned)
            .into_iter()
            .collect(),
        locks_rows: analyzed.locks_rows,
        returning,
        columns,
        without_columns: !writes && outputs.is_empty(),
        names: outputs.iter().map(|output| output.name.clone()).collect(),
        origins: analyzed.origins(),
        access: analyzed.access(),
        catalog: analyzed.catalog || printed.looks_up,
        ..Statement::session(kind, "")
    })
}

/// The first number that types of users have.
const FIRST: u32 = 16_384;

/// A parameter's type by its number, where that is one of a value.
fn told(oid: u32) -> Option<Type> {
    let id = TypeId::new(oid);
    let known = id != TypeId::UNKNOWN && (id.is_supported() || id.is_array());
    known.then(|| Type::new(id))
}

fn column(output: &Output) -> Result<Option<PgType>, DialectError> {
    let of_catalog = || match output.ty.id {
        TypeId::XID | TypeId::CID => Some(PgType::Oid),
        _ if is_text_of_catalog(output.ty.id) => Some(PgType::Text),
        _ => None,
    };
    match output.ty.result_type().or_else(of_catalog) {
        Some(ty) => Ok(Some(ty)),
        None => Err(DialectError::unsupported(format!(
            "a result of type {}",
            output.ty
        ))),
    }
}

/// Types of the catalog's columns alone, whose values are sent as texts.
fn is_text_of_catalog(id: TypeId) -> bool {
    id.info().is_some_and(|info| {
        matches!(
            info.catalog_name,
            "pg_node_tree" | "pg_lsn" | "pg_ndistinct" | "pg_dependencies" | "pg_mcv_list"
        )
    })
}
