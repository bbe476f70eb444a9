//! Aggregates.

use crate::analysis::tree::{Aggregate, Call, Expr, ExprKind, Sort};
use crate::catalog::TypeId;
use crate::sqlite::any::{Wanted, wanted};
use crate::sqlite::form::{is_registered, registered_name};
use crate::sqlite::{Printer, Result};
use crate::syntax::ast::Position;

/// How an aggregate is written.
enum Name {
    /// One of SQLite's.
    Native(&'static str),
    /// One of ours, `pg_sum_numeric`.
    Ours(String),
}

impl Printer<'_> {
    pub(crate) fn aggregate(&mut self, aggregate: &Aggregate, at: Position) -> Result {
        if aggregate.within_group && !is_ordered_set(aggregate) {
            return Err(self.unsupported(at, format!("aggregate {}", aggregate.call.function.name)));
        }
        let name = self.aggregate_name(&aggregate.call, at)?;
        if aggregate.distinct && aggregate.call.arguments.len() > 1 {
            return Err(self.unsupported(at, "DISTINCT in an aggregate of several arguments"));
        }
        self.head(&name);
        self.push("(");
        if aggregate.distinct {
            self.push("DISTINCT ");
        }
        self.aggregate_arguments(&aggregate.call, &name)?;
        if !aggregate.order_by.is_empty() {
            self.push(" ORDER BY ");
            self.sorts(&aggregate.order_by)?;
        }
        self.push(")");
        if let Some(filter) = &aggregate.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        Ok(())
    }

    fn head(&mut self, name: &Name) {
        match name {
            Name::Native(name) => self.push(name),
            Name::Ours(name) => self.push(name),
        }
    }

    /// The arguments; what is compared inside, under its collation.
    fn aggregate_arguments(&mut self, call: &Call, name: &Name) -> Result {
        if call.arguments.is_empty() {
            if matches!(name, Name::Native("count")) {
                self.push("*");
            }
            return Ok(());
        }
        if let (Name::Native("count"), [row]) = (name, call.arguments.as_slice())
            && let ExprKind::Row(fields) = &row.kind
        {
            return self.counted_row(fields);
        }
        let mut index = 0;
        self.list(&call.arguments, ", ", |printer, argument| {
            let form = match name {
                Name::Native(_) => Wanted::Stored,
                Name::Ours(_) => wanted(call.function, index),
            };
            index += 1;
            if form == Wanted::Stored {
                printer.collated(argument)
            } else {
                printer.argument_as(argument, form)
            }
        })
    }

    /// A row counts, unless it is a table's that an outer join left out.
    fn counted_row(&mut self, fields: &[Expr]) -> Result {
        let left_out = fields.iter().any(|field| {
            matches!(field.kind, ExprKind::Column(column)
                if self.nullable.contains(&column.relation))
        });
        if !left_out {
            self.push("1");
            return Ok(());
        }
        self.push("CASE WHEN ");
        self.list(fields, " IS NOT NULL OR ", |printer, field| {
            printer.expr(field)
        })?;
        self.push(" IS NOT NULL THEN 1 END");
        Ok(())
    }

    /// The call of an aggregate over a window.
    pub(crate) fn aggregate_over(&mut self, call: &Call, at: Position) -> Result {
        let mut name = self.aggregate_name(call, at)?;
        // What cannot take rows out again has a sibling that keeps them.
        if let Name::Ours(ours) = &name
            && let Some(rest) = ours.strip_prefix("pg_")
        {
            let sibling = format!("pg_window_{rest}");
            if is_registered(&sibling) {
                name = Name::Ours(sibling);
            }
        }
        self.head(&name);
        self.push("(");
        self.aggregate_arguments(call, &name)?;
        self.push(")");
        Ok(())
    }

    fn aggregate_name(
        &self,
        call: &Call,
        at: Position,
    ) -> std::result::Result<Name, crate::error::DialectError> {
        let function = call.function;
        let first = function.arguments.first().copied();
        let native = match (function.name, first) {
            ("count", _) => Some("count"),
            ("min", Some(id)) if !id.is_polymorphic() => Some("min"),
            ("max", Some(id)) if !id.is_polymorphic() => Some("max"),
            ("sum", Some(TypeId::INT2 | TypeId::INT4)) => Some("sum"),
            ("bool_and" | "every", _) => Some("min"),
            ("bool_or", _) => Some("max"),
            ("string_agg", Some(TypeId::TEXT)) => Some("group_concat"),
            _ => None,
        };
        if let Some(native) = native {
            return Ok(Name::Native(native));
        }
        if let Some(ours) = own_aggregate(call) {
            return Ok(Name::Ours(ours));
        }
        Err(self.missing(function, at))
    }

    /// Sort keys that are values.
    pub(crate) fn sorts(&mut self, sorts: &[Sort]) -> Result {
        self.list(sorts, ", ", |printer, sort| printer.sort(sort, None))
    }
}

/// Whether WITHIN GROUP sorts by one value, which the aggregate does itself.
fn is_ordered_set(aggregate: &Aggregate) -> bool {
    matches!(
        aggregate.call.function.name,
        "percentile_cont" | "percentile_disc" | "mode"
    )
}

/// One of ours; some depend on the type of what they sort or collect.
fn own_aggregate(call: &Call) -> Option<String> {
    let name = registered_name(call.function)?;
    let value = call.arguments.last().map(|argument| argument.ty.id);
    let of_rows = value.is_some_and(|id| id.is_array() || id == TypeId::RECORD);
    match (call.function.name, value) {
        ("mode" | "percentile_disc", Some(TypeId::NUMERIC)) => Some(format!("{name}_numeric")),
        ("mode" | "percentile_disc", Some(TypeId::INTERVAL)) => Some(format!("{name}_interval")),
        ("json_agg", _) if of_rows => Some("pg_json_agg_rows".to_owned()),
        // Arrays of arrays are not collected.
        ("array_agg", Some(id)) if id.is_array() => None,
        ("percentile_cont" | "percentile_disc", _)
            if call.arguments.first().is_some_and(|a| a.ty.id.is_array()) =>
        {
            None
        }
        _ => Some(name),
    }
}
