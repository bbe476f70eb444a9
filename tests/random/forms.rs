//! Calls that the grammar spells otherwise than functions.

use dialect::catalog::TypeId;

/// The function's name, the call, and the types of its arguments.
pub(crate) type Form = (&'static str, &'static str, &'static [TypeId]);

const TEXT: TypeId = TypeId::TEXT;
const INT: TypeId = TypeId::INT4;

/// The forms whose arguments are of one type.
pub(crate) const FORMS: &[Form] = &[
    (
        "substring",
        "substring({} FROM {} FOR {})",
        &[TEXT, INT, INT],
    ),
    ("substring", "substring({} FROM {})", &[TEXT, INT]),
    ("substring", "substring({} FOR {})", &[TEXT, INT]),
    ("substring", "substring({} FROM {})", &[TEXT, TEXT]),
    (
        "substring",
        "substring({} SIMILAR {} ESCAPE '#')",
        &[TEXT, TEXT],
    ),
    (
        "substring",
        "substring({} FROM {} FOR {})",
        &[TypeId::BYTEA, INT, INT],
    ),
    (
        "overlay",
        "overlay({} PLACING {} FROM {} FOR {})",
        &[TEXT, TEXT, INT, INT],
    ),
    (
        "overlay",
        "overlay({} PLACING {} FROM {})",
        &[TEXT, TEXT, INT],
    ),
    (
        "overlay",
        "overlay({} PLACING {} FROM {})",
        &[TypeId::BYTEA, TypeId::BYTEA, INT],
    ),
    ("position", "position({} IN {})", &[TEXT, TEXT]),
    (
        "position",
        "position({} IN {})",
        &[TypeId::BYTEA, TypeId::BYTEA],
    ),
    ("trim", "trim(LEADING {} FROM {})", &[TEXT, TEXT]),
    ("trim", "trim(TRAILING {} FROM {})", &[TEXT, TEXT]),
    ("trim", "trim(BOTH {} FROM {})", &[TEXT, TEXT]),
    ("trim", "trim({})", &[TEXT]),
    (
        "trim",
        "trim(BOTH {} FROM {})",
        &[TypeId::BYTEA, TypeId::BYTEA],
    ),
    ("normalize", "normalize({}, NFKD)", &[TEXT]),
    ("normalize", "({} IS NORMALIZED)", &[TEXT]),
    ("normalize", "({} IS NOT NFC NORMALIZED)", &[TEXT]),
    ("collate", "({} COLLATE \"C\" < {})", &[TEXT, TEXT]),
    ("similar", "({} SIMILAR TO {} ESCAPE '#')", &[TEXT, TEXT]),
    ("like", "({} LIKE {} ESCAPE '#')", &[TEXT, TEXT]),
    (
        "at",
        "({} AT TIME ZONE 'America/New_York')",
        &[TypeId::TIMESTAMP],
    ),
    (
        "at",
        "({} AT TIME ZONE 'Asia/Kolkata')",
        &[TypeId::TIMESTAMPTZ],
    ),
    ("at", "({} AT TIME ZONE '-03:30')", &[TypeId::TIMETZ]),
    (
        "at",
        "({} AT TIME ZONE {})",
        &[TypeId::TIMESTAMPTZ, TypeId::INTERVAL],
    ),
    (
        "overlaps",
        "(({}, {}) OVERLAPS ({}, {}))",
        &[TypeId::DATE, TypeId::DATE, TypeId::DATE, TypeId::DATE],
    ),
    (
        "overlaps",
        "(({}, {}) OVERLAPS ({}, {}))",
        &[
            TypeId::TIMESTAMP,
            TypeId::INTERVAL,
            TypeId::TIMESTAMP,
            TypeId::INTERVAL,
        ],
    ),
    (
        "overlaps",
        "(({}, {}) OVERLAPS ({}, {}))",
        &[TypeId::TIME, TypeId::INTERVAL, TypeId::TIME, TypeId::TIME],
    ),
    ("subscript", "({})[{}]", &[TypeId::INT4_ARRAY, INT]),
    ("subscript", "({})[{}]", &[TypeId::TEXT_ARRAY, INT]),
    ("subscript", "({})[{}:{}]", &[TypeId::INT4_ARRAY, INT, INT]),
    ("subscript", "({})[:{}]", &[TypeId::TEXT_ARRAY, INT]),
    ("subscript", "({})[{}:]", &[TypeId::NUMERIC_ARRAY, INT]),
    ("subscript", "({})['a']", &[TypeId::JSONB]),
    ("subscript", "({})[{}]", &[TypeId::JSONB, INT]),
    ("subscript", "({})['a']['b'][{}]", &[TypeId::JSONB, INT]),
    ("array", "ARRAY[{}, {}, {}]", &[INT, INT, INT]),
    ("array", "ARRAY[{}, {}]", &[TypeId::INT8, TypeId::NUMERIC]),
    (
        "array",
        "ARRAY[[{}, {}], [{}, {}]]",
        &[TEXT, TEXT, TEXT, TEXT],
    ),
    ("array", "ARRAY[{}, {}]", &[TypeId::JSONB, TypeId::JSONB]),
    ("array", "ARRAY[{}, {}]", &[TypeId::TIMESTAMP, TypeId::DATE]),
    (
        "array",
        "ARRAY[{}, {}]",
        &[TypeId::INT4_ARRAY, TypeId::INT4_ARRAY],
    ),
    ("any", "({} LIKE ANY (ARRAY[{}, {}]))", &[TEXT, TEXT, TEXT]),
    (
        "any",
        "({} NOT ILIKE ALL (ARRAY[{}, {}]))",
        &[TEXT, TEXT, TEXT],
    ),
    (
        "any",
        "({} = ANY ({}))",
        &[TypeId::INT8, TypeId::INT4_ARRAY],
    ),
    (
        "any",
        "({} > ALL ({}))",
        &[TypeId::NUMERIC, TypeId::INT4_ARRAY],
    ),
    ("row", "ROW({}, {})::text", &[INT, TEXT]),
    (
        "row",
        "ROW({}, {}, {})::text",
        &[TypeId::JSONB, TypeId::NUMERIC, TypeId::TIMESTAMPTZ],
    ),
    ("row", "(ROW({}, {}) IS NULL)", &[INT, TEXT]),
    (
        "row",
        "(ROW({}, {}) IS NOT NULL)",
        &[TypeId::DATE, TypeId::NUMERIC],
    ),
    (
        "row",
        "(ROW({}, {}) IS DISTINCT FROM ROW({}, {}))",
        &[INT, TEXT, TypeId::NUMERIC, TEXT],
    ),
    (
        "row",
        "to_jsonb(ROW({}, {}))",
        &[TypeId::TIMESTAMP, TypeId::FLOAT8],
    ),
    ("row", "row_to_json(ROW({}, {}))", &[TEXT, TypeId::NUMERIC]),
    (
        "in",
        "({} IN ({}, {}, {}))",
        &[INT, TypeId::NUMERIC, TypeId::INT8, TypeId::INT2],
    ),
    (
        "in",
        "(({}, {}) IN (({}, {}), ({}, {})))",
        &[INT, TEXT, INT, TEXT, TypeId::INT8, TEXT],
    ),
    ("quantified", "({} = ANY ('{1,2,NULL}'))", &[INT]),
    (
        "coalesce",
        "COALESCE({}, {}, {})",
        &[TypeId::INT2, TypeId::INT8, TypeId::NUMERIC],
    ),
    ("coalesce", "COALESCE({}, {})", &[TypeId::VARCHAR, TEXT]),
    (
        "coalesce",
        "COALESCE({}, {})",
        &[TypeId::DATE, TypeId::TIMESTAMPTZ],
    ),
    ("coalesce", "COALESCE({}, '7')", &[TypeId::NUMERIC]),
    ("coalesce", "NULLIF({}, {})", &[INT, TypeId::NUMERIC]),
    (
        "coalesce",
        "NULLIF({}, {})",
        &[TypeId::FLOAT4, TypeId::FLOAT8],
    ),
    (
        "coalesce",
        "GREATEST({}, {}, {})",
        &[INT, TypeId::FLOAT8, TypeId::NUMERIC],
    ),
    (
        "coalesce",
        "LEAST({}, {})",
        &[TypeId::TIMESTAMP, TypeId::DATE],
    ),
    (
        "coalesce",
        "CASE WHEN {} THEN {} WHEN {} THEN {} ELSE {} END",
        &[
            TypeId::BOOL,
            INT,
            TypeId::BOOL,
            TypeId::NUMERIC,
            TypeId::INT8,
        ],
    ),
    (
        "coalesce",
        "CASE {} WHEN {} THEN 'one' WHEN {} THEN {} END",
        &[TypeId::INT8, INT, TypeId::NUMERIC, TypeId::VARCHAR],
    ),
    ("typmod", "CAST({} AS numeric(6,-2))", &[TypeId::NUMERIC]),
    ("typmod", "CAST({} AS numeric(3,5))", &[TypeId::NUMERIC]),
    ("typmod", "{}::varchar(2)::text", &[TEXT]),
    ("typmod", "{}::char(3)::text || '|'", &[TEXT]),
    ("typmod", "{}::text::varchar(30)::name", &[TEXT]),
    (
        "typmod",
        "CAST({} AS interval year to month)",
        &[TypeId::INTERVAL],
    ),
    (
        "typmod",
        "CAST({} AS interval hour to second(1))",
        &[TypeId::INTERVAL],
    ),
    ("typmod", "CAST({} AS interval minute)", &[TypeId::INTERVAL]),
    (
        "typmod",
        "{}::int8::int4::int2::numeric(4,1)",
        &[TypeId::NUMERIC],
    ),
    (
        "typmod",
        "{}::float4::float8::numeric::text",
        &[TypeId::NUMERIC],
    ),
    (
        "typmod",
        "{}::date::timestamptz::time",
        &[TypeId::TIMESTAMPTZ],
    ),
    ("typmod", "{}::text::jsonb::text", &[TypeId::JSON]),
    (
        "concat",
        "concat({}, {}, {})",
        &[TypeId::BOOL, TypeId::FLOAT8, TypeId::TIMESTAMPTZ],
    ),
    ("concat", "({} || {})", &[TEXT, TypeId::NUMERIC]),
    ("concat", "({} || {})", &[TypeId::TIMESTAMP, TEXT]),
    (
        "concat",
        "format('%s|%I|%L', {}, {}, {})",
        &[TypeId::INT8, TEXT, TypeId::NUMERIC],
    ),
    (
        "concat",
        "format('%2$s %1$-8s|', {}, {})",
        &[TypeId::DATE, TEXT],
    ),
    (
        "xor",
        "({} = true AND {} <> false OR NOT {})",
        &[TypeId::BOOL, TypeId::BOOL, TypeId::BOOL],
    ),
    (
        "setbits",
        "({} & {} | ~ {} # {})",
        &[INT, INT, INT, TypeId::INT8],
    ),
    (
        "arith",
        "({} + {} * {} - {})",
        &[INT, TypeId::NUMERIC, TypeId::INT2, TypeId::INT8],
    ),
    (
        "arith",
        "({} / {} % {})",
        &[TypeId::NUMERIC, INT, TypeId::NUMERIC],
    ),
    ("arith", "(- {} ^ {})", &[TypeId::NUMERIC, TypeId::INT2]),
    (
        "arith",
        "({} - {} + {})",
        &[TypeId::TIMESTAMP, TypeId::DATE, TypeId::INTERVAL],
    ),
    (
        "arith",
        "({} + {} * {})",
        &[TypeId::DATE, TypeId::INTERVAL, TypeId::FLOAT8],
    ),
    (
        "arith",
        "({} + {} - {})",
        &[TypeId::DATE, INT, TypeId::DATE],
    ),
    ("arith", "({} + {})", &[TypeId::DATE, TypeId::TIMETZ]),
    (
        "jsonpath",
        "jsonb_path_query_array({}, '$.**')",
        &[TypeId::JSONB],
    ),
    (
        "jsonpath",
        "jsonb_path_query_first({}, '$.a[*] ? (@ > 1)')",
        &[TypeId::JSONB],
    ),
    (
        "jsonpath",
        "({} @? '$[*] ? (@.type() == \"number\")')",
        &[TypeId::JSONB],
    ),
    ("jsonpath", "({} @@ '$.a == 1')", &[TypeId::JSONB]),
    (
        "jsonpath",
        "jsonb_path_exists({}, 'strict $.k[0].x', '{}', true)",
        &[TypeId::JSONB],
    ),
];

/// What EXTRACT takes from a moment or a span.
pub(crate) const FIELDS: &[&str] = &[
    "century",
    "decade",
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "dow",
    "isodow",
    "doy",
    "hour",
    "minute",
    "second",
    "milliseconds",
    "microseconds",
    "epoch",
    "isoyear",
    "julian",
    "timezone",
    "millennium",
];
