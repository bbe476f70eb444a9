//! Type modifiers as they are shown behind and within the names of types.

use super::TypeId;

/// The name of a type with its modifier, -1 for none.
pub(super) fn with_modifier(id: TypeId, typmod: i32) -> String {
    if let Some(element) = id.element().filter(|_| is_written_as_array(id)) {
        return format!("{}[]", with_modifier(element, typmod));
    }
    let Ok(modifier) = u32::try_from(typmod) else {
        return unlimited(id);
    };
    let length = typmod.saturating_sub(4);
    match id {
        TypeId::BPCHAR if length > 0 => format!("character({length})"),
        TypeId::VARCHAR if length > 0 => format!("character varying({length})"),
        TypeId::NUMERIC if length >= 0 => {
            let (precision, scale) = numeric_digits(length);
            format!("numeric({precision},{scale})")
        }
        TypeId::BIT => format!("bit({modifier})"),
        TypeId::VARBIT => format!("bit varying({modifier})"),
        TypeId::TIME | TypeId::TIMETZ | TypeId::TIMESTAMP | TypeId::TIMESTAMPTZ => {
            let name = id.name();
            let (first, rest) = name.split_once(' ').unwrap_or((name.as_str(), ""));
            format!("{first}({modifier}) {rest}")
        }
        TypeId::INTERVAL => pgtypes::interval_name(modifier),
        _ => id.name(),
    }
}

/// `int2vector` and `oidvector` have elements, too.
fn is_written_as_array(id: TypeId) -> bool {
    id.info().is_some_and(|info| info.name.ends_with("[]"))
}

/// Without a length SQL's own names for these would mean a length of one.
fn unlimited(id: TypeId) -> String {
    match id {
        TypeId::BPCHAR => "bpchar".to_owned(),
        TypeId::BIT => "\"bit\"".to_owned(),
        _ => id.name(),
    }
}

/// The digits in all and those behind the point, which may be negative.
fn numeric_digits(packed: i32) -> (i32, i32) {
    let scale = packed & 0x7ff;
    (
        (packed >> 16) & 0xffff,
        if scale > 0x3ff { scale - 0x800 } else { scale },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_digits_are_shown() {
        assert_eq!(with_modifier(TypeId::VARCHAR, 14), "character varying(10)");
        assert_eq!(with_modifier(TypeId::VARCHAR, -1), "character varying");
        assert_eq!(with_modifier(TypeId::BPCHAR, 5), "character(1)");
        assert_eq!(with_modifier(TypeId::BIT, 3), "bit(3)");
        assert_eq!(with_modifier(TypeId::NUMERIC, 655_366), "numeric(10,2)");
        assert_eq!(with_modifier(TypeId::NUMERIC, 657_408), "numeric(10,-4)");
        assert_eq!(with_modifier(TypeId::TIME, 3), "time(3) without time zone");
        assert_eq!(with_modifier(TypeId::INT4, 7), "integer");
    }

    #[test]
    fn without_a_length_the_catalogs_name_is_shown() {
        assert_eq!(with_modifier(TypeId::BPCHAR, -1), "bpchar");
        assert_eq!(with_modifier(TypeId::BPCHAR_ARRAY, -1), "bpchar[]");
        assert_eq!(with_modifier(TypeId::BIT, -1), "\"bit\"");
    }

    #[test]
    fn the_modifier_of_an_array_is_that_of_its_elements() {
        let shown = with_modifier(TypeId::TIMESTAMPTZ_ARRAY, 3);
        assert_eq!(shown, "timestamp(3) with time zone[]");
        assert_eq!(with_modifier(TypeId::OIDVECTOR, -1), "oidvector");
    }

    #[test]
    fn intervals_show_their_fields() {
        for (modifier, shown) in [
            (327_679, "interval year"),
            (458_751, "interval year to month"),
            (470_286_339, "interval day to second(3)"),
            (2_147_418_114, "interval(2)"),
            (268_435_460, "interval second(4)"),
            (67_698_687, "interval day to hour"),
            (402_718_719, "interval minute to second"),
            (-1, "interval"),
        ] {
            assert_eq!(with_modifier(TypeId::INTERVAL, modifier), shown);
        }
    }
}
