//! What PostgreSQL's catalog says of how its own types are kept: the functions that read and write them, their widths, and
//! the operator classes by which indexes order them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::catalog::TypeId;

const TYPES: &str = include_str!("data/type_storage.tsv");
const FUNCTIONS: &str = include_str!("data/support_functions.tsv");
const CLASSES: &str = include_str!("data/operator_classes.tsv");

/// How values of a type are kept, and the functions that do it, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TypeSupport {
    /// Bytes of a value; -1 where they differ, -2 for a text that ends with a zero.
    pub(crate) length: i16,
    pub(crate) by_value: bool,
    pub(crate) align: &'static str,
    pub(crate) storage: &'static str,
    /// From a text, to a text, from bytes, to bytes, a modifier from a text, to a text, statistics, subscripts; 0: none.
    pub(crate) functions: [u32; 8],
}

impl TypeSupport {
    /// What an enum has.
    pub(crate) const ENUM: Self = Self {
        length: 4,
        by_value: true,
        align: "i",
        storage: "p",
        functions: [3506, 3507, 3532, 3533, 0, 0, 0, 0],
    };
    /// What an array has.
    pub(crate) const ARRAY: Self = Self {
        length: -1,
        by_value: false,
        align: "i",
        storage: "x",
        functions: [750, 751, 2400, 2401, 0, 0, 3816, 6179],
    };
    /// What the rows of a table have.
    pub(crate) const ROW: Self = Self {
        length: -1,
        by_value: false,
        align: "d",
        storage: "x",
        functions: [2290, 2291, 2402, 2403, 0, 0, 0, 0],
    };

    /// A domain over this type: what comes in is looked at.
    pub(crate) fn of_domain(self) -> Self {
        let [_, output, _, send, ..] = self.functions;
        Self {
            functions: [2597, output, 2598, send, 0, 0, 0, 0],
            ..self
        }
    }
}

/// That of a built-in type; that of a text for one of an extension.
pub(crate) fn of_type(id: TypeId) -> TypeSupport {
    static ALL: LazyLock<HashMap<u32, TypeSupport>> =
        LazyLock::new(|| TYPES.lines().filter_map(type_support).collect());
    let known = ALL.get(&id.get()).or_else(|| ALL.get(&TypeId::TEXT.get()));
    known.copied().unwrap_or(TypeSupport::ARRAY)
}

fn type_support(line: &'static str) -> Option<(u32, TypeSupport)> {
    let mut fields = line.split('\t');
    let oid = fields.next()?.parse().ok()?;
    let length = fields.next()?.parse().ok()?;
    let by_value = fields.next()? == "1";
    let (align, storage) = (fields.next()?, fields.next()?);
    let mut functions = [0; 8];
    for function in &mut functions {
        *function = fields.next()?.parse().ok()?;
    }
    let support = TypeSupport {
        length,
        by_value,
        align,
        storage,
        functions,
    };
    Some((oid, support))
}

/// A function that only the server calls: of a type, or of an access method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SupportFunction {
    pub(crate) oid: u32,
    pub(crate) name: &'static str,
    /// The numbers of the types of its arguments, parted by blanks.
    pub(crate) arguments: &'static str,
    pub(crate) result: u32,
    pub(crate) strict: bool,
    pub(crate) volatility: &'static str,
}

/// All of those that no client can call.
pub(crate) fn functions() -> &'static [SupportFunction] {
    static ALL: LazyLock<Vec<SupportFunction>> =
        LazyLock::new(|| FUNCTIONS.lines().filter_map(support_function).collect());
    &ALL
}

fn support_function(line: &'static str) -> Option<SupportFunction> {
    let mut fields = line.split('\t');
    Some(SupportFunction {
        oid: fields.next()?.parse().ok()?,
        name: fields.next()?,
        arguments: fields.next()?,
        result: fields.next()?.parse().ok()?,
        strict: fields.next()? == "1",
        volatility: fields.next()?,
    })
}

/// An operator class of an access method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OperatorClass {
    pub(crate) oid: u32,
    pub(crate) method: u32,
    pub(crate) name: &'static str,
    pub(crate) family: u32,
    pub(crate) family_name: &'static str,
    pub(crate) input: TypeId,
    pub(crate) default: bool,
    pub(crate) key: u32,
}

/// Those of the methods that indexes can have.
pub(crate) fn operator_classes() -> &'static [OperatorClass] {
    static ALL: LazyLock<Vec<OperatorClass>> =
        LazyLock::new(|| CLASSES.lines().filter_map(operator_class).collect());
    &ALL
}

fn operator_class(line: &'static str) -> Option<OperatorClass> {
    let mut fields = line.split('\t');
    Some(OperatorClass {
        oid: fields.next()?.parse().ok()?,
        method: fields.next()?.parse().ok()?,
        name: fields.next()?,
        family: fields.next()?.parse().ok()?,
        family_name: fields.next()?,
        input: TypeId::new(fields.next()?.parse().ok()?),
        default: fields.next()? == "1",
        key: fields.next()?.parse().ok()?,
    })
}

/// The operator class that a method has for a type by default; 0 where there is none.
pub(crate) fn default_class(method: u32, id: TypeId) -> u32 {
    let wanted = match id {
        TypeId::VARCHAR => TypeId::TEXT,
        TypeId::CIDR => TypeId::INET,
        _ => id,
    };
    let of = |wanted: TypeId| {
        operator_classes()
            .iter()
            .find(|class| class.default && class.method == method && class.input == wanted)
    };
    let general = || {
        if id.is_array() {
            of(TypeId::ANYARRAY)
        } else if id.is_enum() {
            of(TypeId::ANYENUM)
        } else {
            None
        }
    };
    of(wanted).or_else(general).map_or(0, |class| class.oid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(functions().len(), FUNCTIONS.lines().count());
        assert_eq!(operator_classes().len(), CLASSES.lines().count());
        assert!(TYPES.lines().all(|line| type_support(line).is_some()));
    }

    #[test]
    fn types_have_their_widths_and_classes() {
        assert_eq!(of_type(TypeId::INT4).length, 4);
        assert_eq!(of_type(TypeId::TEXT).functions[0], 46);
        assert_eq!(default_class(403, TypeId::INT4), 1978);
        assert_eq!(
            default_class(403, TypeId::VARCHAR),
            default_class(403, TypeId::TEXT)
        );
        assert_eq!(default_class(403, TypeId::JSON), 0);
    }
}
