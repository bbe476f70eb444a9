//! Calls on sequences, which are known by their names.

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::insert::select_from;
use crate::analysis::schema::{Generated, Relation as Stored};
use crate::analysis::select::plain;
use crate::analysis::tree::{Body, ColumnRef, Expr, ExprKind, FromItem, Output, Query};
use crate::catalog::{Function, Type, TypeId};
use crate::error::DialectError;
use crate::literal::quote;
use crate::sequence::NEXTVAL;
use crate::syntax::ast::Position;

/// The functions whose first argument is a sequence.
const ON_SEQUENCES: &[&str] = &["nextval_oid", "currval_oid", "setval_oid", "setval3_oid"];

impl Analyzer<'_> {
    /// The sequence that a function works on stays the name that it was given as; the server looks it up.
    pub(crate) fn name_sequence(
        &self,
        function: &Function,
        sequence: &mut Expr,
    ) -> Result<(), DialectError> {
        if !ON_SEQUENCES.contains(&function.source) {
            return Ok(());
        }
        let name = match &mut sequence.kind {
            ExprKind::ViaText(name) => Some(&mut **name),
            ExprKind::Call(call) if call.function.source == "text_regclass" => {
                call.arguments.first_mut()
            }
            _ => None,
        };
        let Some(name) = name else {
            return Ok(());
        };
        let ty = Type::new(TypeId::TEXT);
        let at = name.at;
        let kind = std::mem::replace(&mut name.kind, ExprKind::Constant(SqlValue::Null));
        if let ExprKind::Constant(SqlValue::Text(text)) = &kind {
            self.check_sequence(text, at)?;
        }
        *sequence = Expr::new(ty, kind, at);
        Ok(())
    }

    fn check_sequence(&self, text: &str, at: Position) -> Result<(), DialectError> {
        let name = crate::sequence::bare(text);
        if self.schema.is_sequence(&name) {
            return Ok(());
        }
        let other = self.schema.relation(None, &name);
        if other.is_some_and(|other| other.name == name) {
            return Err(DialectError::new(
                SqlState::WRONG_OBJECT_TYPE,
                format!("\"{name}\" is not a sequence"),
            ));
        }
        Err(self.error(
            at,
            SqlState::UNDEFINED_TABLE,
            format!("relation \"{name}\" does not exist"),
        ))
    }

    /// OVERRIDING USER VALUE: what is given for identity columns is left out.
    pub(crate) fn without_identity(
        &mut self,
        columns: Vec<usize>,
        source: Option<Query>,
        stored: &Stored,
    ) -> (Vec<usize>, Option<Query>) {
        let counts = |place: &usize| {
            let column = stored.columns.get(*place);
            column.is_some_and(|column| {
                matches!(column.generated, Generated::Always | Generated::ByDefault)
            })
        };
        let keep: Vec<bool> = columns.iter().map(|place| !counts(place)).collect();
        if keep.iter().all(|keep| *keep) {
            return (columns, source);
        }
        let columns = kept(columns, &keep);
        let source = source.map(|mut query| {
            let outputs = kept(query.columns.clone(), &keep);
            if let Body::Values(rows) = &mut query.body {
                for row in rows {
                    *row = kept(std::mem::take(row), &keep);
                }
                query.columns = outputs;
                return query;
            }
            let (relation, types) = self.as_relation(query);
            let values = types.into_iter().enumerate().map(|(column, ty)| {
                let reference = ColumnRef { relation, column };
                Expr::new(ty, ExprKind::Column(reference), Position::default())
            });
            select_from(relation, kept(values.collect(), &keep), None, outputs)
        });
        (columns, source)
    }

    /// Adds the columns that count, where an INSERT leaves them out: a column that is SQLite's rowid has no default of
    /// its own there, and the server has to know which sequences a statement calls.
    pub(crate) fn fill_counted(
        &mut self,
        columns: Vec<usize>,
        source: Option<Query>,
        stored: &Stored,
    ) -> Result<(Vec<usize>, Option<Query>), DialectError> {
        refuse_null(&columns, source.as_ref(), stored)?;
        let (columns, source) = self.guard_key(columns, source, stored);
        let mut missing: Vec<(usize, String)> = stored
            .columns
            .iter()
            .enumerate()
            .filter(|(place, _)| !columns.contains(place))
            .filter_map(|(place, column)| Some((place, column.default.clone()?)))
            .filter(|(_, default)| default.contains(NEXTVAL))
            .collect();
        // A key without a value of its own is NULL, as every column without a default.
        let key = stored.rowid.filter(|place| !columns.contains(place));
        if let Some(place) = key
            && stored
                .columns
                .get(place)
                .is_some_and(|column| column.default.is_none())
        {
            missing.push((place, no_null(stored, place)));
        }
        if missing.is_empty() {
            return Ok((columns, source));
        }
        let mut values = Vec::with_capacity(missing.len());
        let mut outputs = Vec::with_capacity(missing.len());
        let mut all = columns;
        for (place, default) in missing {
            let Some(column) = stored.columns.get(place) else {
                continue;
            };
            all.push(place);
            let kind = ExprKind::ColumnDefault(default);
            values.push(Expr::new(column.ty, kind, Position::default()));
            outputs.push(Output {
                name: column.name.clone(),
                ty: column.ty,
            });
        }
        let source = match source {
            None => plain(Body::Values(vec![values]), outputs, Vec::new()),
            Some(mut query) => {
                if let Body::Values(rows) = &mut query.body {
                    for row in rows {
                        row.extend(values.iter().cloned());
                    }
                    query.columns.extend(outputs);
                    query
                } else {
                    self.beside(query, values, outputs)
                }
            }
        };
        Ok((all, Some(source)))
    }
}

