//! Conversions: a value becomes one of the type that its place wants, where PostgreSQL's rules let it.

use pgtypes::{Format, SqlState, SqlValue, decode_in};

use crate::analysis::Analyzer;
use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::catalog::coerce::{Context, Pathway, common_type, pathway};
use crate::catalog::{self, Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position};

impl Analyzer<'_> {
    /// A value whose type was not told is text.
    pub(crate) fn known(&mut self, value: Expr) -> Result<Expr, DialectError> {
        if value.is_unknown() {
            self.coerce(value, TypeId::TEXT)
        } else {
            Ok(value)
        }
    }

    /// A value where any type will do: a parameter keeps none.
    pub(crate) fn of_any_type(&mut self, value: Expr) -> Result<Expr, DialectError> {
        match value.kind {
            ExprKind::Parameter(number) if value.is_unknown() => {
                self.leave_unknown(number, value.at);
                Ok(value)
            }
            _ => self.known(value),
        }
    }

    /// An implicit conversion that the rules are known to allow.
    pub(crate) fn coerce(&mut self, value: Expr, target: TypeId) -> Result<Expr, DialectError> {
        let at = value.start();
        let source = value.ty.id;
        match self.try_coerce(value, target, Context::Implicit)? {
            Some(value) => Ok(value),
            None => Err(self.cannot_cast(source, target, at)),
        }
    }

    pub(crate) fn cannot_cast(&self, source: TypeId, target: TypeId, at: Position) -> DialectError {
        self.error(
            at,
            SqlState::CANNOT_COERCE,
            format!("cannot cast type {} to {}", source.name(), target.name()),
        )
    }

    /// The value as one of another type; `None` where the rules of the context have no way.
    pub(crate) fn try_coerce(
        &mut self,
        value: Expr,
        target: TypeId,
        context: Context,
    ) -> Result<Option<Expr>, DialectError> {
        let at = value.at;
        let source = value.ty.id;
        if source == target || target == TypeId::ANY {
            return Ok(Some(value));
        }
        if source == TypeId::UNKNOWN {
            return self.told(value, target).map(Some);
        }
        if source == TypeId::RECORD && target.is_composite() {
            return self.row_as(value, target, context);
        }
        let pathway = pathway(source, target, context);
        if pathway == Pathway::ViaIo && is_of_rows(target) {
            let what = format!("a cast from type {} to {}", source.name(), target.name());
            return Err(self.unsupported(at, what));
        }
        if let ExprKind::Constant(SqlValue::Null) = value.kind
            && pathway != Pathway::None
        {
            return Ok(Some(Expr::new(Type::new(target), value.kind, at)));
        }
        self.by(&pathway, value, target)
    }

    /// A literal or a parameter of unknown type, now that its type is told.
    fn told(&mut self, value: Expr, target: TypeId) -> Result<Expr, DialectError> {
        let at = value.at;
        match value.kind {
            // A pseudo-type takes it as the text that it is.
            _ if target.is_pseudo() && target != TypeId::RECORD => Ok(value),
            ExprKind::Unknown(text) => self.input(&text, Type::new(target), at),
            ExprKind::Parameter(_) if is_of_rows(target) => {
                Err(self.unsupported(at, format!("a parameter of type {}", target.name())))
            }
            ExprKind::Parameter(number) => self.infer(number, target, at),
            kind @ ExprKind::Constant(SqlValue::Null) => Ok(Expr::new(Type::new(target), kind, at)),
            kind => {
                // The result of a subquery whose column was left unknown: text.
                let text = Expr::new(Type::new(TypeId::TEXT), kind, at);
                self.coerce(text, target)
            }
        }
    }

    /// ARRAY […] as one of another type: each element is converted.
    fn each_element(&mut self, array: Expr, target: TypeId) -> Result<Expr, DialectError> {
        let at = array.at;
        let ExprKind::Array(elements) = array.kind else {
            return Err(self.unsupported(at, "this cast between array types"));
        };
        let wanted = target.element().unwrap_or(target);
        let mut converted = Vec::with_capacity(elements.len());
        for element in elements {
            // An element that is an array has the same type as the whole.
            let wanted = if element.ty.id.is_array() {
                target
            } else {
                wanted
            };
            let source = element.ty.id;
            let value = self.try_coerce(element, wanted, Context::Explicit)?;
            converted.push(value.ok_or_else(|| self.cannot_cast(source, wanted, at))?);
        }
        Ok(Expr::new(Type::new(target), ExprKind::Array(converted), at))
    }

    fn by(
        &mut self,
        pathway: &Pathway,
        value: Expr,
        target: TypeId,
    ) -> Result<Option<Expr>, DialectError> {
        let at = value.at;
        let ty = Type::new(target);
        Ok(match pathway {
            Pathway::None => None,
            Pathway::Relabel => Some(Expr::new(ty, ExprKind::Relabel(Box::new(value)), at)),
            Pathway::ViaIo => Some(Expr::new(ty, ExprKind::ViaText(Box::new(value)), at)),
            // A vector of the catalog is an array of its elements.
            Pathway::ArrayElements(_) if value.ty.id.element() == target.element() => {
                Some(Expr::new(ty, ExprKind::Relabel(Box::new(value)), at))
            }
            Pathway::ArrayElements(_) if matches!(value.kind, ExprKind::Array(_)) => {
                Some(self.each_element(value, target)?)
            }
            Pathway::ArrayElements(way) if keeps_texts(way, value.ty.id, target) => {
                Some(Expr::new(ty, ExprKind::Relabel(Box::new(value)), at))
            }
            Pathway::ArrayElements(_) => {
                Some(Expr::new(ty, ExprKind::ViaText(Box::new(value)), at))
            }
            Pathway::Function(function) => {
                let mut arguments = vec![value];
                // Some take the modifier, and whether the cast was written.
                if function.arguments.len() > 1 {
                    arguments.push(Expr::integer(-1, TypeId::INT4, at));
                }
                if function.arguments.len() > 2 {
                    let explicit = SqlValue::Integer(0);
                    arguments.push(Expr::boolean(ExprKind::Constant(explicit), at));
                }
                let call = Call {
                    function,
                    arguments,
                    variadic: None,
                };
                let value = Expr::new(Type::new(function.result), ExprKind::Call(call), at);
                // Some targets take the function's result as it is.
                Some(if function.result == target {
                    value
                } else {
                    Expr::new(ty, ExprKind::Relabel(Box::new(value)), at)
                })
            }
        })
    }

    /// The value as one that a column of this type takes: 42804 where an assignment does not convert it.
    pub(crate) fn assign(
        &mut self,
        value: Expr,
        column: &str,
        ty: Type,
    ) -> Result<Expr, DialectError> {
        let (at, source) = (value.start(), value.ty.id);
        if source == TypeId::UNKNOWN
            && let ExprKind::Unknown(text) = &value.kind
        {
            let text = text.clone();
            return self.literal_for_column(&text, ty, at);
        }
        match self.try_coerce(value, ty.id, Context::Assignment)? {
            Some(value) => Ok(with_modifier(value, ty, false)),
            None => Err(self
                .error(
                    at,
                    SqlState::DATATYPE_MISMATCH,
                    format!(
                        "column \"{column}\" is of type {} but expression is of type {}",
                        ty.id.name(),
                        source.name()
                    ),
                )
                .hint("You will need to rewrite or cast the expression.")),
        }
    }

    /// The value for an element of a column or a slice of it, which has this type.
    pub(crate) fn assign_part(
        &mut self,
        value: Expr,
        column: &ast::Name,
        ty: Type,
    ) -> Result<Expr, DialectError> {
        let source = value.ty.id;
        if let ExprKind::Unknown(text) = &value.kind {
            let (text, at) = (text.clone(), value.start());
            return self.literal_for_column(&text, ty, at);
        }
        match self.try_coerce(value, ty.id, Context::Assignment)? {
            Some(value) => Ok(with_modifier(value, ty, false)),
            None => Err(self
                .error(
                    column.at,
                    SqlState::DATATYPE_MISMATCH,
                    format!(
                        "subscripted assignment to \"{}\" requires type {} but expression is of type {}",
                        column.text,
                        ty.id.name(),
                        source.name()
                    ),
                )
                .hint("You will need to rewrite or cast the expression.")),
        }
    }

    /// A literal that is assigned to a column: its value, then the column's limits.
    fn literal_for_column(
        &mut self,
        text: &str,
        ty: Type,
        at: Position,
    ) -> Result<Expr, DialectError> {
        if let (true, Some(pg)) = (ty.id.is_array() && ty.typmod >= 0, ty.result_type()) {
            // A literal that is none has a place, an element that is too long has none.
            self.input(text, Type::new(ty.id), at)?;
            let value = decode_in(text.as_bytes(), &pg, Format::Text, &self.context)?;
            return Ok(Expr::new(ty, ExprKind::Constant(value), at));
        }
        // What a number without a unit counts, the fields of the column say.
        if ty.id == TypeId::INTERVAL {
            return self.input(text, ty, at);
        }
        let value = self.input(text, Type::new(ty.id), at)?;
        Ok(with_modifier(value, ty, false))
    }

    /// Values that must be of one type, as those of CASE and UNION: converted to the common one.
    pub(crate) fn unify(
        &mut self,
        values: Vec<Expr>,
        place: &str,
    ) -> Result<Vec<Expr>, DialectError> {
        let target = self.common(&values, place)?;
        values
            .into_iter()
            .map(|value| {
                let (source, at) = (value.ty.id, value.start());
                self.try_coerce(value, target, Context::Implicit)?
                    .ok_or_else(|| {
                        let names = (source.name(), target.name());
                        self.error(
                            at,
                            SqlState::CANNOT_COERCE,
                            format!("{place} could not convert type {} to {}", names.0, names.1),
                        )
                    })
            })
            .collect()
    }

    /// The type that all values have in common.
    pub(crate) fn common(&self, values: &[Expr], place: &str) -> Result<TypeId, DialectError> {
        let types: Vec<TypeId> = values.iter().map(|value| value.ty.id).collect();
        common_type(&types).map_err(|(one, other)| {
            let name = |index: usize| types.get(index).map_or_else(String::new, |ty| ty.name());
            let at = values.get(other).map_or(Position::default(), Expr::start);
            self.error(
                at,
                SqlState::DATATYPE_MISMATCH,
                format!(
                    "{place} types {} and {} cannot be matched",
                    name(one),
                    name(other)
                ),
            )
        })
    }
}

