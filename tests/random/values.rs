//! The types, and values of each as literals: edges and usual ones.

use dialect::catalog::TypeId;

/// A type that columns have, its name, and texts of its values.
pub(crate) type Values = (TypeId, &'static str, &'static [&'static str]);

/// The types that have columns.
pub(crate) const TYPES: &[Values] = &[
    (TypeId::BOOL, "bool", &["true", "false"]),
    (
        TypeId::INT2,
        "int2",
        &[
            "0", "1", "2", "-1", "7", "32767", "-32768", "12", "100", "-3",
        ],
    ),
    (
        TypeId::INT4,
        "int4",
        &[
            "0",
            "1",
            "2",
            "3",
            "-1",
            "5",
            "10",
            "-7",
            "2147483647",
            "-2147483648",
            "65536",
            "42",
            "1000",
        ],
    ),
    (
        TypeId::INT8,
        "int8",
        &[
            "0",
            "1",
            "2",
            "-1",
            "9223372036854775807",
            "-9223372036854775808",
            "4294967296",
            "123456789012",
            "-17",
            "10",
        ],
    ),
    (
        TypeId::FLOAT4,
        "float4",
        &[
            "0",
            "1",
            "-1.5",
            "0.1",
            "3.4028235e38",
            "1e-45",
            "NaN",
            "Infinity",
            "-Infinity",
            "16777217",
            "2.5",
            "123456.7",
        ],
    ),
    (
        TypeId::FLOAT8,
        "float8",
        &[
            "0",
            "1",
            "-1",
            "0.1",
            "-2.5",
            "0.5",
            "2",
            "3.14159265358979",
            "1e308",
            "5e-324",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e15",
            "1e-5",
            "123456789.125",
            "0.3333333333333333",
            "90",
            "30",
            "-0.75",
        ],
    ),
    (
        TypeId::NUMERIC,
        "numeric",
        &[
            "0",
            "1",
            "-1",
            "1.50",
            "-2.5",
            "3.14159",
            "100",
            "12345678901234567890.123456789",
            "1e-20",
            "NaN",
            "Infinity",
            "-Infinity",
            "0.1",
            "99999.995",
            "1e40",
            "2",
            "10",
            "-0.75",
            "0.000123",
            "7",
        ],
    ),
    (
        TypeId::TEXT,
        "text",
        &[
            "",
            "a",
            "abc",
            "ABC",
            "Hello World",
            "äöü€",
            "it''s",
            "a%b_c",
            "  padded  ",
            "12",
            "3.5",
            "x,y,,z",
            "日本語",
            "\\",
            "a\\b",
            "foo bar baz",
            "2024-02-29",
            "true",
            "aAbBcC",
            "tab\there",
            "{1,2}",
            "%",
            "abcabc",
            "z",
        ],
    ),
    (
        TypeId::VARCHAR,
        "varchar",
        &["", "a", "abc", "Zz", "é", "12", "x y", "  b"],
    ),
    (
        TypeId::BPCHAR,
        "bpchar",
        &["", "a", "abc", "ab", "  c", "é", "12", "A"],
    ),
    (TypeId::NAME, "name", &["", "a", "abc", "pg_class", "Zz"]),
    (TypeId::CHAR, "\"char\"", &["", "a", "Z", "1"]),
    (TypeId::OID, "oid", &["0", "1", "25", "4294967295"]),
    (
        TypeId::BYTEA,
        "bytea",
        &[
            "",
            "\\x00",
            "\\x616263",
            "\\xff00ff",
            "abc",
            "\\x5c",
            "\\xdeadbeef0123",
            "a\\001b",
        ],
    ),
    (
        TypeId::DATE,
        "date",
        &[
            "2000-01-01",
            "2024-02-29",
            "1999-12-31",
            "infinity",
            "-infinity",
            "0001-01-01",
            "4713-01-01 BC",
            "9999-12-31",
            "2023-03-26",
            "1970-01-01",
            "2021-01-03",
            "0044-03-15 BC",
            "5874897-12-31",
        ],
    ),
    (
        TypeId::TIME,
        "time",
        &[
            "00:00:00",
            "12:34:56",
            "23:59:59.999999",
            "24:00:00",
            "01:02:03.5",
            "06:30",
        ],
    ),
    (
        TypeId::TIMETZ,
        "timetz",
        &[
            "00:00:00+00",
            "12:34:56-08",
            "23:59:59.999999+05:30",
            "24:00:00+00",
            "01:02:03.5+02",
            "03:00:00-15:59:59",
        ],
    ),
    (
        TypeId::TIMESTAMP,
        "timestamp",
        &[
            "2000-01-01 00:00:00",
            "2024-02-29 12:34:56.789012",
            "1999-12-31 23:59:59.999999",
            "infinity",
            "-infinity",
            "1970-01-01 00:00:00",
            "0001-01-01 00:00:00",
            "4713-01-01 00:00:00 BC",
            "2023-03-26 02:30:00",
            "250000-12-31 23:59:59",
            "2021-01-03 10:00:00",
        ],
    ),
    (
        TypeId::TIMESTAMPTZ,
        "timestamptz",
        &[
            "2000-01-01 00:00:00+00",
            "2024-02-29 12:34:56.789012+02",
            "1999-12-31 23:59:59.999999-08",
            "infinity",
            "-infinity",
            "1970-01-01 00:00:00+00",
            "2023-03-26 01:30:00+00",
            "0001-01-01 00:00:00+00",
            "4713-01-02 00:00:00+00 BC",
            "2021-07-04 10:00:00 America/New_York",
        ],
    ),
    (
        TypeId::INTERVAL,
        "interval",
        &[
            "0",
            "1 day",
            "-1 day",
            "1 month",
            "1 year 2 mons 3 days 04:05:06.789",
            "-00:00:01",
            "24:00:00",
            "30 days",
            "100 years",
            "1 mon -1 day",
            "-1 mon +1 day 01:00:00",
            "00:00:00.000001",
            "2 hours",
            "15 mins",
        ],
    ),
    (
        TypeId::UUID,
        "uuid",
        &[
            "00000000-0000-0000-0000-000000000000",
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
            "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12",
        ],
    ),
    (
        TypeId::JSON,
        "json",
        &[
            "null",
            "1",
            "\"a\"",
            "[]",
            "{}",
            "{\"a\": 1, \"b\": [1,2,3]}",
            "[1, \"x\", null, true, 2.50]",
            "{\"a\":{\"b\":{\"c\":\"d\"}},\"a\":2}",
            "\"\\u00e9\\n\"",
            " {\"k\" : [ {\"x\":1e2} ] }",
            "false",
            "{\"b\":null,\"a\":\"\"}",
        ],
    ),
    (
        TypeId::JSONB,
        "jsonb",
        &[
            "null",
            "1",
            "\"a\"",
            "[]",
            "{}",
            "{\"a\": 1, \"b\": [1,2,3]}",
            "[1, \"x\", null, true, 2.50]",
            "{\"a\":{\"b\":{\"c\":\"d\"}},\"aa\":2}",
            "\"\\u00e9\\n\"",
            "{\"k\": [{\"x\":1e2}]}",
            "false",
            "[1,2,1]",
            "{\"b\":null,\"a\":\"\"}",
            "1.0",
            "[[1,2],[3]]",
        ],
    ),
    (
        TypeId::INET,
        "inet",
        &[
            "127.0.0.1",
            "192.168.1.5/24",
            "10.0.0.0/8",
            "::1",
            "2001:db8::ff00:42:8329/64",
            "0.0.0.0/0",
            "255.255.255.255",
            "::ffff:1.2.3.4/128",
            "192.168.1.0/25",
        ],
    ),
    (
        TypeId::CIDR,
        "cidr",
        &[
            "127.0.0.1",
            "192.168.1.0/24",
            "10.0.0.0/8",
            "::1",
            "2001:db8::/32",
            "0.0.0.0/0",
        ],
    ),
];

/// Arrays of some of the types.
pub(crate) const ARRAYS: &[Values] = &[
    (
        TypeId::INT4_ARRAY,
        "int4[]",
        &[
            "{}",
            "{1,2,3}",
            "{NULL,1}",
            "{{1,2},{3,4}}",
            "{5}",
            "[0:1]={7,8}",
            "{2,2,1}",
        ],
    ),
    (
        TypeId::INT8_ARRAY,
        "int8[]",
        &["{}", "{1,2,3}", "{9223372036854775807}"],
    ),
    (
        TypeId::TEXT_ARRAY,
        "text[]",
        &[
            "{}",
            "{a,b}",
            "{\"x y\",NULL,\"q\\\"\"}",
            "{a,b,c}",
            "{\"\",\"NULL\"}",
            "{{a,b},{c,d}}",
            "{b,0}",
        ],
    ),
    (
        TypeId::NUMERIC_ARRAY,
        "numeric[]",
        &["{}", "{1.50,2}", "{NaN,-1}", "{0.1,NULL}"],
    ),
    (
        TypeId::FLOAT8_ARRAY,
        "float8[]",
        &["{}", "{0.5,1}", "{0.25,0.75}", "{0,1}"],
    ),
    (TypeId::BOOL_ARRAY, "bool[]", &["{}", "{t,f}", "{NULL}"]),
    (
        TypeId::DATE_ARRAY,
        "date[]",
        &["{}", "{2024-02-29,infinity}"],
    ),
    (
        TypeId::TIMESTAMP_ARRAY,
        "timestamp[]",
        &["{}", "{\"2024-02-29 12:00:00\"}"],
    ),
    (
        TypeId::INTERVAL_ARRAY,
        "interval[]",
        &["{}", "{\"1 day\",\"02:00:00\"}"],
    ),
    (
        TypeId::JSONB_ARRAY,
        "jsonb[]",
        &["{}", "{\"{\\\"a\\\": 1}\",null}"],
    ),
    (TypeId::BPCHAR_ARRAY, "bpchar[]", &["{}", "{a,b}"]),
    (TypeId::INET_ARRAY, "inet[]", &["{}", "{127.0.0.1,::1}"]),
];

/// Name and values of a type.
pub(crate) fn values_of(ty: TypeId) -> Option<&'static Values> {
    TYPES.iter().chain(ARRAYS).find(|(id, ..)| *id == ty)
}

/// Texts of which an argument of a function is one: what means something to it.
pub(crate) fn special(
    name: &str,
    index: usize,
    ty: TypeId,
    first: TypeId,
) -> Option<&'static [&'static str]> {
    if ty == TypeId::BPCHAR && index > 0 {
        return None;
    }
    let text = matches!(ty, TypeId::TEXT | TypeId::NAME | TypeId::VARCHAR);
    let whole = matches!(ty, TypeId::INT4 | TypeId::INT2 | TypeId::INT8);
    Some(match name {
        "repeat" | "lpad" | "rpad" | "text_lpad" if whole => &["0", "1", "3", "-1", "12"],
        "factorial" | "numeric_fac" => &["0", "1", "5", "20", "-1", "30"],
        "to_char"
            if index == 1
                && matches!(
                    first,
                    TypeId::INT4 | TypeId::INT8 | TypeId::NUMERIC | TypeId::FLOAT4 | TypeId::FLOAT8
                ) =>
        {
            NUMBER_TEMPLATES
        }
        "to_char" if index == 1 => TO_CHAR,
        "timezone" if index == 0 && ty == TypeId::INTERVAL => {
            &["01:00", "-05:30", "1 day", "00:00:30", "14:00"]
        }
        "width_bucket" if ty == TypeId::NUMERIC => &["0", "1", "2.5", "10", "99.5", "-3"],
        "age" if ty == TypeId::TIMESTAMP || ty == TypeId::TIMESTAMPTZ => &[
            "2024-02-29 12:34:56",
            "1999-12-31 23:59:59.5",
            "2000-01-01",
            "2021-03-28 03:30:00",
            "1970-05-31",
        ],
        "to_date" | "to_timestamp" if index == 1 && text => DATE_TEMPLATES,
        "to_date" | "to_timestamp" if index == 0 && text => &[
            "2024-02-29",
            "29 Feb 2024",
            "20240229 123456",
            "2024",
            "12:30:45",
            "1 1 1",
            "",
        ],
        "to_number" if index == 1 => &[
            "999", "9,999.99", "S999.9", "999MI", "L999", "9G999D99", "RN", "FM99.9", "999th",
        ],
        "to_number" if index == 0 => &[
            "12", "-12.5", "1,234.50", "12-", "+7", "$100", "", "1e5", "<12>",
        ],
        "date_trunc" | "date_part" | "extract" | "timestamp_trunc" if index == 0 && text => FIELDS,
        "timezone" | "date_trunc" | "make_timestamptz" if text => &[
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "+05:30",
            "EST",
            "Asia/Kolkata",
            "<+03>-03",
            "nowhere",
        ],
        "encode" | "decode" if index == 1 => &["hex", "base64", "escape", "HEX", "bogus"],
        "decode" if index == 0 => &["616263", "YWJj", "abc\\\\", "zz", "", "YWJjZA=="],
        "convert_from" | "convert_to" | "length" if index == 1 => {
            &["UTF8", "LATIN1", "SQL_ASCII", "utf-8"]
        }
        "convert" if index > 0 => &["UTF8", "LATIN1"],
        "normalize" | "is_normalized" if index == 1 => &["NFC", "NFD", "NFKC", "NFKD"],
        "format" if index == 0 => &[
            "%s",
            "%I and %L",
            "%%",
            "%1$s %1$s",
            "%-5s|",
            "%5s|",
            "%*s",
            "%s %s",
            "x%",
            "%2$s",
        ],
        "regexp_replace"
        | "regexp_match"
        | "regexp_matches"
        | "regexp_split_to_array"
        | "regexp_split_to_table"
        | "regexp_count"
        | "regexp_instr"
        | "regexp_substr"
        | "regexp_like"
        | "~"
        | "~*"
        | "!~"
        | "!~*"
        | "substring"
        | "textregexsubstr"
            if index == 1 && text =>
        {
            REGEXPS
        }
        "regexp_replace" if index == 2 && text => &["", "X", "[\\1]", "\\&-", "<\\2>"],
        "regexp_replace"
        | "regexp_match"
        | "regexp_matches"
        | "regexp_split_to_array"
        | "regexp_split_to_table"
        | "regexp_count"
        | "regexp_instr"
        | "regexp_substr"
        | "regexp_like"
            if index >= 2 && text =>
        {
            &["", "g", "i", "x", "n", "gi", "q"]
        }
        "regexp_instr" | "regexp_count" | "regexp_substr" | "regexp_replace" if whole => {
            &["1", "2", "0", "3"]
        }
        "similar_to_escape" | "similar_escape" | "like_escape" | "substring"
            if index == 2 && text =>
        {
            &["#", "\\", ""]
        }
        "substring" if index == 0 && text => &["abcdefg", "foobar", "", "äöü"],
        "json_extract_path"
        | "json_extract_path_text"
        | "jsonb_extract_path"
        | "jsonb_extract_path_text"
            if index > 0 =>
        {
            &["a", "b", "0", "1", "k"]
        }
        "->" | "->>" | "?" | "-" if index == 1 && text => &["a", "b", "k", "x", "0"],
        "->" | "->>" if index == 1 => &["0", "1", "-1", "5"],
        "#>" | "#>>" | "#-" | "jsonb_set" | "jsonb_insert" | "jsonb_set_lax"
        | "jsonb_delete_path"
            if ty == TypeId::TEXT_ARRAY =>
        {
            PATHS
        }
        "?|" | "?&" if ty == TypeId::TEXT_ARRAY => &["{a,b}", "{x}", "{}", "{a,NULL}"],
        "jsonb_set_lax" if text => &[
            "use_json_null",
            "raise_exception",
            "delete_key",
            "return_target",
            "x",
        ],
        "make_date" | "make_time" | "make_timestamp" | "make_timestamptz" | "make_interval"
            if whole =>
        {
            &["1", "2", "10", "12", "2024", "0", "-5", "29"]
        }
        "make_time" | "make_timestamp" | "make_timestamptz" | "make_interval"
            if ty == TypeId::FLOAT8 =>
        {
            &["0", "1.5", "59.999999", "60", "-3.25", "30"]
        }
        "power" | "pow" | "^" | "exp" | "numeric_power" | "numeric_exp"
            if ty == TypeId::NUMERIC =>
        {
            &[
                "0",
                "1",
                "2",
                "-1",
                "0.5",
                "10",
                "3.7",
                "-2.5",
                "NaN",
                "Infinity",
                "-Infinity",
                "1.50",
            ]
        }
        "round" | "trunc" | "<<" | ">>" | "set_bit" | "get_bit" | "set_byte" | "get_byte"
        | "substr" | "left" | "right" | "split_part" | "overlay" | "subscript" | "array_length"
        | "array_upper" | "array_lower" | "trim_array" | "set_masklen" | "chr" | "width_bucket"
        | "timestamp" | "timestamptz" | "time" | "timetz" | "interval" | "bpchar" | "varchar"
        | "numeric"
            if whole =>
        {
            &["0", "1", "2", "3", "-1", "-2", "5", "8", "65"]
        }
        "generate_series" if whole => &["0", "1", "3", "5", "-2"],
        "generate_series" if ty == TypeId::NUMERIC => &["0", "1", "2.5", "0.7", "-1"],
        "generate_series" if ty == TypeId::INTERVAL => &["1 day", "12 hours", "-1 day", "1 mon"],
        "generate_series" => &["2024-02-28 00:00", "2024-03-02 06:00", "2024-02-29 12:00"],
        "split_part" if index == 1 => &[",", " ", "b", "", "ab"],
        "string_to_array" | "string_to_table" | "array_to_string" if index > 0 && text => {
            &[",", " ", "", "b", "a"]
        }
        "like" | "~~" | "~~*" | "!~~" | "!~~*" if index == 1 && text => {
            &["%", "a%", "%b%", "_bc", "A\\%", "", "%_", "a\\"]
        }
        "unistr" => &["\\0041bc", "\\+01F600", "plain", "\\u00e9", "\\bad"],
        "translate" if index > 0 => &["abc", "", "xyz", "a", "äb"],
        "chr" => &["65", "0", "8364", "1114111", "-1"],
        _ => return None,
    })
}

