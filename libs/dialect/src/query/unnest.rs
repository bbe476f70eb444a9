//! `unnest(…)` in FROM: arrays as the columns of a table.

use pgtypes::PgType;

use crate::error::DialectError;
use crate::expr::Form;
use crate::expr::cast::to_form;
use crate::functions::convert;
use crate::literal::quote_name;
use crate::translator::{Column, Translator};

/// One array: its translated text, and the type of its elements where it is said.
struct Array {
    text: String,
    element: Option<PgType>,
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
                ty: array.element,
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
        if let (Form::Parameter(number), Some(_)) = (operand.form, &element) {
            // An array goes as the text of its elements.
            self.set_parameter(number, &PgType::Text);
        }
        let text = self.rendered(mark, at, operand.to);
        Ok(Array { text, element })
    }

    /// `::type[]`, any number of times; gives the last type.
    fn array_casts(&self, at: usize, stop: usize) -> Result<Option<PgType>, DialectError> {
        let mut to = at;
        let mut element = None;
        while self.src.sign(to, "::") && to < stop {
            let next = self.type_end(to + 1);
            if !(self.src.sign(next, "[") && self.src.sign(next + 1, "]")) {
                return Err(self.src.syntax(next));
            }
            element = PgType::parse(self.src.slice(to + 1, next));
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
fn element(value: &str, ty: Option<&PgType>) -> String {
    match ty {
        Some(ty) if convert::has_canonical_form(ty) => {
            let (open, close) = to_form(ty);
            format!("{open}{value}{close}")
        }
        Some(_) => format!("CAST({value} AS TEXT)"),
        None => value.to_owned(),
    }
}
