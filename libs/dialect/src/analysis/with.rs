//! WITH.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{
    Body, CommonTable, CommonTableId, Output, Query, Relation, RelationColumn, RelationId, Source,
};
use crate::error::DialectError;
use crate::syntax::ast::{self, Alias, CommonTableBody, JoinKind, Name, Position, QueryBody};

/// A common table expression that may be named from here.
#[derive(Debug, Clone)]
pub(crate) struct Visible {
    name: String,
    id: CommonTableId,
    columns: Vec<Output>,
    /// It may not be named: a later one of a WITH that is not recursive.
    at_level: usize,
}

impl Analyzer<'_> {
    /// The common table expressions; they stay visible until the caller takes them out of scope.
    pub(crate) fn with(
        &mut self,
        with: Option<&ast::With>,
    ) -> Result<(Vec<CommonTable>, bool), DialectError> {
        let Some(with) = with else {
            return Ok((Vec::new(), false));
        };
        let mut tables = Vec::with_capacity(with.tables.len());
        for (index, table) in with.tables.iter().enumerate() {
            let twice = with
                .tables
                .iter()
                .take(index)
                .any(|other| other.name.text == table.name.text);
            if twice {
                return Err(self.error(
                    table.name.at,
                    SqlState::DUPLICATE_ALIAS,
                    format!(
                        "WITH query name \"{}\" specified more than once",
                        table.name.text
                    ),
                ));
            }
        }
        for table in self.tables_in_order(with)? {
            tables.push(self.common_table_of(table, with.recursive)?);
        }
        Ok((tables, with.recursive))
    }

    /// The tables, those before the others that these name: in a recursive WITH a table may be named before it
    /// is written.
    fn tables_in_order<'w>(
        &self,
        with: &'w ast::With,
    ) -> Result<Vec<&'w ast::CommonTable>, DialectError> {
        let mut waiting: Vec<_> = with.tables.iter().collect();
        if !with.recursive {
            return Ok(waiting);
        }
        let mut ordered = Vec::with_capacity(waiting.len());
        while let Some(first) = waiting.first() {
            let ready = waiting.iter().position(|table| {
                let mut others = waiting
                    .iter()
                    .filter(|other| other.name.text != table.name.text);
                !others.any(|other| names(table, &other.name))
            });
            let Some(ready) = ready else {
                return Err(self.error(
                    first.name.at,
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "mutual recursion between WITH items is not implemented",
                ));
            };
            ordered.push(waiting.remove(ready));
        }
        Ok(ordered)
    }

    fn common_table_of(
        &mut self,
        table: &ast::CommonTable,
        recursive: bool,
    ) -> Result<CommonTable, DialectError> {
        if table.search_or_cycle {
            return Err(self.unsupported(table.name.at, "SEARCH and CYCLE"));
        }
        let CommonTableBody::Query(query) = &table.body else {
            return Err(self.error(
                table.name.at,
                SqlState::FEATURE_NOT_SUPPORTED,
                "WITH clause containing a data-modifying statement must be at the top level",
            ));
        };
        let id = CommonTableId(self.next_common_table);
        self.next_common_table += 1;
        let volatile = std::mem::take(&mut self.volatile);
        let result = if recursive && mentions(query, &table.name) {
            self.recursive(query, table, id)?
        } else {
            let result = self.subquery(query)?;
            self.show(table, id, &result)?;
            result
        };
        // Whoever reads it reads the same rows.
        let once = self.volatile.then_some(true);
        self.volatile |= volatile;
        Ok(CommonTable {
            id,
            name: table.name.text.clone(),
            names: table.columns.iter().map(|name| name.text.clone()).collect(),
            query: result,
            said: table.materialized,
            materialized: once.or(table.materialized),
        })
    }

    /// `base UNION [ALL] step`, where the step names the table.
    fn recursive(
        &mut self,
        query: &ast::Query,
        table: &ast::CommonTable,
        id: CommonTableId,
    ) -> Result<Query, DialectError> {
        let QueryBody::SetOperation {
            operator: ast::SetOperator::Union,
            all,
            sides,
            ..
        } = &query.body
        else {
            return Err(self.error(
                table.name.at,
                SqlState::INVALID_RECURSION,
                format!(
                    "recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] recursive-term",
                    table.name.text
                ),
            ));
        };
        self.check_clauses(query)?;
        let [base, step] = sides.as_ref();
        if mentions(base, &table.name) {
            return Err(self.error(
                table.name.at,
                SqlState::INVALID_RECURSION,
                format!(
                    "recursive reference to query \"{}\" must not appear within its non-recursive term",
                    table.name.text
                ),
            ));
        }
        self.check_joins(step, &table.name)?;
        let base = self.subquery(base)?;
        self.show(table, id, &base)?;
        let mut step = self.at_next_level(step, Self::open_query)?;
        self.match_step(&base, &step, table)?;
        let wanted: Vec<_> = base.columns.iter().map(|column| column.ty).collect();
        self.coerce_columns(&mut step, &wanted)?;
        Ok(crate::analysis::select::plain(
            Body::SetOperation {
                operator: ast::SetOperator::Union,
                all: *all,
                sides: Box::new([base.clone(), step]),
            },
            base.columns,
            Vec::new(),
        ))
    }

    /// A recursive query has no clause behind its terms.
    fn check_clauses(&self, query: &ast::Query) -> Result<(), DialectError> {
        let clause = |at: Position, what: &str| {
            self.error(
                at,
                SqlState::FEATURE_NOT_SUPPORTED,
                format!("{what} in a recursive query is not implemented"),
            )
        };
        if let Some(key) = query.order_by.first() {
            return Err(clause(key.value.at, "ORDER BY"));
        }
        if let Some(offset) = &query.offset {
            return Err(clause(offset.at, "OFFSET"));
        }
        if let Some(limit) = &query.limit {
            return Err(clause(limit.at, "LIMIT"));
        }
        if !query.locking.is_empty() {
            return Err(DialectError::new(
                SqlState::FEATURE_NOT_SUPPORTED,
                "FOR UPDATE/SHARE in a recursive query is not implemented",
            ));
        }
        Ok(())
    }

    /// The step does not read the table where a join may add rows to it.
    fn check_joins(&self, step: &ast::Query, name: &Name) -> Result<(), DialectError> {
        let QueryBody::Select(select) = &step.body else {
            return Ok(());
        };
        let Some(at) = select
            .from
            .iter()
            .find_map(|item| outer_mention(item, name, false))
        else {
            return Ok(());
        };
        Err(self.error(
            at,
            SqlState::INVALID_RECURSION,
            format!(
                "recursive reference to query \"{}\" must not appear within an outer join",
                name.text
            ),
        ))
    }

    /// The step gives columns of the types of the base.
    fn match_step(
        &self,
        base: &Query,
        step: &Query,
        table: &ast::CommonTable,
    ) -> Result<(), DialectError> {
        if base.columns.len() != step.columns.len() {
            return Err(self.error(
                step.column_at(0),
                SqlState::SYNTAX_ERROR,
                "each UNION query must have the same number of columns",
            ));
        }
        for (index, (one, other)) in base.columns.iter().zip(&step.columns).enumerate() {
            let place = |query: &Query, ty| {
                crate::analysis::tree::Expr::new(
                    ty,
                    crate::analysis::tree::ExprKind::anonymous_row(Vec::new()),
                    query.column_at(index),
                )
            };
            let common = self.common(&[place(base, one.ty), place(step, other.ty)], "UNION")?;
            let kept = common == one.ty.id && (one.ty.typmod < 0 || one.ty == other.ty);
            if !kept {
                return Err(self
                    .error(
                        base.column_at(index),
                        SqlState::DATATYPE_MISMATCH,
                        format!(
                            "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                            table.name.text,
                            index + 1,
                            one.ty,
                            common.name()
                        ),
                    )
                    .hint("Cast the output of the non-recursive term to the correct type."));
            }
        }
        Ok(())
    }

    fn show(
        &mut self,
        table: &ast::CommonTable,
        id: CommonTableId,
        query: &Query,
    ) -> Result<(), DialectError> {
        let columns = &query.columns;
        if table.columns.len() > columns.len() {
            return Err(self.error(
                table.name.at,
                SqlState::INVALID_COLUMN_REFERENCE,
                format!(
                    "WITH query \"{}\" has {} columns available but {} columns specified",
                    table.name.text,
                    columns.len(),
                    table.columns.len()
                ),
            ));
        }
        let mut columns = columns.clone();
        self.note_row_columns(id, query);
        for (column, name) in columns.iter_mut().zip(&table.columns) {
            column.name.clone_from(&name.text);
        }
        let at_level = self.levels.len();
        self.common_tables.push(Visible {
            name: table.name.text.clone(),
            id,
            columns,
            at_level,
        });
        Ok(())
    }

    /// A mention of a common table expression; `None` if none has that name.
    pub(crate) fn common_table(
        &mut self,
        name: &Name,
        alias: Option<&Alias>,
    ) -> Result<Option<RelationId>, DialectError> {
        let Some(found) = self
            .common_tables
            .iter()
            .rev()
            .find(|table| table.name == name.text && table.at_level <= self.levels.len())
        else {
            return Ok(None);
        };
        let columns = found
            .columns
            .iter()
            .map(|column| RelationColumn::given(&column.name, column.ty))
            .collect();
        let relation = Relation {
            alias: name.text.clone(),
            source: Source::CommonTable(found.id),
            columns,
        };
        self.named(relation, alias).map(Some)
    }
}

