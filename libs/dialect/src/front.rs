//! The front end with types: a statement is parsed, analysed and printed.

use pgtypes::PgType;

use crate::analysis::tree::{Output, Statement as Tree};
use crate::analysis::{self, Analyzed};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::known_schema::KnownSchema;
use crate::schema::SchemaView;
use crate::sqlite;
use crate::statement::{CommandTag, Statement, StatementKind};
use crate::syntax;

/// A query or a change of rows, ready for SQLite; `None` for a statement of another kind.
pub(crate) fn statement(
    sql: &str,
    schema: &dyn SchemaView,
    parameters: &[u32],
) -> Result<Option<Statement>, DialectError> {
    let told: Vec<Option<Type>> = parameters.iter().map(|oid| told(*oid)).collect();
    let Some(tree) = syntax::parse(sql)? else {
        return Ok(None);
    };
    let Some(analyzed) = analysis::analyze(sql, &tree, &KnownSchema(schema), &told)? else {
        return Ok(None);
    };
    let text = sqlite::print(sql, &analyzed)?;
    finish(&analyzed, text).map(Some)
}

fn finish(analyzed: &Analyzed, text: String) -> Result<Statement, DialectError> {
    let (kind, tag) = match &analyzed.statement {
        Tree::Query(_) => (StatementKind::Query, CommandTag::Select),
        Tree::Insert(_) => (StatementKind::Dml, CommandTag::Insert),
        Tree::Update(_) => (StatementKind::Dml, CommandTag::Update),
        Tree::Delete(_) => (StatementKind::Dml, CommandTag::Delete),
    };
    let writes = kind == StatementKind::Dml;
    let outputs = analyzed.columns();
    let returning = writes && !outputs.is_empty();
    let columns = outputs.iter().map(column).collect::<Result<_, _>>()?;
    Ok(Statement {
        sqlite: vec![text],
        parameters: analyzed
            .parameters
            .iter()
            .map(|ty| ty.result_type())
            .collect(),
        tag,
        writes,
        by_key: analyzed.by_key,
        moves_rows: analyzed.moves_rows,
        locks_rows: analyzed.locks_rows,
        returning,
        columns,
        without_columns: !writes && outputs.is_empty(),
        names: outputs.iter().map(|output| output.name.clone()).collect(),
        catalog: analyzed.catalog,
        ..Statement::session(kind, "")
    })
}

/// A parameter's type by its number, where that is one of a value.
fn told(oid: u32) -> Option<Type> {
    let id = TypeId::new(oid);
    let known = id != TypeId::UNKNOWN && (id.is_supported() || id.is_array());
    known.then(|| Type::new(id))
}

fn column(output: &Output) -> Result<Option<PgType>, DialectError> {
    match output.ty.result_type() {
        Some(ty) => Ok(Some(ty)),
        None => Err(DialectError::unsupported(format!(
            "a result of type {}",
            output.ty
        ))),
    }
}
