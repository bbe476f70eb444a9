//! `a[i]`

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{Expr, ExprKind};
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
        // `a[1:2][3]` is a slice in both dimensions.
        if chained && matches!(operand.kind, ExprKind::Slice { .. }) {
            return Err(self.unsupported(at, "a slice of an array of arrays"));
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
        let index = match index {
            Subscript::Index(index) => index,
            Subscript::Slice(low, high) => {
                return self.slice(operand, low.as_deref(), high.as_deref(), at);
            }
        };
        let index = self.expr(index)?;
        // `a[1][2]` is one element of an array of two dimensions.
        let operand = match operand.kind {
            ExprKind::Element { array, mut indexes } if chained && id != TypeId::JSONB => {
                indexes.push(self.coerce(index, TypeId::INT4)?);
                check_dimensions(indexes.len())?;
                let kind = ExprKind::Element { array, indexes };
                return Ok(Expr::new(operand.ty, kind, operand.at));
            }
            _ => operand,
        };
        if id == TypeId::JSONB {
            return self.member_of_json(operand, index, at);
        }
        let element = id.element().unwrap_or(id);
        let index = self.coerce(index, TypeId::INT4)?;
        let kind = ExprKind::Element {
            array: Box::new(operand),
            indexes: vec![index],
        };
        Ok(Expr::new(Type::new(element), kind, at))
    }

    /// Whether a bracket follows an operand without a parenthesis between.
    fn is_chained(&self, operand: &ast::Expr) -> bool {
        let behind = self.sql.get(operand.to.0 as usize..).unwrap_or_default();
        behind.trim_start().starts_with('[')
    }

    /// `a[low:high]`
    fn slice(
        &mut self,
        array: Expr,
        low: Option<&ast::Expr>,
        high: Option<&ast::Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let ty = array.ty;
        if ty.id == TypeId::JSONB {
            return Err(self.error(
                at,
                SqlState::DATATYPE_MISMATCH,
                "jsonb subscript does not support slices",
            ));
        }
        if matches!(
            array.kind,
            ExprKind::Element { .. } | ExprKind::Slice { .. }
        ) {
            return Err(self.unsupported(at, "a slice of an array of arrays"));
        }
        let mut bound = |bound: Option<&ast::Expr>| -> Result<Option<Box<Expr>>, DialectError> {
            let Some(bound) = bound else { return Ok(None) };
            let value = self.expr(bound)?;
            Ok(Some(Box::new(self.coerce(value, TypeId::INT4)?)))
        };
        let kind = ExprKind::Slice {
            low: bound(low)?,
            high: bound(high)?,
            array: Box::new(array),
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
    pub(crate) fn with_member(
        &mut self,
        document: Expr,
        steps: &[ast::Expr],
        value: Expr,
    ) -> Result<Expr, DialectError> {
        let mut path = Vec::with_capacity(steps.len());
        let mut as_array = false;
        for step in steps {
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
