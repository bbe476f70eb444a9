//! What stands for `anyelement` and its kin in a call.
//!
//! There are two families. Arguments of `anyelement`, `anyarray`, `anyrange` must be of one type, its arrays, its
//! ranges; those of `anycompatible` must have a type in common.

use pgtypes::SqlState;

use super::TypeId;
use super::coerce::{Context, can_coerce, common_type};
use crate::DialectError;

/// What has been found out about a call.
#[derive(Default)]
struct Binding {
    element: Option<TypeId>,
    array: Option<TypeId>,
    range: Option<TypeId>,
    multirange: Option<TypeId>,
    /// The types that must have one in common.
    compatible: Vec<TypeId>,
    /// That type.
    common: Option<TypeId>,
}

/// Whether the actual types can stand for the declared ones, as far as polymorphic ones are among these.
pub(super) fn is_consistent(declared: &[TypeId], actual: &[TypeId]) -> bool {
    Binding::of(declared, actual).is_ok()
}

/// The types that stand for the declared ones in a call, and that of the result. The actual types must be such that
/// [`can_coerce`] takes them.
pub fn consistent_polymorphism(
    declared: &[TypeId],
    actual: &[TypeId],
    result: TypeId,
) -> Result<(Vec<TypeId>, TypeId), DialectError> {
    if !declared.iter().any(|ty| ty.is_polymorphic()) {
        return Ok((declared.to_vec(), result));
    }
    let mut binding = Binding::of(declared, actual)?;
    binding.complete(declared, result)?;
    let arguments = declared
        .iter()
        .zip(actual)
        .map(|(declared, actual)| binding.argument(*declared, *actual))
        .collect::<Result<_, _>>()?;
    Ok((arguments, binding.stand_in(result)?))
}

impl Binding {
    fn of(declared: &[TypeId], actual: &[TypeId]) -> Result<Self, DialectError> {
        let mut binding = Self::default();
        for (declared, actual) in declared.iter().zip(actual) {
            if *actual != TypeId::UNKNOWN {
                binding.gather(*declared, *actual)?;
            }
        }
        binding.agree()?;
        binding.restrict(declared)?;
        binding.find_common(declared)?;
        Ok(binding)
    }

    /// Takes note of one argument.
    fn gather(&mut self, declared: TypeId, actual: TypeId) -> Result<(), DialectError> {
        match declared {
            TypeId::ANYELEMENT | TypeId::ANYNONARRAY | TypeId::ANYENUM => {
                alike(&mut self.element, actual, "anyelement")
            }
            TypeId::ANYARRAY => alike(&mut self.array, actual, "anyarray"),
            TypeId::ANYRANGE => alike(&mut self.range, actual, "anyrange"),
            TypeId::ANYMULTIRANGE => alike(&mut self.multirange, actual, "anymultirange"),
            TypeId::ANYCOMPATIBLE | TypeId::ANYCOMPATIBLENONARRAY => {
                self.compatible.push(actual);
                Ok(())
            }
            TypeId::ANYCOMPATIBLEARRAY => {
                let element = actual.element();
                self.share(element.ok_or_else(|| is_not(declared, "an array", actual)))
            }
            TypeId::ANYCOMPATIBLERANGE => {
                let bound = actual.range_bound();
                self.share(bound.ok_or_else(|| is_not(declared, "a range type", actual)))
            }
            TypeId::ANYCOMPATIBLEMULTIRANGE => {
                let bound = actual.multirange_range().and_then(TypeId::range_bound);
                self.share(bound.ok_or_else(|| is_not(declared, "a multirange type", actual)))
            }
            _ => Ok(()),
        }
    }

    fn share(&mut self, ty: Result<TypeId, DialectError>) -> Result<(), DialectError> {
        self.compatible.push(ty?);
        Ok(())
    }

    /// Arrays, ranges and elements tell of each other, and must tell the same.
    fn agree(&mut self) -> Result<(), DialectError> {
        // A column of the statistics, whose type no query knows.
        if let Some(array) = self.array.filter(|array| *array != TypeId::ANYARRAY) {
            let element = array.element();
            let element = element.ok_or_else(|| is_not(TypeId::ANYARRAY, "an array", array))?;
            let told = (array, TypeId::ANYARRAY, TypeId::ANYELEMENT);
            consistent(&mut self.element, element, told)?;
        }
        if let Some(multirange) = self.multirange {
            let declared = TypeId::ANYMULTIRANGE;
            let range = multirange.multirange_range();
            let range = range.ok_or_else(|| is_not(declared, "a multirange type", multirange))?;
            let told = (multirange, declared, TypeId::ANYRANGE);
            consistent(&mut self.range, range, told)?;
        }
        if let Some(range) = self.range {
            let bound = range.range_bound();
            let bound = bound.ok_or_else(|| is_not(TypeId::ANYRANGE, "a range type", range))?;
            let told = (range, TypeId::ANYRANGE, TypeId::ANYELEMENT);
            consistent(&mut self.element, bound, told)?;
        }
        Ok(())
    }

