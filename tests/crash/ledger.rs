//! What must be in the database.

use std::collections::{BTreeMap, BTreeSet};

use dbtests::Server;

use crate::load::Tried;

pub(crate) const DATABASE: &str = "bank";
pub(crate) const ACCOUNTS: u64 = 20;
const TOTAL: &str = "20000";

/// The books: rows of each client, as found once after its round; they may not change any more.
pub(crate) struct Ledger {
    found: BTreeMap<u64, (String, String)>,
    acknowledged: u64,
}

impl Ledger {
    /// Makes database and tables.
    pub(crate) fn open(master: &Server) -> Self {
        master.sql("system", "CREATE DATABASE bank");
        master.sql(
            DATABASE,
            "CREATE TABLE account (id INTEGER PRIMARY KEY, balance BIGINT NOT NULL); \
             CREATE TABLE ledger (client INTEGER, counter INTEGER, note TEXT, \
                                  PRIMARY KEY (client, counter))",
        );
        let client = master.client(DATABASE);
        for account in 0..ACCOUNTS {
            client.run(&format!("INSERT INTO account VALUES ({account}, 1000)"));
        }
        Self {
            found: BTreeMap::new(),
            acknowledged: 0,
        }
    }

    /// Rows that were acknowledged in all rounds.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// A round is over: what was acknowledged is there, and nothing that nobody tried.
    pub(crate) fn take(&mut self, master: &Server, tried: &[Tried]) {
        let connection = master.client(DATABASE);
        for Tried {
            client,
            attempts,
            acknowledged,
        } in tried
        {
            let rows = connection.rows(&format!(
                "SELECT counter FROM ledger WHERE client = {client}"
            ));
            let found: BTreeSet<u64> = rows
                .iter()
                .map(|row| row[0].parse().expect("a number"))
                .collect();
            let lost: Vec<_> = acknowledged
                .iter()
                .filter(|row| !found.contains(row))
                .collect();
            assert!(
                lost.is_empty(),
                "client {client}: acknowledged and lost: {lost:?}"
            );
            assert!(
                found.iter().all(|row| row < attempts),
                "client {client}: rows from nowhere"
            );
            self.acknowledged += u64::try_from(acknowledged.len()).expect("a number");
        }
        for (client, rows) in rows(master) {
            self.found.entry(client).or_insert(rows);
        }
    }

    /// All rows of all rounds are there, the tables that came with some of them, too, and the sum of
    /// all accounts is what it was.
    pub(crate) fn check(&self, server: &Server) {
        assert_eq!(rows(server), self.found);
        let value = |sql: &str| server.sql(DATABASE, sql)[0][0].clone();
        assert_eq!(value("SELECT sum(balance) FROM account"), TOTAL);
        assert_eq!(
            value("SELECT count(*) FROM pg_tables WHERE tablename LIKE 't_%_%'"),
            value("SELECT count(*) FROM ledger WHERE note = 'table'"),
        );
    }
}

/// Number and sum of the rows of each client.
fn rows(server: &Server) -> BTreeMap<u64, (String, String)> {
    server
        .sql(
            DATABASE,
            "SELECT client, count(*), sum(counter) FROM ledger GROUP BY client",
        )
        .into_iter()
        .map(|mut row| {
            let (sum, count) = (row.pop().unwrap_or_default(), row.pop().unwrap_or_default());
            (row[0].parse().expect("a number"), (count, sum))
        })
        .collect()
}
