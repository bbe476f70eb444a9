//! Random queries with groups, windows, set operations and DISTINCT.

use dialect::catalog::{FunctionKind, TypeId};

use crate::expressions::{Column, Generator};
use crate::node::{Node, Sort};
use crate::queries::Statement;
use crate::signatures::Signature;

impl Generator<'_> {
    /// A query with groups.
    pub(crate) fn grouped(&mut self) -> Statement {
        let (from, ..) = self.from();
        let count = self.below(3);
        let keys: Vec<Node> = (0..count)
            .map(|_| {
                let ty = self.key_type();
                let depth = u32::from(self.once_in(3));
                self.column_or_value(ty, depth)
            })
            .collect();
        let aggregates: Vec<Node> = (0..=self.below(2)).map(|_| self.aggregate()).collect();
        let condition = self.filter();
        let having = if self.once_in(4) {
            let aggregate = self.aggregate();
            Node::clause(" HAVING {} IS NOT NULL", [aggregate])
        } else {
            Node::none()
        };
        let mut targets = keys.clone();
        targets.extend(aggregates);
        let targets = Node::list(", ", targets);
        let group = if keys.is_empty() {
            Node::none()
        } else {
            let places: Vec<String> = (1..=keys.len()).map(|at| at.to_string()).collect();
            Node::leaf(Sort::Fixed, format!(" GROUP BY {}", places.join(", ")))
        };
        let targets = if keys.is_empty() {
            targets
        } else {
            Node::fixed("{}", [targets])
        };
        let node = Node::fixed(
            "SELECT {} FROM {}{}{}{}",
            [targets, from, condition, group, having],
        );
        Statement::query(node, false)
    }

    fn column_or_value(&mut self, ty: TypeId, depth: u32) -> Node {
        let those: Vec<Column> = self
            .columns
            .iter()
            .filter(|column| column.ty == ty)
            .cloned()
            .collect();
        if those.is_empty() || depth > 0 {
            return self.value(ty, depth);
        }
        let column = self.pick(&those).clone();
        Node::leaf(Sort::Fixed, column.sql)
    }

    /// An aggregate over the rows of a group, in an order that makes it the same wherever it matters.
    pub(crate) fn aggregate(&mut self) -> Node {
        let signatures = self.signatures;
        let signature = loop {
            let signature = self.pick(&signatures.aggregates);
            // What has lost its width is not shown with blanks.
            if !is_ambiguous(signature) {
                break signature;
            }
        };
        let mut arguments: Vec<Node> = (0..signature.arguments.len())
            .map(|at| self.argument(signature, at, 1))
            .collect();
        let plain = matches!(
            signature.kind,
            FunctionKind::Aggregate {
                ordered_set: false,
                ..
            }
        );
        let mut template = signature.template.clone();
        if plain && !arguments.is_empty() {
            template.pop();
            let sortable = !signature.arguments.iter().any(|ty| {
                matches!(
                    *ty,
                    TypeId::JSON | TypeId::INTERVAL | TypeId::JSONB | TypeId::NUMERIC
                ) || ty.is_array()
                    // As JSON 0 and -0 are two.
                    || signature.name.starts_with("json")
                        && matches!(*ty, TypeId::FLOAT4 | TypeId::FLOAT8)
            });
            if arguments.len() == 1 && sortable && self.once_in(3) {
                template = template.replacen('(', "(DISTINCT ", 1);
            } else {
                // The order of all that goes in.
                let places: Vec<Node> = arguments.clone();
                let order = signature.arguments.iter().map(|ty| {
                    let ambiguous = matches!(
                        *ty,
                        TypeId::JSON
                            | TypeId::CHAR
                            | TypeId::INTERVAL
                            | TypeId::NUMERIC
                            | TypeId::JSONB
                            // 0 and -0 are equal.
                            | TypeId::FLOAT4
                            | TypeId::FLOAT8
                    );
                    if ambiguous || ty.is_array() {
                        "({})::text"
                    } else {
                        "{}"
                    }
                });
                template.push_str(" ORDER BY ");
                template.push_str(&order.collect::<Vec<_>>().join(", "));
                arguments.extend(places);
            }
            template.push(')');
        }
        if self.once_in(5) {
            template.push_str(" FILTER (WHERE {})");
            let condition = self.condition(1);
            arguments.push(condition);
        }
        // The order repeats the arguments: a smaller one would have to be made twice.
        Node::fixed(&of_one_text(signature, template), arguments)
            .whole(Sort::Value(signature.result))
    }

    /// A query with windows over a table.
    pub(crate) fn windowed(&mut self) -> Statement {
        let table = *self.pick(&["t", "u"]);
        self.columns = Self::table_columns(table, table);
        let list: Vec<Node> = (0..=self.below(2))
            .map(|_| self.window_call(table))
            .collect();
        let condition = self.filter();
        let node = Node::fixed(
            &format!("SELECT {table}.id, {{}} FROM {table}{{}} ORDER BY 1"),
            [Node::list(", ", list), condition],
        );
        Statement::query(node, true)
    }

    fn window_call(&mut self, table: &str) -> Node {
        let signatures = self.signatures;
        let plain: Vec<_> = signatures
            .aggregates
            .iter()
            .filter(|one| {
                matches!(
                    one.kind,
                    FunctionKind::Aggregate {
                        ordered_set: false,
                        ..
                    }
                ) && !is_ambiguous(one)
            })
            .collect();
        let signature = if self.once_in(2) {
            self.pick(&signatures.windows)
        } else {
            *self.pick(&plain)
        };
        let mut parts: Vec<Node> = (0..signature.arguments.len())
            .map(|at| {
                let small = matches!(signature.name, "ntile" | "nth_value" | "lag" | "lead")
                    && signature.arguments[at] == TypeId::INT4
                    && (at == 1 || signature.name == "ntile");
                if small {
                    let number = 1 + self.below(3);
                    return Node::leaf(Sort::Value(TypeId::INT4), number.to_string());
                }
                self.argument(signature, at, 1)
            })
            .collect();
        let partition = if self.once_in(2) {
            let ty = self.key_type();
            let key = self.column_or_value(ty, 0);
            Node::clause("PARTITION BY {} ", [key])
        } else {
            Node::none()
        };
        parts.push(partition);
        let frame = *self.pick(&[
            "",
            "",
            " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
            " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
            " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
            " ROWS 2 PRECEDING",
            " RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
            " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
            " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
            " RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING",
            " ROWS BETWEEN 1 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW",
        ]);
        let direction = if frame.contains("RANGE") {
            ""
        } else {
            *self.pick(&["", " DESC"])
        };
        let order = format!("ORDER BY {table}.id{direction}{frame}");
        let template = format!("{} OVER ({{}}{order})", signature.template);
        let template = of_one_text(signature, template);
        Node::value(signature.result, &template, parts)
    }

    /// UNION and its kin, DISTINCT, DISTINCT ON.
    pub(crate) fn combined(&mut self) -> Statement {
        if self.once_in(3) {
            return self.distinct();
        }
        let ty = self.key_type();
        let mut node = self.side(ty);
        for _ in 0..=self.below(2) {
            let sign = *self.pick(&[
                "UNION",
                "UNION ALL",
                "EXCEPT",
                "INTERSECT",
                "INTERSECT ALL",
                "EXCEPT ALL",
            ]);
            let other = self.side(ty);
            node = Node::fixed(
                "{}{}",
                [node, Node::clause(&format!(" {sign} {{}}"), [other])],
            );
        }
        if self.once_in(2) {
            let direction = *self.pick(&["", " DESC", " NULLS FIRST"]);
            node = Node::fixed(&format!("{{}} ORDER BY 1{direction}"), [node]);
        }
        Statement::query(node, false)
    }

    fn side(&mut self, ty: TypeId) -> Node {
        let outer = std::mem::take(&mut self.columns);
        let from = self.source(&mut Vec::new());
        let value = self.value(ty, 1);
        let condition = self.filter();
        self.columns = outer;
        Node::fixed("SELECT {} FROM {}{}", [value, from, condition])
    }

    fn distinct(&mut self) -> Statement {
        self.columns = Self::table_columns("u", "u");
        let ty = self.key_type();
        let key = self.column_or_value(ty, 0);
        if self.once_in(2) {
            let other = self.key_type();
            let other = self.column_or_value(other, 0);
            return Statement::query(
                Node::fixed("SELECT DISTINCT {}, {} FROM u", [key, other]),
                false,
            );
        }
        let other = self.any_type();
        let value = self.value(other, 1);
        let condition = self.filter();
        let node = Node::fixed(
            "SELECT DISTINCT ON ({}) u.id, {} FROM u{} ORDER BY {}, u.id",
            [
                Node::leaf(Sort::Fixed, key.text()),
                value,
                condition,
                Node::leaf(Sort::Fixed, key.text()),
            ],
        );
        Statement::query(node, true)
    }
}

/// Where one of several equal numbers is the result, whichever, it is shown as all of them are without their zeros.
fn of_one_text(signature: &Signature, call: String) -> String {
    let picks = matches!(signature.name, "min" | "max" | "mode" | "percentile_disc");
    if picks && signature.result == TypeId::NUMERIC {
        format!("trim_scale({call})")
    } else {
        call
    }
}

/// Aggregates of which one of several equal values is the result, and those of what has lost its width.
fn is_ambiguous(signature: &Signature) -> bool {
    signature.arguments.contains(&TypeId::BPCHAR)
        || matches!(signature.name, "min" | "max" | "mode" | "percentile_disc")
            && [TypeId::INTERVAL, TypeId::JSONB].contains(&signature.result)
}
