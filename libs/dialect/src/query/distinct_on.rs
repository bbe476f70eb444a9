//! SELECT DISTINCT ON, which becomes the first row of each window.

use crate::error::DialectError;
use crate::expr::Form;
use crate::literal::quote_name;
use crate::query::Query;
use crate::translator::Translator;

/// What was read of it before ORDER BY.
#[derive(Debug)]
pub(crate) struct DistinctOn {
    select: usize,
    list: usize,
    list_end: usize,
    /// The expressions between its parentheses, translated.
    keys: String,
}

impl Translator<'_> {
    /// `ON ( keys )` at the parenthesis `open`, behind SELECT at `select` and before the list.
    pub(crate) fn read_distinct_on(
        &mut self,
        select: usize,
        open: usize,
        (list, list_end): (usize, usize),
    ) -> Result<DistinctOn, DialectError> {
        let close = self.src.partner(open);
        let mark = self.edits.mark();
        let keys = self.list(open + 1, close)?;
        if keys.iter().any(|key| key.form == Form::Number) || keys.is_empty() {
            return Err(self
                .src
                .unsupported(open, "SELECT DISTINCT ON a column's number"));
        }
        let keys = self.rendered(mark, open + 1, close);
        self.remove(select + 1, list);
        Ok(DistinctOn {
            select,
            list,
            list_end,
            keys,
        })
    }

    /// The whole query, whose ORDER BY begins at `order` if there is one, with its splices since `mark`:
    ///
    /// `SELECT DISTINCT ON (k) a, b FROM t ORDER BY k, c` is `SELECT a, b FROM (SELECT a, b, row_number() OVER (PARTITION
    /// BY k ORDER BY k, c) AS eq_row, row_number() OVER (ORDER BY k, c) AS eq_order FROM t) WHERE eq_row = 1 ORDER BY eq_order`.
    pub(crate) fn distinct_on(
        &mut self,
        distinct: &DistinctOn,
        query: &Query,
        mark: usize,
        (order, end): (usize, usize),
    ) -> Result<(), DialectError> {
        let refuse = |what: &str| {
            Err(self
                .src
                .unsupported(distinct.select + 1, what)
                .hint("use row_number() in a subquery"))
        };
        let names: Vec<&str> = query
            .columns
            .iter()
            .filter_map(|column| column.name.as_deref())
            .collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        if query.incomplete || names.len() != query.columns.len() || unique.len() != names.len() {
            return refuse("SELECT DISTINCT ON with columns of one name");
        }
        let names: Vec<String> = names.into_iter().map(quote_name).collect();
        let ordered = self.src.are(order, &["ORDER", "BY"]) && order < end;
        let order_end = if ordered {
            self.order_end(order + 2, end)
        } else {
            order
        };
        for at in order + 2..order_end {
            let first = at == order + 2 || self.src.sign(at - 1, ",");
            let Some(number) = self.src.text(at).parse::<usize>().ok().filter(|_| first) else {
                continue;
            };
            let Some(column) = self.plain_item(distinct, number) else {
                return Err(self.src.unsupported(
                    at,
                    "SELECT DISTINCT ON with ORDER BY an expression's number",
                ));
            };
            self.replace(at, at + 1, column);
        }
        let terms = self.rendered(mark, order, order_end);
        let list_end = distinct.list_end;
        self.before(
            distinct.select,
            format!("SELECT {} FROM (", names.join(",")),
        );
        self.after(
            list_end.max(distinct.list),
            format!(
                ", row_number() OVER (PARTITION BY {} {terms}) AS eq_row, row_number() OVER ({terms}) AS eq_order",
                distinct.keys
            ),
        );
        let close = ") WHERE eq_row = 1 ORDER BY eq_order";
        if ordered {
            self.replace(order, order_end, close);
        } else {
            self.after(order, close);
        }
        Ok(())
    }

    /// The text of the item of the select list with a number from 1 on, if it is a column's name.
    fn plain_item(&self, distinct: &DistinctOn, number: usize) -> Option<String> {
        let mut at = distinct.list;
        for _ in 1..number {
            while at < distinct.list_end && !self.src.sign(at, ",") {
                at = if self.src.sign(at, "(") {
                    self.src.partner(at)
                } else {
                    at
                } + 1;
            }
            at += 1;
        }
        let mut to = at + 1;
        while self.src.sign(to, ".") {
            to += 2;
        }
        let ends = to == distinct.list_end || self.src.sign(to, ",") || self.src.is(to, "AS");
        let named = self.src.name(at).is_some() && to <= distinct.list_end;
        (number > 0 && ends && named).then(|| self.src.slice(at, to).to_owned())
    }

    /// The token after the terms of ORDER BY.
    fn order_end(&self, at: usize, end: usize) -> usize {
        let mut at = at;
        while at < end && !self.src.is_any(at, &["LIMIT", "OFFSET", "FETCH", "FOR"]) {
            at = if self.src.sign(at, "(") {
                self.src.partner(at) + 1
            } else {
                at + 1
            };
        }
        at
    }
}
