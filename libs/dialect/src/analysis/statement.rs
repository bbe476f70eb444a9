//! The analysis of a whole statement.

use crate::analysis::Analyzer;
use crate::analysis::parameter::all_told;
use crate::analysis::schema::Schema;
use crate::analysis::scope::Level;
use crate::analysis::tree::{Output, Relations, Statement};
use crate::catalog::Type;
use crate::error::DialectError;
use crate::syntax::ast;

/// A statement with all that is known of it.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a statement"
)]
pub struct Analyzed {
    /// The statement.
    pub statement: Statement,
    /// Its relations.
    pub relations: Relations,
    /// The type of each parameter.
    pub parameters: Vec<Type>,
    /// It reads tables of the catalog.
    pub catalog: bool,
    /// It calls functions that give another answer each time.
    pub volatile: bool,
    /// FOR UPDATE or one of its kin was said.
    pub locks_rows: bool,
    /// It may give rows other numbers: those of SQLite, which a column can be.
    pub moves_rows: bool,
    /// It inserts rows that are given, or changes one row that is named by a key.
    pub by_key: bool,
}

impl Analyzed {
    /// The columns of its result; none if it gives no rows.
    pub fn columns(&self) -> &[Output] {
        match &self.statement {
            Statement::Query(query) => &query.columns,
            Statement::Insert(insert) => &insert.returning.columns,
            Statement::Update(update) => &update.returning.columns,
            Statement::Delete(delete) => &delete.returning.columns,
        }
    }
}

/// Analyses a statement of `sql`; `parameters` are the types that the client has told. `None`: a statement of another
/// kind.
pub fn analyze(
    sql: &str,
    statement: &ast::Statement,
    schema: &dyn Schema,
    parameters: &[Option<Type>],
) -> Result<Option<Analyzed>, DialectError> {
    let Some((mut analyzed, told)) = analyze_part(sql, statement, schema, parameters)? else {
        return Ok(None);
    };
    analyzed.parameters = all_told(&told)?;
    Ok(Some(analyzed))
}

/// A part of a statement, and the types of parameters that are told so far.
pub(crate) type Part = (Analyzed, Vec<Option<Type>>);

/// The same of a part of a statement, whose parameters need not all have a type: they stand beside it.
pub(crate) fn analyze_part(
    sql: &str,
    statement: &ast::Statement,
    schema: &dyn Schema,
    parameters: &[Option<Type>],
) -> Result<Option<Part>, DialectError> {
    let mut analyzer = Analyzer::new(sql, schema, parameters);
    analyzer.levels.push(Level::default());
    let statement = match statement {
        ast::Statement::Query(query) => Statement::Query(Box::new(analyzer.query(query)?)),
        ast::Statement::Insert(insert) => Statement::Insert(Box::new(analyzer.insert(insert)?)),
        ast::Statement::Update(update) => Statement::Update(Box::new(analyzer.update(update)?)),
        ast::Statement::Delete(delete) => Statement::Delete(Box::new(analyzer.delete(delete)?)),
        ast::Statement::Other(_) => return Ok(None),
    };
    let by_key = analyzer.is_by_key(&statement);
    let told = analyzer.told_parameters()?;
    let analyzed = Analyzed {
        by_key,
        moves_rows: analyzer.moves_rows,
        statement,
        parameters: Vec::new(),
        relations: analyzer.relations,
        catalog: analyzer.catalog,
        volatile: analyzer.volatile,
        locks_rows: analyzer.locks_rows,
    };
    Ok(Some((analyzed, told)))
}
