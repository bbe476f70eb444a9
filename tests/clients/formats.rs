//! Values in binary, as drivers send and read them: the bytes are those of PostgreSQL.

use std::error::Error;

use futures::TryStreamExt as _;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type};

use crate::Shop;

/// The bytes of a value, whatever its type.
#[derive(Debug, PartialEq)]
struct Wire(Vec<u8>);

impl<'a> FromSql<'a> for Wire {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.to_vec()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Wire {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    tokio_postgres::types::to_sql_checked!();
}

/// One row of a query with parameters.
fn one(
    client: &dbtests::Client,
    sql: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> tokio_postgres::Row {
    client
        .wait(client.driver().query_one(sql, parameters))
        .expect(sql)
}

#[test]
fn numbers_texts_and_bytes_go_there_and_back() {
    let shop = Shop::open();
    let client = shop.client();
    client.run(
        "CREATE TABLE kind (b BOOLEAN, i2 SMALLINT, i4 INTEGER, i8 BIGINT, f8 DOUBLE PRECISION, \
         t TEXT, v VARCHAR(10), y BYTEA, j JSON)",
    );
    let bytes: &[u8] = &[0, 1, 255, b'\'', b'\\'];
    let json = Wire(r#"{"a": [1, 2.5, null], "b": "ä"}"#.into());
    let insert = "INSERT INTO kind VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let rows: [(bool, i16, i32, i64, f64, &str, &str); 3] = [
        (
            true,
            i16::MAX,
            i32::MAX,
            i64::MAX,
            f64::MAX,
            "ünïcödé 🦀",
            "short",
        ),
        (false, i16::MIN, i32::MIN, i64::MIN, -0.1, "", "'quoted'"),
        (true, 0, -1, 1, 1e-300, "line\nbreak\ttab", "0123456789"),
    ];
    for (b, i2, i4, i8, f8, t, v) in &rows {
        let parameters: [&(dyn ToSql + Sync); 9] = [b, i2, i4, i8, f8, t, v, &bytes, &json];
        assert_eq!(
            client
                .wait(client.driver().execute(insert, &parameters))
                .unwrap(),
            1
        );
    }
    let found = client
        .wait(client.driver().query("SELECT * FROM kind", &[]))
        .unwrap();
    assert_eq!(found.len(), rows.len());
    for (found, row) in found.iter().zip(&rows) {
        assert_eq!(found.get::<_, bool>(0), row.0);
        assert_eq!(found.get::<_, i16>(1), row.1);
        assert_eq!(found.get::<_, i32>(2), row.2);
        assert_eq!(found.get::<_, i64>(3), row.3);
        assert_eq!(found.get::<_, f64>(4).to_bits(), row.4.to_bits());
        assert_eq!(found.get::<_, &str>(5), row.5);
        assert_eq!(found.get::<_, &str>(6), row.6);
        assert_eq!(found.get::<_, &[u8]>(7), bytes);
        assert_eq!(found.get::<_, Wire>(8), json);
    }
    let nothing: Option<i32> = None;
    client
        .wait(
            client
                .driver()
                .execute("INSERT INTO kind (i4) VALUES ($1)", &[&nothing]),
        )
        .unwrap();
    let row = one(&client, "SELECT b, i4, t FROM kind WHERE i4 IS NULL", &[]);
    assert_eq!(row.get::<_, Option<bool>>(0), None);
    assert_eq!(row.get::<_, Option<i32>>(1), None);
    assert_eq!(row.get::<_, Option<&str>>(2), None);
}

#[test]
fn dates_times_numerics_and_uuids_have_postgresqls_bytes() {
    let shop = Shop::open();
    let client = shop.client();
    client
        .run("CREATE TABLE moment (d DATE, ts TIMESTAMP, tz TIMESTAMPTZ, u UUID, n NUMERIC(10,2))");
    client.run(
        "INSERT INTO moment VALUES ('2000-01-02', '2000-01-01 00:00:01.5', \
         '2000-01-01 01:00:00+01', '00112233-4455-6677-8899-aabbccddeeff', 12345.67)",
    );
    let row = one(&client, "SELECT d, ts, tz, u, n FROM moment", &[]);
    // Days and microseconds since 2000-01-01; digits of the numeric in base 10,000.
    let numeric = [0, 3, 0, 1, 0, 0, 0, 2, 0, 1, 9, 41, 26, 44];
    let expected: [(Type, Vec<u8>); 5] = [
        (Type::DATE, vec![0, 0, 0, 1]),
        (Type::TIMESTAMP, vec![0, 0, 0, 0, 0, 0x16, 0xe3, 0x60]),
        (Type::TIMESTAMPTZ, vec![0; 8]),
        (Type::UUID, (0..16).map(|byte: u8| byte * 0x11).collect()),
        (Type::NUMERIC, numeric.to_vec()),
    ];
    let mut back: Vec<Wire> = Vec::new();
    for (column, (kind, bytes)) in expected.into_iter().enumerate() {
        assert_eq!(*row.columns()[column].type_(), kind);
        let wire: Wire = row.get(column);
        assert_eq!(wire.0, bytes, "{kind}");
        back.push(wire);
    }
    // The same bytes as parameters find the row.
    let parameters: Vec<&(dyn ToSql + Sync)> = back
        .iter()
        .map(|wire| wire as &(dyn ToSql + Sync))
        .collect();
    let sql =
        "SELECT count(*) FROM moment WHERE d = $1 AND ts = $2 AND tz = $3 AND u = $4 AND n = $5";
    assert_eq!(one(&client, sql, &parameters).get::<_, i64>(0), 1);
}

#[test]
fn values_that_do_not_fit_are_refused() {
    let shop = Shop::open();
    let client = shop.client();
    client.run("CREATE TABLE small (i2 SMALLINT, v VARCHAR(3), d DATE, u UUID, b BOOLEAN)");
    for (sql, code) in [
        ("INSERT INTO small (i2) VALUES (40000)", "22003"),
        ("INSERT INTO small (v) VALUES ('four')", "22001"),
        ("INSERT INTO small (d) VALUES ('2023-02-30')", "22008"),
        ("INSERT INTO small (u) VALUES ('no uuid')", "22P02"),
        ("INSERT INTO small (b) VALUES ('perhaps')", "22P02"),
    ] {
        assert_eq!(client.refused(sql).code, code, "{sql}");
    }
    assert_eq!(client.value("SELECT count(*) FROM small"), "0");
}

#[test]
fn a_large_result_is_streamed_and_may_be_left_early() {
    let shop = Shop::open();
    let client = shop.client();
    let sql =
        "SELECT n, encode(gen_random_bytes(500), 'hex') FROM generate_series(1, 100000) AS g(n)";
    let rows = client.wait(async {
        let none: [&(dyn ToSql + Sync); 0] = [];
        let stream = client.driver().query_raw(sql, none).await.unwrap();
        stream
            .try_fold(0_u32, async |count, _row| Ok(count + 1))
            .await
            .unwrap()
    });
    assert_eq!(rows, 100_000);
    let first = client.wait(async {
        let none: [&(dyn ToSql + Sync); 0] = [];
        let stream = client.driver().query_raw(sql, none).await.unwrap();
        let mut stream = std::pin::pin!(stream);
        stream
            .try_next()
            .await
            .unwrap()
            .expect("a row")
            .get::<_, i32>(0)
    });
    assert_eq!(first, 1);
    assert_eq!(client.value("SELECT 'still here'"), "still here");
}
