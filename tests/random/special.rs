//! What means something to a function: templates, fields, patterns, small numbers.

use dialect::catalog::TypeId;

/// Texts of which an argument of a function is one: what means something to it.
#[expect(clippy::too_many_lines, reason = "a table, a line for each function")]
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
