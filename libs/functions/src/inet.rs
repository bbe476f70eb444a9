//! Functions of network addresses.

use pgtypes::{Inet, SqlState, SqlValueRef, ValueError};

use crate::arguments::{Answer, boolean, integer, text, whole, written};
use crate::error::{fail, invalid};
use crate::registry::Scalar;

pub(crate) const FUNCTIONS: &[Scalar] = &[
    Scalar::pure("pg_network_host", 1, |a| written(inet(a, 0)?.host())),
    Scalar::pure("pg_network_show", 1, |a| {
        written(inet(a, 0)?.network_text())
    }),
    Scalar::pure("pg_cidr_inet", 1, |a| written(inet(a, 0)?)),
    Scalar::pure("pg_inet_abbrev", 1, |a| written(inet(a, 0)?)),
    Scalar::pure("pg_cidr_abbrev", 1, |a| written(abbreviated(inet(a, 0)?))),
    Scalar::pure("pg_network_family", 1, |a| {
        whole(if inet(a, 0)?.v6 { 6 } else { 4 })
    }),
    Scalar::pure("pg_network_masklen", 1, |a| whole(inet(a, 0)?.bits.into())),
    Scalar::pure("pg_network_network", 1, |a| {
        let value = inet(a, 0)?;
        written(network(value).network_text())
    }),
    Scalar::pure("pg_inet_to_cidr", 1, |a| {
        written(network(inet(a, 0)?).network_text())
    }),
    Scalar::pure("pg_network_broadcast", 1, |a| {
        let value = inet(a, 0)?;
        written(Inet {
            address: value.address | value.host_mask(),
            ..value
        })
    }),
    Scalar::pure("pg_network_netmask", 1, |a| {
        let value = inet(a, 0)?;
        written(whole_address(value, value.full_mask() & !value.host_mask()))
    }),
    Scalar::pure("pg_network_hostmask", 1, |a| {
        let value = inet(a, 0)?;
        written(whole_address(value, value.host_mask()))
    }),
    Scalar::pure("pg_inet_set_masklen", 2, |a| {
        written(with_bits(inet(a, 0)?, integer(a, 1)?)?)
    }),
    Scalar::pure("pg_cidr_set_masklen", 2, |a| {
        let value = with_bits(inet(a, 0)?, integer(a, 1)?)?;
        written(network(value).network_text())
    }),
    Scalar::pure("pg_inet_same_family", 2, |a| {
        boolean(inet(a, 0)?.v6 == inet(a, 1)?.v6)
    }),
    Scalar::pure("pg_inet_merge", 2, merged),
    Scalar::pure("pg_network_sub", 2, |a| {
        boolean(within(inet(a, 0)?, inet(a, 1)?, true))
    }),
    Scalar::pure("pg_network_subeq", 2, |a| {
        boolean(within(inet(a, 0)?, inet(a, 1)?, false))
    }),
    Scalar::pure("pg_network_sup", 2, |a| {
        boolean(within(inet(a, 1)?, inet(a, 0)?, true))
    }),
    Scalar::pure("pg_network_supeq", 2, |a| {
        boolean(within(inet(a, 1)?, inet(a, 0)?, false))
    }),
    Scalar::pure("pg_network_overlap", 2, |a| {
        let (a, b) = (inet(a, 0)?, inet(a, 1)?);
        boolean(within(a, b, false) || within(b, a, false))
    }),
    Scalar::pure("pg_network_cmp", 2, |a| {
        whole(inet(a, 0)?.cmp(&inet(a, 1)?) as i64)
    }),
    Scalar::pure("pg_inetnot", 1, |a| {
        let value = inet(a, 0)?;
        written(Inet {
            address: !value.address & value.full_mask(),
            ..value
        })
    }),
    Scalar::pure("pg_inetand", 2, |a| combined(a, "AND", |a, b| a & b)),
    Scalar::pure("pg_inetor", 2, |a| combined(a, "OR", |a, b| a | b)),
    Scalar::pure("pg_inetpl", 2, |a| {
        moved(inet(a, 0)?, integer(a, 1)?.into())
    }),
    Scalar::pure("pg_int8pl_inet", 2, |a| {
        moved(inet(a, 1)?, integer(a, 0)?.into())
    }),
    Scalar::pure("pg_inetmi_int8", 2, |a| {
        moved(inet(a, 0)?, integer(a, 1)?.wrapping_neg().into())
    }),
    Scalar::pure("pg_inetmi", 2, difference),
];

