//! Functions that return sets, in the select list: one of them becomes an item of FROM.

use crate::analysis::Analyzer;
use crate::analysis::tree::{
    ColumnRef, Expr, ExprKind, FromItem, Relation, RelationColumn, RelationId, Source,
    TableFunction,
};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;

impl Analyzer<'_> {
    /// Puts the functions that return sets behind what is in FROM, side by side.
    pub(crate) fn sets_to_from(
        &mut self,
        targets: &mut [Expr],
        grouped: bool,
        from: &mut Vec<FromItem>,
    ) -> Result<(), DialectError> {
        let mut places = Vec::new();
        for target in targets.iter() {
            target.each_set(&mut |set| places.push(set.at));
        }
        let Some(at) = places.first().copied() else {
            return Ok(());
        };
        if grouped {
            return Err(self.unsupported(at, "a set-returning function beside aggregates"));
        }
        let relation = RelationId(self.relations.len());
        let mut values = Vec::with_capacity(places.len());
        let mut columns = Vec::with_capacity(places.len());
        for target in targets {
            while let Some(value) = take(target, relation, columns.len()) {
                columns.extend(columns_of(&value));
                values.push(value);
            }
        }
        if values.len() < places.len() {
            return Err(self.unsupported(at, "a set-returning function here"));
        }
        self.relations.push(Relation {
            alias: "set".to_owned(),
            columns,
            source: Source::Function(Box::new(TableFunction {
                values,
                ordinality: false,
                definitions: Vec::new(),
            })),
        });
        from.push(FromItem::Relation(relation));
        Ok(())
    }
}

impl Expr {
    /// Calls `each` for every call of a function that returns a set, outside of queries.
    fn each_set(&self, each: &mut dyn FnMut(&Expr)) {
        if is_set(self) {
            each(self);
        }
        self.each_part(&mut |part| part.each_set(each));
    }
}

fn is_set(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(call) if call.function.returns_set)
}

fn columns_of(set: &Expr) -> Vec<RelationColumn> {
    match &set.kind {
        ExprKind::Call(call) if set.ty.id == TypeId::RECORD => {
            let columns = call.columns().into_iter();
            columns
                .map(|(ty, name)| RelationColumn::given(name, ty))
                .collect()
        }
        _ => vec![RelationColumn::given("set", set.ty)],
    }
}

/// The call of a set in a value, in whose place columns of the relation stand from now on, from this one.
fn take(value: &mut Expr, relation: RelationId, column: usize) -> Option<Expr> {
    let at = value.at;
    let reference = |ty: Type, column: usize| {
        let reference = ColumnRef { relation, column };
        Expr::new(ty, ExprKind::Column(reference), at)
    };
    if is_set(value) {
        let in_place = if value.ty.id == TypeId::RECORD {
            let columns = columns_of(value);
            let fields = columns.iter().enumerate();
            let fields = fields.map(|(index, field)| reference(field.ty, column + index));
            let kind = ExprKind::Row {
                fields: fields.collect(),
                names: columns.into_iter().map(|column| column.name).collect(),
            };
            Expr::new(value.ty, kind, at)
        } else {
            reference(value.ty, column)
        };
        return Some(std::mem::replace(value, in_place));
    }
    if let ExprKind::Field { record, index } = &value.kind
        && is_set(record)
    {
        let in_place = reference(value.ty, column + index);
        return match std::mem::replace(value, in_place).kind {
            ExprKind::Field { record, .. } => Some(*record),
            _ => None,
        };
    }
    match &mut value.kind {
        ExprKind::Call(call) => call
            .arguments
            .iter_mut()
            .find_map(|argument| take(argument, relation, column)),
        ExprKind::Relabel(inner) | ExprKind::ViaText(inner) => take(inner, relation, column),
        _ => None,
    }
}