    /// `anynonarray` is no array, and `anyenum` an enum.
    fn restrict(&self, declared: &[TypeId]) -> Result<(), DialectError> {
        if let Some(element) = self.element.filter(|element| element.is_array())
            && declared.contains(&TypeId::ANYNONARRAY)
        {
            return Err(mismatch(format!(
                "type matched to anynonarray is an array type: {}",
                element.name()
            )));
        }
        match self.element {
            _ if !declared.contains(&TypeId::ANYENUM) => Ok(()),
            None => Err(no_input("polymorphic type")),
            Some(element) if element.is_enum() => Ok(()),
            Some(element) => Err(mismatch(format!(
                "type matched to anyenum is not an enum type: {}",
                element.name()
            ))),
        }
    }

    fn find_common(&mut self, declared: &[TypeId]) -> Result<(), DialectError> {
        let types = self.compatible.as_slice();
        let common = common_type(types).map_err(|(left, right)| {
            let name = |at: usize| types.get(at).map_or_else(String::new, |ty| ty.name());
            mismatch(format!(
                "argument types {} and {} cannot be matched",
                name(left),
                name(right)
            ))
        })?;
        let becomes = |ty: &TypeId| can_coerce(&[*ty], &[common], Context::Implicit);
        if !types.iter().all(becomes) {
            return Err(mismatch(
                "arguments of anycompatible family cannot be cast to a common type",
            ));
        }
        if common.is_array() && declared.contains(&TypeId::ANYCOMPATIBLENONARRAY) {
            return Err(mismatch(format!(
                "type matched to anycompatiblenonarray is an array type: {}",
                common.name()
            )));
        }
        self.common = Some(common);
        Ok(())
    }

    /// What a call needs beyond arguments that agree: that untyped literals among them get a type.
    fn complete(&mut self, declared: &[TypeId], result: TypeId) -> Result<(), DialectError> {
        let simple = declared.iter().filter(|ty| ty.is_simply_polymorphic());
        let count = simple.count();
        if count == 0 {
            return Ok(());
        }
        if self.array == Some(TypeId::ANYARRAY) {
            let other_result = result != TypeId::ANYARRAY && result.is_simply_polymorphic();
            if count != 1 || other_result {
                return Err(mismatch(
                    "cannot determine element type of \"anyarray\" argument",
                ));
            }
        } else if self.element.is_none() {
            return Err(no_input("polymorphic type"));
        }
        Ok(())
    }

    /// The type to which an argument is brought.
    fn argument(&self, declared: TypeId, actual: TypeId) -> Result<TypeId, DialectError> {
        if declared.is_simply_polymorphic() && actual != TypeId::UNKNOWN {
            return Ok(actual);
        }
        match declared {
            TypeId::ANYCOMPATIBLERANGE | TypeId::ANYCOMPATIBLEMULTIRANGE
                if actual != TypeId::UNKNOWN =>
            {
                Ok(actual)
            }
            _ => self.stand_in(declared),
        }
    }

    /// The type that stands for a declared one.
    fn stand_in(&self, declared: TypeId) -> Result<TypeId, DialectError> {
        let unknown = || no_input(&format!("polymorphic type {}", declared.name()));
        match declared {
            TypeId::ANYELEMENT | TypeId::ANYNONARRAY | TypeId::ANYENUM => {
                self.element.ok_or_else(unknown)
            }
            TypeId::ANYARRAY => match (self.array, self.element) {
                (Some(array), _) => Ok(array),
                (None, Some(element)) => array_of(element),
                (None, None) => Err(unknown()),
            },
            TypeId::ANYRANGE => self.range.ok_or_else(unknown),
            TypeId::ANYMULTIRANGE => {
                let multirange = self.multirange;
                let of_range = || self.range.and_then(TypeId::multirange);
                multirange.or_else(of_range).ok_or_else(unknown)
            }
            TypeId::ANYCOMPATIBLE | TypeId::ANYCOMPATIBLENONARRAY => {
                self.common.ok_or_else(unknown)
            }
            TypeId::ANYCOMPATIBLEARRAY => array_of(self.common.ok_or_else(unknown)?),
            TypeId::ANYCOMPATIBLERANGE | TypeId::ANYCOMPATIBLEMULTIRANGE => Err(unknown()),
            concrete => Ok(concrete),
        }
    }
}

fn alike(slot: &mut Option<TypeId>, actual: TypeId, declared: &str) -> Result<(), DialectError> {
    match *slot {
        Some(other) if other != actual => Err(mismatch(format!(
            "arguments declared \"{declared}\" are not all alike"
        ))
        .hint(versus(other, actual))),
        _ => {
            *slot = Some(actual);
            Ok(())
        }
    }
}

