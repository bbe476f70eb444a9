//! The type in which values of several types meet.

use super::TypeId;
use super::coerce::{Context, can_coerce};

/// The type of the rows of a UNION, the branches of a CASE, the elements of an array. All untyped literals make `text`.
///
/// On failure the places of two types that do not go together. The values may still refuse to become the type that is
/// found: ask [`can_coerce`] for each.
pub fn common_type(types: &[TypeId]) -> Result<TypeId, (usize, usize)> {
    let mut chosen: Option<(usize, TypeId)> = None;
    for (at, &ty) in types.iter().enumerate() {
        if ty == TypeId::UNKNOWN {
            continue;
        }
        match chosen {
            None => chosen = Some((at, ty)),
            Some((_, current)) if current == ty => {}
            Some((place, current)) if current.category() != ty.category() => {
                return Err((place, at));
            }
            Some((_, current)) => {
                if !current.is_preferred() && becomes(current, ty) && !becomes(ty, current) {
                    chosen = Some((at, ty));
                }
            }
        }
    }
    Ok(chosen.map_or(TypeId::TEXT, |(_, ty)| ty))
}

fn becomes(source: TypeId, target: TypeId) -> bool {
    can_coerce(&[source], &[target], Context::Implicit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wider_number_wins() {
        let types = [TypeId::INT4, TypeId::NUMERIC, TypeId::INT8];
        assert_eq!(common_type(&types), Ok(TypeId::NUMERIC));
        let types = [TypeId::NUMERIC, TypeId::FLOAT4];
        assert_eq!(common_type(&types), Ok(TypeId::FLOAT4));
    }

    #[test]
    fn untyped_literals_follow_the_others() {
        let types = [TypeId::UNKNOWN, TypeId::DATE, TypeId::UNKNOWN];
        assert_eq!(common_type(&types), Ok(TypeId::DATE));
        assert_eq!(common_type(&[TypeId::UNKNOWN; 2]), Ok(TypeId::TEXT));
        assert_eq!(common_type(&[]), Ok(TypeId::TEXT));
    }

    #[test]
    fn the_first_of_equals_stays() {
        let types = [TypeId::VARCHAR, TypeId::BPCHAR];
        assert_eq!(common_type(&types), Ok(TypeId::VARCHAR));
    }

    #[test]
    fn types_of_two_categories_do_not_go_together() {
        let types = [TypeId::UNKNOWN, TypeId::INT4, TypeId::TEXT];
        assert_eq!(common_type(&types), Err((1, 2)));
    }
}
