//! ORDER BY, LIMIT, OFFSET.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::Clause;
use crate::analysis::tree::{Expr, ExprKind, Output, Sort, SortBy};
use crate::catalog::TypeId;
use crate::error::DialectError;
use crate::syntax::ast::{self, Literal, SortKey};

impl Analyzer<'_> {
    /// Sort keys that are values, as inside an aggregate and a window.
    pub(crate) fn sort_values(&mut self, keys: &[SortKey]) -> Result<Vec<Sort>, DialectError> {
        keys.iter()
            .map(|key| {
                let value = self.resolved(&key.value)?;
                self.must_sort(&value)?;
                self.sort_by(SortBy::Value(value), key)
            })
            .collect()
    }

    /// Sort keys of a SELECT: a name or a number of the result, else a value.
    pub(crate) fn sort_select(
        &mut self,
        keys: &[SortKey],
        targets: &[Expr],
        columns: &[Output],
    ) -> Result<Vec<Sort>, DialectError> {
        self.in_clause(Clause::OrderBy, |analyzer| {
            keys.iter()
                .map(|key| {
                    let by = analyzer.sort_target(&key.value, targets, columns, "ORDER BY")?;
                    analyzer.must_sort_by(&by, key, columns)?;
                    analyzer.sort_by(by, key)
                })
                .collect()
        })
    }

    /// What a key of ORDER BY, GROUP BY or DISTINCT ON means: SQL's old rules first, then an expression.
    pub(crate) fn sort_target(
        &mut self,
        key: &ast::Expr,
        targets: &[Expr],
        columns: &[Output],
        clause: &str,
    ) -> Result<SortBy, DialectError> {
        if let ast::ExprKind::Column(path) = &key.kind
            && let [name] = path.0.as_slice()
        {
            // In GROUP BY a column of FROM comes before one of the result.
            let hidden = clause == "GROUP BY" && self.is_column(&name.text);
            if !hidden && let Some(index) = self.output_named(name, targets, columns, clause)? {
                return Ok(SortBy::Output(index));
            }
        }
        if let ast::ExprKind::Literal(literal) = &key.kind {
            return self.numbered(literal, key, columns, clause);
        }
        if let Some(negative) = negative(key) {
            return self.numbered(&negative, key, columns, clause);
        }
        let value = self.resolved(key)?;
        match targets.iter().position(|target| *target == value) {
            Some(index) => Ok(SortBy::Output(index)),
            None => Ok(SortBy::Value(value)),
        }
    }

    fn is_column(&self, name: &str) -> bool {
        self.levels.last().is_some_and(|level| {
            level
                .items
                .iter()
                .any(|item| item.by_column && item.columns.iter().any(|c| c.name == name))
        })
    }

    fn output_named(
        &self,
        name: &ast::Name,
        targets: &[Expr],
        columns: &[Output],
        clause: &str,
    ) -> Result<Option<usize>, DialectError> {
        let mut found: Option<usize> = None;
        for (index, column) in columns.iter().enumerate() {
            if column.name != name.text {
                continue;
            }
            match found {
                Some(first) if targets.get(first) != targets.get(index) => {
                    return Err(self.error(
                        name.at,
                        SqlState::AMBIGUOUS_COLUMN,
                        format!("{clause} \"{}\" is ambiguous", name.text),
                    ));
                }
                Some(_) => {}
                None => found = Some(index),
            }
        }
        Ok(found)
    }

    fn numbered(
        &self,
        literal: &Literal,
        key: &ast::Expr,
        columns: &[Output],
        clause: &str,
    ) -> Result<SortBy, DialectError> {
        let Literal::Integer(digits) = literal else {
            return Err(self.error(
                key.at,
                SqlState::SYNTAX_ERROR,
                format!("non-integer constant in {clause}"),
            ));
        };
        let number = digits.parse::<usize>().unwrap_or(usize::MAX);
        if (1..=columns.len()).contains(&number) {
            return Ok(SortBy::Output(number - 1));
        }
        Err(self.error(
            key.at,
            SqlState::INVALID_COLUMN_REFERENCE,
            format!("{clause} position {digits} is not in select list"),
        ))
    }

    /// Sort keys of a set operation: names and numbers of the result only.
    pub(crate) fn sort_outputs(
        &mut self,
        keys: &[SortKey],
        columns: &[Output],
    ) -> Result<Vec<Sort>, DialectError> {
        let targets = vec![];
        keys.iter()
            .map(|key| {
                let by = match &key.value.kind {
                    ast::ExprKind::Column(path) if path.0.len() == 1 => {
                        let name = path.0.first();
                        let index = match name {
                            Some(name) => self.output_named(name, &targets, columns, "ORDER BY")?,
                            None => None,
                        };
                        index.map(SortBy::Output)
                    }
                    ast::ExprKind::Literal(literal) => {
                        Some(self.numbered(literal, &key.value, columns, "ORDER BY")?)
                    }
                    _ => None,
                };
                match by {
                    Some(by) => {
                        self.must_sort_by(&by, key, columns)?;
                        self.sort_by(by, key)
                    }
                    None => match &key.value.kind {
                        ast::ExprKind::Column(path) => Err(self.error(
                            key.value.at,
                            SqlState::UNDEFINED_COLUMN,
                            format!("column \"{}\" does not exist", crate::analysis::scope::dotted(path)),
                        )),
                        _ => Err(self
                            .error(
                                leftmost(&key.value),
                                SqlState::FEATURE_NOT_SUPPORTED,
                                "invalid UNION/INTERSECT/EXCEPT ORDER BY clause",
                            )
                            .detail("Only result column names can be used, not expressions or functions.")
                            .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")),
                    },
                }
            })
            .collect()
    }

    pub(crate) fn sort_by(&mut self, key: SortBy, written: &SortKey) -> Result<Sort, DialectError> {
        let mut descending = written.descending;
        if let Some(using) = &written.using {
            descending = match using.sign.as_str() {
                "<" => false,
                ">" => true,
                _ => {
                    return Err(self
                        .error(
                            using.at,
                            SqlState::WRONG_OBJECT_TYPE,
                            format!("operator {} is not a valid ordering operator", using.sign),
                        )
                        .hint("Ordering operators must be \"<\" or \">\" members of btree operator families."));
                }
            };
        }
        if let SortBy::Value(value) = &key {
            self.must_sort(value)?;
        }
        Ok(Sort {
            key,
            descending,
            // PostgreSQL's NULL is greater than every value.
            nulls_first: written.nulls_first.unwrap_or(descending),
        })
    }

    /// 42883 for a column of the result whose type has no order.
    fn must_sort_by(
        &self,
        by: &SortBy,
        key: &SortKey,
        columns: &[Output],
    ) -> Result<(), DialectError> {
        let column = match by {
            SortBy::Output(index) => columns.get(*index),
            SortBy::Value(_) => None,
        };
        match column {
            // What nothing has told the type of becomes text.
            Some(column) if column.ty.id != TypeId::UNKNOWN => {
                let at = leftmost(&key.value);
                self.must_sort(&Expr::new(
                    column.ty,
                    ExprKind::anonymous_row(Vec::new()),
                    at,
                ))
            }
            _ => Ok(()),
        }
    }

    /// 42883 for a type that has no order.
    pub(crate) fn must_sort(&self, value: &Expr) -> Result<(), DialectError> {
        use crate::catalog::resolve::{OperatorMatch, operator};
        let id = value.ty.id;
        // An array is as its elements are.
        let part = id.element().unwrap_or(id);
        if [id, part]
            .iter()
            .all(|id| matches!(operator("<", Some(*id), *id), OperatorMatch::Found(_)))
        {
            return Ok(());
        }
        Err(self
            .error(
                value.start(),
                SqlState::UNDEFINED_FUNCTION,
                format!(
                    "could not identify an ordering operator for type {}",
                    id.name()
                ),
            )
            .hint("Use an explicit ordering operator or modify the query."))
    }

    /// 42883 for a type that knows no equality, as GROUP BY, DISTINCT and UNION need it.
    pub(crate) fn must_equal(&self, value: &Expr) -> Result<(), DialectError> {
        use crate::catalog::resolve::{OperatorMatch, operator};
        let id = value.ty.id;
        if matches!(operator("=", Some(id), id), OperatorMatch::Found(_)) {
            return Ok(());
        }
        Err(self.error(
            value.start(),
            SqlState::UNDEFINED_FUNCTION,
            format!(
                "could not identify an equality operator for type {}",
                id.name()
            ),
        ))
    }

    /// LIMIT or OFFSET.
    pub(crate) fn limit(
        &mut self,
        value: &ast::Expr,
        clause: Clause,
    ) -> Result<Option<Expr>, DialectError> {
        let value = self.in_clause(clause, |analyzer| analyzer.expr(value))?;
        let value = self.count(value, clause.name())?;
        self.check_no_variables(&value, clause.name())?;
        Ok(Some(value))
    }

    /// 42P10 for a column of this query level.
    pub(crate) fn check_no_variables(&self, value: &Expr, place: &str) -> Result<(), DialectError> {
        let Some(level) = self.levels.last() else {
            return Ok(());
        };
        let mut own = None;
        value.visit(&mut |expr| {
            if let ExprKind::Column(column) = expr.kind
                && level
                    .items
                    .iter()
                    .any(|item| item.relation == Some(column.relation))
            {
                own = own.or(Some(expr.at));
            }
        });
        match own {
            Some(at) => Err(self.error(
                at,
                SqlState::INVALID_COLUMN_REFERENCE,
                format!("argument of {place} must not contain variables"),
            )),
            None => Ok(()),
        }
    }
}

/// A number with a minus before it, which is a constant too.
fn negative(key: &ast::Expr) -> Option<Literal> {
    let ast::ExprKind::Prefix { operator, operand } = &key.kind else {
        return None;
    };
    match &operand.kind {
        ast::ExprKind::Literal(Literal::Integer(digits)) if operator.sign == "-" => {
            Some(Literal::Integer(format!("-{digits}")))
        }
        ast::ExprKind::Literal(Literal::Numeric(digits)) if operator.sign == "-" => {
            Some(Literal::Numeric(format!("-{digits}")))
        }
        _ => None,
    }
}

/// Where an expression's text begins.
fn leftmost(expr: &ast::Expr) -> ast::Position {
    match &expr.kind {
        ast::ExprKind::Infix { operands, .. } => leftmost(&operands[0]).min(expr.at),
        _ => expr.at,
    }
}
