//! What a session may take of the machine.

use super::{Server, connect, refused};

/// Some megabytes of an intermediate result.
const DISTINCT: &str =
    "SELECT count(*) FROM (SELECT DISTINCT repeat('x', 100) || i AS line FROM big) AS b";

async fn shown(client: &tokio_postgres::Client, name: &str) -> String {
    let row = client.query_one(&format!("SHOW {name}"), &[]).await;
    row.unwrap().get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sort_has_its_memory_and_then_temporary_files_up_to_their_limit() {
    let server = Server::start().await;
    let client = server
        .client_after("CREATE TABLE big (i INT); INSERT INTO big SELECT generate_series(1, 60000)")
        .await;
    let sort = "SELECT repeat('x', 100) || i AS line FROM big ORDER BY line";
    let set = async |sql: &str| client.batch_execute(sql).await.unwrap();
    assert_eq!(shown(&client, "work_mem").await, "2MB");
    assert_eq!(shown(&client, "temp_file_limit").await, "-1");
    assert!(client.query(sort, &[]).await.is_ok());
    // In memory nothing is written.
    set("SET temp_file_limit = 0; SET work_mem = '64MB'").await;
    assert!(client.query(sort, &[]).await.is_ok());
    set("SET work_mem = '64kB'; SET temp_file_limit = '1MB'").await;
    for sql in [sort, DISTINCT] {
        let told = client.query(sql, &[]).await.unwrap_err();
        let told = told.as_db_error().unwrap();
        assert_eq!(
            (told.code().code(), told.message()),
            (
                "53400",
                "temporary file size exceeds temp_file_limit (1024kB)"
            )
        );
    }
    // The statement has failed, and nothing else.
    set("BEGIN; INSERT INTO big VALUES (0); SAVEPOINT s").await;
    assert_eq!(refused(client.query(sort, &[]).await), "53400");
    set("ROLLBACK TO SAVEPOINT s; SET LOCAL temp_file_limit = '64MB'").await;
    assert!(client.query(sort, &[]).await.is_ok());
    set("COMMIT").await;
    assert_eq!(refused(client.query(sort, &[]).await), "53400");
    let count = client.query_one("SELECT count(*) FROM big", &[]).await;
    assert_eq!(count.unwrap().get::<_, i64>(0), 60_001);
    set("RESET ALL").await;
    assert!(client.query(sort, &[]).await.is_ok());
    server.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_goes_above_the_limit_of_the_server() {
    let server = Server::with("TempFileLimit = 1m").await;
    let client = server.client().await;
    assert_eq!(shown(&client, "temp_file_limit").await, "1MB");
    for sql in [
        "SET temp_file_limit = '2MB'",
        "SET temp_file_limit = -1",
        "SELECT set_config('temp_file_limit', '1TB', false)",
    ] {
        assert_eq!(refused(client.batch_execute(sql).await), "42501", "{sql}");
        assert_eq!(shown(&client, "temp_file_limit").await, "1MB");
    }
    let lower = "SET temp_file_limit = '512kB'";
    client.batch_execute(lower).await.unwrap();
    assert_eq!(shown(&client, "temp_file_limit").await, "512kB");
    client.batch_execute("RESET temp_file_limit").await.unwrap();
    assert_eq!(shown(&client, "temp_file_limit").await, "1MB");
    let mut parameters = server.parameters("shop");
    parameters.options("-c temp_file_limit=-1");
    assert_eq!(refused(connect(&parameters).await), "42501");
    server.stop();
}
