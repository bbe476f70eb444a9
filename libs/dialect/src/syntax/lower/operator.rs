//! Operators and how tightly they bind, as PostgreSQL's grammar has it.

use squawk_parser::SyntaxKind::{self, *};

use super::super::ast::Operator;
use super::names::Place;
use super::{Lowering, Result, at};
use crate::syntax::fault;
use crate::syntax::tree::Node;

/// How tightly an operator binds; two operators of one level that does not associate cannot follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// OR.
    Or,
    /// AND.
    And,
    /// NOT.
    Not,
    /// IS, ISNULL, NOTNULL.
    Is,
    /// `<` `>` `=` `<=` `>=` `<>`.
    Comparison,
    /// BETWEEN, IN, LIKE, ILIKE, SIMILAR.
    Pattern,
    /// ESCAPE.
    Escape,
    /// OVERLAPS, between operands in parentheses only, and all other operators.
    Other,
    /// `+` `-`.
    Sum,
    /// `*` `/` `%`.
    Product,
    /// `^`.
    Power,
    /// AT TIME ZONE.
    AtTimeZone,
    /// COLLATE.
    Collate,
    /// A sign.
    Sign,
    /// `::`, `[]`, `.`.
    Suffix,
}

impl Level {
    /// Whether `a op b op c` is refused.
    pub(super) fn is_nonassociative(self) -> bool {
        matches!(
            self,
            Self::Is | Self::Comparison | Self::Pattern | Self::Escape
        )
    }

    /// The level above, for the right side of an operator that associates to the left.
    pub(super) fn above(self) -> Self {
        match self {
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Is,
            Self::Is => Self::Comparison,
            Self::Comparison => Self::Pattern,
            Self::Pattern => Self::Escape,
            Self::Escape => Self::Other,
            Self::Other => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Power,
            Self::Power => Self::AtTimeZone,
            Self::AtTimeZone => Self::Collate,
            Self::Collate => Self::Sign,
            Self::Sign | Self::Suffix => Self::Suffix,
        }
    }
}

/// Signs that stand between operands only, though `+` and `-` are signs of numbers, too.
pub(super) fn is_infix_only(sign: &str) -> bool {
    level_of(sign) != Level::Other || matches!(sign, "=>" | ":=")
}

/// The level of an operator's sign between two operands.
fn level_of(sign: &str) -> Level {
    match sign {
        "<" | ">" | "=" | "<=" | ">=" | "<>" | "!=" => Level::Comparison,
        "+" | "-" => Level::Sum,
        "*" | "/" | "%" => Level::Product,
        "^" => Level::Power,
        _ => Level::Other,
    }
}

/// How tightly an item of a chain binds what stands before it; `after` is the kind of the item after it.
pub(super) fn infix_level(item: Node<'_>, after: Option<SyntaxKind>) -> Option<Level> {
    Some(match item.kind() {
        OR_KW => Level::Or,
        AND_KW => Level::And,
        IS_KW | ISNULL_KW | NOTNULL_KW => Level::Is,
        IN_KW | LIKE_KW | ILIKE_KW | SIMILAR_KW | BETWEEN_KW => Level::Pattern,
        NOT_KW => match after {
            Some(IN_KW | LIKE_KW | ILIKE_KW | SIMILAR_KW | BETWEEN_KW) => Level::Pattern,
            _ => return None,
        },
        ESCAPE_KW => Level::Escape,
        OVERLAPS_KW | CUSTOM_OP | OPERATOR_CALL => match item.text() {
            text @ ("<" | ">" | "=" | "<=" | ">=" | "<>" | "!=") => level_of(text),
            _ => Level::Other,
        },
        AT_TIME_ZONE => Level::AtTimeZone,
        COLLATE_KW => Level::Collate,
        COLON_COLON | L_BRACK | DOT => Level::Suffix,
        PLUS | MINUS | STAR | SLASH | PERCENT | CARET | L_ANGLE | R_ANGLE | EQ | LTEQ | GTEQ
        | NEQ | NEQB => level_of(item.text()),
        _ => return None,
    })
}

impl Lowering<'_> {
    /// An operator by its text; `!=` is `<>`.
    pub(super) fn sign_operator(&self, node: Node<'_>) -> Result<Operator> {
        let text = node.text();
        self.check_sign(node)?;
        Ok(Operator {
            schema: None,
            sign: if text == "!=" { "<>" } else { text }.to_owned(),
            at: at(node),
        })
    }

    /// Refuses a part of an operator that PostgreSQL's scanner reads as a longer one.
    pub(super) fn check_sign(&self, node: Node<'_>) -> Result<()> {
        if fault::scan(self.sql, node.start())? != node.end() {
            return Err(self.syntax(node));
        }
        Ok(())
    }

    /// `OPERATOR (schema.sign)`.
    pub(super) fn operator_call(&self, node: Node<'_>) -> Result<Operator> {
        let op = self.need(node, OP)?;
        let mut schema = None;
        let mut start = op.start();
        if let Some(path) = op.child(PATH_REF) {
            start = path.end();
            let names = path.children().find(|child| child.kind() == PATH_REF);
            let names = names.ok_or_else(|| self.syntax(op))?;
            let mut path = self.lower_path(names, Place::Column)?.0;
            schema = path.pop();
        }
        let sign = self
            .sql
            .get(start..op.end())
            .unwrap_or_default()
            .trim_start_matches('.')
            .trim();
        if sign.is_empty()
            || !sign
                .bytes()
                .all(|byte| b"+-*/<>=~!@#%^&|`?".contains(&byte))
        {
            return Err(fault::syntax(self.sql, start));
        }
        Ok(Operator {
            schema,
            sign: if sign == "!=" { "<>" } else { sign }.to_owned(),
            at: at(node),
        })
    }
}
