//! A driver's connection, without async in the tests that do not need it.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio_postgres::error::DbError;
use tokio_postgres::{Config, Error, NoTls, SimpleQueryMessage};

use crate::waiting::longest;

/// One value of a text result.
pub type Field = Option<String>;

/// A connection to one database.
pub struct Client {
    // Declared first: it goes first, so that its task can still say goodbye.
    driver: tokio_postgres::Client,
    runtime: Runtime,
    parameters: BTreeMap<&'static str, String>,
}

/// What the server reports of itself at start-up, and the tests look at.
const PARAMETERS: [&str; 8] = [
    "server_version",
    "server_encoding",
    "client_encoding",
    "DateStyle",
    "integer_datetimes",
    "standard_conforming_strings",
    "in_hot_standby",
    "default_transaction_read_only",
];

/// What the server refused with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE.
    pub code: String,
    /// The message.
    pub message: String,
    /// Detail, or empty.
    pub detail: String,
    /// Hint, or empty.
    pub hint: String,
}

impl Refusal {
    /// The server's error; `None` when the connection itself failed.
    pub fn of(error: &Error) -> Option<Self> {
        error.as_db_error().map(|error: &DbError| Self {
            code: error.code().code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().unwrap_or_default().to_owned(),
            hint: error.hint().unwrap_or_default().to_owned(),
        })
    }
}

impl Client {
    /// Logs in.
    pub fn connect(address: SocketAddr, database: &str, password: &str) -> Result<Self, Error> {
        Self::with(&Self::config(address, database, password))
    }

    /// How the administrator logs in.
    pub fn config(address: SocketAddr, database: &str, password: &str) -> Config {
        let mut config = Config::new();
        config
            .host(address.ip().to_string())
            .port(address.port())
            .user("dba")
            .password(password)
            .dbname(database)
            .application_name("dbtests")
            .connect_timeout(Duration::from_secs(20));
        config
    }

    /// Logs in as the configuration says.
    pub fn with(config: &Config) -> Result<Self, Error> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let (driver, connection) = within(&runtime, config.connect(NoTls))?;
        let parameters = PARAMETERS
            .into_iter()
            .filter_map(|name| Some((name, connection.parameter(name)?.to_owned())))
            .collect();
        runtime.spawn(async move {
            // What ends the connection is reported to the one who uses it next.
            let _ended = connection.await;
        });
        Ok(Self {
            driver,
            runtime,
            parameters,
        })
    }

    /// A parameter that the server reported at start-up.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The driver's own client, for use with [`Client::wait`].
    pub fn driver(&self) -> &tokio_postgres::Client {
        &self.driver
    }

    /// The driver's own client, for what needs it alone.
    pub fn driver_mut(&mut self) -> (&mut tokio_postgres::Client, Waiter<'_>) {
        (&mut self.driver, Waiter(&self.runtime))
    }

    /// Runs what the driver gives to its end.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        within(&self.runtime, future)
    }

    /// Runs statements by the simple protocol; gives the rows of all of them as text.
    pub fn try_rows(&self, sql: &str) -> Result<Vec<Vec<Field>>, Error> {
        let messages = self.wait(self.driver.simple_query(sql))?;
        Ok(messages
            .iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(
                    (0..row.len())
                        .map(|at| row.get(at).map(str::to_owned))
                        .collect(),
                ),
                _ => None,
            })
            .collect())
    }

    /// Rows as text, NULL as an empty text.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let rows = succeeded(sql, self.try_rows(sql));
        rows.into_iter()
            .map(|row| row.into_iter().map(Option::unwrap_or_default).collect())
            .collect()
    }

    /// The first field of the first row.
    #[track_caller]
    pub fn value(&self, sql: &str) -> String {
        let first = self
            .rows(sql)
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next());
        assert!(first.is_some(), "no row: {sql}");
        first.unwrap_or_default()
    }

    /// Runs statements that must succeed.
    #[track_caller]
    pub fn run(&self, sql: &str) {
        self.rows(sql);
    }

    /// Runs a statement that must be refused.
    #[track_caller]
    pub fn refused(&self, sql: &str) -> Refusal {
        let result = self.try_rows(sql);
        let refusal = result.as_ref().err().and_then(Refusal::of);
        assert!(
            refusal.is_some(),
            "not refused by the server: {sql}: {result:?}"
        );
        refusal.expect("asserted")
    }

    /// The server has ended the connection.
    pub fn is_closed(&self) -> bool {
        self.driver.is_closed()
    }
}

/// Runs futures on a client's runtime while its driver is borrowed.
pub struct Waiter<'a>(&'a Runtime);

impl Waiter<'_> {
    /// See [`Client::wait`].
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        within(self.0, future)
    }
}

#[track_caller]
fn succeeded<T>(sql: &str, result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => {
            let start: String = sql.chars().take(200).collect();
            panic!("{error:?}\nfrom: {start}")
        }
    }
}

fn within<T>(runtime: &Runtime, future: impl Future<Output = T>) -> T {
    let bounded = runtime.block_on(async { tokio::time::timeout(longest(), future).await });
    bounded.expect("the server answers in time")
}
