//! Calls that SQL spells in its own way, under the names that PostgreSQL's grammar gives them.

use squawk_parser::SyntaxKind::*;

use super::super::ast::{Argument, Expr, ExprKind, Literal, Name, Path, TypeName};
use super::call::{plain, special};
use super::chain::query_in;
use super::names::{Place, first_token};
use super::{Lowering, Result, at, expr, is_expression, is_query};
use crate::syntax::tree::Node;

impl Lowering<'_> {
    /// `EXTRACT (…)` and its kin; what follows the parentheses of a call that is none is refused.
    pub(super) fn lower_form(&self, node: Node<'_>, function: Node<'_>) -> Result<ExprKind> {
        self.no_clauses(node)?;
        let place = at(function);
        let (name, arguments) = match function.kind() {
            EXISTS_FN => {
                let query = function.nodes().find_map(|child| query_in(child));
                let query = query.ok_or_else(|| self.syntax_after(function))?;
                return Ok(ExprKind::Exists(Box::new(self.lower_query(query)?)));
            }
            COLLATION_FOR_FN => ("pg_collation_for", self.operands(function)?),
            EXTRACT_FN => ("extract", self.extract(function)?),
            POSITION_FN => {
                let mut arguments = Vec::with_capacity(2);
                for child in function.nodes() {
                    arguments.push(self.lower_restricted(child)?);
                }
                arguments.reverse();
                if arguments.len() != 2 {
                    return Err(self.syntax_after(function));
                }
                ("position", arguments)
            }
            SUBSTRING_FN | OVERLAY_FN => return self.substring_or_overlay(function),
            TRIM_FN => self.trim(function)?,
            JSON_EXISTS_FN | JSON_ARRAY_FN | JSON_OBJECT_FN | JSON_OBJECT_AGG_FN
            | JSON_ARRAY_AGG_FN | JSON_QUERY_FN | JSON_SCALAR_FN | JSON_SERIALIZE_FN
            | JSON_VALUE_FN | JSON_FN => return self.json(function),
            XML_ELEMENT_FN => return Ok(ExprKind::Unsupported("XMLELEMENT")),
            XML_FOREST_FN => return Ok(ExprKind::Unsupported("XMLFOREST")),
            XML_PARSE_FN => return Ok(ExprKind::Unsupported("XMLPARSE")),
            XML_PI_FN => return Ok(ExprKind::Unsupported("XMLPI")),
            XML_ROOT_FN => return Ok(ExprKind::Unsupported("XMLROOT")),
            XML_SERIALIZE_FN => return Ok(ExprKind::Unsupported("XMLSERIALIZE")),
            XML_EXISTS_FN => return Ok(ExprKind::Unsupported("XMLEXISTS")),
            _ => return Err(self.syntax(function)),
        };
        Ok(ExprKind::Call(Box::new(special(name, arguments, place))))
    }

    /// The expressions directly below.
    fn operands(&self, node: Node<'_>) -> Result<Vec<Expr>> {
        let mut list = Vec::new();
        for child in node.nodes() {
            if !is_expression(child.kind()) {
                return Err(self.syntax(child));
            }
            list.push(self.lower_expr(child)?);
        }
        if list.is_empty() {
            return Err(self.syntax_after(node));
        }
        Ok(list)
    }

    fn extract(&self, function: Node<'_>) -> Result<Vec<Expr>> {
        let mut parts = function.nodes();
        let (Some(field), Some(value)) = (parts.next(), parts.next()) else {
            return Err(self.syntax_after(function));
        };
        let text = match field.kind() {
            EXTRACT_FIELD_LITERAL => self.string_text(self.need(field, LITERAL)?)?,
            _ => self.lower_name(field, Place::Label)?.text,
        };
        let field = expr(
            ExprKind::Literal(Literal::String(text)),
            at(field),
            field.start(),
            field.end(),
        );
        Ok(vec![field, self.lower_expr(value)?])
    }

    fn substring_or_overlay(&self, function: Node<'_>) -> Result<ExprKind> {
        let word = first_token(function).unwrap_or(function);
        let place = at(function);
        let name = if function.kind() == OVERLAY_FN {
            "overlay"
        } else {
            "substring"
        };
        let Some(inner) = function.nodes().next() else {
            let path = Path(vec![Name {
                text: name.to_owned(),
                at: at(word),
            }]);
            return Ok(ExprKind::Call(Box::new(plain(path, Vec::new()))));
        };
        let arguments = match inner.kind() {
            SUBSTRING_EXPRS | OVERLAY_EXPRS => return self.plain_form(name, word, inner),
            OVERLAY_PLACING | SUBSTRING_FROM_FOR => self.operands(inner)?,
            SUBSTRING_FOR_FROM => {
                let mut list = self.operands(inner)?;
                match list.as_mut_slice() {
                    [_, length, start] => std::mem::swap(length, start),
                    [_, length] => {
                        let end = length.from;
                        let one = Expr {
                            kind: ExprKind::Literal(Literal::Integer("1".to_owned())),
                            at: end,
                            from: end,
                            to: end,
                        };
                        let length = list.pop();
                        list.push(one);
                        list.extend(length.map(|length| to_int4(length, word)));
                    }
                    _ => return Err(self.syntax_after(inner)),
                }
                list
            }
            SUBSTRING_SIMILAR_ESCAPE => {
                let list = self.operands(inner)?;
                if list.len() != 3 {
                    return Err(self.syntax_after(inner));
                }
                list
            }
            _ => return Err(self.syntax(inner)),
        };
        if arguments.len() < 2 {
            return Err(self.syntax_after(inner));
        }
        Ok(ExprKind::Call(Box::new(special(name, arguments, place))))
    }

    /// The same words as a call of any other function.
    fn plain_form(&self, name: &str, word: Node<'_>, inner: Node<'_>) -> Result<ExprKind> {
        self.check_commas(inner)?;
        let mut arguments = Vec::new();
        for child in inner.nodes() {
            let (name, value) = match child.kind() {
                NAMED_ARG => {
                    let mut parts = child.nodes();
                    let (Some(name), Some(value)) = (parts.next(), parts.next()) else {
                        return Err(self.syntax_after(child));
                    };
                    (Some(self.lower_name(name, Place::Function)?), value)
                }
                kind if is_expression(kind) => (None, child),
                _ => return Err(self.syntax(child)),
            };
            let value = self.lower_expr(value)?;
            arguments.push(Argument { name, value });
        }
        let path = Path(vec![Name {
            text: name.to_owned(),
            at: at(word),
        }]);
        Ok(ExprKind::Call(Box::new(plain(path, arguments))))
    }

    fn trim(&self, function: Node<'_>) -> Result<(&'static str, Vec<Expr>)> {
        let name = if function.has(TRIM_LEADING) {
            "ltrim"
        } else if function.has(TRIM_TRAILING) {
            "rtrim"
        } else {
            "btrim"
        };
        let inner = function
            .nodes()
            .find(|child| matches!(child.kind(), TRIM_FROM | TRIM_EXPR_FROM | TRIM_EXPRS))
            .ok_or_else(|| self.syntax_after(function))?;
        let mut list = self.operands(inner)?;
        if inner.kind() == TRIM_EXPR_FROM {
            if list.len() < 2 {
                return Err(self.syntax_after(inner));
            }
            list.rotate_left(1);
        }
        Ok((name, list))
    }

    /// The functions of SQL/JSON are no syntax of their own before PostgreSQL 16: they are called as any others.
    fn json(&self, function: Node<'_>) -> Result<ExprKind> {
        let word = first_token(function).unwrap_or(function);
        let mut arguments = Vec::new();
        for child in function.children().skip(1) {
            let value = match child.kind() {
                L_PAREN | R_PAREN | COMMA => continue,
                JSON_EXPR_FORMAT | JSON_VALUE_EXPR if child.nodes().count() == 1 => {
                    child.nodes().next()
                }
                _ => Some(child),
            };
            match value {
                Some(value) if is_expression(value.kind()) && !is_query(value.kind()) => {
                    arguments.push(Argument {
                        name: None,
                        value: self.lower_expr(value)?,
                    });
                }
                _ => return Err(self.syntax(child)),
            }
        }
        let path = Path(vec![Name {
            text: word.text().to_ascii_lowercase(),
            at: at(word),
        }]);
        Ok(ExprKind::Call(Box::new(plain(path, arguments))))
    }
}

/// A length without a start is cast, so that it picks the function that counts.
fn to_int4(value: Expr, word: Node<'_>) -> Expr {
    let part = |text: &str| Name {
        text: text.to_owned(),
        at: at(word),
    };
    let (place, from, to) = (value.at, value.from, value.to);
    let ty = TypeName {
        name: Path(vec![part("pg_catalog"), part("int4")]),
        modifiers: Vec::new(),
        interval: None,
        dimensions: 0,
        set_of: false,
        at: place,
    };
    Expr {
        kind: ExprKind::Cast {
            operand: Box::new(value),
            to: ty,
        },
        at: place,
        from,
        to,
    }
}
