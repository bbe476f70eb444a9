use super::*;

#[test]
fn paths_are_printed_as_postgresql_prints_them() {
    for (text, shown) in [
        ("$.a[*]", "$.\"a\"[*]"),
        ("$ ? (@.b == -1)", "$?(@.\"b\" == -1)"),
        ("$.a.size()", "$.\"a\".size()"),
        ("$ ? (@ > $min)", "$?(@ > $\"min\")"),
        ("$?(@ > $\"min\")", "$?(@ > $\"min\")"),
        ("$.\"$\\\"min\"", "$.\"$\\\"min\""),
        ("$.\"a\\u0062\\x41\\/\"", "$.\"abA/\""),
        (
            "$ ? (@.\"\\\\\" like_regex \"^\\\\(\\\\d\" flag \"i\")",
            "$?(@.\"\\\\\" like_regex \"^\\\\(\\\\d\" flag \"i\")",
        ),
    ] {
        assert_eq!(path_text(text).unwrap(), shown);
    }
}

#[test]
fn what_is_computed_otherwise_is_refused() {
    for (text, state) in [
        ("$.a + 1", SqlState::FEATURE_NOT_SUPPORTED),
        ("$.a * 2", SqlState::FEATURE_NOT_SUPPORTED),
        ("-$.a", SqlState::FEATURE_NOT_SUPPORTED),
        ("$.\"a\\\"\" + 1", SqlState::FEATURE_NOT_SUPPORTED),
        ("$.\"a\\v\"", SqlState::FEATURE_NOT_SUPPORTED),
        ("$.\"a", SqlState::SYNTAX_ERROR),
        (
            "$.a == 12345678901234567890",
            SqlState::FEATURE_NOT_SUPPORTED,
        ),
        ("$.a.bigint()", SqlState::SYNTAX_ERROR),
        ("$.", SqlState::SYNTAX_ERROR),
        ("", SqlState::INVALID_TEXT_REPRESENTATION),
        ("$ ? (@ == 1e400)", SqlState::FEATURE_NOT_SUPPORTED),
        (
            "$ ? (((((((((@ == 1)))))))))",
            SqlState::STATEMENT_TOO_COMPLEX,
        ),
        (
            &format!("{}1", "-".repeat(300)),
            SqlState::STATEMENT_TOO_COMPLEX,
        ),
    ] {
        assert_eq!(path_text(text).unwrap_err().sqlstate, state, "{text}");
    }
    assert!(path_text("$.\"a + 1\" ? (@ like_regex \"^x*\")").is_ok());
}

#[test]
fn numbers_stay_as_they_were_written() {
    let arguments = [
        SqlValueRef::Text("{\"a\": [1.50, 2, 0.1]}"),
        SqlValueRef::Text("$.a[*] ? (@ < 2)"),
        SqlValueRef::Text("{}"),
        SqlValueRef::Integer(0),
    ];
    let found = found(&arguments, false).unwrap().unwrap();
    assert_eq!(Json::Array(found).to_string(), "[1.50, 0.1]");
    let large = SqlValueRef::Text("[9007199254740993]");
    let arguments = [large, SqlValueRef::Text("$[0]")];
    let error = super::found(&arguments, false).unwrap_err();
    assert_eq!(error.sqlstate, SqlState::FEATURE_NOT_SUPPORTED);
}
