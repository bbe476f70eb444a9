//! Parts of arrays and documents, and what they become with other parts.

use crate::analysis::tree::{Bounds, Expr, ExprKind};
use crate::catalog::{Type, TypeId};
use crate::sqlite::{Printer, Result};

impl Printer<'_> {
    /// A part of an array, or a whole with another value at a part of it.
    pub(crate) fn part(&mut self, expr: &Expr) -> Result {
        match &expr.kind {
            ExprKind::WithMember {
                document,
                value,
                as_array,
                steps,
            } => {
                self.push("pg_jsonb_assign(");
                self.expr(document)?;
                self.push(", ");
                self.expr(value)?;
                self.push(if *as_array { ", 1" } else { ", 0" });
                for step in steps {
                    self.push(", ");
                    self.expr(step)?;
                }
            }
            ExprKind::Slice { array, bounds } => {
                self.push("pg_array_slice(");
                self.expr(array)?;
                self.bounds(bounds)?;
            }
            ExprKind::WithElements {
                array,
                value,
                bounds,
                slice,
            } => {
                self.push(if *slice {
                    "pg_array_set_slice("
                } else {
                    "pg_array_set_element("
                });
                self.expr(array)?;
                self.push(", ");
                self.as_element(value)?;
                if *slice {
                    self.bounds(bounds)?;
                } else {
                    for place in bounds.iter().filter_map(|(_, place)| place.as_ref()) {
                        self.push(", ");
                        self.expr(place)?;
                    }
                }
            }
            ExprKind::Limited { array, explicit } => {
                self.push("pg_array_limit(");
                self.expr(array)?;
                let (id, typmod) = (expr.ty.id.get(), expr.ty.typmod);
                let explicit = i32::from(*explicit);
                self.push(&format!(", {id}, {typmod}, {explicit}"));
            }
            _ => return Err(self.unsupported(expr.at, "this expression")),
        }
        self.push(")");
        Ok(())
    }

    /// The bounds of a slice in each dimension; one that was left out is a word, for a NULL makes the slice NULL.
    fn bounds(&mut self, bounds: &[Bounds]) -> Result {
        for bound in bounds.iter().flat_map(|(low, high)| [low, high]) {
            self.push(", ");
            match bound {
                Some(bound) => self.expr(bound)?,
                None => self.push("'all'"),
            }
        }
        Ok(())
    }

    /// A text, or an array of another type, as an array of this type.
    pub(crate) fn as_array(&mut self, value: &Expr, to: Type) -> Result {
        let (array, typmod) = (to.id.get(), to.typmod);
        match value.ty.id.element() {
            Some(from) if value.ty.id != TypeId::OIDVECTOR => {
                self.push("pg_array_cast(");
                self.expr(value)?;
                self.push(&format!(", {}, {array}, {typmod})", from.get()));
            }
            _ => {
                self.push("pg_array_in(");
                self.as_text(value)?;
                self.push(&format!(", {array}, {typmod})"));
            }
        }
        Ok(())
    }
}
