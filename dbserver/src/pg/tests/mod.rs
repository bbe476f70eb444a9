//! A whole server in this process, and a real driver against it.

mod activity;
mod bounds;
mod changing_with;
mod composed;
mod connecting;
mod copying;
mod cursors;
mod damage;
mod definitions_moved;
mod dependents;
mod kinds;
mod known_texts;
mod locks;
mod manual;
mod open_modes;
mod own_state;
mod pages;
mod queries;
mod redirect;
mod rights;
mod roles;
mod sequences;
mod table_locks;
mod transactions;
mod truncating;
mod values;
mod violations;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dbconfig::Config;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};

use crate::clients::Sessions;
use crate::environment::Environment;
use crate::pg::FrontEnd;
use crate::system::create;
use crate::system::verifier;

const PASSWORD: &str = "open sesame";

/// A running master with one database, `shop`.
struct Server {
    environment: Arc<Environment>,
    front: Arc<FrontEnd>,
    address: SocketAddr,
    listening: JoinHandle<()>,
    directory: TempDir,
}

impl Server {
    /// Makes an environment and serves it.
    async fn start() -> Self {
        Self::with("").await
    }

    /// The same with more lines for the section Server of its configuration.
    async fn with(lines: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = format!(
            "[Server]\nService = 0\nListen = 127.0.0.1\nDataDir = {0}/data\nInstance = test\n{lines}\n\
             [ForwardLog]\nFwLog = {0}/fw-%N\n",
            directory.path().display()
        );
        disk::Disk::real()
            .write_atomic(&directory.path().join("eloqdb.cfg"), text.as_bytes(), 0o600)
            .unwrap();
        let config = Config::load(directory.path().join("eloqdb.cfg")).unwrap();
        create::create(&config, &verifier::from_password(PASSWORD).unwrap()).unwrap();
        let server = Self::serve(directory).await;
        server.environment.create_database("shop").unwrap();
        server
    }

    /// Serves the environment in a directory.
    async fn serve(directory: TempDir) -> Self {
        let config = Config::load(directory.path().join("eloqdb.cfg")).unwrap();
        let max_sessions = usize::try_from(config.server.max_sessions).unwrap();
        let sessions = Sessions::new(max_sessions);
        let front = FrontEnd::new(&config, Arc::clone(&sessions)).unwrap();
        let environment = Environment::start(config, sessions).unwrap();
        front.open(Arc::clone(&environment));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let listening = tokio::spawn(Arc::clone(&front).listen(listener.into()));
        Self {
            environment,
            front,
            address,
            listening,
            directory,
        }
    }

    /// Stops it cleanly; gives its directory.
    fn stop(self) -> TempDir {
        self.front.close();
        self.listening.abort();
        self.environment.begin_stop();
        let sessions = self.environment.sessions();
        sessions.terminate_all();
        assert!(sessions.wait_empty(Instant::now() + Duration::from_secs(20)));
        self.environment.stop().unwrap();
        self.directory
    }

    /// Stops and starts it.
    async fn restart(self) -> Self {
        let directory = self.stop();
        Self::serve(directory).await
    }

    /// Connection parameters of dba.
    fn parameters(&self, database: &str) -> tokio_postgres::Config {
        let mut parameters = tokio_postgres::Config::new();
        parameters
            .host("127.0.0.1")
            .port(self.address.port())
            .user("dba")
            .password(PASSWORD)
            .dbname(database);
        parameters
    }

    /// A client of dba in `shop`.
    async fn client(&self) -> Client {
        connect(&self.parameters("shop")).await.unwrap()
    }

    /// A client, and statements that it has run.
    async fn client_after(&self, sql: &str) -> Client {
        let client = self.client().await;
        client.batch_execute(sql).await.unwrap();
        client
    }
}

/// Connects and lets the connection run.
async fn connect(parameters: &tokio_postgres::Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = parameters.connect(NoTls).await?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection closed");
        }
    });
    Ok(client)
}

/// The SQLSTATE of an error.
fn sqlstate(error: &tokio_postgres::Error) -> String {
    error.code().map_or_else(
        || format!("no SQLSTATE: {error}"),
        |code| code.code().to_owned(),
    )
}

/// The SQLSTATE of what must have failed.
fn refused<T>(result: Result<T, tokio_postgres::Error>) -> String {
    match result {
        Ok(_) => "not refused".to_owned(),
        Err(error) => sqlstate(&error),
    }
}

/// The only value of a query.
async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}
