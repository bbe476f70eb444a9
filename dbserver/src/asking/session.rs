//! A session on another server, in which commands are given.

use std::error::Error as _;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::time::Duration;

use dbconfig::{AddressFamily, HostService, password_file};
use futures::FutureExt as _;
use peers::command::statement;
use peers::compare::Rows;
use peers::driver::DriverTls;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::{AsyncMessage, Client, SimpleQueryMessage};

use crate::asking::Access;

/// How long it may take until a command can be given.
const LOGIN_LIMIT: Duration = Duration::from_secs(5);
/// Commands are given there.
const DATABASE: &str = "system";

/// It ends when it is dropped.
pub(crate) struct Session {
    client: Client,
    reader: JoinHandle<()>,
}

impl Session {
    /// Logs in.
    ///
    /// Error: why that server can't be asked, without its name.
    pub(crate) async fn open(access: &Access, server: &HostService) -> Result<Self, String> {
        timeout(LOGIN_LIMIT, Box::pin(log_in(access, server)))
            .await
            .unwrap_or_else(|_| Err("no answer in time".into()))
    }

    /// The rows that the server answers to a command.
    pub(crate) async fn ask(&self, words: &[impl AsRef<str>]) -> Result<Rows, String> {
        self.query(&statement(words, false)).await
    }

    /// The same with `--json`: the one value.
    pub(crate) async fn ask_json(&self, words: &[impl AsRef<str>]) -> Result<String, String> {
        let rows = self.query(&statement(words, true)).await?;
        match <[_; 1]>::try_from(rows).map(|[row]| <[_; 1]>::try_from(row)) {
            Ok(Ok([Some(json)])) => Ok(json),
            _ => Err("its answer can't be read: is it of another version?".into()),
        }
    }

    async fn query(&self, sql: &str) -> Result<Rows, String> {
        let messages = self.client.simple_query(sql).await;
        let mut rows = Vec::new();
        for message in messages.map_err(|error| cause(&error))? {
            if let SimpleQueryMessage::Row(row) = message {
                let values = (0..row.len()).map(|index| row.get(index).map(str::to_owned));
                rows.push(values.collect());
            }
        }
        Ok(rows)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

async fn log_in(access: &Access, server: &HostService) -> Result<Session, String> {
    let tls = DriverTls(access.tls()?);
    let password = access.login.password_file.as_deref();
    let password = password.map(password_file::read).transpose()?;
    let mut last = "the host has no address of this family".to_owned();
    for address in addresses(server).await? {
        let mut config = tokio_postgres::Config::new();
        config
            .host(&server.host)
            .hostaddr(address.ip())
            .port(address.port())
            .dbname(DATABASE)
            .user(&access.login.user)
            .application_name("dbserver")
            .ssl_mode(tls.mode());
        if let Some(password) = &password {
            config.password(password);
        }
        match config.connect(tls.clone()).await {
            Ok((client, mut connection)) => {
                let reader = async move {
                    // Who waits for an answer gets the error.
                    while let Some(Ok(AsyncMessage::Notice(_) | _)) =
                        poll_fn(|context| connection.poll_message(context)).await
                    {
                    }
                };
                let reader = tokio::spawn(reader.boxed());
                return Ok(Session { client, reader });
            }
            // The other addresses are of the same server.
            Err(error) if error.as_db_error().is_some() => return Err(cause(&error)),
            Err(error) => last = cause(&error),
        }
    }
    Err(last)
}

async fn addresses(server: &HostService) -> Result<Vec<SocketAddr>, String> {
    let port = server.service.resolve().map_err(|why| why.to_string())?;
    let found = tokio::net::lookup_host((server.host.as_str(), port)).await;
    let found = found.map_err(|why| why.to_string())?;
    let family = server.service.family();
    let wanted = |address: &SocketAddr| match family {
        AddressFamily::Any | AddressFamily::V46 => true,
        AddressFamily::V4 => address.is_ipv4(),
        AddressFamily::V6 => address.is_ipv6(),
    };
    Ok(found.filter(wanted).collect())
}

/// The server's words, else the innermost reason: the outer ones only say that there was an error.
fn cause(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return told.message().to_owned();
    }
    let source = error.source();
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
