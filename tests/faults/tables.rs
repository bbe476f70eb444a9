//! The tables of the history, and the SQL for each thing that a client does with them.

use dbtests::{Client, Server};
use tokio_postgres::Error;

use crate::history::{Change, Id, View};
use crate::state::States;

/// The database.
pub(crate) const DATABASE: &str = "history";
pub(crate) const ACCOUNTS: usize = 12;
const BALANCE: i64 = 1000;
/// Tables that are dropped and made again all the time.
pub(crate) const TABLES: u64 = 3;

/// Makes all, on a master that has none of it. Gives the states from there on.
pub(crate) fn create(master: &Server) -> States {
    master.sql("system", &format!("CREATE DATABASE {DATABASE}"));
    let mut script = vec![
        "CREATE TABLE journal (number BIGINT PRIMARY KEY, id BIGINT NOT NULL UNIQUE)".to_owned(),
        "CREATE TABLE list (key BIGINT PRIMARY KEY, body TEXT NOT NULL)".to_owned(),
        "CREATE TABLE account (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL)".to_owned(),
        "CREATE TABLE ballast (id BIGINT NOT NULL, body BYTEA NOT NULL)".to_owned(),
    ];
    for table in 0..TABLES {
        script.push(format!("CREATE TABLE made_{table} (id BIGINT)"));
        script.push(format!("INSERT INTO made_{table} VALUES (0)"));
    }
    script.extend(
        (0..ACCOUNTS).map(|account| format!("INSERT INTO account VALUES ({account}, {BALANCE})")),
    );
    master.sql(DATABASE, &script.join("; "));
    States::new(ACCOUNTS, BALANCE)
}

/// Takes the next number for a transaction, and with it the right to write.
pub(crate) fn take_number(id: Id) -> String {
    format!(
        "INSERT INTO journal SELECT coalesce(max(number), 0) + 1, {id} FROM journal RETURNING number"
    )
}

/// A change as statements.
pub(crate) fn change(id: Id, change: Change) -> String {
    match change {
        Change::Append(list) => format!(
            "INSERT INTO list VALUES ({list}, '{id}') \
             ON CONFLICT (key) DO UPDATE SET body = list.body || ',' || excluded.body"
        ),
        Change::Transfer { from, to, amount } => format!(
            "UPDATE account SET balance = balance - {amount} WHERE id = {from}; \
             UPDATE account SET balance = balance + {amount} WHERE id = {to}"
        ),
        Change::Remake(table) => format!(
            "DROP TABLE made_{table}; CREATE TABLE made_{table} (id BIGINT); \
             INSERT INTO made_{table} VALUES ({id})"
        ),
        Change::Ballast(rows) => format!(
            "DELETE FROM ballast; \
             INSERT INTO ballast SELECT {id}, gen_random_bytes(3000) FROM generate_series(1, {rows})"
        ),
    }
}

/// How a view is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// One statement, which has one snapshot.
    OneStatement,
    /// The same by the extended protocol.
    Extended,
    /// Several statements of a transaction that keeps its snapshot.
    Repeatable,
}

/// The questions of a view, and after each the number of values in its row.
fn questions(lists: &[u64]) -> Vec<String> {
    let keys: Vec<String> = lists.iter().map(u64::to_string).collect();
    let keys = keys.join(", ");
    let mut questions = vec![
        "SELECT coalesce(max(number), 0)::text FROM journal".to_owned(),
        format!("SELECT coalesce(string_agg(key || ':' || body, ';' ORDER BY key), '') FROM list WHERE key IN ({keys})"),
        "SELECT string_agg(balance::text, ',' ORDER BY id) FROM account".to_owned(),
        "SELECT count(*) || ',' || coalesce(min(id), 0) || ',' || coalesce(max(id), 0) FROM ballast".to_owned(),
    ];
    questions.extend((0..TABLES).map(|table| format!("SELECT id::text FROM made_{table}")));
    questions
}

/// Reads all accounts, tables and ballast, and some lists, as of one moment.
pub(crate) fn read(client: &Client, way: Way, lists: &[u64]) -> Result<View, Error> {
    let questions = questions(lists);
    let together = || {
        let parts: Vec<String> = questions.iter().map(|q| format!("({q})")).collect();
        format!("SELECT {}", parts.join(", "))
    };
    let answers = match way {
        Way::OneStatement => first_row(client.try_rows(&together())?),
        Way::Extended => {
            let row = client.wait(client.driver().query_one(&together(), &[]))?;
            (0..row.len()).map(|at| row.get(at)).collect()
        }
        Way::Repeatable => {
            client.try_rows("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")?;
            let answers = read_each(client, &questions)?;
            client.try_rows("COMMIT")?;
            answers
        }
    };
    Ok(parse(&answers, lists))
}

/// The same inside of a transaction that writes.
pub(crate) fn read_in_transaction(client: &Client, lists: &[u64]) -> Result<View, Error> {
    let questions = questions(lists);
    Ok(parse(&read_each(client, &questions)?, lists))
}

fn read_each(client: &Client, questions: &[String]) -> Result<Vec<String>, Error> {
    let mut answers = Vec::new();
    for question in questions {
        answers.extend(first_row(client.try_rows(question)?));
    }
    Ok(answers)
}

fn first_row(rows: Vec<Vec<Option<String>>>) -> Vec<String> {
    let row = rows.into_iter().next().unwrap_or_default();
    row.into_iter().map(Option::unwrap_or_default).collect()
}

fn parse(answers: &[String], lists: &[u64]) -> View {
    let number = |text: &str| -> i64 {
        let number = text.parse();
        assert!(number.is_ok(), "not a number: {text:?} in {answers:?}");
        number.expect("asserted")
    };
    let positive = |text: &str| u64::try_from(number(text)).expect("a positive number");
    assert_eq!(answers.len(), questions(lists).len(), "{answers:?}");
    let mut view = View {
        number: positive(&answers[0]),
        lists: lists.iter().map(|list| (*list, Vec::new())).collect(),
        balances: answers[2].split(',').map(number).collect(),
        ..View::default()
    };
    for list in answers[1].split(';').filter(|list| !list.is_empty()) {
        let (key, body) = list.split_once(':').expect("key and body");
        view.lists
            .insert(positive(key), body.split(',').map(positive).collect());
    }
    let ballast: Vec<u64> = answers[3].split(',').map(positive).collect();
    view.ballast = (ballast[0], ballast[1], ballast[2]);
    view.tables = (0..)
        .zip(answers[4..].iter().map(|id| positive(id)))
        .collect();
    view
}

/// The transactions after the first `known` ones, in the order of their commits.
pub(crate) fn order(master: &Server, known: u64) -> Vec<Id> {
    let rows = master.sql(
        DATABASE,
        &format!("SELECT number, id FROM journal WHERE number > {known} ORDER BY number"),
    );
    (known + 1..)
        .zip(rows)
        .map(|(number, row)| {
            assert_eq!(
                row[0],
                number.to_string(),
                "a number of the journal is missing"
            );
            row[1].parse().expect("an id")
        })
        .collect()
}
