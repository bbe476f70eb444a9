//! Functions that take values of any type: each wants them in a form of its own.

use pgtypes::SqlState;

use crate::analysis::tree::{Call, Expr, ExprKind, Query};
use crate::catalog::{Function, Type, TypeId};
use crate::error::DialectError;
use crate::sqlite::expr::{is_named, is_stored_as_shown, is_text};
use crate::sqlite::names::output_names;
use crate::sqlite::{Printer, Result};

/// In which form a value of any type is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// As it is stored.
    Stored,
    /// As its type's output function writes it.
    Text,
    /// As an array keeps it: an array as it is stored.
    Element,
    /// As a cast to text makes it.
    Cast,
    /// As JSON.
    Json,
    /// As a key of an object.
    Key,
}

/// The form of one argument of a function.
pub(crate) fn wanted(function: &Function, index: usize) -> Wanted {
    let declared = function
        .arguments
        .get(index)
        .or(function.arguments.last())
        .is_some_and(|ty| ty.is_pseudo());
    if !declared {
        return Wanted::Stored;
    }
    match function.name {
        "json_build_array" | "jsonb_build_array" | "json_agg" | "jsonb_agg" => Wanted::Json,
        "json_build_object" | "jsonb_build_object" | "json_object_agg" | "jsonb_object_agg" => {
            if index.is_multiple_of(2) {
                Wanted::Key
            } else {
                Wanted::Json
            }
        }
        "percentile_disc" | "mode" => Wanted::Stored,
        "quote_literal" | "quote_nullable" => Wanted::Cast,
        "array_to_string" => Wanted::Text,
        _ if function.arguments.contains(&TypeId::ANY) => Wanted::Text,
        _ => Wanted::Element,
    }
}

