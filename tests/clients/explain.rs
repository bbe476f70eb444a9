//! EXPLAIN and `pg_stat_statements`, as people and drivers read them.

use crate::Shop;

fn plan(client: &dbtests::Client, sql: &str) -> String {
    let rows = client.rows(sql);
    rows.iter()
        .map(|row| row[0].as_str())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_plan_is_shown_in_the_layout_of_postgresql() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE shop (id int PRIMARY KEY, name text); CREATE TABLE item (id int PRIMARY KEY, shop_id int, price numeric)");
    client.run("CREATE INDEX item_shop ON item (shop_id)");
    client.run("INSERT INTO shop VALUES (1, 'a'), (2, 'b'); INSERT INTO item SELECT n, n % 2 + 1, n FROM generate_series(1, 9) AS g(n)");
    assert_eq!(
        plan(&client, "EXPLAIN SELECT * FROM item"),
        "Seq Scan on item"
    );
    let joined = plan(
        &client,
        "EXPLAIN (COSTS off) SELECT * FROM shop s JOIN item i ON i.shop_id = s.id ORDER BY i.price",
    );
    let lines: Vec<&str> = joined.lines().map(str::trim_start).collect();
    assert_eq!(lines[0], "Sort");
    assert!(
        lines.contains(&"->  Nested Loop") && joined.contains("->  Seq Scan on "),
        "{joined}"
    );
    assert!(
        plan(&client, "EXPLAIN UPDATE item SET price = 0 WHERE id = 1")
            .starts_with("Update on item\n  ->  Index Scan using ")
    );
    let analyzed = plan(
        &client,
        "EXPLAIN ANALYZE SELECT * FROM item WHERE price > 3",
    );
    assert!(
        analyzed.starts_with("Seq Scan on item  (actual time=")
            && analyzed.contains(" rows=6 loops=1)"),
        "{analyzed}"
    );
    assert!(
        analyzed.contains("\nPlanning Time: ") && analyzed.contains("\nExecution Time: "),
        "{analyzed}"
    );
    let counted = "EXPLAIN (ANALYZE, TIMING off, SUMMARY off) SELECT 1 FROM shop";
    assert!(
        plan(&client, counted).ends_with("  (actual rows=2 loops=1)"),
        "{}",
        plan(&client, counted)
    );
    for (sql, code) in [
        ("EXPLAIN ANALYZE DELETE FROM item", "0A000"),
        ("EXPLAIN (BUFFERS) SELECT 1", "0A000"),
        ("EXPLAIN (FORMAT xml) SELECT 1", "0A000"),
        ("EXPLAIN (FORMAT nonsense) SELECT 1", "22023"),
        ("EXPLAIN (TIMING) SELECT 1", "22023"),
        ("EXPLAIN (nonsense) SELECT 1", "42601"),
    ] {
        assert_eq!(client.refused(sql).code, code, "{sql}");
    }
    assert_eq!(client.value("SELECT count(*) FROM item"), "9");
}

#[test]
fn a_plan_as_json_is_of_type_json() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE item (id int PRIMARY KEY, price numeric)");
    let sql = "EXPLAIN (ANALYZE, FORMAT json) SELECT * FROM item WHERE id = 1";
    let prepared = client
        .wait(client.driver().prepare(sql))
        .expect("a statement");
    assert_eq!(prepared.columns()[0].type_().name(), "json");
    let told: serde_json::Value = serde_json::from_str(&plan(&client, sql)).expect("JSON");
    assert_eq!(told[0]["Plan"]["Node Type"], "Index Scan");
    assert_eq!(told[0]["Plan"]["Relation Name"], "item");
    assert_eq!(told[0]["Plan"]["Actual Rows"], 0);
    assert!(told[0]["Execution Time"].is_number());
}

#[test]
fn statements_are_counted_by_their_texts() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; CREATE TABLE item (id int PRIMARY KEY, name text)");
    client.run("SELECT pg_stat_statements_reset()");
    for n in 1..=3 {
        client.run(&format!("INSERT INTO item VALUES ({n}, 'name {n}')"));
    }
    client.run("SELECT * FROM item WHERE id > 1");
    client.refused("SELECT 1 / 0");
    let counted = "SELECT query, calls, rows, total_exec_time > 0, mean_exec_time <= max_exec_time, queryid IS NOT NULL FROM pg_stat_statements \
        WHERE query LIKE '%item%' AND query NOT LIKE '%pg_stat%' ORDER BY query";
    assert_eq!(
        client.rows(counted),
        [
            ["INSERT INTO item VALUES ($1, $2)", "3", "3", "t", "t", "t"],
            ["SELECT * FROM item WHERE id > $1", "1", "2", "t", "t", "t"],
        ]
    );
    assert_eq!(
        client.value("SELECT count(*) FROM pg_stat_statements(false) WHERE query IS NOT NULL"),
        "0"
    );
    let user = "SELECT count(*) FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid JOIN pg_database d ON d.oid = s.dbid WHERE r.rolname = 'dba' AND d.datname = 'shop'";
    assert_ne!(client.value(user), "0");
    client.run("CREATE USER ann PASSWORD 'secret of ann'");
    assert_eq!(
        client.value("SELECT count(*) FROM pg_stat_statements WHERE query LIKE '%secret of%'"),
        "0"
    );
}