impl Analyzer<'_> {
    /// A value for SQLite's rowid that may be NULL is refused when it is.
    fn guard_key(
        &mut self,
        columns: Vec<usize>,
        source: Option<Query>,
        stored: &Stored,
    ) -> (Vec<usize>, Option<Query>) {
        let place = stored
            .rowid
            .and_then(|key| Some((key, columns.iter().position(|column| *column == key)?)));
        let (key, index, mut query) = match (place, source) {
            (Some((key, index)), Some(query)) => (key, index, query),
            (_, source) => return (columns, source),
        };
        let refusal = no_null(stored, key);
        if let Body::Values(rows) = &mut query.body {
            for value in rows.iter_mut().filter_map(|row| row.get_mut(index)) {
                guard(value, &refusal);
            }
            return (columns, Some(query));
        }
        if self.is_never_null(&query.body, index) {
            return (columns, Some(query));
        }
        let outputs = query.columns.clone();
        let (relation, types) = self.as_relation(query);
        let mut values: Vec<Expr> = types
            .into_iter()
            .enumerate()
            .map(|(column, ty)| {
                let reference = ColumnRef { relation, column };
                Expr::new(ty, ExprKind::Column(reference), Position::default())
            })
            .collect();
        if let Some(value) = values.get_mut(index) {
            guard(value, &refusal);
        }
        let query = select_from(relation, values, None, outputs);
        (columns, Some(query))
    }
}

impl Analyzer<'_> {
    /// Whether a column of a query is a column of one table that has no NULLs.
    fn is_never_null(&self, body: &Body, index: usize) -> bool {
        let Body::Select(select) = body else {
            return false;
        };
        let (Some(value), [FromItem::Relation(_)]) =
            (select.targets.get(index), select.from.as_slice())
        else {
            return false;
        };
        let ExprKind::Column(column) = &value.without_relabel().kind else {
            return false;
        };
        !select.grouped
            && self
                .relations
                .get(column.relation.0)
                .and_then(|relation| relation.columns.get(column.column))
                .is_some_and(|column| column.not_null)
    }
}

/// A value that UPDATE gives a column: SQLite's rowid may not become NULL.
pub(crate) fn guarded(stored: &Stored, place: usize, mut value: Expr) -> Expr {
    if stored.rowid == Some(place) {
        guard(&mut value, &no_null(stored, place));
    }
    value
}

/// What SQLite calls where a key would be NULL.
fn no_null(stored: &Stored, place: usize) -> String {
    let column = stored.columns.get(place);
    let column = column.map_or("", |column| column.name.as_str());
    format!("pg_no_null({}, {})", quote(&stored.name), quote(column))
}

/// `coalesce(value, refusal)`, unless the value is none that can be NULL.
fn guard(value: &mut Expr, refusal: &str) {
    let constant = matches!(&value.without_relabel().kind, ExprKind::Constant(known) if *known != SqlValue::Null);
    if constant || matches!(value.kind, ExprKind::ColumnDefault(_)) {
        return;
    }
    let (ty, at) = (value.ty, value.at);
    let own = std::mem::replace(value, Expr::new(ty, ExprKind::Constant(SqlValue::Null), at));
    let refused = Expr::new(ty, ExprKind::ColumnDefault(refusal.to_owned()), at);
    *value = Expr::new(ty, ExprKind::Coalesce(vec![own, refused]), at);
}

/// SQLite takes NULL in the place of a rowid for the wish to get one.
fn refuse_null(
    columns: &[usize],
    source: Option<&Query>,
    stored: &Stored,
) -> Result<(), DialectError> {
    let Some(Body::Values(rows)) = source.map(|query| &query.body) else {
        return Ok(());
    };
    for (index, place) in columns.iter().enumerate() {
        let column = stored.columns.get(*place);
        let counts = column.filter(|column| {
            let counts = column
                .default
                .as_deref()
                .is_some_and(|text| text.contains(NEXTVAL));
            column.not_null && (counts || stored.rowid == Some(*place))
        });
        let Some(column) = counts else { continue };
        let is_null = |row: &Vec<Expr>| {
            let value = row.get(index).map(|value| &value.without_relabel().kind);
            matches!(value, Some(ExprKind::Constant(SqlValue::Null)))
        };
        if rows.iter().any(is_null) {
            return Err(DialectError::new(
                SqlState::NOT_NULL_VIOLATION,
                format!(
                    "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    column.name, stored.name
                ),
            ));
        }
    }
    Ok(())
}

fn kept<T>(items: Vec<T>, keep: &[bool]) -> Vec<T> {
    items
        .into_iter()
        .zip(keep)
        .filter_map(|(item, keep)| keep.then_some(item))
        .collect()
}
