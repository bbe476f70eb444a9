//! Aggregates.

use crate::analysis::tree::{Aggregate, Call, Sort};
use crate::catalog::TypeId;
use crate::sqlite::form::is_registered;
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
        if aggregate.within_group {
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
        let tells = matches!(name, Name::Ours(_))
            && call.function.arguments.iter().any(|ty| ty.is_pseudo());
        self.list(&call.arguments, ", ", |printer, argument| {
            printer.collated(argument)?;
            if tells {
                printer.push(&format!(
                    ", {}, {}",
                    argument.ty.id.get(),
                    argument.ty.typmod
                ));
            }
            Ok(())
        })
    }

    /// The call of an aggregate over a window.
    pub(crate) fn aggregate_over(&mut self, call: &Call, at: Position) -> Result {
        let name = self.aggregate_name(call, at)?;
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
        let ours = format!("pg_{}", function.source);
        if is_registered(&ours) {
            return Ok(Name::Ours(ours));
        }
        Err(self.missing(function, at))
    }

    /// Sort keys that are values.
    pub(crate) fn sorts(&mut self, sorts: &[Sort]) -> Result {
        self.list(sorts, ", ", |printer, sort| printer.sort(sort, None))
    }
}
