//! `unnest(…)` in FROM: arrays as the columns of a table.

use crate::error::DialectError;
use crate::expr::Form;
use crate::functions::convert;
use crate::literal::quote_name;
use crate::translator::{Column, Translator};
use crate::types::TypeName;

/// One array: its translated text, and the type of its elements where it is said.
struct Array {
    text: String,
    element: Option<TypeName>,
}

impl Translator<'_> {
    /// A query in place of the call at token `name`; the columns are named `names`, the rest `shown`. Arrays of
    /// different lengths are as long as the first.
    pub(crate) fn unnest_table(
        &mut self,
        name: usize,
        shown: &str,
        names: &[String],
    ) -> Result<(String, Vec<Column>), DialectError> {
        let close = self.src.partner(name + 1);
        let mut arrays = Vec::new();
        let mut at = name + 2;
        while at < close {
            let stop = self.argument_end(at, close);
            arrays.push(self.array(at, stop)?);
            at = stop + 1;
        }
        if arrays.is_empty() {
            return Err(self.src.syntax(close));
        }
        let mut columns = Vec::new();
        let (mut values, mut tables) = (Vec::new(), Vec::new());
        for (index, array) in arrays.iter().enumerate() {
            let column = names.get(index).map_or(shown, String::as_str);
            let value = element(&format!("a{index}.value"), array.element.as_ref());
            values.push(format!("{value} AS {}", quote_name(column)));
            let table = format!("json_each(eq_array_json({})) AS a{index}", array.text);
            tables.push(if index == 0 {
                table
            } else {
                format!("LEFT JOIN {table} ON a{index}.key = a0.key")
            });
            columns.push(Column {
                name: Some(column.to_owned()),
                ty: array.element.clone(),
                not_null: false,
            });
        }
        let (values, tables) = (values.join(","), tables.join(" "));
        Ok((format!("(SELECT {values} FROM {tables})"), columns))
    }

    fn argument_end(&self, at: usize, close: usize) -> usize {
        let mut at = at;
        while at < close && !self.src.sign(at, ",") {
            at = if self.src.sign(at, "(") || self.src.sign(at, "[") {
                self.src.partner(at) + 1
            } else {
                at + 1
            };
        }
        at
    }

    /// An array in tokens `at..stop`: ARRAY[…], a literal, a parameter or a column, cast to an array type or not.
    fn array(&mut self, at: usize, stop: usize) -> Result<Array, DialectError> {
        self.enter(at)?;
        let array = self.array_within(at, stop);
        self.leave();
        array
    }

    fn array_within(&mut self, at: usize, stop: usize) -> Result<Array, DialectError> {
        if self.src.sign(at, "(") && !self.is_query(at + 1) {
            let inner = self.src.partner(at);
            let array = self.array(at + 1, inner)?;
            let element = self.array_casts(inner + 1, stop)?.or(array.element);
            return Ok(Array { element, ..array });
        }
        let mark = self.edits.mark();
        if self.src.is(at, "ARRAY") && self.src.sign(at + 1, "[") {
            let inner = self.src.partner(at + 1);
            let items = self.list(at + 2, inner)?;
            let element = self.common_type(&items)?;
            let text = format!("json_array({})", self.rendered(mark, at + 2, inner));
            let element = self.array_casts(inner + 1, stop)?.or(element);
            return Ok(Array { text, element });
        }
        let operand = self.operand(at, stop, crate::expr::level::CAST)?;
        let element = self.array_casts(operand.to, stop)?;
        if let (Form::Parameter(number), Some(element)) = (operand.form, &element) {
            self.set_parameter(
                number,
                &TypeName::internal(&format!("{}[]", element.base())),
            );
        }
        let text = self.rendered(mark, at, operand.to);
        Ok(Array { text, element })
    }

    /// `::type[]`, any number of times; gives the last type.
    fn array_casts(&self, at: usize, stop: usize) -> Result<Option<TypeName>, DialectError> {
        let mut to = at;
        let mut element = None;
        while self.src.sign(to, "::") && to < stop {
            let next = self.type_end(to + 1);
            if !(self.src.sign(next, "[") && self.src.sign(next + 1, "]")) {
                return Err(self.src.syntax(next));
            }
            element = Some(TypeName::parse(self.src.slice(to + 1, next)));
            to = next + 2;
        }
        if to == stop {
            Ok(element)
        } else {
            Err(self.src.syntax(to))
        }
    }
}

/// An element in the stored form of its type.
fn element(value: &str, ty: Option<&TypeName>) -> String {
    match ty {
        Some(ty) if convert::has_canonical_text(ty.base()) => {
            format!("eq_to_{}({value})", ty.base())
        }
        Some(ty) if ty.base() == "numeric" => format!("eq_to_numeric({value})"),
        Some(ty) if matches!(ty.base(), "float4" | "float8") => format!("eq_to_float8({value})"),
        Some(ty) if ty.oid() != 0 => format!("CAST({value} AS TEXT)"),
        _ => value.to_owned(),
    }
}
