//! `docs/sql.md` says what is so.

use tokio_postgres::{Client, SimpleQueryMessage};

use super::{Server, sqlstate};

/// What a statement answers, one line a row; an error by its SQLSTATE.
async fn answer(client: &Client, sql: &str) -> Vec<String> {
    let messages = match client.simple_query(sql).await {
        Ok(messages) => messages,
        Err(error) => return vec![format!("ERROR {}", sqlstate(&error))],
    };
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    rows.map(|row| {
        let fields = (0..row.len()).map(|field| row.get(field).unwrap_or("NULL"));
        fields.collect::<Vec<_>>().join(" | ")
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_about_sql_is_true() {
    let server = Server::start().await;
    let client = server.client().await;
    let page = include_str!("../../../../docs/sql.md");
    let mut statements = 0;
    let mut untrue = Vec::new();
    // Between fences: every second piece.
    for block in page.split("```").skip(1).step_by(2) {
        if let Some(script) = block.strip_prefix("sql\n") {
            client.batch_execute(script).await.unwrap();
            continue;
        }
        for example in block.split("sql> ").skip(1) {
            let mut lines = example.lines();
            let sql = lines.next().unwrap();
            let expected: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
            let found = answer(&client, sql).await;
            if found != expected {
                untrue.push(format!("{sql}\n    {found:?}, not {expected:?}"));
            }
            statements += 1;
        }
    }
    assert!(untrue.is_empty(), "{}", untrue.join("\n"));
    assert!(statements > 25, "{statements}");
    server.stop();
}
