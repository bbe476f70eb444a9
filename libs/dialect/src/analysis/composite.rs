//! Values of composite types: rows whose fields have names and types of a type.

use pgtypes::SqlValue;
use pgtypes::array::Array;

use crate::analysis::Analyzer;
use crate::analysis::coerce::with_modifier;
use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::coerce::Context;
use crate::catalog::{Type, TypeId};
use crate::domain::Domain;
use crate::error::DialectError;
use crate::syntax::ast::{self, Position, TypeName};
use crate::syntax::only_expression;
use crate::user_type::Composite;

/// A field of a composite type.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Its name.
    pub(crate) name: String,
    /// The type of its values.
    pub(crate) ty: Type,
    /// The domain that they are of.
    pub(crate) domain: Option<Domain>,
    /// The type as it is written.
    pub(crate) written: TypeName,
}

impl Field {
    /// Whether a value may be none of it though it is one of its type.
    pub(crate) fn is_checked(&self) -> bool {
        let checked = |domain: &Domain| domain.not_null || !domain.checks.is_empty();
        self.domain.as_ref().is_some_and(checked)
    }
}

impl Analyzer<'_> {
    fn composite(&self, id: TypeId) -> Option<Composite> {
        let types = self.schema.user_types();
        types.into_iter().find(|known| known.id() == id)?.composite
    }

    /// The fields of a composite type.
    pub(crate) fn fields_of_type(
        &mut self,
        id: TypeId,
        at: Position,
    ) -> Result<Vec<Field>, DialectError> {
        let composite = self.composite(id);
        let fields = composite.map(|known| known.fields).unwrap_or_default();
        fields
            .into_iter()
            .map(|(name, text)| {
                let written = type_of_text(&text)?
                    .ok_or_else(|| self.unsupported(at, format!("type {text}")))?;
                let domain = match written.dimensions {
                    0 => self.domain_named(&written),
                    _ => None,
                };
                let ty = match &domain {
                    Some(domain) => Type::from(domain.base),
                    None => self.type_name(&written)?,
                };
                Ok(Field {
                    name,
                    ty,
                    domain,
                    written,
                })
            })
            .collect()
    }

    /// The value of a literal of a composite type.
    pub(crate) fn row_of_text(
        &mut self,
        text: &str,
        ty: Type,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let fields = self.fields_of_type(ty.id, at)?;
        let texts = functions::record_fields(text, fields.len())
            .map_err(|error| DialectError::from(error).at(self.sql, at.0 as usize))?;
        let mut values = Vec::with_capacity(fields.len());
        for (field, text) in fields.iter().zip(texts) {
            let value = match text {
                Some(text) => {
                    let value = self.input(&text, Type::new(field.ty.id), at)?;
                    with_modifier(value, field.ty, false)
                }
                None => null(field.ty, at),
            };
            values.push(self.as_field(value, field, at)?);
        }
        Ok(row(ty, values, &fields, at))
    }

    /// The value of a literal of an array of a composite type.
    pub(crate) fn rows_of_text(
        &mut self,
        text: &str,
        ty: Type,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let array = Array::parse(text)
            .map_err(|error| DialectError::from(error).at(self.sql, at.0 as usize))?;
        let element = ty.id.element().unwrap_or(ty.id);
        let lengths = array.lengths();
        if lengths.len() > 1 {
            let what = "a literal of a composite type's array with several dimensions";
            return Err(self.unsupported(at, what));
        }
        let mut values = Vec::new();
        for leaf in array.leaves() {
            values.push(match leaf {
                Some(text) => self.row_of_text(text, Type::new(element), at)?,
                None => null(Type::new(element), at),
            });
        }
        Ok(Expr::new(ty, ExprKind::Array(values), at))
    }

    /// A row as one of a composite type.
    pub(crate) fn row_as(
        &mut self,
        value: Expr,
        target: TypeId,
        context: Context,
    ) -> Result<Option<Expr>, DialectError> {
        let at = value.at;
        let source = value.ty.id;
        let ExprKind::Row { fields: given, .. } = value.kind else {
            let what = format!("a cast from type {} to {}", source.name(), target.name());
            return Err(self.unsupported(at, what));
        };
        let fields = self.fields_of_type(target, at)?;
        let cannot = |analyzer: &Self, detail: String| {
            analyzer.cannot_cast(source, target, at).detail(detail)
        };
        if given.len() != fields.len() {
            let many = if given.len() < fields.len() {
                "few"
            } else {
                "many"
            };
            return Err(cannot(self, format!("Input has too {many} columns.")));
        }
        let mut values = Vec::with_capacity(fields.len());
        for (index, (value, field)) in given.into_iter().zip(&fields).enumerate() {
            let from = value.ty.id;
            let Some(value) = self.try_coerce(value, field.ty.id, context)? else {
                let (from, to) = (from.name(), field.ty.id.name());
                let detail = format!("Cannot cast type {from} to {to} in column {}.", index + 1);
                return Err(cannot(self, detail));
            };
            let value = with_modifier(value, field.ty, context == Context::Explicit);
            values.push(self.as_field(value, field, at)?);
        }
        Ok(Some(row(Type::new(target), values, &fields, at)))
    }

    fn as_field(&self, value: Expr, field: &Field, at: Position) -> Result<Expr, DialectError> {
        match &field.domain {
            Some(domain) => self.as_domain(value, domain, at),
            None => Ok(value),
        }
    }

    /// What is known of the fields of a type, for functions that make values of it from JSON.
    pub(crate) fn shape(&mut self, ty: Type, at: Position) -> Result<String, DialectError> {
        let element = ty.id.element().filter(|element| element.is_composite());
        let parts: Vec<String> = if let Some(element) = element {
            vec!["m".to_owned(), self.shape(Type::new(element), at)?]
        } else if ty.id.is_composite() {
            let fields = self.fields_of_type(ty.id, at)?;
            if fields.iter().any(Field::is_checked) {
                let what = "a field of a domain with conditions within another field";
                return Err(self.unsupported(at, what));
            }
            let mut parts = vec!["c".to_owned()];
            for field in fields {
                parts.push(self.shape(field.ty, at)?);
                parts.push(field.name);
            }
            parts
        } else {
            let kind = if ty.id.is_array() { "a" } else { "b" };
            let (id, typmod) = (ty.id.get().to_string(), ty.typmod.to_string());
            vec![kind.to_owned(), id, typmod]
        };
        let parts = parts.iter().map(|part| Some(part.as_str()));
        Ok(pgtypes::array::text_of(parts))
    }
}

/// A row of a composite type.
fn row(ty: Type, values: Vec<Expr>, fields: &[Field], at: Position) -> Expr {
    let kind = ExprKind::Row {
        fields: values,
        names: fields.iter().map(|field| field.name.clone()).collect(),
    };
    Expr::new(ty, kind, at)
}

fn null(ty: Type, at: Position) -> Expr {
    Expr::new(ty, ExprKind::Constant(SqlValue::Null), at)
}

/// The name of a type as it is written.
pub(crate) fn type_of_text(text: &str) -> Result<Option<TypeName>, DialectError> {
    let cast = only_expression(&format!("SELECT NULL::{text}"))?;
    Ok(match cast.map(|cast| cast.kind) {
        Some(ast::ExprKind::Cast { to, .. }) => Some(to),
        _ => None,
    })
}
