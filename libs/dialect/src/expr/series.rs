//! `generate_series`, which becomes a recursive query.

use pgtypes::{PgType, SqlState};

use crate::error::DialectError;
use crate::expr::{Expr, Form};
use crate::translator::Translator;

impl Translator<'_> {
    /// `generate_series(…)` in a select list: the call becomes a table of the FROM clause.
    pub(crate) fn series_call(&mut self, at: usize, last: usize) -> Result<Expr, DialectError> {
        let close = self.src.partner(last + 1);
        if self.series.is_some() {
            return Err(self
                .src
                .unsupported(last, "a second set-returning function in one select list"));
        }
        let (table, ty) = self.series_table(last, "generate_series", "generate_series")?;
        self.series = Some(table);
        self.replace(at, close + 1, "\"generate_series\".\"generate_series\"");
        Ok(Expr::new(at, close + 1)
            .of(ty)
            .named("generate_series")
            .form(Form::Other))
    }

    /// A recursive query in place of `generate_series(start`, stop [, step]) at token `name`.
    pub(crate) fn series_table(
        &mut self,
        name: usize,
        alias: &str,
        column: &str,
    ) -> Result<(String, Option<PgType>), DialectError> {
        let close = self.src.partner(name + 1);
        let mark = self.edits.mark();
        let arguments = self.list(name + 2, close)?;
        let ty = self.common_type(arguments.get(..2).unwrap_or(&arguments))?;
        let text: Vec<String> = arguments
            .iter()
            .map(|arg| self.rendered(mark, arg.from, arg.to))
            .collect();
        let (start, stop, step) = match text.as_slice() {
            [start, stop] => (start, stop, "1".to_owned()),
            [start, stop, step] => (start, stop, step.clone()),
            _ => {
                return Err(self.src.error(
                    name,
                    SqlState::UNDEFINED_FUNCTION,
                    "function generate_series takes 2 or 3 arguments",
                ));
            }
        };
        for argument in &arguments {
            self.default_parameter(argument, PgType::Int4);
        }
        let (alias, column) = (
            crate::literal::quote_name(alias),
            crate::literal::quote_name(column),
        );
        let dates = ty.as_ref().filter(|ty| ty.is_date_or_timestamp());
        let table = if let Some(ty) = dates {
            let base = match ty {
                PgType::Date => "timestamp",
                other => other.typname(),
            };
            format!(
                "(WITH RECURSIVE {alias}({column}) AS (SELECT eq_to_{base}({start}) WHERE eq_to_{base}({start}) <= eq_to_{base}({stop}) \
                 UNION ALL SELECT eq_timestamp_add({column},{step}) FROM {alias} \
                 WHERE eq_timestamp_add({column},{step}) <= eq_to_{base}({stop})) SELECT * FROM {alias})"
            )
        } else {
            format!(
                "(WITH RECURSIVE {alias}({column}) AS (SELECT {start} WHERE CASE WHEN ({step}) > 0 THEN ({start}) <= ({stop}) ELSE ({start}) >= ({stop}) END \
                 UNION ALL SELECT {column} + ({step}) FROM {alias} WHERE CASE WHEN ({step}) > 0 \
                 THEN {column} + ({step}) <= ({stop}) ELSE {column} + ({step}) >= ({stop}) END) SELECT * FROM {alias})"
            )
        };
        let ty = ty.map(|ty| match ty {
            PgType::Date => PgType::Timestamp(None),
            other => other,
        });
        Ok((format!("{table} AS {alias}"), ty))
    }
}
