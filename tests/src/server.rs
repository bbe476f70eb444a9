//! A dbserver in a folder of its own.

use std::collections::BTreeMap;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fwlog::{LogDirectory, LogLocation};

use crate::client::{Client, Refusal};
use crate::files;
use crate::port::Port;
use crate::process::{Background, Run, read_log, run};
use crate::programs::{behind, directory, needed, of};
use crate::settings::Settings;
use crate::waiting::{LONG, pause, wait_for};

/// The password of dba on every server under test.
pub const PASSWORD: &str = "wind & 'weather'";

/// How much of a log is shown when a test fails.
const SHOWN_LINES: usize = 60;

/// A server: its configuration, its environment and, while it runs, its process.
#[derive(Debug)]
pub struct Server {
    settings: Settings,
    folder: PathBuf,
    port: Port,
    service: u16,
    data_dir: PathBuf,
    variables: BTreeMap<String, String>,
    wrapper: Vec<String>,
    /// Where its programs are.
    programs: PathBuf,
    process: Option<Background>,
}

impl Server {
    /// Writes a configuration below `parent`; nothing else is there yet.
    pub fn prepare(parent: &Path, settings: Settings) -> Self {
        let folder = parent.join(settings.name());
        fs::create_dir_all(folder.join("tmp")).expect("a folder");
        let port = Port::claim();
        let service = port.number();
        let data_dir = folder.join("data");
        let server = Self {
            settings,
            folder,
            port,
            service,
            data_dir,
            variables: BTreeMap::new(),
            wrapper: Vec::new(),
            programs: directory(),
            process: None,
        };
        server.write_settings();
        server
    }

    /// From the next start on it is run by the programs of that directory.
    pub fn run_by(&mut self, programs: &Path) {
        programs.clone_into(&mut self.programs);
    }

    /// Makes an environment; it does not run yet.
    pub fn create(parent: &Path, settings: Settings) -> Self {
        let server = Self::prepare(parent, settings);
        server.init().ok();
        server
    }

    /// `dbctl init`.
    pub fn init(&self) -> Run {
        self.init_with(PASSWORD)
    }

    /// `dbctl init` with another password for dba.
    pub fn init_with(&self, password: &str) -> Run {
        run(
            self.dbctl_command()
                .arg("init")
                .env("EQ_DBPASSWORD", password),
            b"",
        )
    }

    /// Starts the server and waits until it serves.
    #[track_caller]
    pub fn start(&mut self) {
        if let Err(run) = self.try_start() {
            panic!("{} did not start: {run:?}", self.settings.name());
        }
    }

    /// Starts the server; an error is what it left when it ended instead of serving.
    pub fn try_start(&mut self) -> Result<(), Run> {
        self.try_start_with(&[])
    }

    /// The same with more on its command line.
    pub fn try_start_with(&mut self, arguments: &[&str]) -> Result<(), Run> {
        let before = self.log().len();
        let mut process = self.launch(arguments);
        let started = wait_for("the server to serve, or to end", LONG, || {
            if let Some(status) = process.ended() {
                return Some(Err(status.code()));
            }
            self.serves(process.pid()).then_some(Ok(()))
        });
        match started {
            Ok(()) => {
                self.process = Some(process);
                Ok(())
            }
            Err(code) => {
                let log = self.log();
                let err = log.get(before..).unwrap_or_default().to_owned();
                Err(Run {
                    code,
                    out: String::new(),
                    err,
                })
            }
        }
    }

    /// Starts the server and kills it a moment later, wherever its recovery is by then.
    pub fn start_interrupted(&mut self, after: Duration) {
        self.start_interrupted_with(after, &[]);
    }

    /// The same with more on its command line.
    pub fn start_interrupted_with(&mut self, after: Duration, arguments: &[&str]) {
        let mut process = self.launch(arguments);
        pause(after);
        process.kill9();
    }

    fn launch(&self, arguments: &[&str]) -> Background {
        assert!(
            self.process.is_none(),
            "{} runs already",
            self.settings.name()
        );
        let mut command = behind(&self.wrapper, &of(&self.programs, "dbserver"));
        command
            .arg("-c")
            .arg(self.config_path())
            .args(arguments)
            .envs(&self.variables);
        Background::start(&mut command, &self.log_path())
    }

    /// The lock file says so, with addresses, once a server is ready.
    fn serves(&self, pid: u32) -> bool {
        let text = fs::read_to_string(self.data_dir().join("lock")).unwrap_or_default();
        text.contains(&format!("pid = {pid}\n")) && text.contains("address = ")
    }

    /// A clean stop.
    #[track_caller]
    pub fn stop(&mut self) {
        let mut process = self.process.take().expect("a running server");
        let status = process.terminate();
        assert!(
            status.success(),
            "{} stopped with {status}\n{}",
            self.settings.name(),
            self.log()
        );
    }

