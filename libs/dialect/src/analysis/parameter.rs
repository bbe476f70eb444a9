//! Parameters: the client tells their types, or the first place that wants one does.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::tree::{Expr, ExprKind};
use crate::catalog::{Type, TypeId};
use crate::error::DialectError;
use crate::syntax::ast::Position;

/// The protocol's limit: a parameter's number goes into 16 bits.
const MAX_PARAMETERS: u32 = 65_535;

/// The types known so far, from `$1`.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    types: Vec<Option<Type>>,
    /// Numbers and places where any type will do, while none was known.
    unknown: Vec<(u32, Position)>,
}

impl Parameters {
    pub(crate) fn new(told: &[Option<Type>]) -> Self {
        Self {
            types: told.to_vec(),
            unknown: Vec::new(),
        }
    }
}

impl Analyzer<'_> {
    /// `$n`.
    pub(crate) fn parameter(&mut self, number: u32, at: Position) -> Result<Expr, DialectError> {
        let index = (number as usize).wrapping_sub(1);
        if number == 0 || number > MAX_PARAMETERS {
            return Err(self.error(
                at,
                SqlState::UNDEFINED_PARAMETER,
                format!("there is no parameter ${number}"),
            ));
        }
        let parameters = &mut self.parameters;
        if parameters.types.len() <= index {
            parameters.types.resize(index + 1, None);
        }
        let ty = parameters.types.get(index).copied().flatten();
        Ok(Expr {
            ty: ty.unwrap_or(Type::new(TypeId::UNKNOWN)),
            kind: ExprKind::Parameter(number),
            at,
        })
    }

    /// Gives a parameter of unknown type the type that its place wants.
    pub(crate) fn infer(
        &mut self,
        number: u32,
        wanted: TypeId,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let slot = self.parameters.types.get_mut(number as usize - 1);
        let ty = match slot {
            Some(Some(known)) if known.id != wanted => {
                let message = format!("inconsistent types deduced for parameter ${number}");
                let detail = format!("{} versus {}", known.id.name(), wanted.name());
                return Err(self
                    .error(at, SqlState::AMBIGUOUS_PARAMETER, message)
                    .detail(detail));
            }
            Some(Some(known)) => *known,
            Some(slot) => *slot.insert(Type::new(wanted)),
            None => Type::new(wanted),
        };
        Ok(Expr {
            ty,
            kind: ExprKind::Parameter(number),
            at,
        })
    }

    /// Notes a parameter whose type was not known where any type will do.
    pub(crate) fn leave_unknown(&mut self, number: u32, at: Position) {
        self.parameters.unknown.push((number, at));
    }

    /// The types of all parameters at the end, as far as anything has told them.
    pub(crate) fn told_parameters(&self) -> Result<Vec<Option<Type>>, DialectError> {
        let Parameters { types, unknown } = &self.parameters;
        for (number, at) in unknown {
            let known = types.get(*number as usize - 1).copied().flatten();
            if known.is_some() {
                return Err(self.error(
                    *at,
                    SqlState::AMBIGUOUS_PARAMETER,
                    format!("could not determine data type of parameter ${number}"),
                ));
            }
        }
        Ok(types.clone())
    }
}

/// The types of parameters; 42P18 for one that nothing has told.
pub(crate) fn all_told(types: &[Option<Type>]) -> Result<Vec<Type>, DialectError> {
    let told = types.iter().enumerate().map(|(index, ty)| {
        ty.ok_or_else(|| {
            DialectError::new(
                SqlState::INDETERMINATE_DATATYPE,
                format!("could not determine data type of parameter ${}", index + 1),
            )
        })
    });
    told.collect()
}