/// Whether the query of a common table expression names a table.
fn names(table: &ast::CommonTable, name: &Name) -> bool {
    match &table.body {
        CommonTableBody::Query(query) => mentions(query, name),
        _ => false,
    }
}

/// Whether a query names a table in FROM, at any depth.
fn mentions(query: &ast::Query, name: &Name) -> bool {
    let hides = query
        .with
        .as_ref()
        .is_some_and(|with| with.tables.iter().any(|table| table.name.text == name.text));
    if hides {
        return false;
    }
    let with = query.with.iter().flat_map(|with| &with.tables);
    let in_with = with.into_iter().any(|table| names(table, name));
    in_with
        || match &query.body {
            QueryBody::Select(select) => {
                select.from.iter().any(|item| item_mentions(item, name))
                    || select_mentions(select, name)
            }
            QueryBody::Values(_) => false,
            QueryBody::SetOperation { sides, .. } => sides.iter().any(|side| mentions(side, name)),
        }
}

/// Where FROM names a table on a side of a join that may have no row.
fn outer_mention(item: &ast::FromItem, name: &Name, outer: bool) -> Option<Position> {
    match item {
        ast::FromItem::Relation { name: path, .. } => match path.0.as_slice() {
            [only] if outer && only.text == name.text => Some(only.at),
            _ => None,
        },
        ast::FromItem::Join(join) => {
            let [left, right] = &join.sides;
            let may_lack = |kinds: [JoinKind; 2]| outer || kinds.contains(&join.kind);
            outer_mention(left, name, may_lack([JoinKind::Right, JoinKind::Full]))
                .or_else(|| outer_mention(right, name, may_lack([JoinKind::Left, JoinKind::Full])))
        }
        _ => None,
    }
}

fn item_mentions(item: &ast::FromItem, name: &Name) -> bool {
    match item {
        ast::FromItem::Relation { name: path, .. } => {
            matches!(path.0.as_slice(), [only] if only.text == name.text)
        }
        ast::FromItem::Query { query, .. } => mentions(query, name),
        ast::FromItem::Join(join) => join.sides.iter().any(|side| item_mentions(side, name)),
        ast::FromItem::Function { .. } | ast::FromItem::Unsupported(..) => false,
    }
}

/// Subqueries of the conditions: PostgreSQL refuses a mention there, and so must not be taken for another table.
fn select_mentions(select: &ast::Select, name: &Name) -> bool {
    let in_expr = |expr: &ast::Expr| match &expr.kind {
        ast::ExprKind::Subquery(query) | ast::ExprKind::Exists(query) => mentions(query, name),
        ast::ExprKind::QuantifiedQuery(test) => mentions(&test.query, name),
        _ => false,
    };
    select.filter.as_ref().is_some_and(in_expr)
        || select.targets.iter().any(|target| in_expr(&target.value))
}
