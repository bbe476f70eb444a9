//! What the commands of one run share: options, configuration, connection, output.

use std::path::PathBuf;

use dbconfig::{ClientConfig, Config, default_path};
use peers::driver::DriverTls;

use crate::args::Options;
use crate::connection::{Connection, SYSTEM_DATABASE};
use crate::credentials::Credentials;
use crate::error::{CommandError, Result};
use crate::output::{self, Output};
use crate::precedence;
use crate::secure;
use crate::target::Target;

/// One run of dbctl.
pub(crate) struct Invocation {
    pub(crate) output: Output,
    options: Options,
    one_server: bool,
    /// Kept from command to command in input mode, with a password that was asked for.
    credentials: Option<Credentials>,
    connection: Option<Connection>,
}

impl Invocation {
    pub(crate) fn new(options: Options) -> Self {
        let output = Output { json: options.json };
        Self {
            output,
            options,
            one_server: false,
            credentials: None,
            connection: None,
        }
    }

    /// From now on commands come over one connection: whose it is was said before.
    pub(crate) fn one_server(&mut self) {
        self.one_server = true;
    }

    /// Takes the options that stand behind the words of a command.
    pub(crate) fn take_options(&mut self, words: &mut Vec<String>) -> Result<()> {
        let mut options = if self.one_server {
            Options::default()
        } else {
            self.options.clone()
        };
        options.take_behind(words).map_err(|error| {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            CommandError::usage(first.trim_start_matches("error: "))
        })?;
        self.output.json |= options.json;
        if !self.one_server {
            self.options = options;
        } else if options.name_a_server() {
            return Err(
                CommandError::usage("with -i server and user are the same for all lines")
                    .with_hint("give these options to dbctl itself"),
            );
        }
        Ok(())
    }

    /// The user that was named on the command line.
    pub(crate) fn named_user(&self) -> Option<&str> {
        self.options.user.as_deref()
    }

    /// The configuration file that is meant.
    pub(crate) fn config_path(&self) -> PathBuf {
        self.options.config.clone().unwrap_or_else(default_path)
    }

    /// The configuration; its warnings are printed.
    pub(crate) fn config(&self) -> Result<Config> {
        let config = Config::load(self.config_path())?;
        for warning in &config.warnings {
            output::note(format_args!("warning: {warning}"));
        }
        Ok(config)
    }

    /// The configuration; none where nobody named a file and the default one does not exist.
    pub(crate) fn config_if_any(&self) -> Result<Option<Config>> {
        let named = self.options.config.is_some() || std::env::var_os("EQ_CONFIG").is_some();
        if !named && !self.config_path().exists() {
            return Ok(None);
        }
        self.config().map(Some)
    }

    /// The options, with what environment and client file say where the command line says nothing.
    fn settled(&self) -> Result<Options> {
        precedence::settled(&self.options, ClientConfig::load()?)
    }

    /// The password that options or environment give.
    pub(crate) fn given_password(&self) -> Result<Option<String>> {
        let options = precedence::settled(&self.options, ClientConfig::default())?;
        Ok(Credentials::from_options(&options)?.password)
    }

    /// Whether the command line says anything of TLS.
    pub(crate) fn names_tls(&self) -> bool {
        self.options.tls.tls.is_some()
    }

    /// What is wanted of TLS.
    pub(crate) fn tls(&self) -> Result<DriverTls> {
        secure::from_arguments(&self.settled()?.tls)
    }

    /// A connection to a database, of its own.
    pub(crate) async fn connect(&mut self, database: &str) -> Result<Connection> {
        let options = self.settled()?;
        let target = Target::new(&options, || self.config_if_any())?;
        let mut credentials = match self.credentials.take() {
            Some(credentials) => credentials,
            None => Credentials::from_options(&options)?,
        };
        let connection = Connection::open(&target, &mut credentials, database).await?;
        self.credentials = Some(credentials);
        Ok(connection)
    }

    /// The server that is meant, and who asks, for a connection that is no session.
    pub(crate) fn target(&mut self) -> Result<(Target, Credentials)> {
        let options = self.settled()?;
        let target = Target::new(&options, || self.config_if_any())?;
        let credentials = match &self.credentials {
            Some(credentials) => credentials.clone(),
            None => Credentials::from_options(&options)?,
        };
        Ok((target, credentials))
    }

    /// A connection for commands to another server, for the same user.
    pub(crate) async fn connect_to(&mut self, host: &str) -> Result<Connection> {
        let mut options = self.settled()?;
        options.host = Some(host.to_owned());
        options.service = None;
        options.config = None;
        let target = Target::new(&options, || Ok(None))?;
        let mut credentials = match self.credentials.take() {
            Some(credentials) => credentials,
            None => Credentials::from_options(&options)?,
        };
        let connected = Connection::open(&target, &mut credentials, SYSTEM_DATABASE).await;
        self.credentials = Some(credentials);
        connected
    }

    /// The connection for commands. It stays open for the next one in input mode.
    pub(crate) async fn control(&mut self) -> Result<&Connection> {
        let open = match self
            .connection
            .take()
            .filter(|open| !open.client.is_closed())
        {
            Some(open) => open,
            None => self.connect(SYSTEM_DATABASE).await?,
        };
        Ok(self.connection.insert(open))
    }

    /// Takes the connection for commands away, for a command that ends it.
    pub(crate) fn take_control(&mut self) -> Option<Connection> {
        self.connection.take()
    }

    /// Whether there is a connection for commands, open or ended by the server.
    pub(crate) fn is_connected(&self) -> bool {
        self.connection.is_some()
    }

    /// Gives up the connection for commands, whatever is still on its way on it.
    pub(crate) fn forget_control(&mut self) {
        drop(self.connection.take());
    }

    /// Ends what is open.
    pub(crate) async fn close(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }
}
