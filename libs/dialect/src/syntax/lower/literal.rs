//! Constants, their quotes and escapes undone.

use pgtypes::SqlState;
use squawk_parser::SyntaxKind::*;

use super::super::ast::{Expr, ExprKind, Literal};
use super::names::unquote;
use super::{Lowering, Result, at, expr};
use crate::DialectError;
use crate::syntax::fault;
use crate::syntax::tree::Node;

/// The largest number of a parameter.
const MAX_PARAMETER: u32 = 65535;

impl Lowering<'_> {
    /// A literal's node as an expression.
    pub(super) fn lower_literal(&self, node: Node<'_>) -> Result<Expr> {
        let token = node.children().next().ok_or_else(|| self.syntax(node))?;
        let text = token.text();
        let kind = match token.kind() {
            NULL_KW => ExprKind::Literal(Literal::Null),
            TRUE_KW => ExprKind::Literal(Literal::Boolean(true)),
            FALSE_KW => ExprKind::Literal(Literal::Boolean(false)),
            INT_NUMBER | NUMERIC_NUMBER => {
                let end = fault::scan(self.sql, token.start())?;
                if end != token.end() {
                    return Err(fault::syntax(self.sql, end));
                }
                ExprKind::Literal(if text.bytes().all(|byte| byte.is_ascii_digit()) {
                    Literal::Integer(text.to_owned())
                } else {
                    Literal::Numeric(text.to_owned())
                })
            }
            DEFAULT_KW => ExprKind::Default,
            POSITIONAL_PARAM => self.parameter(token)?,
            BIT_STRING | BYTE_STRING => ExprKind::Literal(Literal::Bits(self.bits(node, token)?)),
            STRING | ESC_STRING | UNICODE_ESC_STRING | NATIONAL_STRING | DOLLAR_QUOTED_STRING => {
                ExprKind::Literal(Literal::String(self.string_text(node)?))
            }
            _ => return Err(self.syntax(token)),
        };
        Ok(expr(kind, at(token), node.start(), node.end()))
    }

    fn parameter(&self, token: Node<'_>) -> Result<ExprKind> {
        fault::scan(self.sql, token.start())?;
        let digits = token.text().get(1..).unwrap_or_default();
        match digits.parse::<u32>() {
            Ok(number) if number <= MAX_PARAMETER => Ok(ExprKind::Parameter(number)),
            Ok(_) | Err(_)
                if digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.is_empty() =>
            {
                Err(DialectError::new(
                    SqlState::UNDEFINED_PARAMETER,
                    format!("there is no parameter ${digits}"),
                )
                .at(self.sql, token.start()))
            }
            _ => Err(self.syntax(token)),
        }
    }

    /// The text of a literal of one or more strings.
    pub(super) fn string_text(&self, node: Node<'_>) -> Result<String> {
        let mut parts = node.children();
        let first = parts.next().ok_or_else(|| self.syntax(node))?;
        fault::scan(self.sql, first.start())?;
        let mut text = match first.kind() {
            ESC_STRING => self.escaped(first, 2)?,
            UNICODE_ESC_STRING => return self.unicode_text(first, node),
            NATIONAL_STRING => unquote(first.text().get(1..).unwrap_or_default(), '\''),
            DOLLAR_QUOTED_STRING => dollar_text(first.text()),
            STRING => unquote(first.text(), '\''),
            _ => return Err(self.syntax(first)),
        };
        let mut end = first.end();
        for part in parts {
            self.check_continuation(end, part)?;
            end = part.end();
            if first.kind() == ESC_STRING {
                text.push_str(&self.escaped(part, 1)?);
            } else {
                text.push_str(&unquote(part.text(), '\''));
            }
        }
        self.refuse_nul(first, text)
    }

    /// The protocol ends a text at a zero byte, and no value may hold one.
    fn refuse_nul(&self, token: Node<'_>, text: String) -> Result<String> {
        if text.contains('\0') {
            return Err(not_utf8(&[0]).at(self.sql, token.start()));
        }
        Ok(text)
    }

    /// Two strings are one only where a line ends between them.
    pub(super) fn check_continuation(&self, end: usize, next: Node<'_>) -> Result<()> {
        let between = self.sql.get(end..next.start()).unwrap_or_default();
        if next.kind() == STRING
            && between.contains(['\n', '\r'])
            && (!between.contains("/*") || between.trim_start().starts_with("--"))
        {
            return Ok(());
        }
        Err(self.syntax(next))
    }

    fn bits(&self, node: Node<'_>, first: Node<'_>) -> Result<String> {
        fault::scan(self.sql, first.start())?;
        let mut digits = unquote(first.text().get(1..).unwrap_or_default(), '\'');
        let mut end = first.end();
        for part in node.children().skip(1) {
            self.check_continuation(end, part)?;
            end = part.end();
            digits.push_str(&unquote(part.text(), '\''));
        }
        let hexadecimal = first.kind() == BYTE_STRING;
        let mut bits = String::with_capacity(digits.len() * if hexadecimal { 4 } else { 1 });
        for digit in digits.chars() {
            match (hexadecimal, digit, digit.to_digit(16)) {
                (false, '0' | '1', _) => bits.push(digit),
                (true, _, Some(value)) => bits.extend(
                    (0..4)
                        .rev()
                        .map(|bit| if value >> bit & 1 == 1 { '1' } else { '0' }),
                ),
                _ => {
                    let kind = if hexadecimal { "hexadecimal" } else { "binary" };
                    return Err(DialectError::new(
                        SqlState::INVALID_TEXT_REPRESENTATION,
                        format!("\"{digit}\" is not a valid {kind} digit"),
                    )
                    .at(self.sql, first.start()));
                }
            }
        }
        Ok(bits)
    }
}

/// 22021 of these bytes.
pub(super) fn not_utf8(bytes: &[u8]) -> DialectError {
    let shown: Vec<String> = bytes.iter().map(|byte| format!("0x{byte:02x}")).collect();
    DialectError::new(
        SqlState::CHARACTER_NOT_IN_REPERTOIRE,
        format!(
            "invalid byte sequence for encoding \"UTF8\": {}",
            shown.join(" ")
        ),
    )
}

/// What stands between `$tag$` and `$tag$`.
fn dollar_text(text: &str) -> String {
    let tag = text
        .get(1..)
        .and_then(|rest| rest.find('$'))
        .map_or(0, |end| end + 2);
    text.get(tag..text.len().saturating_sub(tag))
        .unwrap_or_default()
        .to_owned()
}