impl Printer<'_> {
    /// An argument in the form that its function wants.
    pub(crate) fn argument_as(&mut self, argument: &Expr, wanted: Wanted) -> Result {
        match wanted {
            Wanted::Stored => self.expr(argument),
            Wanted::Text => self.as_text(argument),
            Wanted::Element => self.as_element(argument),
            Wanted::Cast => self.joined_text(argument),
            Wanted::Json => self.as_json(argument, false),
            Wanted::Key => self.as_key(argument),
        }
    }

    /// A key of an object is the text that JSON has for the value, without its quotes.
    fn as_key(&mut self, value: &Expr) -> Result {
        let id = value.ty.id;
        match id {
            TypeId::BOOL => {
                self.push("pg_booltext(");
                self.expr(value)?;
                self.push(")");
                Ok(())
            }
            TypeId::DATE | TypeId::TIMESTAMP | TypeId::TIMESTAMPTZ => {
                self.push("(");
                self.as_json(value, false)?;
                self.push(" ->> '$')");
                Ok(())
            }
            TypeId::JSON | TypeId::JSONB | TypeId::RECORD => Err(self.no_key(value)),
            _ if id.is_array() => Err(self.no_key(value)),
            _ => self.as_text(value),
        }
    }

    fn no_key(&self, value: &Expr) -> DialectError {
        let message = "key value must be scalar, not array, composite, or json";
        DialectError::new(SqlState::INVALID_PARAMETER_VALUE, message)
            .at(self.sql, value.at.0 as usize)
    }

    /// A value as JSON, NULL for NULL.
    pub(crate) fn as_json(&mut self, value: &Expr, binary: bool) -> Result {
        if let ExprKind::Row { fields, names } = &value.kind {
            return self.row_as_json(fields, names, binary);
        }
        if is_named(value.ty.id) {
            // Names of objects are texts there.
            let text = Expr {
                ty: Type::new(TypeId::TEXT),
                kind: ExprKind::ViaText(Box::new(value.clone())),
                at: value.at,
            };
            return self.as_json(&text, binary);
        }
        // Their texts do not say what fields there are.
        match value.ty.id {
            TypeId::RECORD => return Err(self.unsupported(value.at, "a value of type record")),
            id if id.is_composite() || id.element().is_some_and(TypeId::is_composite) => {
                let what = format!("JSON of a value of type {}", id.name());
                return Err(self.unsupported(value.at, what));
            }
            TypeId::RECORD_ARRAY => return Err(self.unsupported(value.at, "an array of rows")),
            _ => {}
        }
        self.push(if binary {
            "pg_to_jsonb("
        } else {
            "pg_to_json("
        });
        if value.ty.id == TypeId::BPCHAR {
            // With the blanks that the stored form leaves out.
            self.as_text(value)?;
        } else {
            self.expr(value)?;
        }
        self.push(&format!(", {})", value.ty.id.get()));
        Ok(())
    }

    /// A row's fields are called `f1`, `f2`, …, unless they are a table's.
    fn row_as_json(&mut self, fields: &[Expr], names: &[String], binary: bool) -> Result {
        // A table's row that an outer join left out is NULL.
        let nullable = fields.iter().find_map(|field| match field.kind {
            ExprKind::Column(column) if self.is_whole(fields) => Some(column.relation),
            _ => None,
        });
        let nullable = nullable.filter(|relation| self.nullable.contains(relation));
        if nullable.is_some() {
            self.push("CASE WHEN ");
            self.list(fields, " IS NOT NULL OR ", |printer, field| {
                printer.expr(field)
            })?;
            self.push(" IS NOT NULL THEN ");
        }
        self.push(if binary {
            "pg_jsonb_build_object("
        } else {
            "pg_json_row("
        });
        let mut index = 0;
        self.list(fields, ", ", |printer, field| {
            let name = names.get(index).cloned();
            index += 1;
            printer.text(&name.unwrap_or_else(|| format!("f{index}")));
            printer.push(", ");
            printer.as_json(field, false)
        })?;
        self.push(")");
        if nullable.is_some() {
            self.push(" END");
        }
        Ok(())
    }

    /// Whether the fields are all columns of a relation in their order.
    fn is_whole(&self, fields: &[Expr]) -> bool {
        let Some(ExprKind::Column(first)) = fields.first().map(|field| &field.kind) else {
            return false;
        };
        let whole = self.relations.get(first.relation.0);
        whole.is_some_and(|whole| whole.columns.len() == fields.len())
            && fields.iter().enumerate().all(|(index, field)| {
                matches!(field.kind, ExprKind::Column(column)
                    if column.relation == first.relation && column.column == index)
            })
    }

    /// Calls that are written otherwise than by a registered function; `false` for one that is not such.
    pub(crate) fn special(&mut self, call: &Call) -> Result<bool> {
        let arguments = call.arguments.as_slice();
        match (call.function.name, arguments) {
            ("to_json" | "row_to_json" | "array_to_json", [value]) => {
                self.as_json(value, false)?;
            }
            ("to_jsonb", [value]) => self.as_json(value, true)?,
            ("pg_typeof", [value]) => self.type_of(value)?,
            ("num_nulls" | "num_nonnulls", _) => self.count_nulls(call)?,
            ("enum_first" | "enum_last", _) => self.edge(call)?,
            ("octet_length", [value]) if value.ty.id == TypeId::BPCHAR => {
                self.push("pg_textoctetlen(");
                self.as_text(value)?;
                self.push(")");
            }
            ("width_bucket", [operand, thresholds]) => {
                self.push("pg_width_bucket_array(");
                self.as_element(operand)?;
                self.push(", ");
                self.expr(thresholds)?;
                self.push(&format!(", {})", operand.ty.id.get()));
            }
            ("format", [format, array]) if call.variadic.is_some() => {
                self.push("pg_format_array(");
                self.expr(format)?;
                self.push(", ");
                self.expr(array)?;
                self.push(")");
            }
            ("pg_collation_for", [value]) => self.collation_of(value)?,
            _ => return self.relation_size(call),
        }
        Ok(true)
    }

    fn count_nulls(&mut self, call: &Call) -> Result {
        let test = if call.function.name == "num_nulls" {
            " IS NULL)"
        } else {
            " IS NOT NULL)"
        };
        self.push("(");
        self.list(&call.arguments, " + ", |printer, argument| {
            printer.push("(");
            printer.expr(argument)?;
            printer.push(test);
            Ok(())
        })?;
        self.push(")");
        Ok(())
    }

    /// ARRAY […]
    pub(crate) fn array_value(&mut self, elements: &[Expr]) -> Result {
        let nested = elements.iter().any(|element| element.ty.id.is_array());
        self.push(if nested {
            "pg_array_nest("
        } else {
            "pg_array_make("
        });
        self.list(elements, ", ", Self::as_element)?;
        self.push(")");
        Ok(())
    }

    /// A value as an array keeps it among its elements, which no setting changes.
    pub(crate) fn as_element(&mut self, value: &Expr) -> Result {
        let id = value.ty.id;
        let ty = value.ty.pg_type();
        if id.is_array() || id.is_composite() || id == TypeId::INTERVAL {
            return self.expr(value);
        }
        if !ty.is_some_and(|ty| ty.follows_settings()) {
            return self.as_text(value);
        }
        self.push("pg_element_text(");
        self.expr(value)?;
        self.push(&format!(", {})", id.get()));
        Ok(())
    }
}

