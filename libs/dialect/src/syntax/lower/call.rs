//! Calls of functions, aggregates and window functions.

use squawk_parser::SyntaxKind::{self, *};

use super::super::ast::{
    Argument, Call, Expr, ExprKind, Literal, Name, Over, Path, Position, ValueFunction,
};
use super::names::{Place, first_token};
use super::operand::value_function;
use super::{Lowering, Result, at, expr, is_expression};
use crate::syntax::fault;
use crate::syntax::tree::Node;

/// A call that SQL spells in its own way, of a function of `pg_catalog`.
pub(super) fn special(name: &str, arguments: Vec<Expr>, place: Position) -> Call {
    let part = |text: &str| Name {
        text: text.to_owned(),
        at: place,
    };
    Call {
        special: true,
        ..plain(
            Path(vec![part("pg_catalog"), part(name)]),
            arguments
                .into_iter()
                .map(|value| Argument { name: None, value })
                .collect(),
        )
    }
}

/// A call with arguments and nothing else.
pub(super) fn plain(name: Path, arguments: Vec<Argument>) -> Call {
    Call {
        name,
        arguments,
        star: false,
        distinct: false,
        variadic: false,
        order_by: Vec::new(),
        within_group: false,
        filter: None,
        ignore_nulls: false,
        over: None,
        special: false,
    }
}

