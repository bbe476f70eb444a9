//! Rows of composite types, of JSON: `pg_row_json(json, shape)` gives the text of a row, or of an array of rows.
//!
//! A shape is an array of texts that says what there is: `{b,type,modifier}` a value, `{a,type,modifier}` an array of
//! values, `{c,shape,name,…}` a row, `{m,shape}` an array of rows.

use pgtypes::array::{Array, Element};
use pgtypes::json::{Json, Node, Value, document};
use pgtypes::{Format, Oid, PgType, SqlState, SqlValueRef, ValueError, decode_in, to_text_in};

use crate::arguments::{text, written};
use crate::error::fail;
use crate::io::{input, oid};
use crate::registry::Scalar;
use crate::rows::{record_fields, record_text};
use crate::session::Session;

pub(crate) const FUNCTIONS: &[Scalar] = &[Scalar::session("pg_row_json", 2, |session, a| {
    let shape = Shape::parse(text(a, 1)?)?;
    let reader = Reader { session };
    match reader.of_json(document(text(a, 0)?)?, &shape)? {
        Some(row) => written(row),
        None => Ok(pgtypes::SqlValue::Null),
    }
})];

/// What there is to be read.
enum Shape {
    Value(i64, i64),
    Values(u32, i32),
    Row(Vec<(Self, String)>),
    Rows(Box<Self>),
}

impl Shape {
    fn parse(text: &str) -> Result<Self, ValueError> {
        let parts = Array::parse(text)?.texts();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        Ok(match parts.as_slice() {
            ["b", ty, typmod] => Self::Value(number(ty)?, number(typmod)?),
            ["a", ty, typmod] => Self::Values(number(ty)?, number(typmod)?),
            ["m", inner] => Self::Rows(Box::new(Self::parse(inner)?)),
            ["c", fields @ ..] => {
                let fields = fields.chunks_exact(2).map(|pair| match pair {
                    [shape, name] => Ok((Self::parse(shape)?, (*name).to_owned())),
                    _ => Err(no_shape()),
                });
                Self::Row(fields.collect::<Result<_, _>>()?)
            }
            _ => return Err(no_shape()),
        })
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, ValueError> {
    text.parse().map_err(|_| no_shape())
}

fn no_shape() -> ValueError {
    ValueError::new(
        SqlState::INTERNAL_ERROR,
        "a shape of a row is not one".to_owned(),
    )
}

struct Reader<'a> {
    session: &'a dyn Session,
}

impl Reader<'_> {
    /// The text as an array keeps it; NULL for null.
    fn of_json(&self, node: Node<'_>, shape: &Shape) -> Result<Option<String>, ValueError> {
        match (shape, node.value) {
            (_, Value::Null) => Ok(None),
            (Shape::Value(oid::JSON, _), _) => Ok(Some(node.text.to_owned())),
            (Shape::Value(oid::JSONB, _), value) => {
                let text = node.text;
                Ok(Some(Json::of(&Node { value, text })?.to_string()))
            }
            (_, Value::String(string)) => self.of_text(&string.into_text()?, shape).map(Some),
            (Shape::Value(..), _) => self.of_text(node.text, shape).map(Some),
            (Shape::Values(array, typmod), Value::Array(elements)) => {
                let ty = PgType::Composed(Oid::new(*array), *typmod);
                let Some(element) = ty.element() else {
                    return Err(no_shape());
                };
                let of_one = Shape::Value(i64::from(element.oid().get()), i64::from(*typmod));
                Ok(Some(self.elements(elements, &of_one)?))
            }
            (Shape::Rows(inner), Value::Array(elements)) => {
                Ok(Some(self.elements(elements, inner)?))
            }
            (Shape::Values(..) | Shape::Rows(_), _) => {
                fail(SqlState::INVALID_TEXT_REPRESENTATION, "expected JSON array")
            }
            (Shape::Row(fields), Value::Object(members)) => {
                let mut texts: Vec<Option<String>> = vec![None; fields.len()];
                for (key, value) in members {
                    let key = key.into_text()?;
                    let mut places = fields.iter().zip(&mut texts);
                    if let Some(((shape, _), place)) = places.find(|((_, name), _)| *name == key) {
                        *place = self.of_json(value, shape)?;
                    }
                }
                Ok(Some(record_text(texts.iter().map(Option::as_deref))))
            }
            (Shape::Row(_), Value::Array(_)) => fail(
                SqlState::INVALID_PARAMETER_VALUE,
                "cannot call populate_composite on an array",
            ),
            (Shape::Row(_), _) => fail(
                SqlState::INVALID_PARAMETER_VALUE,
                "cannot call populate_composite on a scalar",
            ),
        }
    }

    fn elements(&self, elements: Vec<Node<'_>>, shape: &Shape) -> Result<String, ValueError> {
        let mut out = Vec::with_capacity(elements.len());
        for element in elements {
            if matches!((&element.value, shape), (Value::Array(_), Shape::Value(..))) {
                return fail(
                    SqlState::FEATURE_NOT_SUPPORTED,
                    "an array of several dimensions within a row of JSON is not supported",
                );
            }
            let text = self.of_json(element, shape)?;
            out.push(text.map_or(Element::Null, Element::Value));
        }
        Ok(Array::new(out).to_string())
    }

    /// The text of a value, in the form in which arrays keep it.
    fn of_text(&self, text: &str, shape: &Shape) -> Result<String, ValueError> {
        match shape {
            Shape::Value(ty, typmod) => {
                let value = input(self.session, text, *ty, *typmod)?;
                let typmod = i32::try_from(*typmod).unwrap_or(-1);
                let oid = Oid::new(u32::try_from(*ty).unwrap_or_default());
                let ty = PgType::from_oid(oid, typmod).ok_or_else(no_shape)?;
                let value = SqlValueRef::from(&value);
                Ok(to_text_in(value, &ty, &pgtypes::Context::default()))
            }
            Shape::Values(array, typmod) => {
                let ty = PgType::Composed(Oid::new(*array), *typmod);
                let context = self.session.context();
                match decode_in(text.as_bytes(), &ty, Format::Text, context)? {
                    pgtypes::SqlValue::Text(text) => Ok(text),
                    _ => Err(no_shape()),
                }
            }
            Shape::Row(fields) => {
                let texts = record_fields(text, fields.len())?;
                let mut out = Vec::with_capacity(fields.len());
                for (text, (shape, _)) in texts.iter().zip(fields) {
                    out.push(match text {
                        Some(text) => Some(self.of_text(text, shape)?),
                        None => None,
                    });
                }
                Ok(record_text(out.iter().map(Option::as_deref)))
            }
            Shape::Rows(inner) => {
                let mut out = Vec::new();
                for leaf in Array::parse(text)?.leaves() {
                    out.push(match leaf {
                        Some(text) => Element::Value(self.of_text(text, inner)?),
                        None => Element::Null,
                    });
                }
                Ok(Array::new(out).to_string())
            }
        }
    }
}
