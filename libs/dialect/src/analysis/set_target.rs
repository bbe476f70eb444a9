//! Functions that return sets, in the select list: one of them becomes an item of FROM.

use crate::analysis::Analyzer;
use crate::analysis::tree::{
    ColumnRef, Expr, ExprKind, FromItem, Relation, RelationColumn, RelationId, Source,
    TableFunction,
};
use crate::catalog::TypeId;
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
        for target in targets {
            let next = |column| ColumnRef { relation, column };
            while let Some(value) = take(target, next(values.len())) {
                values.push(value);
            }
        }
        if values.len() < places.len() {
            return Err(self.unsupported(at, "a set-returning function here"));
        }
        if values.iter().any(|value| value.ty.id == TypeId::RECORD) {
            return Err(self.unsupported(at, "a set of rows in a select list"));
        }
        self.relations.push(Relation {
            alias: "set".to_owned(),
            columns: values
                .iter()
                .map(|value| RelationColumn::given("set", value.ty))
                .collect(),
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

/// The call of a set in a value, in whose place the column stands from now on.
fn take(value: &mut Expr, column: ColumnRef) -> Option<Expr> {
    if is_set(value) {
        let column = Expr {
            ty: value.ty,
            kind: ExprKind::Column(column),
            at: value.at,
        };
        return Some(std::mem::replace(value, column));
    }
    match &mut value.kind {
        ExprKind::Call(call) => call
            .arguments
            .iter_mut()
            .find_map(|argument| take(argument, column)),
        ExprKind::Relabel(inner) | ExprKind::ViaText(inner) => take(inner, column),
        _ => None,
    }
}