/// Enters what an argument tells of another; `told` is the argument's type and what the two are declared.
fn consistent(
    slot: &mut Option<TypeId>,
    ty: TypeId,
    told: (TypeId, TypeId, TypeId),
) -> Result<(), DialectError> {
    let (actual, by, of) = told;
    match *slot {
        Some(other) if other != ty => Err(mismatch(format!(
            "argument declared {} is not consistent with argument declared {}",
            by.name(),
            of.name()
        ))
        .hint(versus(actual, other))),
        _ => {
            *slot = Some(ty);
            Ok(())
        }
    }
}

fn array_of(element: TypeId) -> Result<TypeId, DialectError> {
    element.array().ok_or_else(|| {
        let message = format!("could not find array type for data type {}", element.name());
        DialectError::new(SqlState::UNDEFINED_OBJECT, message)
    })
}

fn mismatch(message: impl Into<String>) -> DialectError {
    DialectError::new(SqlState::DATATYPE_MISMATCH, message)
}

fn versus(left: TypeId, right: TypeId) -> String {
    format!("{} versus {}", left.name(), right.name())
}

fn is_not(declared: TypeId, wanted: &str, actual: TypeId) -> DialectError {
    mismatch(format!(
        "argument declared {} is not {wanted} but type {}",
        declared.name(),
        actual.name()
    ))
}

fn no_input(what: &str) -> DialectError {
    mismatch(format!(
        "could not determine {what} because input has type unknown"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(declared: &[TypeId], actual: &[TypeId], result: TypeId) -> Result<TypeId, String> {
        consistent_polymorphism(declared, actual, result)
            .map(|(_, result)| result)
            .map_err(|error| error.message)
    }

    #[test]
    fn an_array_tells_of_its_elements() {
        let declared = [TypeId::ANYARRAY, TypeId::ANYELEMENT];
        let actual = [TypeId::INT4_ARRAY, TypeId::UNKNOWN];
        let resolved = consistent_polymorphism(&declared, &actual, TypeId::ANYELEMENT);
        let arguments = vec![TypeId::INT4_ARRAY, TypeId::INT4];
        assert_eq!(resolved, Ok((arguments, TypeId::INT4)));
    }

    #[test]
    fn elements_tell_of_arrays() {
        let made = result(&[TypeId::ANYELEMENT], &[TypeId::DATE], TypeId::ANYARRAY);
        assert_eq!(made, Ok(TypeId::DATE_ARRAY));
    }

    #[test]
    fn elements_must_be_alike() {
        let declared = [TypeId::ANYELEMENT; 2];
        let actual = [TypeId::INT4, TypeId::TEXT];
        let error = consistent_polymorphism(&declared, &actual, TypeId::BOOL).unwrap_err();
        let message = "arguments declared \"anyelement\" are not all alike";
        assert_eq!(error.message, message);
        assert_eq!(error.hint.as_deref(), Some("integer versus text"));
        assert_eq!(error.sqlstate, SqlState::DATATYPE_MISMATCH);
    }

    #[test]
    fn arrays_and_elements_must_agree() {
        let declared = [TypeId::ANYARRAY, TypeId::ANYELEMENT];
        let actual = [TypeId::INT4_ARRAY, TypeId::TEXT];
        let message =
            "argument declared anyarray is not consistent with argument declared anyelement";
        assert_eq!(
            result(&declared, &actual, TypeId::BOOL),
            Err(message.to_owned())
        );
        let actual = [TypeId::INT4, TypeId::INT4];
        let message = "argument declared anyarray is not an array but type integer";
        assert_eq!(
            result(&declared, &actual, TypeId::BOOL),
            Err(message.to_owned())
        );
    }

    #[test]
    fn untyped_literals_alone_have_no_type_in_the_first_family() {
        let message = "could not determine polymorphic type because input has type unknown";
        let unknown = [TypeId::UNKNOWN];
        let made = result(&[TypeId::ANYELEMENT], &unknown, TypeId::ANYELEMENT);
        assert_eq!(made, Err(message.to_owned()));
    }

    #[test]
    fn untyped_literals_alone_are_text_in_the_second_family() {
        let declared = [TypeId::ANYCOMPATIBLEARRAY, TypeId::ANYCOMPATIBLE];
        let resolved = consistent_polymorphism(&declared, &[TypeId::UNKNOWN; 2], declared[0]);
        let arguments = vec![TypeId::TEXT_ARRAY, TypeId::TEXT];
        assert_eq!(resolved, Ok((arguments, TypeId::TEXT_ARRAY)));
    }

    #[test]
    fn the_second_family_meets_in_a_common_type() {
        let declared = [TypeId::ANYCOMPATIBLEARRAY, TypeId::ANYCOMPATIBLE];
        let made = |actual: [TypeId; 2]| result(&declared, &actual, declared[0]);
        let numeric = TypeId::NUMERIC_ARRAY;
        assert_eq!(made([TypeId::INT4_ARRAY, TypeId::NUMERIC]), Ok(numeric));
        let message = "argument types integer and text cannot be matched";
        assert_eq!(
            made([TypeId::INT4_ARRAY, TypeId::TEXT]),
            Err(message.to_owned())
        );
    }
}