/// Applies a modifier, as `numeric(10,2)` and `varchar(20)` have one.
pub(crate) fn with_modifier(value: Expr, ty: Type, explicit: bool) -> Expr {
    if ty.typmod < 0 || value.ty == ty {
        return value;
    }
    let at = value.at;
    if ty.id.is_array() {
        let array = Box::new(value);
        return Expr::new(ty, ExprKind::Limited { array, explicit }, at);
    }
    let Some(cast) = catalog::cast(ty.id, ty.id) else {
        return Expr { ty, ..value };
    };
    let Some(function) = cast.function else {
        return Expr { ty, ..value };
    };
    let mut arguments = vec![value, Expr::integer(i64::from(ty.typmod), TypeId::INT4, at)];
    if function.arguments.len() > 2 {
        let explicit = SqlValue::Integer(i64::from(explicit));
        arguments.push(Expr::boolean(ExprKind::Constant(explicit), at));
    }
    let call = Call {
        function,
        arguments,
        variadic: None,
    };
    Expr::new(ty, ExprKind::Call(call), at)
}

/// The type of values that are unified: with a modifier only if all have the same.
pub(crate) fn common_of(values: &[Expr]) -> Type {
    let Some(first) = values.first() else {
        return Type::new(TypeId::TEXT);
    };
    if values.iter().all(|value| value.ty == first.ty) {
        first.ty
    } else {
        Type::new(first.ty.id)
    }
}

/// A composite type, or one of its arrays.
fn is_of_rows(id: TypeId) -> bool {
    id.is_composite() || id.element().is_some_and(TypeId::is_composite)
}

/// Whether the texts of an array's elements are also those of another type.
fn keeps_texts(way: &Pathway, from: TypeId, to: TypeId) -> bool {
    let text = |id: TypeId| matches!(id.element(), Some(TypeId::TEXT | TypeId::VARCHAR));
    *way == Pathway::Relabel && text(from) && text(to)
}