    /// Ends the process at once.
    pub fn kill9(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill9();
        }
    }

    /// A clean stop and a start.
    #[track_caller]
    pub fn restart(&mut self) {
        self.stop();
        self.start();
    }

    /// From now on server and dbctl are started by these words, which end with running what follows.
    pub fn start_behind(&mut self, words: &[&str]) {
        self.wrapper = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Its process still runs.
    pub fn is_running(&mut self) -> bool {
        self.process
            .as_mut()
            .is_some_and(|process| process.ended().is_none())
    }

    /// The running process.
    pub fn process(&mut self) -> &mut Background {
        self.process.as_mut().expect("a running server")
    }

    /// Its configuration.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes the configuration; it holds from the next start.
    pub fn reconfigure(&mut self, change: impl FnOnce(Settings) -> Settings) {
        self.settings = change(self.settings.clone());
        self.write_settings();
    }

    /// `Role` in its configuration, from the next start on.
    pub fn set_role(&mut self, role: &str) {
        self.reconfigure(|settings| settings.set("Replication", "Role", role));
    }

    /// From the next start on it wants the port of another server.
    pub fn share_port_of(&mut self, other: &Self) {
        self.service = other.port.number();
        self.write_settings();
    }

    /// From the next start on the system chooses the port; [`Server::address`] does not know it.
    pub fn use_any_port(&mut self) {
        self.service = 0;
        self.write_settings();
    }

    /// From the next start on its process has this variable in its environment.
    pub fn set_variable(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// Where the environment is, if the settings say so.
    pub fn use_data_dir(&mut self, data_dir: &Path) {
        data_dir.clone_into(&mut self.data_dir);
    }

    fn write_settings(&self) {
        let text = self
            .settings
            .clone()
            .set("Server", "Service", self.service)
            .to_text();
        files::write(&self.config_path(), text);
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.service).into()
    }

    /// Where its status page is, as it has told in its lock file.
    pub fn http_address(&self) -> SocketAddr {
        let text = fs::read_to_string(self.data_dir().join("lock")).expect("a lock file");
        let told = text.lines().find_map(|line| line.strip_prefix("http = "));
        told.expect("a status page").parse().expect("an address")
    }

    /// Its folder: all that it has is in there.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its configuration file.
    pub fn config_path(&self) -> PathBuf {
        self.folder.join("eloqdb.cfg")
    }

    /// Its environment.
    pub fn data_dir(&self) -> PathBuf {
        self.data_dir.clone()
    }

    /// The directory of its forward log.
    pub fn fwlog_dir(&self) -> PathBuf {
        self.folder.join("fwlog")
    }

    /// Its segments as they are now.
    pub fn segments(&self) -> LogDirectory {
        let location = LogLocation::parse(self.fwlog_dir().join("fw-%N")).expect("a pattern");
        LogDirectory::scan(&location).expect("readable segments")
    }

    /// What it has printed, over all its starts.
    pub fn log(&self) -> String {
        read_log(&self.log_path())
    }

    fn log_path(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// A driver's connection to a database.
    #[track_caller]
    pub fn client(&self, database: &str) -> Client {
        let client = Client::connect(self.address(), database, PASSWORD);
        assert!(
            client.is_ok(),
            "cannot connect to {database}: {:?}",
            client.err()
        );
        client.expect("asserted")
    }

    /// A connection that opens the database in a mode, if the server lets it.
    pub fn client_in_mode(&self, database: &str, mode: u8) -> Result<Client, Refusal> {
        let connected = Client::with(
            Client::config(self.address(), database, PASSWORD)
                .options(format!("-c eloqdb.open_mode={mode}")),
        );
        connected.map_err(|error| Refusal::of(&error).expect("the server answers"))
    }

    /// Runs SQL in a database on a connection of its own; gives the rows as text.
    #[track_caller]
    pub fn sql(&self, database: &str, sql: &str) -> Vec<Vec<String>> {
        self.client(database).rows(sql)
    }

    /// The result of a `DBCTL` command that answers with names and values.
    #[track_caller]
    pub fn command(&self, command: &str) -> BTreeMap<String, String> {
        let sql = format!("DBCTL '{}'", command.replace('\'', "''"));
        self.sql("system", &sql)
            .into_iter()
            .map(|row| match <[String; 2]>::try_from(row) {
                Ok([name, value]) => (name, value),
                Err(row) => panic!("{command}: not a list: {row:?}"),
            })
            .collect()
    }

    /// psql on a database, with a script on its standard input.
    pub fn psql(&self, database: &str, arguments: &[&str], input: &str) -> Run {
        let mut command = needed("psql", "postgresql-client");
        command
            .args([
                "-X",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-U",
                "dba",
            ])
            .args(["-p", &self.service.to_string(), "-d", database])
            .args(arguments)
            .env("PGPASSWORD", PASSWORD)
            .env("PGCONNECT_TIMEOUT", "20");
        run(&mut command, input.as_bytes())
    }

    /// dbctl with this server's configuration and password.
    pub fn dbctl(&self, arguments: &[&str]) -> Run {
        run(
            self.dbctl_command()
                .args(arguments)
                .env("EQ_DBPASSWORD", PASSWORD),
            b"",
        )
    }

    /// dbctl for a command that sets a password of somebody.
    pub fn dbctl_with_new_password(&self, arguments: &[&str], password: &str) -> Run {
        let mut command = self.dbctl_command();
        command
            .args(arguments)
            .env("EQ_DBPASSWORD", PASSWORD)
            .env("EQ_NEWPASSWORD", password);
        run(&mut command, b"")
    }

    /// The same as a command, without a password.
    pub fn dbctl_command(&self) -> Command {
        let mut command = behind(&self.wrapper, &of(&self.programs, "dbctl"));
        command.arg("-c").arg(self.config_path());
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            show_log(self.settings.name(), &self.log());
        }
    }
}

/// Prints the end of a log, for the report of a failed test.
#[expect(
    clippy::print_stderr,
    reason = "the test runner keeps it for the report"
)]
pub(crate) fn show_log(name: &str, log: &str) {
    let lines: Vec<&str> = log.lines().collect();
    let shown = &lines[lines.len().saturating_sub(SHOWN_LINES)..];
    eprintln!("---- log of {name} ({} lines)", lines.len());
    for line in shown {
        eprintln!("{line}");
    }
}
