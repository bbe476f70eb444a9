//! Which type becomes which, and how.

use super::{Cast, CastContext, CastMethod, Function, TypeId, cast};

pub use super::common_type::common_type;
use super::polymorphism;

/// Where a value of one type is put where another is wanted.
pub type Context = CastContext;

/// How a value of one type becomes one of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pathway {
    /// There is no way.
    None,
    /// It is one already.
    Relabel,
    /// By a function, whose further arguments are the modifier and whether the cast is explicit.
    Function(&'static Function),
    /// By way of the text form.
    ViaIo,
    /// Each element of an array on its own.
    ArrayElements(Box<Self>),
}

/// How a value becomes one of another type in a context. Untyped literals and polymorphic types are not its matter.
pub fn pathway(source: TypeId, target: TypeId, context: Context) -> Pathway {
    if source == target {
        return Pathway::Relabel;
    }
    match cast(source, target) {
        Some(cast) if cast.context <= context => of_cast(cast),
        // That the catalog has a cast rules out all other ways.
        Some(_) => Pathway::None,
        None => without_cast(source, target, context),
    }
}

fn of_cast(cast: &Cast) -> Pathway {
    match (cast.method, cast.function) {
        (CastMethod::Function, Some(function)) => Pathway::Function(function),
        (CastMethod::Function, None) => Pathway::None,
        (CastMethod::InOut, _) => Pathway::ViaIo,
        (CastMethod::Binary, _) => Pathway::Relabel,
    }
}

fn without_cast(source: TypeId, target: TypeId, context: Context) -> Pathway {
    // Elements of these have places that an array's need not have.
    let vector = matches!(target, TypeId::OIDVECTOR | TypeId::INT2VECTOR);
    if let (false, Some(from), Some(to)) = (vector, source.element(), target.element()) {
        let element = pathway(from, to, context);
        if element != Pathway::None {
            return Pathway::ArrayElements(Box::new(element));
        }
    }
    let to_text = context >= Context::Assignment && target.category() == STRING;
    let from_text = context >= Context::Explicit && source.category() == STRING;
    if to_text || from_text {
        Pathway::ViaIo
    } else {
        Pathway::None
    }
}

/// The category of types of characters.
pub(super) const STRING: char = 'S';

/// Whether values of these types can be put where those are wanted, all of them; types that stand for actual ones must
/// agree among each other. Untyped literals become anything.
pub fn can_coerce(source: &[TypeId], target: &[TypeId], context: Context) -> bool {
    let each = |(source, target): (&TypeId, &TypeId)| {
        *target == TypeId::ANY
            || target.is_polymorphic()
            || *source == TypeId::UNKNOWN
            || pathway(*source, *target, context) != Pathway::None
    };
    source.len() == target.len()
        && source.iter().zip(target).all(each)
        && (!target.iter().any(|target| target.is_polymorphic())
            || polymorphism::is_consistent(target, source))
}

/// What enforces a modifier on values of a type, as the digits of a `numeric`. For arrays ask about the elements.
pub fn modifier_function(id: TypeId) -> Option<&'static Function> {
    cast(id, id)?.function
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_name(pathway: &Pathway) -> Option<&'static str> {
        match pathway {
            Pathway::Function(function) => Some(function.source),
            _ => None,
        }
    }

    #[test]
    fn a_context_allows_what_a_stricter_one_does() {
        let way = |context| pathway(TypeId::INT8, TypeId::INT4, context);
        assert_eq!(way(Context::Implicit), Pathway::None);
        assert_eq!(function_name(&way(Context::Assignment)), Some("int84"));
        assert_eq!(function_name(&way(Context::Explicit)), Some("int84"));
    }

    #[test]
    fn everything_becomes_text_on_assignment_and_comes_from_it_when_asked() {
        let (int, text) = (TypeId::INT4, TypeId::TEXT);
        assert_eq!(pathway(int, text, Context::Implicit), Pathway::None);
        assert_eq!(pathway(int, text, Context::Assignment), Pathway::ViaIo);
        assert_eq!(pathway(text, int, Context::Assignment), Pathway::None);
        assert_eq!(pathway(text, int, Context::Explicit), Pathway::ViaIo);
        let jsonb = TypeId::JSONB;
        assert_eq!(
            pathway(TypeId::JSON, jsonb, Context::Assignment),
            Pathway::ViaIo
        );
    }

    #[test]
    fn a_varchar_is_a_text() {
        let way = pathway(TypeId::VARCHAR, TypeId::TEXT, Context::Implicit);
        assert_eq!(way, Pathway::Relabel);
    }

    #[test]
    fn arrays_go_by_their_elements() {
        let way = pathway(TypeId::INT4_ARRAY, TypeId::INT8_ARRAY, Context::Implicit);
        assert!(
            matches!(way, Pathway::ArrayElements(element) if function_name(&element) == Some("int48"))
        );
        let way = pathway(TypeId::INT4_ARRAY, TypeId::INT2VECTOR, Context::Explicit);
        assert_eq!(way, Pathway::None);
        let way = pathway(TypeId::TEXT_ARRAY, TypeId::TEXT, Context::Implicit);
        assert_eq!(way, Pathway::None);
    }

    #[test]
    fn an_untyped_literal_becomes_anything() {
        let wanted = [TypeId::DATE, TypeId::ANY, TypeId::ANYELEMENT];
        assert!(can_coerce(
            &[TypeId::UNKNOWN; 3],
            &wanted,
            Context::Implicit
        ));
    }

    #[test]
    fn modifiers_are_enforced_by_a_function() {
        let source = |id| modifier_function(id).map(|function| function.source);
        assert_eq!(source(TypeId::NUMERIC), Some("numeric"));
        assert_eq!(source(TypeId::BPCHAR), Some("bpchar"));
        assert_eq!(source(TypeId::INT4), None);
    }
}
