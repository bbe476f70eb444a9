//! Aggregates.

use pgtypes::SqlValue;

use crate::analysis::tree::{Aggregate, Call, Expr, ExprKind, Sort, SortBy};
use crate::catalog::{Type, TypeId, functions_named};
use crate::sqlite::any::{Wanted, wanted};
use crate::sqlite::expr::is_stored_as_shown;
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
        if let (true, Some(fractions)) = (aggregate.within_group, aggregate.call.arguments.first())
            && fractions.ty.id.is_array()
        {
            return self.percentiles(aggregate, fractions, at);
        }
        // What stands in FILTER would be asked twice, and may say something else the second time.
        if aggregate.filter.is_none()
            && !aggregate.distinct
            && is_average_of_small_integers(&aggregate.call)
        {
            return self.average(aggregate);
        }
        let name = self.aggregate_name(&aggregate.call, at)?;
        if aggregate.distinct && aggregate.call.arguments.len() > 1 {
            return self.joined_distinct(aggregate, at);
        }
        // The fraction is looked at even where there are no rows.
        let fraction = match aggregate.call.arguments.as_slice() {
            [fraction, _] if aggregate.within_group && !is_a_part(fraction) => Some(fraction),
            _ => None,
        };
        if let Some(fraction) = fraction {
            self.push("pg_percentile(");
            self.expr(fraction)?;
            self.push(", ");
        }
        self.taken_in(aggregate, &name)?;
        if fraction.is_some() {
            self.push(")");
        }
        Ok(())
    }

    /// What an aggregate takes in, and of which rows.
    fn taken_in(&mut self, aggregate: &Aggregate, name: &Name) -> Result {
        self.head(name);
        self.push("(");
        if aggregate.distinct {
            self.push("DISTINCT ");
        }
        self.aggregate_arguments(&aggregate.call, name)?;
        self.aggregate_order(aggregate)?;
        self.push(")");
        if let Some(filter) = &aggregate.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        Ok(())
    }

    /// By two of SQLite's own aggregates, which take half the time of one of ours.
    fn average(&mut self, aggregate: &Aggregate) -> Result {
        self.push("pg_numeric_div(CAST(");
        self.taken_in(aggregate, &Name::Native("sum"))?;
        self.push(" AS TEXT), CAST(");
        self.taken_in(aggregate, &Name::Native("count"))?;
        self.push(" AS TEXT))");
        Ok(())
    }

    /// Percentiles for an array of fractions: one aggregate for each.
    fn percentiles(&mut self, aggregate: &Aggregate, fractions: &Expr, at: Position) -> Result {
        let call = &aggregate.call;
        let one = functions_named(call.function.name).iter().find(|function| {
            function.arguments.first() == Some(&TypeId::FLOAT8)
                && function.arguments.get(1) == call.function.arguments.get(1)
        });
        let (ExprKind::Array(fractions), Some(function)) = (&fractions.kind, one) else {
            return Err(self.unsupported(at, "a percentile of fractions that are not written out"));
        };
        if fractions.iter().any(|fraction| fraction.ty.id.is_array()) {
            return Err(self.unsupported(at, "percentiles of an array of arrays"));
        }
        let ty = match call.arguments.last() {
            Some(sorted) if function.result.is_pseudo() => sorted.ty,
            _ => Type::new(function.result),
        };
        // Without a value there is no array either.
        self.push("CASE WHEN count(");
        if let Some(sorted) = call.arguments.last() {
            self.expr(sorted)?;
        }
        self.push(")");
        if let Some(filter) = &aggregate.filter {
            self.push(" FILTER (WHERE ");
            self.expr(filter)?;
            self.push(")");
        }
        self.push(" > 0 THEN pg_array_make(");
        self.list(fractions, ", ", |printer, fraction| {
            let mut single = aggregate.clone();
            single.call.function = function;
            if let Some(first) = single.call.arguments.first_mut() {
                *first = fraction.clone();
            }
            let value = Expr::new(ty, ExprKind::Aggregate(Box::new(single)), at);
            printer.as_element(&value)
        })?;
        self.push(") END");
        Ok(())
    }

    /// The order in which values are taken in. PostgreSQL finds distinct ones by sorting them.
    fn aggregate_order(&mut self, aggregate: &Aggregate) -> Result {
        let matters = matches!(
            aggregate.call.function.name,
            "array_agg" | "string_agg" | "json_agg" | "jsonb_agg"
        );
        // Doubles add up to another sum in another order.
        let doubles = aggregate
            .call
            .arguments
            .first()
            .is_some_and(|value| matches!(value.ty.id, TypeId::FLOAT4 | TypeId::FLOAT8));
        let matters = matters || doubles;
        let mut sorts = aggregate.order_by.clone();
        if let Some(first) = aggregate.call.arguments.first()
            && sorts.is_empty()
            && aggregate.distinct
            && matters
        {
            sorts.push(Sort {
                key: SortBy::Value(first.clone()),
                descending: false,
                nulls_first: false,
            });
        }
        if sorts.is_empty() {
            return Ok(());
        }
        self.push(" ORDER BY ");
        self.sorts(&sorts)
    }

    /// `string_agg(DISTINCT value, delimiter)`: SQLite's distinct aggregates have one argument, so the values are
    /// collected first and then joined, by a delimiter that is the same for all rows.
    fn joined_distinct(&mut self, aggregate: &Aggregate, at: Position) -> Result {
        let call = &aggregate.call;
        let (true, [value, delimiter]) = (
            call.function.name == "string_agg"
                && call.function.arguments.first() == Some(&TypeId::TEXT),
            call.arguments.as_slice(),
        ) else {
            return Err(self.unsupported(at, "DISTINCT in an aggregate of several arguments"));
        };
        let mut varies = false;
        delimiter.visit(&mut |part| varies |= matches!(part.kind, ExprKind::Column(_)));
        if varies {
            return Err(self.unsupported(at, "DISTINCT with a delimiter of each row's own"));
        }
        self.push("pg_array_to_text(pg_array_agg(DISTINCT ");
        self.expr(value)?;
        self.aggregate_order(aggregate)?;
        self.push(") FILTER (WHERE ");
        self.expr(value)?;
        self.push(" IS NOT NULL");
        if let Some(filter) = &aggregate.filter {
            self.push(" AND ");
            self.expr(filter)?;
        }
        self.push("), ");
        if let ExprKind::Constant(SqlValue::Null) = delimiter.kind {
            self.push("''");
        } else {
            self.expr(delimiter)?;
        }
        self.push(")");
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
            && let ExprKind::Row { fields, .. } = &row.kind
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
            let shown = matches!(form, Wanted::Text | Wanted::Element)
                && is_stored_as_shown(argument.ty.id);
            if form == Wanted::Stored || shown {
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
        // SQLite's own forgets empty texts as a frame moves on, and takes the wrong delimiters out.
        if matches!(name, Name::Native("group_concat")) {
            name = Name::Ours("pg_string_agg_text".to_owned());
        }
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
            ("min", Some(id)) if !id.is_polymorphic() || is_ordered_family(id) => Some("min"),
            ("max", Some(id)) if !id.is_polymorphic() || is_ordered_family(id) => Some("max"),
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

/// Whether it is an average whose sum SQLite's integers hold, of a column: that may be read twice.
fn is_average_of_small_integers(call: &Call) -> bool {
    let is_column = |value: &Expr| {
        matches!(value.ty.id, TypeId::INT2 | TypeId::INT4)
            && matches!(value.kind, ExprKind::Column(_))
    };
    call.function.name == "avg" && call.arguments.first().is_some_and(is_column)
}

/// Whether a value is known to be from 0 to 1.
fn is_a_part(value: &Expr) -> bool {
    matches!(&value.kind, ExprKind::Constant(SqlValue::Real(part)) if (0.0..=1.0).contains(part))
}

/// Arrays and enums, which SQLite's own `min` and `max` compare as they are stored.
fn is_ordered_family(id: TypeId) -> bool {
    matches!(id, TypeId::ANYARRAY | TypeId::ANYENUM)
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
        ("percentile_cont" | "percentile_disc", _)
            if call.arguments.first().is_some_and(|a| a.ty.id.is_array()) =>
        {
            None
        }
        ("mode" | "percentile_disc", Some(TypeId::JSONB)) => Some(format!("{name}_jsonb")),
        ("mode" | "percentile_disc", Some(TypeId::TIMETZ)) => Some(format!("{name}_timetz")),
        ("mode" | "percentile_disc", Some(TypeId::INET | TypeId::CIDR)) => {
            Some(format!("{name}_inet"))
        }
        ("mode" | "percentile_disc", Some(TypeId::NUMERIC)) => Some(format!("{name}_numeric")),
        ("mode" | "percentile_disc", Some(TypeId::INTERVAL)) => Some(format!("{name}_interval")),
        ("json_agg", _) if of_rows => Some("pg_json_agg_rows".to_owned()),
        ("array_agg", Some(id)) if id.is_array() => Some("pg_array_agg_array".to_owned()),
        _ => Some(name),
    }
}
