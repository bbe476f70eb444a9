//! psql, unmodified.

use crate::Shop;

const TABLES: &str = "\
CREATE TABLE customer (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE, born DATE);
CREATE TABLE invoice (
    id SERIAL PRIMARY KEY,
    customer INTEGER NOT NULL REFERENCES customer (id),
    total NUMERIC(10,2) DEFAULT 0 CHECK (total >= 0),
    paid BOOLEAN DEFAULT false
);
CREATE INDEX invoice_customer ON invoice (customer);
";

fn shop() -> Shop {
    let shop = Shop::open();
    shop.psql(&["-q"], TABLES).ok();
    shop
}

#[test]
fn psql_lists_databases_and_tables_and_describes_them() {
    let shop = shop();
    let databases = shop.psql(&["-A", "-t", "-c", "\\l"], "").ok();
    assert!(
        databases.lines().any(|line| line.starts_with("shop|")),
        "{databases}"
    );
    let tables = shop.psql(&["-A", "-t", "-c", "\\dt"], "").ok();
    assert_eq!(
        tables,
        "public|customer|table|dba\npublic|invoice|table|dba\n"
    );
    let customer = shop.psql(&["-A", "-t", "-c", "\\d customer"], "").ok();
    assert!(customer.contains("id|integer||not null|"), "{customer}");
    assert!(
        customer.contains("name|character varying(40)||not null|"),
        "{customer}"
    );
    assert!(customer.contains("born|date|||"), "{customer}");
    let invoice = shop.psql(&["-c", "\\d invoice"], "").ok();
    assert!(invoice.contains("numeric(10,2)"), "{invoice}");
    assert!(invoice.contains("boolean"), "{invoice}");
    assert!(invoice.contains("invoice_customer"), "{invoice}");
    let missing = shop.psql(&["-c", "\\d missing"], "");
    assert!(
        missing
            .err
            .contains("Did not find any relation named \"missing\""),
        "{missing:?}"
    );
}

#[test]
fn psql_shows_results_as_it_shows_those_of_postgresql() {
    let shop = shop();
    let out = shop
        .psql(
            &[],
            "INSERT INTO customer VALUES (1, 'Ada', '1815-12-10'), (2, 'Bob', NULL);\n\
             UPDATE customer SET name = 'Bobby' WHERE id = 2;\n\
             SELECT id, name, born FROM customer ORDER BY id;\n\
             DELETE FROM customer WHERE id = 2;\n\
             SELECT true AS yes, 1.50::numeric(5,2) AS price, NULL AS missing;\n",
        )
        .ok();
    let expected = "\
INSERT 0 2
UPDATE 1
 id | name  |    born    
----+-------+------------
  1 | Ada   | 1815-12-10
  2 | Bobby | 
(2 rows)

DELETE 1
 yes | price | missing 
-----+-------+---------
 t   |  1.50 | 
(1 row)

";
    assert_eq!(out, expected);
}

#[test]
fn copy_takes_and_gives_text_and_csv() {
    let shop = shop();
    shop.psql(
        &["-q"],
        "COPY customer FROM STDIN;\n1\tAda\\tLovelace\t1815-12-10\n2\tBob\t\\N\n\\.\n\
         COPY customer (id, name) FROM STDIN WITH (FORMAT csv, HEADER true);\n\
         id,name\n3,\"Eve, \"\"the\"\" spy\"\n\\.\n",
    )
    .ok();
    let text = shop.psql(&["-c", "COPY customer TO STDOUT"], "").ok();
    assert_eq!(
        text,
        "1\tAda\\tLovelace\t1815-12-10\n2\tBob\t\\N\n3\tEve, \"the\" spy\t\\N\n"
    );
    let copy =
        "COPY (SELECT id, name FROM customer ORDER BY id DESC) TO STDOUT (FORMAT csv, HEADER)";
    let csv = shop.psql(&["-c", copy], "").ok();
    assert_eq!(
        csv,
        "id,name\n3,\"Eve, \"\"the\"\" spy\"\n2,Bob\n1,Ada\tLovelace\n"
    );
}

#[test]
fn a_mistake_in_copied_data_takes_the_whole_copy_back_and_names_the_line() {
    let shop = shop();
    let run = shop.psql(
        &[],
        "COPY customer FROM STDIN;\n1\tAda\t\\N\n2\n3\tEve\t\\N\n\\.\n",
    );
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.err.contains("COPY customer, line 2"), "{}", run.err);
    assert_eq!(shop.client().value("SELECT count(*) FROM customer"), "0");
}

#[test]
fn psql_prints_errors_with_their_sqlstate() {
    let shop = shop();
    for (sql, code, part) in [
        ("SELEC 1", "42601", "syntax error at or near \"SELEC\""),
        (
            "SELECT * FROM missing",
            "42P01",
            "relation \"missing\" does not exist",
        ),
        (
            "SELECT missing FROM customer",
            "42703",
            "column \"missing\" does not exist",
        ),
        (
            "INSERT INTO customer (id) VALUES (9)",
            "23502",
            "null value in column \"name\"",
        ),
        (
            "INSERT INTO invoice (customer) VALUES (99)",
            "23503",
            "foreign key constraint",
        ),
        (
            "INSERT INTO invoice (customer, total) VALUES (1, -1)",
            "23514",
            "check constraint",
        ),
        (
            "CREATE TABLE customer (a int)",
            "42P07",
            "relation \"customer\" already exists",
        ),
        ("SELECT 1/0", "22012", "division by zero"),
        ("SELECT nofunction(1)", "42883", "nofunction"),
    ] {
        let run = shop.psql(&["-v", "VERBOSITY=verbose", "-c", sql], "");
        assert_eq!(run.code, Some(1), "{sql}: {run:?}");
        assert!(
            run.err.contains(&format!("ERROR:  {code}: ")),
            "{sql}: {}",
            run.err
        );
        assert!(run.err.contains(part), "{sql}: {}", run.err);
    }
}

#[test]
fn psql_goes_from_database_to_database() {
    let shop = shop();
    let script = "CREATE DATABASE other;\n\\c other\nCREATE TABLE t (a int);\nINSERT INTO t VALUES (1);\n\
                  \\c shop\nDROP DATABASE other;\nSELECT current_database();\n";
    let out = shop.psql(&["-A", "-t", "-q"], script).ok();
    assert!(out.ends_with("shop\n"), "{out}");
}
