//! INSERT.

use std::rc::Rc;

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::from::at_of;
use crate::analysis::insert_part::has_parts;
use crate::analysis::schema::{Generated, Relation as Stored, RelationKind, shown_schema};
use crate::analysis::scope::Clause;
use crate::analysis::select::plain;
use crate::analysis::tree::{
    Body, ColumnRef, Expr, ExprKind, Insert, Output, Query, Relation, RelationColumn, RelationId,
    Select, Source,
};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, AssignmentTarget, Overriding, Path, Position};

impl Analyzer<'_> {
    /// INSERT
    pub(crate) fn insert(&mut self, insert: &ast::Insert) -> Result<Insert, DialectError> {
        let visible = self.common_tables.len();
        let (with, recursive) = self.with(insert.with.as_ref())?;
        let stored = self.target_table(&insert.table, "insert into")?;
        let columns = self.insert_columns(&insert.columns, &stored)?;
        let (columns, source) = self.insert_source(insert, columns.as_deref(), &stored)?;
        self.check_given(insert, &columns, source.as_ref(), &stored)?;
        let (columns, source) = if insert.overriding == Some(Overriding::User) {
            self.without_identity(columns, source, &stored)
        } else {
            (columns, source)
        };
        let (columns, source) = self.fill_counted(columns, source, &stored)?;
        let (columns, source) = self.require_key(columns, source, &stored);
        let table = self.enter_target(&stored, insert.alias.as_ref())?;
        let on_conflict = insert
            .on_conflict
            .as_ref()
            .map(|conflict| self.on_conflict(conflict, &stored))
            .transpose()?;
        let returning = self.returning(&insert.returning)?;
        self.common_tables.truncate(visible);
        Ok(Insert {
            with,
            recursive,
            table,
            columns,
            source,
            on_conflict,
            returning,
        })
    }

    /// The table that a statement changes.
    pub(crate) fn target_table(
        &mut self,
        path: &Path,
        what: &str,
    ) -> Result<Rc<Stored>, DialectError> {
        let stored = self.stored(path)?;
        match stored.kind {
            RelationKind::Table => Ok(stored),
            RelationKind::View => Err(self
                .error(
                    at_of(path),
                    SqlState::FEATURE_NOT_SUPPORTED,
                    format!("cannot {what} view \"{}\"", stored.shown_name()),
                )
                .hint("Change the tables that the view reads.")),
            RelationKind::Catalog { .. } => Err(self.error(
                at_of(path),
                SqlState::INSUFFICIENT_PRIVILEGE,
                format!("permission denied: \"{}\" is a system catalog", stored.name),
            )),
        }
    }

    /// Brings the changed table into scope.
    pub(crate) fn enter_target(
        &mut self,
        stored: &Stored,
        alias: Option<&ast::Name>,
    ) -> Result<RelationId, DialectError> {
        let alias = alias.map(|name| ast::Alias {
            name: Some(name.clone()),
            columns: Vec::new(),
            definitions: Vec::new(),
        });
        let id = self.stored_relation(stored, alias.as_ref())?;
        let schema = alias
            .is_none()
            .then(|| shown_schema(stored.schema, &stored.name).to_owned());
        self.enter(id, schema)?;
        Ok(id)
    }

    /// The places of the named columns; all where none is named.
    fn insert_columns(
        &self,
        columns: &[AssignmentTarget],
        stored: &Stored,
    ) -> Result<Option<Vec<usize>>, DialectError> {
        if columns.is_empty() {
            return Ok(None);
        }
        let mut places = Vec::with_capacity(columns.len());
        for column in columns {
            let place = self.target_column(column, stored)?;
            let both_parts = |before: usize| {
                let before = columns.get(before);
                !column.subscripts.is_empty() && before.is_some_and(|b| !b.subscripts.is_empty())
            };
            let before = places.iter().position(|other| *other == place);
            if before.is_some_and(|before| !both_parts(before)) {
                return Err(self.twice(column));
            }
            places.push(place);
        }
        Ok(Some(places))
    }

    fn twice(&self, column: &AssignmentTarget) -> DialectError {
        self.error(
            column.column.at,
            SqlState::DUPLICATE_COLUMN,
            format!("column \"{}\" specified more than once", column.column.text),
        )
    }

    /// The place of an assigned column.
    pub(crate) fn target_column(
        &self,
        target: &AssignmentTarget,
        stored: &Stored,
    ) -> Result<usize, DialectError> {
        let found = stored
            .columns
            .iter()
            .position(|column| column.name == target.column.text);
        let found = found.ok_or_else(|| {
            self.error(
                target.column.at,
                SqlState::UNDEFINED_COLUMN,
                format!(
                    "column \"{}\" of relation \"{}\" does not exist",
                    target.column.text, stored.name
                ),
            )
        })?;
        if target.partial {
            return Err(self.unsupported(target.column.at, "an assignment to a field of a column"));
        }
        let ty = stored.columns.get(found).map(|column| column.ty.id);
        let plain = |ty: &TypeId| *ty != TypeId::JSONB && !ty.is_array();
        match ty.filter(plain) {
            Some(ty) if !target.subscripts.is_empty() => {
                let name = ty.name();
                let message = format!(
                    "cannot subscript type {name} because it does not support subscripting"
                );
                Err(self.error(target.column.at, SqlState::DATATYPE_MISMATCH, message))
            }
            _ => Ok(found),
        }
    }

    fn insert_source(
        &mut self,
        insert: &ast::Insert,
        columns: Option<&[usize]>,
        stored: &Stored,
    ) -> Result<(Vec<usize>, Option<Query>), DialectError> {
        let all: Vec<usize> = match columns {
            Some(columns) => columns.to_vec(),
            None => (0..stored.columns.len()).collect(),
        };
        let Some(source) = &insert.source else {
            return Ok((Vec::new(), None));
        };
        if let ast::QueryBody::Values(rows) = &source.body
            && source.with.is_none()
            && source.order_by.is_empty()
            && source.limit.is_none()
            && source.offset.is_none()
        {
            let width = rows.first().map_or(0, Vec::len);
            let targets = self.check_width(&all, insert, width, rows)?;
            if has_parts(&insert.columns) {
                let made = self.rows_of_parts(&insert.columns, &targets, rows, stored)?;
                return Ok((made.0, Some(made.1)));
            }
            let query = self.insert_rows(rows, &targets, stored)?;
            return Ok((targets, Some(query)));
        }
        let query = self.at_next_level(source, Self::open_query)?;
        let at = query.column_at(all.len());
        let targets = self.check_count(&all, insert, query.columns.len(), at)?;
        if has_parts(&insert.columns) {
            let made = self.query_of_parts(&insert.columns, &targets, query, stored)?;
            return Ok((made.0, Some(made.1)));
        }
        let query = self.fit(query, &targets, stored)?;
        Ok((targets, Some(query)))
    }

    fn check_width(
        &self,
        all: &[usize],
        insert: &ast::Insert,
        width: usize,
        rows: &[Vec<ast::Expr>],
    ) -> Result<Vec<usize>, DialectError> {
        for row in rows {
            if row.len() != width {
                let at = row.first().map_or_else(Position::default, |value| value.at);
                return Err(self.error(
                    at,
                    SqlState::SYNTAX_ERROR,
                    "VALUES lists must all be the same length",
                ));
            }
        }
        let at = rows
            .first()
            .and_then(|row| row.get(all.len()).or(row.last()))
            .map_or_else(Position::default, |value| value.at);
        self.check_count(all, insert, width, at)
    }

    /// As many values as columns; without named columns the last may be left out.
    fn check_count(
        &self,
        all: &[usize],
        insert: &ast::Insert,
        given: usize,
        at: Position,
    ) -> Result<Vec<usize>, DialectError> {
        if given > all.len() {
            return Err(self.error(
                at,
                SqlState::SYNTAX_ERROR,
                "INSERT has more expressions than target columns",
            ));
        }
        if let Some(missing) = insert.columns.get(given) {
            return Err(self.error(
                missing.column.at,
                SqlState::SYNTAX_ERROR,
                "INSERT has more target columns than expressions",
            ));
        }
        Ok(all.iter().copied().take(given).collect())
    }

    /// VALUES of an INSERT: each value goes to its column by itself.
    fn insert_rows(
        &mut self,
        rows: &[Vec<ast::Expr>],
        targets: &[usize],
        stored: &Stored,
    ) -> Result<Query, DialectError> {
        let mut result = Vec::with_capacity(rows.len());
        for row in rows {
            // All of a row's values are looked at before any is converted.
            let mut given = Vec::with_capacity(row.len());
            for (value, target) in row.iter().zip(targets) {
                given.push(self.given(value, *target, stored, Clause::Values)?);
            }
            let values = given
                .into_iter()
                .zip(targets)
                .map(|(value, target)| self.converted_to(value, *target, stored));
            result.push(values.collect::<Result<_, _>>()?);
        }
        let columns = targets
            .iter()
            .filter_map(|target| stored.columns.get(*target))
            .map(|column| Output {
                name: column.name.clone(),
                ty: column.ty,
            })
            .collect();
        Ok(plain(Body::Values(result), columns, Vec::new()))
    }

    pub(crate) fn computed(&self, column: &str, clause: Clause, at: Position) -> DialectError {
        let message = if clause == Clause::Update {
            format!("column \"{column}\" can only be updated to DEFAULT")
        } else {
            format!("cannot insert a non-DEFAULT value into column \"{column}\"")
        };
        self.error(at, SqlState::GENERATED_ALWAYS, message)
            .detail(format!("Column \"{column}\" is a generated column."))
    }

    /// The rows of a query as ones of the columns' types.
    pub(crate) fn fit(
        &mut self,
        mut query: Query,
        targets: &[usize],
        stored: &Stored,
    ) -> Result<Query, DialectError> {
        let wanted: Vec<(String, Type)> = targets
            .iter()
            .filter_map(|target| stored.columns.get(*target))
            .map(|column| (column.name.clone(), column.ty))
            .collect();
        // Literals of the select list are told their types by the columns.
        let told: Vec<Type> = query
            .columns
            .iter()
            .zip(&wanted)
            .map(|(column, (_, ty))| match column.ty.id {
                TypeId::UNKNOWN => Type::new(ty.id),
                _ => column.ty,
            })
            .collect();
        self.coerce_columns(&mut query, &told)?;
        let fits =
            query.columns.iter().zip(&wanted).all(|(column, (_, ty))| {
                column.ty == *ty || (column.ty.id == ty.id && ty.typmod < 0)
            });
        if fits {
            return Ok(query);
        }
        self.converted(query, &wanted)
    }

    /// `SELECT conversion… FROM (query)`
    fn converted(
        &mut self,
        query: Query,
        wanted: &[(String, Type)],
    ) -> Result<Query, DialectError> {
        let places: Vec<Position> = (0..query.columns.len())
            .map(|index| query.column_at(index))
            .collect();
        let (id, types) = self.as_relation(query);
        let sources = types.into_iter().zip(places);
        let mut targets = Vec::with_capacity(wanted.len());
        for (column, ((name, ty), (source, at))) in wanted.iter().zip(sources).enumerate() {
            let reference = ColumnRef {
                relation: id,
                column,
            };
            let value = Expr::new(source, ExprKind::Column(reference), at);
            targets.push(self.assign(value, name, *ty)?);
        }
        let columns = wanted
            .iter()
            .map(|(name, ty)| Output {
                name: name.clone(),
                ty: *ty,
            })
            .collect();
        Ok(select_from(id, targets, None, columns))
    }

    /// The query as a relation of the statement, and the types of its columns.
    pub(crate) fn as_relation(&mut self, query: Query) -> (RelationId, Vec<Type>) {
        let columns: Vec<RelationColumn> = query
            .columns
            .iter()
            .map(|column| RelationColumn::given(&column.name, column.ty))
            .collect();
        let types: Vec<Type> = columns.iter().map(|column| column.ty).collect();
        let id = self.add_relation(Relation {
            alias: "source".to_owned(),
            source: Source::Query(Box::new(query)),
            columns,
        });
        (id, types)
    }

    /// `SELECT columns…, values… FROM (query)`, where the values are computed row by row, in the query's order.
    pub(crate) fn beside(
        &mut self,
        mut query: Query,
        values: Vec<Expr>,
        outputs: Vec<Output>,
    ) -> Query {
        let at = Position::default();
        let mut columns = query.columns.clone();
        if !query.order_by.is_empty() && query.limit.is_none() {
            // SQLite would sort afterwards, if nothing kept it from making one query of the two.
            let none = ExprKind::Constant(SqlValue::Null);
            query.limit = Some(Expr::new(Type::new(TypeId::INT8), none, at));
        }
        let limited = query.limit.is_some() || query.offset.is_some();
        let (id, types) = self.as_relation(query);
        let mut targets: Vec<Expr> = types
            .into_iter()
            .enumerate()
            .map(|(column, ty)| {
                let reference = ColumnRef {
                    relation: id,
                    column,
                };
                Expr::new(ty, ExprKind::Column(reference), at)
            })
            .collect();
        targets.extend(values);
        columns.extend(outputs);
        let all = Expr::boolean(ExprKind::Constant(SqlValue::Integer(1)), at);
        select_from(id, targets, limited.then_some(all), columns)
    }

    /// Columns that give their values by themselves take none, unless OVERRIDING says so.
    fn check_given(
        &self,
        insert: &ast::Insert,
        columns: &[usize],
        source: Option<&Query>,
        stored: &Stored,
    ) -> Result<(), DialectError> {
        for (index, place) in columns.iter().enumerate() {
            let Some(column) = stored.columns.get(*place) else {
                continue;
            };
            let given = match source.map(|query| &query.body) {
                Some(Body::Values(rows)) => rows
                    .iter()
                    .filter_map(|row| row.get(index))
                    .find(|value| !is_default(value, column.default.as_deref()))
                    .map(|value| value.at),
                Some(_) => Some(Position::default()),
                None => None,
            };
            let Some(at) = given else { continue };
            match column.generated {
                Generated::Always if insert.overriding.is_none() => {
                    let message = format!(
                        "cannot insert a non-DEFAULT value into column \"{}\"",
                        column.name
                    );
                    return Err(DialectError::new(SqlState::GENERATED_ALWAYS, message)
                        .detail(always(&column.name))
                        .hint("Use OVERRIDING SYSTEM VALUE to override."));
                }
                Generated::Computed => {
                    return Err(self.computed(&column.name, Clause::Values, at));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

pub(crate) fn always(column: &str) -> String {
    format!("Column \"{column}\" is an identity column defined as GENERATED ALWAYS.")
}

/// `SELECT targets FROM relation [WHERE filter]`
pub(crate) fn select_from(
    relation: RelationId,
    targets: Vec<Expr>,
    filter: Option<Expr>,
    columns: Vec<Output>,
) -> Query {
    let select = Select::from_relation(relation, targets, filter);
    plain(Body::Select(Box::new(select)), columns, Vec::new())
}

/// Whether a value is the word DEFAULT.
fn is_default(value: &Expr, default: Option<&str>) -> bool {
    match &value.kind {
        ExprKind::ColumnDefault(text) => Some(text.as_str()) == default,
        ExprKind::Constant(SqlValue::Null) => default.is_none(),
        _ => false,
    }
}
