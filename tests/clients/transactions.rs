//! Transactions as drivers use them.

use crate::Shop;

fn item(shop: &Shop) -> dbtests::Client {
    let client = shop.client();
    client.run("CREATE TABLE item (id SERIAL PRIMARY KEY, name TEXT)");
    client
}

fn count(client: &dbtests::Client) -> String {
    client.value("SELECT count(*) FROM item")
}

#[test]
fn others_see_a_transaction_when_it_is_committed_and_not_before() {
    let shop = Shop::open();
    let (writer, reader) = (item(&shop), shop.client());
    writer.run("BEGIN");
    writer.run("INSERT INTO item VALUES (1, 'a')");
    assert_eq!(count(&writer), "1");
    assert_eq!(count(&reader), "0");
    writer.run("COMMIT");
    assert_eq!(count(&reader), "1");
    writer.run("BEGIN; DELETE FROM item");
    assert_eq!(count(&reader), "1");
    writer.run("ROLLBACK");
    assert_eq!(count(&writer), "1");
}

#[test]
fn a_failed_transaction_refuses_all_but_its_end() {
    let shop = Shop::open();
    let client = item(&shop);
    client.run("BEGIN");
    client.run("INSERT INTO item VALUES (1, 'a')");
    assert_eq!(
        client.refused("INSERT INTO item VALUES (1, 'b')").code,
        "23505"
    );
    assert_eq!(client.refused("SELECT 1").code, "25P02");
    client.run("COMMIT");
    assert_eq!(
        count(&client),
        "0",
        "COMMIT of a failed transaction is a rollback"
    );
}

#[test]
fn savepoints_take_back_a_part() {
    let shop = Shop::open();
    let client = item(&shop);
    client.run("BEGIN");
    client.run("INSERT INTO item VALUES (1, 'a')");
    client.run("SAVEPOINT one");
    client.run("INSERT INTO item VALUES (2, 'b')");
    assert_eq!(
        client.refused("INSERT INTO item VALUES (2, 'c')").code,
        "23505"
    );
    assert_eq!(client.refused("SELECT 1").code, "25P02");
    client.run("ROLLBACK TO SAVEPOINT one");
    client.run("INSERT INTO item VALUES (3, 'c')");
    client.run("RELEASE SAVEPOINT one");
    assert_eq!(client.refused("ROLLBACK TO SAVEPOINT one").code, "3B001");
    client.run("ROLLBACK");
    assert_eq!(count(&client), "0");
}

#[test]
fn the_drivers_own_transactions_work() {
    let shop = Shop::open();
    let mut client = item(&shop);
    let (driver, waiter) = client.driver_mut();
    waiter.wait(async {
        let mut outer = driver.transaction().await.unwrap();
        outer
            .execute("INSERT INTO item VALUES (1, $1)", &[&"kept"])
            .await
            .unwrap();
        let inner = outer.transaction().await.unwrap();
        inner
            .execute("INSERT INTO item VALUES (2, $1)", &[&"dropped"])
            .await
            .unwrap();
        inner.rollback().await.unwrap();
        outer.commit().await.unwrap();
        // Dropped without commit: rolled back.
        let dropped = driver.transaction().await.unwrap();
        dropped
            .execute("INSERT INTO item VALUES (3, $1)", &[&"dropped"])
            .await
            .unwrap();
    });
    assert_eq!(client.rows("SELECT id, name FROM item"), [["1", "kept"]]);
}

#[test]
fn a_simple_query_of_several_statements_is_one_transaction() {
    let shop = Shop::open();
    let client = item(&shop);
    let refusal =
        client.refused("INSERT INTO item VALUES (1, 'a'); INSERT INTO item VALUES (1, 'b')");
    assert_eq!(refusal.code, "23505");
    assert_eq!(count(&client), "0");
}

#[test]
fn a_client_that_leaves_in_a_transaction_leaves_nothing() {
    let shop = Shop::open();
    let watcher = item(&shop);
    let leaver = shop.client();
    leaver.run("BEGIN; INSERT INTO item VALUES (1, 'a')");
    drop(leaver);
    // The next writer gets the permit, however soon it comes.
    watcher.run("INSERT INTO item VALUES (1, 'b')");
    assert_eq!(watcher.rows("SELECT * FROM item"), [["1", "b"]]);
}

#[test]
fn repeatable_read_keeps_one_state_and_refuses_to_change_what_others_have_changed() {
    let shop = Shop::open();
    let (one, other) = (item(&shop), shop.client());
    one.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(count(&one), "0");
    other.run("INSERT INTO item VALUES (1, 'a')");
    assert_eq!(count(&one), "0");
    one.run("INSERT INTO item VALUES (2, 'b')");
    assert_eq!(count(&one), "1");
    one.run("COMMIT");
    assert_eq!(count(&one), "2");
    one.run("BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(count(&one), "2");
    other.run("DELETE FROM item WHERE id = 1");
    assert_eq!(
        one.refused("UPDATE item SET name = 'c' WHERE id = 1").code,
        "40001"
    );
    one.run("ROLLBACK");
}

#[test]
fn a_read_only_transaction_refuses_writes() {
    let shop = Shop::open();
    let client = item(&shop);
    client.run("BEGIN READ ONLY");
    assert_eq!(
        client.refused("INSERT INTO item VALUES (1, 'a')").code,
        "25006"
    );
    client.run("ROLLBACK");
    client.run("INSERT INTO item VALUES (1, 'a')");
}
