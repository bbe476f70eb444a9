//! Names of types: the grammar's spellings become the catalog's.

use pgtypes::SqlState;
use squawk_parser::SyntaxKind::{self, *};

use super::super::ast::{Expr, ExprKind, IntervalFields, Literal, Name, Path, TypeName};
use super::names::{Place, first_token};
use super::{Lowering, Result, at, expr, is_expression};
use crate::DialectError;
use crate::syntax::tree::Node;

/// The bits of a double's mantissa.
const DOUBLE_BITS: u32 = 53;
/// The bits of a single's mantissa.
const SINGLE_BITS: u32 = 24;

impl Lowering<'_> {
    /// A type in a cast or a definition.
    pub(super) fn lower_type(&self, node: Node<'_>) -> Result<TypeName> {
        self.type_name(node, false)
    }

    /// A type before a literal (`char 'abc'`), where `char` and `bit` have no length of 1.
    pub(super) fn literal_type(&self, node: Node<'_>) -> Result<TypeName> {
        self.type_name(node, true)
    }

    fn type_name(&self, node: Node<'_>, literal: bool) -> Result<TypeName> {
        if node.kind() == ARRAY_TYPE {
            return self.deeper(node, || self.array_type(node, literal));
        }
        let start = node
            .children()
            .find(|child| child.kind() != SETOF_KW)
            .and_then(first_token)
            .ok_or_else(|| self.syntax_after(node))?;
        let mut ty = TypeName {
            name: Path(Vec::new()),
            modifiers: self.modifiers(node)?,
            interval: None,
            dimensions: 0,
            set_of: node.has(SETOF_KW),
            at: at(start),
        };
        let name = match node.kind() {
            PATH_TYPE => return self.path_type(node, start, ty),
            VARCHAR_TYPE => "varchar",
            CHARACTER_TYPE => "bpchar",
            BIT_TYPE => "bit",
            BIT_VARYING_TYPE => "varbit",
            DOUBLE_TYPE => "float8",
            TIME_TYPE if node.has(WITH_TIMEZONE) => "timetz",
            TIME_TYPE => "time",
            TIMESTAMP_TYPE if node.has(WITH_TIMEZONE) => "timestamptz",
            TIMESTAMP_TYPE => "timestamp",
            INTERVAL_TYPE => {
                if let Some(fields) = node.nodes().find(|child| is_interval(child.kind())) {
                    self.interval_fields(fields, &mut ty)?;
                }
                "interval"
            }
            _ => return Err(self.syntax(node)),
        };
        let of_one = matches!(node.kind(), CHARACTER_TYPE | BIT_TYPE);
        if of_one && ty.modifiers.is_empty() && !literal {
            let one = ExprKind::Literal(Literal::Integer("1".to_owned()));
            ty.modifiers
                .push(expr(one, ty.at, start.start(), start.end()));
        }
        if matches!(node.kind(), CHARACTER_TYPE | VARCHAR_TYPE) {
            self.check_length(node, &ty)?;
        }
        ty.name = catalog_name(name, start);
        Ok(ty)
    }

    /// `char (n)` takes one number, no expression.
    fn check_length(&self, node: Node<'_>, ty: &TypeName) -> Result<()> {
        let plain = matches!(
            ty.modifiers.as_slice(),
            [] | [Expr {
                kind: ExprKind::Literal(Literal::Integer(_)),
                ..
            }]
        );
        if plain {
            return Ok(());
        }
        let list = self.need(node, ARG_LIST)?;
        let first = list.nodes().next().ok_or_else(|| self.syntax(list))?;
        let second = list.nodes().nth(1);
        if matches!(
            ty.modifiers.first().map(|first| &first.kind),
            Some(ExprKind::Literal(Literal::Integer(_)))
        ) {
            return Err(self.syntax_after(second.map_or(list, |_| first)));
        }
        Err(self.syntax(first))
    }

    fn array_type(&self, node: Node<'_>, literal: bool) -> Result<TypeName> {
        let inner = node.nodes().next().ok_or_else(|| self.syntax_after(node))?;
        let mut ty = self.type_name(inner, literal)?;
        let word = node.child(ARRAY_KW);
        let mut bounds = node.children().filter(|child| child.kind() == ARRAY_BOUND);
        for bound in bounds.clone() {
            for child in bound.nodes() {
                let number = child.kind() == LITERAL
                    && matches!(
                        self.lower_literal(child)?.kind,
                        ExprKind::Literal(Literal::Integer(_))
                    );
                if !number {
                    return Err(self.syntax(child));
                }
            }
        }
        if let Some(word) = word {
            if ty.dimensions > 0 {
                return Err(self.syntax(word));
            }
            if let Some(second) = bounds.nth(1) {
                return Err(self.syntax(second));
            }
            ty.dimensions = 1;
        } else {
            ty.dimensions += u32::try_from(bounds.count()).unwrap_or(u32::MAX);
        }
        Ok(ty)
    }

    fn modifiers(&self, node: Node<'_>) -> Result<Vec<Expr>> {
        let mut modifiers = Vec::new();
        for child in node.children() {
            match child.kind() {
                ARG_LIST => {
                    self.check_commas(child)?;
                    for argument in child.nodes() {
                        let value = argument
                            .nodes()
                            .next()
                            .filter(|value| argument.kind() == ARG && is_expression(value.kind()))
                            .ok_or_else(|| self.syntax(argument))?;
                        modifiers.push(self.lower_expr(value)?);
                    }
                    if modifiers.is_empty() {
                        return Err(self.syntax_close(child));
                    }
                }
                LITERAL => modifiers.push(self.precision(child)?),
                _ => {}
            }
        }
        Ok(modifiers)
    }

    /// A number of digits, which only an integer is.
    fn precision(&self, node: Node<'_>) -> Result<Expr> {
        let value = self.lower_literal(node)?;
        match value.kind {
            ExprKind::Literal(Literal::Integer(_)) => Ok(value),
            _ => Err(self.syntax(node)),
        }
    }

    fn path_type(&self, node: Node<'_>, start: Node<'_>, mut ty: TypeName) -> Result<TypeName> {
        let path = self.need(node, PATH_REF)?;
        let alone = !path.has(PATH_REF);
        let name = match start.kind() {
            INT_KW | INTEGER_KW => "int4",
            SMALLINT_KW => "int2",
            BIGINT_KW => "int8",
            REAL_KW => "float4",
            BOOLEAN_KW => "bool",
            FLOAT_KW => self.float(&ty)?,
            DECIMAL_KW | DEC_KW | NUMERIC_KW => "numeric",
            _ => "",
        };
        if name.is_empty() || !alone {
            ty.name = self.lower_path(
                path,
                if alone {
                    Place::Function
                } else {
                    Place::Column
                },
            )?;
            return Ok(ty);
        }
        let modified = matches!(start.kind(), FLOAT_KW | DECIMAL_KW | DEC_KW | NUMERIC_KW);
        if let Some(list) = node.child(ARG_LIST).filter(|_| !modified) {
            return Err(self.syntax(list));
        }
        if start.kind() == FLOAT_KW {
            ty.modifiers.clear();
        }
        ty.name = catalog_name(name, start);
        Ok(ty)
    }

    fn float(&self, ty: &TypeName) -> Result<&'static str> {
        let Some(first) = ty.modifiers.first() else {
            return Ok("float8");
        };
        let bits = match &first.kind {
            ExprKind::Literal(Literal::Integer(digits)) => {
                digits.parse::<u32>().unwrap_or(u32::MAX)
            }
            _ => {
                return Err(crate::syntax::fault::syntax(
                    self.sql,
                    first.from.0 as usize,
                ));
            }
        };
        let message = match bits {
            0 => "precision for type float must be at least 1 bit",
            1..=SINGLE_BITS => return Ok("float4"),
            25..=DOUBLE_BITS => return Ok("float8"),
            _ => "precision for type float must be less than 54 bits",
        };
        Err(
            DialectError::new(SqlState::INVALID_PARAMETER_VALUE, message)
                .at(self.sql, first.at.0 as usize),
        )
    }

    /// `DAY TO SECOND (3)` of a type or after its literal.
    pub(super) fn interval_fields(&self, node: Node<'_>, ty: &mut TypeName) -> Result<()> {
        let first = node.children().next().map(Node::kind);
        ty.interval = Some(match (first, node.kind()) {
            (_, INTERVAL_YEAR) => IntervalFields::Year,
            (Some(YEAR_KW), INTERVAL_MONTH) => IntervalFields::YearToMonth,
            (_, INTERVAL_MONTH) => IntervalFields::Month,
            (_, INTERVAL_DAY) => IntervalFields::Day,
            (Some(DAY_KW), INTERVAL_HOUR) => IntervalFields::DayToHour,
            (_, INTERVAL_HOUR) => IntervalFields::Hour,
            (Some(DAY_KW), INTERVAL_MINUTE) => IntervalFields::DayToMinute,
            (Some(HOUR_KW), INTERVAL_MINUTE) => IntervalFields::HourToMinute,
            (_, INTERVAL_MINUTE) => IntervalFields::Minute,
            (Some(DAY_KW), INTERVAL_SECOND) => IntervalFields::DayToSecond,
            (Some(HOUR_KW), INTERVAL_SECOND) => IntervalFields::HourToSecond,
            (Some(MINUTE_KW), INTERVAL_SECOND) => IntervalFields::MinuteToSecond,
            (_, INTERVAL_SECOND) => IntervalFields::Second,
            _ => return Err(self.syntax(node)),
        });
        if let Some(digits) = node.child(LITERAL) {
            ty.modifiers.push(self.precision(digits)?);
        }
        Ok(())
    }
}

/// Nodes that name an interval's fields.
pub(super) fn is_interval(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        INTERVAL_YEAR
            | INTERVAL_MONTH
            | INTERVAL_DAY
            | INTERVAL_HOUR
            | INTERVAL_MINUTE
            | INTERVAL_SECOND
    )
}

/// A type of the catalog for a spelling of the grammar.
fn catalog_name(name: &str, start: Node<'_>) -> Path {
    let part = |text: &str| Name {
        text: text.to_owned(),
        at: at(start),
    };
    Path(vec![part("pg_catalog"), part(name)])
}