impl Printer<'_> {
    /// ARRAY (SELECT …): no row makes the empty array.
    pub(crate) fn array_query(&mut self, query: &Query, array: &Expr) -> Result {
        let element = Expr {
            ty: Type::new(array.ty.id.element().unwrap_or(TypeId::TEXT)),
            kind: ExprKind::ColumnDefault("q.v".to_owned()),
            at: array.at,
        };
        // Arrays have the type of the array that they make.
        let nested = query.columns.iter().any(|column| column.ty.id.is_array());
        self.push(if nested {
            "coalesce((SELECT pg_array_agg_array("
        } else {
            "coalesce((SELECT pg_array_agg("
        });
        if nested {
            self.push("q.v");
        } else {
            self.as_element(&element)?;
        }
        self.push(") FROM (SELECT ");
        self.name(&output_names(query).concat());
        self.push(" AS v FROM (");
        self.query(query, false)?;
        self.push(")) AS q), '{}')");
        Ok(())
    }

    /// `a[i][j]`
    pub(crate) fn element(&mut self, array: &Expr, indexes: &[Expr], id: TypeId) -> Result {
        let print = |printer: &mut Self| {
            printer.push("pg_array_element(");
            printer.expr(array)?;
            for index in indexes {
                printer.push(", ");
                printer.expr(index)?;
            }
            printer.push(")");
            Ok(())
        };
        if is_named(id) || is_text(id) || is_stored_as_shown(id) {
            return self.read_as(id, print);
        }
        self.push("pg_element_value(");
        print(self)?;
        self.push(&format!(", {})", id.get()));
        Ok(())
    }

    /// `(row).field`
    pub(crate) fn field(&mut self, record: &Expr, index: usize, id: TypeId) -> Result {
        self.read_as(id, |printer| {
            printer.push("pg_record_field(");
            printer.expr(record)?;
            printer.push(&format!(", {index})"));
            Ok(())
        })
    }

    /// What is printed, which is the text of a value, as a value of a type.
    fn read_as(&mut self, id: TypeId, print: impl FnOnce(&mut Self) -> Result) -> Result {
        if is_named(id) {
            self.number_of_name(id, print)?;
        } else if is_text(id) || is_stored_as_shown(id) {
            print(self)?;
        } else {
            self.push("pg_in(");
            print(self)?;
            self.push(&format!(", {}, -1)", id.get()));
        }
        Ok(())
    }

    /// A row of a composite type as it is stored: its fields as an array keeps them.
    pub(crate) fn row_stored(&mut self, fields: &[Expr]) -> Result {
        self.push("pg_record_make(");
        self.list(fields, ", ", Self::as_element)?;
        self.push(")");
        Ok(())
    }

    /// A row as its fields are shown, in parentheses.
    pub(crate) fn row_text(&mut self, fields: &[Expr]) -> Result {
        self.push("pg_record_make(");
        self.list(fields, ", ", Self::as_text)?;
        self.push(")");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::NoSchema;

    fn printed(sql: &str) -> String {
        crate::analyze(sql, &NoSchema).unwrap().sqlite.concat()
    }

    #[test]
    fn what_takes_any_value_gets_it_as_its_text() {
        assert_eq!(
            printed("SELECT concat(1, 'a', true)"),
            "SELECT pg_text_concat(CAST(1 AS TEXT), 'a', pg_out(1, 16, -1)) AS \"concat\""
        );
    }

    #[test]
    fn what_builds_json_gets_keys_as_text_and_values_as_json() {
        assert_eq!(
            printed("SELECT json_build_object(1, 2)"),
            "SELECT pg_json_build_object(CAST(1 AS TEXT), pg_to_json(2, 23)) AS \"json_build_object\""
        );
    }

    #[test]
    fn a_row_in_json_has_the_names_of_its_table() {
        assert_eq!(
            printed("SELECT to_json(v) FROM (VALUES (1)) AS v(a)"),
            "SELECT pg_json_row('a', pg_to_json(\"v\".\"column1\", 23)) AS \"to_json\" FROM (VALUES (1)) AS \"v\""
        );
    }

    #[test]
    fn the_type_of_a_value_is_known_before_it_runs() {
        assert_eq!(
            printed("SELECT pg_typeof(1.5)"),
            "SELECT pg_regtypeout(1700) AS \"pg_typeof\""
        );
    }

    #[test]
    fn variadic_before_an_array_spreads_its_elements() {
        assert_eq!(
            printed("SELECT num_nulls(VARIADIC ARRAY[1, NULL])"),
            "SELECT ((1 IS NULL) + (NULL IS NULL)) AS \"num_nulls\""
        );
    }

    #[test]
    fn a_cast_to_its_own_type_leaves_a_call_alone() {
        assert_eq!(
            printed("SELECT substr('abc', 1, 2)::text"),
            printed("SELECT substr('abc', 1, 2) AS substr")
        );
    }

    #[test]
    fn a_constant_is_no_place_of_a_column_in_group_by() {
        let sqlite = printed("SELECT 7::int8 FROM (VALUES (1)) AS v(a) GROUP BY 1");
        assert!(sqlite.ends_with("GROUP BY NULL"), "{sqlite}");
    }
}