const TO_CHAR: &[&str] = &[
    "YYYY-MM-DD",
    "HH24:MI:SS.US",
    "Day, DD Month YYYY",
    "FMDay FMDDth FMMonth",
    "HH12 AM",
    "J Q WW IW IYYY ID",
    "MS TZ OF",
    "CC BC",
    "RM rm",
    "Y,YYY",
    "DY dy Dy",
    "\"text\" YYYY",
    "SSSS",
    "FF3 FF6",
    "YYYYth",
    "",
];
const NUMBER_TEMPLATES: &[&str] = &[
    "999",
    "S9,999.99",
    "FM999.00",
    "9.99EEEE",
    "RN",
    "PL999",
    "999PR",
    "0000",
    "MI99.9",
    "99V99",
    "L99",
    "SG9999D99",
    "B999",
    "",
    "9999999999th",
    "FMRN",
    "9G999S",
    "00.00",
];
const DATE_TEMPLATES: &[&str] = &[
    "YYYY-MM-DD",
    "DD Mon YYYY",
    "YYYYMMDD HH24MISS",
    "YYYY",
    "HH24:MI:SS",
    "J",
    "IYYY IW ID",
    "DDD YYYY",
    "",
    "MM/DD/YY",
];
const FIELDS: &[&str] = &[
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "week",
    "quarter",
    "decade",
    "century",
    "millennium",
    "dow",
    "isodow",
    "doy",
    "epoch",
    "isoyear",
    "julian",
    "timezone",
    "timezone_hour",
    "bogus",
    "MONTH",
];
const REGEXPS: &[&str] = &[
    "a",
    "^a",
    "b+",
    "(a)(b)",
    "[a-c]+",
    "\\d+",
    "\\w+\\s",
    "a|b",
    "(?i)ABC",
    ".",
    "$",
    "x*",
    "(",
    "[[:alpha:]]+",
    "a{2}",
    "\\m\\w",
    "o(.)",
    "",
];
const PATHS: &[&str] = &[
    "{a}", "{b,0}", "{a,b}", "{0}", "{-1}", "{}", "{k,0,x}", "{c}",
];
