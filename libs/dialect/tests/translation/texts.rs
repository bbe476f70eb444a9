//! Values as texts: what clients see, and how moments are rounded.

use crate::support::Database;

/// Bug: `'x'||true` was `x1`, `numeric(10,2) 5||''` was `5`, `concat(2.0::float8)` was `2.0`.
#[test]
fn texts_and_json_show_values_as_clients_see_them() {
    let database = Database::new();
    database.run(
        "CREATE TABLE v (b boolean, n numeric(10,2), f double precision, r real, c char(3), y bytea, t timestamp, z timestamptz, o oid);
         INSERT INTO v VALUES (true, 5, 2.0, '0.1', 'a', '\\x00ff', '2024-01-31 10:00', '2024-01-31 10:00+02', 7)",
    );
    assert_eq!(
        database.differences(
            "SELECT {} FROM v",
            &[
                ("'x' || b", "xtrue"),
                ("n || ''", "5.00"),
                ("f || '|' || r", "2|0.1"),
                ("'|' || c || '|'", "|a|"),
                ("CAST(f AS text)", "2"),
                ("concat(b, n, f, r)", "t5.0020.1"),
                ("concat(c, '|')", "a  |"),
                ("concat_ws(',', b, y)", "t,\\x00ff"),
                ("format('%s %s', n, b)", "5.00 t"),
                ("string_agg(b::text, ',')", "true"),
                ("string_agg(f::text, ',')", "2"),
                (
                    "json_build_array(b, n, f, o, c)",
                    "[true, 5.00, 2, \"7\", \"a  \"]",
                ),
                (
                    "json_build_object('t', t, b, z)",
                    "{\"t\" : \"2024-01-31T10:00:00\", \"true\" : \"2024-01-31T08:00:00+00:00\"}",
                ),
                ("json_agg(n)", "[5.00]"),
                ("json_object_agg(n, f)", "{ \"5.00\" : 2 }"),
                (
                    "json_object_agg(t, b)",
                    "{ \"2024-01-31T10:00:00\" : true }"
                ),
                ("to_json(n)", "5.00"),
                ("to_jsonb(z)", "\"2024-01-31T08:00:00+00:00\""),
                ("coalesce(n::text, 'none')", "5.00"),
            ]
        ),
        ""
    );
}

#[test]
fn moments_are_rounded_to_the_digits_of_their_type() {
    let database = Database::new();
    database.run("CREATE TABLE m (t timestamp(0), c time(3)); INSERT INTO m VALUES ('2024-12-31 23:59:59.5', '10:00:00.0006')");
    database.run("INSERT INTO m SELECT timestamp '2024-12-31 23:59:59.5', time '10:00:00.0006'");
    assert_eq!(
        database.rows("SELECT t, c FROM m").join(" "),
        "2025-01-01 00:00:00|10:00:00.001 2025-01-01 00:00:00|10:00:00.001"
    );
    assert_eq!(
        database
            .one("SELECT t::timestamp(0) FROM (SELECT timestamp '2024-01-01 00:00:00.7' AS t) s"),
        "2024-01-01 00:00:01"
    );
}