impl Lowering<'_> {
    /// A call in any of its forms.
    pub(super) fn lower_call(&self, node: Node<'_>) -> Result<Expr> {
        let function = node
            .children()
            .next()
            .ok_or_else(|| self.syntax_after(node))?;
        let word = first_token(function).ok_or_else(|| self.syntax_after(node))?;
        let kind = match function.kind() {
            NAME_REF if word.kind() != IDENT => match self.keyword_call(node, word)? {
                Some(kind) => kind,
                None => self.function_call(node, function)?,
            },
            NAME_REF | FIELD_EXPR => self.function_call(node, function)?,
            ANY_FN | SOME_FN | ALL_FN => return Err(self.syntax(function)),
            _ => self.lower_form(node, function)?,
        };
        Ok(expr(kind, at(node), node.start(), node.end()))
    }

    /// COALESCE and its kin, if the word is one of them; a word in quotes never is.
    fn keyword_call(&self, node: Node<'_>, word: Node<'_>) -> Result<Option<ExprKind>> {
        if let Some(function) = value_function(word) {
            // CURRENT_SCHEMA names a function, too
            if function == ValueFunction::CurrentSchema {
                return Ok(None);
            }
            return self.precise(node, function).map(Some);
        }
        let kind = word.kind();
        if !matches!(
            kind,
            COALESCE_KW
                | NULLIF_KW
                | GREATEST_KW
                | LEAST_KW
                | GROUPING_KW
                | NORMALIZE_KW
                | XMLCONCAT_KW
        ) {
            return Ok(None);
        }
        self.no_clauses(node)?;
        let list = self.need(node, ARG_LIST)?;
        let mut arguments = self.expressions(list)?;
        if arguments.is_empty() {
            return Err(self.syntax_close(list));
        }
        Ok(Some(match kind {
            COALESCE_KW => ExprKind::Coalesce(arguments),
            GREATEST_KW => ExprKind::Greatest(arguments),
            LEAST_KW => ExprKind::Least(arguments),
            GROUPING_KW => ExprKind::Grouping(arguments),
            XMLCONCAT_KW => ExprKind::Unsupported("XMLCONCAT"),
            NULLIF_KW => {
                let third = list.children().filter(|child| child.kind() == COMMA).nth(1);
                match <[Expr; 2]>::try_from(arguments) {
                    Ok(both) => ExprKind::NullIf(Box::new(both)),
                    Err(_) => {
                        return Err(third
                            .map_or_else(|| self.syntax_close(list), |third| self.syntax(third)));
                    }
                }
            }
            _ => {
                if let Some(form) = list.nodes().nth(1) {
                    let token = first_token(form).unwrap_or(form);
                    if !matches!(token.kind(), NFC_KW | NFD_KW | NFKC_KW | NFKD_KW)
                        || token.end() != form.end()
                    {
                        return Err(self.syntax(form));
                    }
                    let text = Literal::String(token.text().to_ascii_uppercase());
                    arguments.truncate(1);
                    arguments.push(expr(
                        ExprKind::Literal(text),
                        at(form),
                        form.start(),
                        form.end(),
                    ));
                }
                ExprKind::Call(Box::new(special("normalize", arguments, at(word))))
            }
        }))
    }

    /// `CURRENT_TIMESTAMP (3)`.
    fn precise(&self, node: Node<'_>, function: ValueFunction) -> Result<ExprKind> {
        let list = self.need(node, ARG_LIST)?;
        self.no_clauses(node)?;
        if !matches!(
            function,
            ValueFunction::CurrentTime
                | ValueFunction::CurrentTimestamp
                | ValueFunction::LocalTime
                | ValueFunction::LocalTimestamp
        ) {
            return Err(self.syntax(list));
        }
        let arguments = self.expressions(list)?;
        match arguments.as_slice() {
            [
                Expr {
                    kind: ExprKind::Literal(Literal::Integer(digits)),
                    ..
                },
            ] => Ok(ExprKind::ValueFunction {
                function,
                precision: digits.parse().ok(),
            }),
            [] => Err(self.syntax_close(list)),
            [first, ..] => Err(fault::syntax(self.sql, first.from.0 as usize)),
        }
    }

    /// Arguments that are expressions and nothing more.
    fn expressions(&self, list: Node<'_>) -> Result<Vec<Expr>> {
        self.check_commas(list)?;
        let mut values = Vec::new();
        for child in list.children() {
            match child.kind() {
                L_PAREN | R_PAREN | COMMA => {}
                ARG => {
                    for part in child.children() {
                        if !is_expression(part.kind()) {
                            let named = part.children().nth(1).unwrap_or(part);
                            let found = if part.kind() == NAMED_ARG {
                                named
                            } else {
                                part
                            };
                            return Err(self.syntax(found));
                        }
                        values.push(self.lower_expr(part)?);
                    }
                }
                _ => return Err(self.syntax(child)),
            }
        }
        Ok(values)
    }

    /// Refuses FILTER, OVER and WITHIN GROUP after what is no call of a function.
    pub(super) fn no_clauses(&self, node: Node<'_>) -> Result<()> {
        match node.children().find(|child| is_call_clause(child.kind())) {
            Some(clause) => Err(self.syntax(clause)),
            None => Ok(()),
        }
    }

    /// A function's name as it stands before its parenthesis.
    fn function_name(&self, function: Node<'_>) -> Result<Path> {
        if function.kind() == NAME_REF {
            return Ok(Path(vec![
                self.lower_name(function, Place::Function)
                    .map_err(|error| {
                        // a word that may name a column is no fault, the parenthesis after it is
                        if self.column_name(function).is_ok() {
                            self.syntax_after(function)
                        } else {
                            error
                        }
                    })?,
            ]));
        }
        let mut names = Vec::new();
        let mut rest = function;
        while rest.kind() == FIELD_EXPR {
            let name = rest.nodes().nth(1).filter(|name| name.kind() == NAME_REF);
            names.push(self.lower_name(
                name.ok_or_else(|| self.syntax_after(function))?,
                Place::Label,
            )?);
            rest = rest.nodes().next().ok_or_else(|| self.syntax(rest))?;
        }
        if rest.kind() != NAME_REF {
            return Err(self.syntax_after(function));
        }
        names.push(self.column_name(rest)?);
        names.reverse();
        Ok(Path(names))
    }

    fn function_call(&self, node: Node<'_>, function: Node<'_>) -> Result<ExprKind> {
        let mut call = plain(self.function_name(function)?, Vec::new());
        let list = self.need(node, ARG_LIST)?;
        self.arguments(list, &mut call)?;
        self.call_clauses(node, &mut call)?;
        Ok(ExprKind::Call(Box::new(call)))
    }

    /// What stands in a call's parentheses.
    fn arguments(&self, list: Node<'_>, call: &mut Call) -> Result<()> {
        self.check_arguments(list)?;
        for child in list.children() {
            match child.kind() {
                STAR => call.star = true,
                DISTINCT => call.distinct = true,
                ARG => {
                    if call.variadic || !call.order_by.is_empty() {
                        return Err(self.syntax(child));
                    }
                    for part in child.children() {
                        match part.kind() {
                            VARIADIC_KW => call.variadic = true,
                            NAMED_ARG => call.arguments.push(self.named_argument(part)?),
                            ORDER_BY_CLAUSE => call.order_by = self.lower_order_by(part)?,
                            _ => call.arguments.push(Argument {
                                name: None,
                                value: self.lower_expr(part)?,
                            }),
                        }
                    }
                }
                ALL | L_PAREN | R_PAREN | COMMA => {}
                _ => return Err(self.syntax(child)),
            }
        }
        let quantified = list.child(ALL).or_else(|| list.child(DISTINCT));
        if quantified.is_some() {
            if let Some(star) = list.child(STAR) {
                return Err(self.syntax(star));
            }
            if call.arguments.is_empty() {
                return Err(self.syntax_close(list));
            }
            if call.variadic
                && let Some(word) = list.nodes().find_map(|arg| arg.child(VARIADIC_KW))
            {
                return Err(self.syntax(word));
            }
        }
        Ok(())
    }

    /// Commas stand between arguments only, and a parenthesis ends them.
    fn check_arguments(&self, list: Node<'_>) -> Result<()> {
        let mut comma: Option<Node<'_>> = None;
        let mut argument = false;
        let mut last = false;
        for child in list.children() {
            match child.kind() {
                COMMA if !argument => return Err(self.syntax(child)),
                COMMA if last => return Err(self.syntax(child)),
                COMMA => {
                    argument = false;
                    comma = Some(child);
                }
                ARG => {
                    if argument {
                        return Err(self.syntax(child));
                    }
                    argument = true;
                    last = child.has(VARIADIC_KW) || child.has(ORDER_BY_CLAUSE);
                    comma = None;
                }
                R_PAREN if comma.is_some() => return Err(self.syntax(child)),
                ERROR if argument && child.text().starts_with(',') => {
                    return Err(self.syntax_after(child));
                }
                ERROR => return Err(self.syntax(child)),
                _ => {}
            }
        }
        Ok(())
    }

    fn named_argument(&self, node: Node<'_>) -> Result<Argument> {
        let mut parts = node.nodes();
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
            return Err(self.syntax_after(node));
        };
        Ok(Argument {
            name: Some(self.lower_name(name, Place::Function)?),
            value: self.lower_expr(value)?,
        })
    }

    /// WITHIN GROUP, FILTER, OVER.
    fn call_clauses(&self, node: Node<'_>, call: &mut Call) -> Result<()> {
        for child in node.children() {
            match child.kind() {
                WITHIN_CLAUSE => {
                    let words = [
                        (call.variadic, "cannot use VARIADIC with WITHIN GROUP"),
                        (call.distinct, "cannot use DISTINCT with WITHIN GROUP"),
                        (
                            !call.order_by.is_empty(),
                            "cannot use multiple ORDER BY clauses with WITHIN GROUP",
                        ),
                    ];
                    if let Some((_, message)) = words.iter().rev().find(|(found, _)| *found) {
                        return Err(self.refuse(child.start(), *message));
                    }
                    call.order_by = self.lower_order_by(self.need(child, ORDER_BY_CLAUSE)?)?;
                    call.within_group = true;
                }
                FILTER_CLAUSE => {
                    let value = child.nodes().next();
                    let value = value.ok_or_else(|| self.syntax_after(child))?;
                    call.filter = Some(self.lower_expr(value)?);
                }
                // To PostgreSQL's grammar the first word is the column's name.
                IGNORE_NULLS | RESPECT_NULLS => {
                    return Err(self.syntax(child.children().last().unwrap_or(child)));
                }
                OVER_CLAUSE => call.over = Some(self.lower_over(child)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// OVER.
    fn lower_over(&self, node: Node<'_>) -> Result<Over> {
        if let Some(name) = node.child(WINDOW_REF) {
            return Ok(Over::Name(self.column_name(name)?));
        }
        let target = self.need(node, OVER_WINDOW_SPEC)?;
        Ok(Over::Window(self.lower_window(target)?))
    }
}

/// What may follow a call's parentheses.
fn is_call_clause(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        WITHIN_CLAUSE | FILTER_CLAUSE | IGNORE_NULLS | RESPECT_NULLS | OVER_CLAUSE
    )
}
