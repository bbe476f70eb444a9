//! `a[i]`

use pgtypes::{SqlState, SqlValue};

use crate::analysis::Analyzer;
use crate::analysis::tree::{Bounds, Expr, ExprKind};
use crate::catalog::coerce::Context;
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::{self, Position, Subscript};

/// The dimensions that an array may have.
const MOST_DIMENSIONS: usize = 6;

impl Analyzer<'_> {
    /// An element of an array, or a member of a jsonb.
    pub(crate) fn subscript(
        &mut self,
        operand: &ast::Expr,
        index: &Subscript,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let chained = self.is_chained(operand);
        let operand = self.expr(operand)?;
        let id = operand.ty.id;
        if let (TypeId::NAME, Subscript::Index(index)) = (id, index) {
            return self.letter_of_name(operand, index, at);
        }
        // What can't have subscripts is told before they are looked at.
        let goes_on = chained && matches!(operand.kind, ExprKind::Element { .. });
        if id != TypeId::JSONB && id.element().is_none() && !goes_on {
            let message = format!(
                "cannot subscript type {} because it does not support subscripting",
                id.name()
            );
            return Err(self.error(at, SqlState::DATATYPE_MISMATCH, message));
        }
        if id == TypeId::JSONB && !goes_on {
            return match index {
                Subscript::Index(index) => {
                    let index = self.expr(index)?;
                    self.member_of_json(operand, index, at)
                }
                Subscript::Slice(..) => Err(self.slice_of_json(at)),
            };
        }
        let slice = matches!(index, Subscript::Slice(..));
        let own = self.bounds(index)?;
        match operand.kind {
            // `a[1:2][3]` is a slice in both dimensions.
            ExprKind::Slice { array, mut bounds } if chained => {
                bounds.push(if slice { own } else { from_first(own) });
                check_dimensions(bounds.len())?;
                let kind = ExprKind::Slice { array, bounds };
                Ok(Expr::new(operand.ty, kind, operand.at))
            }
            ExprKind::Element { array, indexes } if chained && slice => {
                let before = indexes
                    .into_iter()
                    .map(|index| from_first((None, Some(index))));
                let mut bounds: Vec<Bounds> = before.collect();
                bounds.push(own);
                check_dimensions(bounds.len())?;
                let ty = array.ty;
                Ok(Expr::new(ty, ExprKind::Slice { array, bounds }, operand.at))
            }
            // `a[1][2]` is one element of an array of two dimensions.
            ExprKind::Element { array, mut indexes } if chained => {
                indexes.extend(own.1);
                check_dimensions(indexes.len())?;
                let kind = ExprKind::Element { array, indexes };
                Ok(Expr::new(operand.ty, kind, operand.at))
            }
            _ if slice => {
                let ty = operand.ty;
                let array = Box::new(operand);
                let bounds = vec![own];
                Ok(Expr::new(ty, ExprKind::Slice { array, bounds }, at))
            }
            _ => {
                let typmod = operand.ty.typmod;
                let id = id.element().unwrap_or(id);
                let array = Box::new(operand);
                let indexes = own.1.into_iter().collect();
                let kind = ExprKind::Element { array, indexes };
                Ok(Expr::new(Type { id, typmod }, kind, at))
            }
        }
    }

    /// A letter of a name, which is an array of them in PostgreSQL: the first has the number 0.
    fn letter_of_name(
        &mut self,
        name: Expr,
        index: &ast::Expr,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let int = Type::new(TypeId::INT4);
        let one = Expr::new(int, ExprKind::Constant(SqlValue::Integer(1)), at);
        let index = self.expr(index)?;
        let index = self.coerce(index, TypeId::INT4)?;
        let place = self.compare("+", index, one.clone(), at)?;
        let text = self.cast_to(name, Type::new(TypeId::TEXT), at)?;
        let letter = self.call_named("substr", vec![text, place, one], at)?;
        self.cast_to(letter, Type::new(TypeId::CHAR), at)
    }

    /// Whether a bracket follows an operand without a parenthesis between.
    fn is_chained(&self, operand: &ast::Expr) -> bool {
        let behind = self.sql.get(operand.to.0 as usize..).unwrap_or_default();
        behind.trim_start().starts_with('[')
    }

    fn slice_of_json(&self, at: Position) -> DialectError {
        let message = "jsonb subscript does not support slices";
        self.error(at, SqlState::DATATYPE_MISMATCH, message)
    }

    /// The places that a subscript says; the only one of an element is the last.
    fn bounds(&mut self, subscript: &Subscript) -> Result<Bounds, DialectError> {
        let (low, high) = match subscript {
            Subscript::Index(index) => (None, Some(index)),
            Subscript::Slice(low, high) => (low.as_ref(), high.as_ref()),
        };
        let mut bound = |bound: Option<&Box<ast::Expr>>| {
            let Some(bound) = bound else { return Ok(None) };
            let value = self.expr(bound)?;
            let place = value.start();
            let whole = self.try_coerce(value, TypeId::INT4, Context::Assignment)?;
            whole.map(Some).ok_or_else(|| {
                let message = "array subscript must have type integer";
                self.error(place, SqlState::DATATYPE_MISMATCH, message)
            })
        };
        Ok((bound(low)?, bound(high)?))
    }

    /// `column[place]… = value`
    pub(crate) fn with_part(
        &mut self,
        whole: Expr,
        subscripts: &[Subscript],
        value: Expr,
    ) -> Result<Expr, DialectError> {
        if whole.ty.id == TypeId::JSONB {
            return self.with_member(whole, subscripts, value);
        }
        check_dimensions(subscripts.len())?;
        let slice = is_slice(subscripts);
        let mut bounds = Vec::with_capacity(subscripts.len());
        for subscript in subscripts {
            let own = self.bounds(subscript)?;
            let is_index = matches!(subscript, Subscript::Index(_));
            bounds.push(if slice && is_index {
                from_first(own)
            } else {
                own
            });
        }
        let (ty, at) = (whole.ty, whole.at);
        let kind = ExprKind::WithElements {
            array: Box::new(whole),
            value: Box::new(value),
            bounds,
            slice,
        };
        Ok(Expr::new(ty, kind, at))
    }

    /// A subscript is a step of a path: a number counts in an array and names a member of an object.
    fn member_of_json(
        &mut self,
        operand: Expr,
        index: Expr,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let step = self.step(index, at)?;
        let path = Expr::new(
            Type::new(TypeId::TEXT_ARRAY),
            ExprKind::Array(vec![step]),
            at,
        );
        self.call_with_array("jsonb_extract_path", vec![operand, path], at)
    }

    /// `column[step]… = value` of a jsonb column.
    fn with_member(
        &mut self,
        document: Expr,
        steps: &[Subscript],
        value: Expr,
    ) -> Result<Expr, DialectError> {
        let mut path = Vec::with_capacity(steps.len());
        let mut as_array = false;
        for step in steps {
            let Subscript::Index(step) = step else {
                return Err(self.slice_of_json(document.at));
            };
            let index = self.expr(step)?;
            let whole = matches!(index.ty.id, TypeId::INT2 | TypeId::INT4);
            as_array |= path.is_empty() && whole;
            path.push(self.step(index, step.at)?);
        }
        let (ty, at) = (document.ty, document.at);
        let kind = ExprKind::WithMember {
            document: Box::new(document),
            value: Box::new(value),
            as_array,
            steps: path,
        };
        Ok(Expr::new(ty, kind, at))
    }

    /// A step of a path as a text.
    fn step(&mut self, index: Expr, at: Position) -> Result<Expr, DialectError> {
        match index.ty.id {
            TypeId::INT2 | TypeId::INT4 => {
                let whole = self.coerce(index, TypeId::INT4)?;
                self.cast_to(whole, Type::new(TypeId::TEXT), at)
            }
            TypeId::TEXT | TypeId::UNKNOWN => self.coerce(index, TypeId::TEXT),
            other => {
                let error = self.error(
                    index.start(),
                    SqlState::DATATYPE_MISMATCH,
                    format!("subscript type {} is not supported", other.name()),
                );
                Err(error.hint("jsonb subscript must be coercible to either integer or text."))
            }
        }
    }
}

/// Whether subscripts say a slice, and not one element.
pub(crate) fn is_slice(subscripts: &[Subscript]) -> bool {
    let slice = |one: &Subscript| matches!(one, Subscript::Slice(..));
    subscripts.iter().any(slice)
}

/// Among slices a single place is the last of those from 1 on.
fn from_first((_, last): Bounds) -> Bounds {
    let at = last.as_ref().map_or(Position::default(), |last| last.at);
    (Some(Expr::integer(1, TypeId::INT4, at)), last)
}

/// An array has no more dimensions than that, and an element no more subscripts.
fn check_dimensions(dimensions: usize) -> Result<(), DialectError> {
    if dimensions <= MOST_DIMENSIONS {
        return Ok(());
    }
    let message = format!(
        "number of array dimensions ({dimensions}) exceeds the maximum allowed ({MOST_DIMENSIONS})"
    );
    Err(DialectError::new(SqlState::PROGRAM_LIMIT_EXCEEDED, message))
}