fn inet(arguments: &[SqlValueRef<'_>], at: usize) -> Result<Inet, ValueError> {
    Inet::parse(text(arguments, at)?)
}

fn network(value: Inet) -> Inet {
    Inet {
        address: value.prefix(value.bits),
        ..value
    }
}

/// An address of the same version, all of whose bits are shown.
fn whole_address(like: Inet, address: u128) -> Inet {
    Inet {
        bits: like.width(),
        address,
        ..like
    }
}

/// -1 stands for all bits.
fn with_bits(value: Inet, bits: i64) -> Result<Inet, ValueError> {
    let wanted = if bits == -1 {
        value.width().into()
    } else {
        bits
    };
    match u8::try_from(wanted) {
        Ok(bits) if bits <= value.width() => Ok(Inet { bits, ..value }),
        _ => invalid(format!("invalid mask length: {bits}")),
    }
}

/// Whether a network is part of another one, or of a larger one.
fn within(inner: Inet, outer: Inet, larger: bool) -> bool {
    let fits = if larger {
        inner.bits > outer.bits
    } else {
        inner.bits >= outer.bits
    };
    inner.v6 == outer.v6 && fits && inner.prefix(outer.bits) == outer.prefix(outer.bits)
}

/// The smallest network that has both.
fn merged(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = (inet(arguments, 0)?, inet(arguments, 1)?);
    if a.v6 != b.v6 {
        return invalid("cannot merge addresses from different families");
    }
    let mut bits = a.bits.min(b.bits);
    while bits > 0 && a.prefix(bits) != b.prefix(bits) {
        bits -= 1;
    }
    written(network(Inet { bits, ..a }).network_text())
}

fn combined(arguments: &[SqlValueRef<'_>], name: &str, combine: fn(u128, u128) -> u128) -> Answer {
    let (a, b) = (inet(arguments, 0)?, inet(arguments, 1)?);
    if a.v6 != b.v6 {
        return invalid(format!("cannot {name} inet values of different sizes"));
    }
    written(Inet {
        address: combine(a.address, b.address),
        bits: a.bits.max(b.bits),
        ..a
    })
}

fn moved(value: Inet, by: i128) -> Answer {
    let address = if by < 0 {
        value.address.checked_sub(by.unsigned_abs())
    } else {
        value.address.checked_add(by.unsigned_abs())
    };
    match address.filter(|address| *address <= value.full_mask()) {
        Some(address) => written(Inet { address, ..value }),
        None => fail(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            "result is out of range",
        ),
    }
}

fn difference(arguments: &[SqlValueRef<'_>]) -> Answer {
    let (a, b) = (inet(arguments, 0)?, inet(arguments, 1)?);
    if a.v6 != b.v6 {
        return invalid("cannot subtract inet values of different sizes");
    }
    // As numbers of 128 bits with a sign.
    let distance = i64::try_from(
        a.address
            .cast_signed()
            .wrapping_sub(b.address.cast_signed()),
    );
    distance.map_or_else(
        |_| {
            fail(
                SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
                "result is out of range",
            )
        },
        whole,
    )
}

/// Without the numbers at the end that the prefix has no part in.
fn abbreviated(value: Inet) -> String {
    if value.v6 {
        // Where the prefix is made of whole groups, those behind it are left out.
        let groups = usize::from(value.bits / 16);
        let exact = value.bits.is_multiple_of(16) && (1..8).contains(&groups);
        let text = value.host();
        let kept = text.strip_suffix("::").filter(|_| exact);
        let kept = kept.filter(|kept| kept.split(':').count() == groups);
        return match kept {
            Some(kept) => format!("{kept}/{}", value.bits),
            None => value.network_text(),
        };
    }
    let host = value.host();
    let kept = usize::from(value.bits.div_ceil(8)).max(1);
    let parts: Vec<&str> = host.split('.').take(kept).collect();
    format!("{}/{}", parts.join("."), value.bits)
}
