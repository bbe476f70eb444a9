//! Calls on sequences, which are known by their names.

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::insert::select_from;
use crate::analysis::schema::{Generated, Relation as Stored};
use crate::analysis::select::plain;
use crate::analysis::tree::{Body, ColumnRef, Expr, ExprKind, Output, Query};
use crate::catalog::{Function, Type, TypeId};
use crate::error::DialectError;
use crate::sequence::NEXTVAL;
use crate::stored_name::{self, PUBLIC};
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
            if !matches!(sequence.kind, ExprKind::Parameter(_)) {
                // A number becomes the name of what it stands for.
                let number = sequence.clone();
                sequence.kind = ExprKind::ViaText(Box::new(number));
            }
            sequence.ty = Type::new(TypeId::TEXT);
            return Ok(());
        };
        let ty = Type::new(TypeId::TEXT);
        let at = name.at;
        let mut kind = std::mem::replace(&mut name.kind, ExprKind::Constant(SqlValue::Null));
        if let ExprKind::Constant(SqlValue::Text(text)) = &mut kind {
            let stored = self.sequence_of(text, at)?;
            if stored_name::schema(&stored) != PUBLIC {
                *text = stored_name::shown(&stored);
            }
        }
        *sequence = Expr::new(ty, kind, at);
        Ok(())
    }

    /// The stored name of the sequence that a text names.
    fn sequence_of(&self, text: &str, at: Position) -> Result<String, DialectError> {
        let parts = crate::pg_catalog::name_parts(text)?;
        let (schema, name) = match parts.as_slice() {
            [.., schema, name] => (Some(schema.as_str()), name.as_str()),
            [name] => (None, name.as_str()),
            [] => (None, ""),
        };
        if let Some(stored) = self.schema.sequence(schema, name) {
            return Ok(stored);
        }
        if self.relation_in(schema, name).is_some() {
            return Err(DialectError::new(
                SqlState::WRONG_OBJECT_TYPE,
                format!("\"{name}\" is not a sequence"),
            ));
        }
        Err(self.error(
            at,
            SqlState::UNDEFINED_TABLE,
            format!("relation \"{}\" does not exist", parts.join(".")),
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
        let missing: Vec<(usize, String)> = stored
            .columns
            .iter()
            .enumerate()
            .filter(|(place, _)| !columns.contains(place))
            .filter_map(|(place, column)| Some((place, column.default.clone()?)))
            .filter(|(_, default)| default.contains(NEXTVAL))
            .collect();
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
            column.not_null
                && column
                    .default
                    .as_deref()
                    .is_some_and(|text| text.contains(NEXTVAL))
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
