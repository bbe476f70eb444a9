//! The casts of the catalog.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::row::{Row, read, reference};
use super::{Function, TypeId, function_by_oid};

const DATA: &str = include_str!("data/casts.tsv");

/// Where a cast is made without being asked for; the later includes the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CastContext {
    /// Everywhere.
    Implicit,
    /// When a value goes into a column.
    Assignment,
    /// Only by `CAST` or `::`.
    Explicit,
}

/// How a cast is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CastMethod {
    /// By a function.
    Function,
    /// Not at all: the value is of the other type already.
    Binary,
    /// By way of the text form.
    InOut,
}

/// How a type becomes another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cast {
    /// From this type.
    pub source: TypeId,
    /// To this type; the same for a function that enforces a modifier.
    pub target: TypeId,
    /// What makes it, if it is made by a function.
    pub function: Option<&'static Function>,
    /// Where it is made without being asked for.
    pub context: CastContext,
    /// How it is made.
    pub method: CastMethod,
}

type Casts = HashMap<(TypeId, TypeId), Cast>;

fn entry(row: &mut Row) -> Option<Cast> {
    let (source, target) = (row.type_id()?, row.type_id()?);
    let function = match reference(row.number()?) {
        Some(oid) => Some(function_by_oid(oid)?),
        None => None,
    };
    Some(Cast {
        source,
        target,
        function,
        context: match row.text()? {
            "i" => CastContext::Implicit,
            "a" => CastContext::Assignment,
            "e" => CastContext::Explicit,
            _ => return None,
        },
        method: match row.text()? {
            "f" => CastMethod::Function,
            "b" => CastMethod::Binary,
            "i" => CastMethod::InOut,
            _ => return None,
        },
    })
}

fn casts() -> &'static Casts {
    static CASTS: OnceLock<Casts> = OnceLock::new();
    CASTS.get_or_init(|| {
        read(DATA, entry)
            .into_iter()
            .map(|cast| ((cast.source, cast.target), cast))
            .collect()
    })
}

/// All casts, in the order of their types.
pub fn all() -> &'static [Cast] {
    static ALL: OnceLock<Vec<Cast>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<Cast> = casts().values().copied().collect();
        all.sort_by_key(|cast| (cast.source.get(), cast.target.get()));
        all
    })
}

/// The catalog's cast between two types. [`pathway`](super::coerce::pathway) knows the other ways too.
pub fn cast(source: TypeId, target: TypeId) -> Option<&'static Cast> {
    casts().get(&(source, target))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(casts().len(), DATA.lines().count());
    }

    #[test]
    fn a_cast_has_a_function_if_it_is_made_by_one() {
        for cast in casts().values() {
            let by_function = cast.method == CastMethod::Function;
            assert_eq!(cast.function.is_some(), by_function);
        }
    }

    #[test]
    fn an_integer_becomes_a_bigint_everywhere_and_a_boolean_when_asked() {
        let context = |target| cast(TypeId::INT4, target).map(|cast| cast.context);
        assert_eq!(context(TypeId::INT8), Some(CastContext::Implicit));
        assert_eq!(context(TypeId::INT2), Some(CastContext::Assignment));
        assert_eq!(context(TypeId::BOOL), Some(CastContext::Explicit));
        assert_eq!(context(TypeId::TEXT), None);
    }
}
