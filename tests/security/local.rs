//! The Unix socket: who comes in there, as whom, and what a slave does with such a session.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use dbtests::process::{Background, run};
use dbtests::programs::{behind, needed, ours};
use dbtests::{
    Client, Cluster, Folder, LONG, PASSWORD, Refusal, Run, Server, Settings, files, wait_for,
};
use tokio_postgres::{Config, NoTls};

use crate::{SHOP, secured};

/// Users of the machine who are nobody here.
const STRANGER: u32 = 65533;
const SERVICE: u32 = 65534;

/// Long enough to be cancelled.
const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

/// A directory for sockets that every user of the machine can reach.
fn socket_dir() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    directory
}

/// A running server with a socket there and the database shop.
fn server(folder: &Folder, sockets: &Path) -> Server {
    let settings = Settings::master().set("Server", "SocketDir", sockets.display());
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    server
}

fn socket(server: &Server, sockets: &Path) -> PathBuf {
    sockets.join(format!(".s.PGSQL.{}", server.address().port()))
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// A program as another user; only root can.
fn as_user(uid: u32, command: &Command) -> Command {
    let uid = format!("--reuid={uid}");
    behind(&["setpriv", &uid, "--clear-groups", "--"], command)
}

/// psql over the socket, which never asks for a password.
fn psql(server: &Server, sockets: &Path, user: &str) -> Command {
    let mut command = needed("psql", "postgresql-client");
    command
        .args(["-X", "-A", "-t", "-w", "-d", "system", "-U", user, "-h"])
        .arg(sockets)
        .args(["-p", &server.address().port().to_string()])
        .args(["-c", "SELECT session_user"]);
    command
}

/// A driver's session over the socket, without a password.
fn config(server: &Server, sockets: &Path, database: &str) -> Config {
    let mut config = Config::new();
    config
        .host_path(sockets)
        .port(server.address().port())
        .user("dba")
        .dbname(database);
    config
}

fn client(server: &Server, sockets: &Path, database: &str) -> Client {
    Client::with(&config(server, sockets, database)).expect("no password is needed")
}

/// dbctl without any password.
fn dbctl(server: &Server, words: &[&str]) -> Run {
    run(server.dbctl_command().args(words), b"")
}

fn is_asked_for_a_password(run: &Run) {
    let told = "no password supplied";
    assert!(run.code == Some(2) && run.err.contains(told), "{run:?}");
}

#[test]
fn root_and_the_servers_user_may_be_any_dba_and_all_others_need_a_password() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let server = server(&folder, sockets.path());
    server.sql("system", "CREATE USER clerk PASSWORD 'clerk''s own'");
    let create = ["user", "create", "chief", "--privilege", "dba"];
    server.dbctl_with_new_password(&create, "chief's own").ok();
    for user in ["dba", "chief"] {
        let psql = run(&mut psql(&server, sockets.path(), user), b"");
        assert_eq!(psql.ok(), format!("{user}\n"));
    }
    // Neither somebody who is no dba, nor somebody who is not there.
    for user in ["clerk", "root"] {
        is_asked_for_a_password(&run(&mut psql(&server, sockets.path(), user), b""));
    }
    if !is_root() {
        return;
    }
    let stranger = |password: Option<&str>| {
        let mut command = as_user(STRANGER, &psql(&server, sockets.path(), "dba"));
        if let Some(password) = password {
            command.env("PGPASSWORD", password);
        }
        run(&mut command, b"")
    };
    is_asked_for_a_password(&stranger(None));
    assert_eq!(stranger(Some(PASSWORD)).ok(), "dba\n");
    let refused = stranger(Some("guessed")).fails(2);
    assert!(
        refused.contains("password authentication failed"),
        "{refused}"
    );
    let line = format!("host=local(uid={STRANGER}) user=\"dba\"");
    assert!(server.log().contains(&line), "{}", server.log());
}

#[test]
fn a_server_of_an_ordinary_user_knows_that_user_and_root() {
    if !is_root() {
        return;
    }
    let (folder, sockets) = (Folder::new(), socket_dir());
    let settings = Settings::master().set("Server", "SocketDir", sockets.path().display());
    let mut server = Server::prepare(folder.path(), settings);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("ours");
    for path in [
        server.folder(),
        &server.folder().join("tmp"),
        sockets.path(),
    ] {
        chown(path, Some(SERVICE), None).expect("root may");
    }
    let uid = format!("--reuid={SERVICE}");
    server.start_behind(&["setpriv", &uid, "--clear-groups", "--"]);
    server.init().ok();
    server.start();
    let psql = |uid| {
        let command = as_user(uid, &psql(&server, sockets.path(), "dba"));
        run(&mut { command }, b"")
    };
    assert_eq!(psql(SERVICE).ok(), "dba\n");
    assert_eq!(psql(0).ok(), "dba\n");
    is_asked_for_a_password(&psql(STRANGER));
    // dbctl runs as that user, too, and finds the socket by the configuration.
    assert!(dbctl(&server, &["status"]).ok().contains("Master"));
}

#[test]
fn a_session_of_the_socket_has_no_address_and_is_known_by_its_process() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let server = server(&folder, sockets.path());
    let client = client(&server, sockets.path(), SHOP);
    let sql = "SELECT inet_client_addr() IS NULL, inet_client_port() IS NULL, inet_server_port() IS NULL, \
               client_addr IS NULL, client_port FROM pg_stat_activity WHERE pid = pg_backend_pid()";
    assert_eq!(client.rows(sql)[0], ["t", "t", "t", "t", "-1"]);
    let me = fs::metadata("/proc/self").expect("a process").uid();
    let word = format!("local(uid={me},pid={})", std::process::id());
    let listed = server.dbctl(&["--json", "session", "list"]).ok();
    assert!(listed.contains(&word), "{listed}");
    client.run("CREATE USER clerk PASSWORD 'clerk''s own'");
    let log = server.log();
    let line = log.lines().find(|line| line.contains("clerk"));
    assert!(line.is_some_and(|line| line.contains(&word)), "{log}");
}

#[test]
fn a_cancel_request_comes_by_the_socket_as_well() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let server = server(&folder, sockets.path());
    let client = client(&server, sockets.path(), SHOP);
    let token = client.driver().cancel_token();
    let refused = client.wait(async {
        let cancel = async {
            // Until the statement runs there is nothing to cancel, so the request is repeated.
            loop {
                token.cancel_query(NoTls).await.expect("a request that is heard");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            result = client.driver().simple_query(ENDLESS) => result.expect_err("it never ends by itself"),
            () = cancel => unreachable!("an endless loop"),
        }
    });
    assert_eq!(
        Refusal::of(&refused).expect("the server's words").code,
        "57014"
    );
}

#[test]
fn a_client_of_the_socket_that_is_gone_leaves_no_statement_behind() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let server = server(&folder, sockets.path());
    let running = || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql' AND state = 'active'";
        server.sql("system", sql)[0][0] == "1"
    };
    let mut command = psql(&server, sockets.path(), "dba");
    command.args(["-c", ENDLESS]);
    let mut psql = Background::start(&mut command, &folder.join("psql.log"));
    wait_for("the statement to run", LONG, || running().then_some(()));
    psql.kill9();
    wait_for("the statement to end", LONG, || (!running()).then_some(()));
    wait_for("the log to say why", LONG, || {
        server.log().contains("the client has gone").then_some(())
    });
}

#[test]
fn a_socket_that_a_killed_server_has_left_is_replaced() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let mut server = server(&folder, sockets.path());
    let path = socket(&server, sockets.path());
    server.kill9();
    assert!(path.exists());
    // Nobody answers there: dbctl says so of every way to the server.
    let told = dbctl(&server, &["status"]).fails(3);
    assert!(
        told.contains(&*path.to_string_lossy()) && told.contains("127.0.0.1"),
        "{told}"
    );
    server.start();
    client(&server, sockets.path(), SHOP).run("SELECT 1");
    server.process().signal("HUP");
    wait_for(
        "the server to have read its configuration again",
        LONG,
        || server.log().contains("SIGHUP").then_some(()),
    );
    client(&server, sockets.path(), SHOP).run("SELECT 1");
    server.stop();
    assert_eq!(
        fs::read_dir(sockets.path()).expect("a directory").count(),
        0
    );
}

#[test]
fn the_socket_of_a_living_server_is_refused_with_its_process() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let mut first = server(&folder, sockets.path());
    let other = Settings::new("other", "Master")
        .set("Server", "Listen", "127.0.0.2")
        .set("Server", "SocketDir", sockets.path().display());
    let mut other = Server::create(folder.path(), other);
    other.share_port_of(&first);
    let pid = format!("process {}", first.process().pid());
    let refused = other.try_start().expect_err("the name is taken");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains(&pid), "{refused:?}");
    let mut check = ours("dbserver");
    let checked = run(check.arg("-c").arg(other.config_path()).arg("--check"), b"");
    assert!(checked.out.contains(&pid), "{checked:?}");
    // The living one has lost nothing by it.
    client(&first, sockets.path(), SHOP).run("SELECT 1");
    other.reconfigure(|settings| settings.set("Server", "SocketDir", "none"));
    other
        .try_start()
        .expect("without a socket there is room for both");
}

#[test]
fn a_port_that_the_system_chooses_is_in_the_name() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let settings = Settings::master().set("Server", "SocketDir", sockets.path().display());
    let mut server = Server::create(folder.path(), settings);
    server.use_any_port();
    server.start();
    let lock = fs::read_to_string(server.data_dir().join("lock")).expect("a lock file");
    let port = lock
        .lines()
        .find_map(|line| line.strip_prefix("address = 127.0.0.1:"));
    let path = sockets
        .path()
        .join(format!(".s.PGSQL.{}", port.expect("a port")));
    let found = fs::symlink_metadata(&path).expect("a socket");
    assert!(found.file_type().is_socket());
    assert_eq!(found.mode() & 0o7777, 0o777);
}

#[test]
fn a_path_that_no_socket_can_have_is_a_mistake_of_the_configuration() {
    let folder = Folder::new();
    let long = format!("/run/{}", "x".repeat(100));
    let settings = Settings::master().set("Server", "SocketDir", &long);
    let mut server = Server::prepare(folder.path(), settings);
    let told = dbctl(&server, &["config", "check"]).fails(2);
    assert!(
        told.contains("SocketDir") && told.contains("takes 107"),
        "{told}"
    );
    let refused = server.try_start().expect_err("no socket can be there");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    // Without a directory of that name, the server says what to do.
    server.reconfigure(|settings| settings.set("Server", "SocketDir", "nowhere"));
    server.init().ok();
    let refused = server.try_start().expect_err("no socket can be there");
    assert!(refused.err.contains("no such directory"), "{refused:?}");
}

#[test]
fn rules_of_access_know_the_socket_and_dbctl_goes_another_way() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let mut server = server(&folder, sockets.path());
    server.reconfigure(|settings| settings.set("db-access", "deny", "local"));
    server.restart();
    let refused = Client::with(&config(&server, sockets.path(), SHOP)).err();
    let refused = Refusal::of(&refused.expect("a refusal")).expect("the server's words");
    assert_eq!(refused.code, "28000");
    assert!(refused.message.contains("host \"local(uid="), "{refused:?}");
    assert_eq!(server.sql(SHOP, "SELECT 1")[0][0], "1");
    assert!(server.dbctl(&["status"]).ok().contains("Master"));
    let directory = sockets.path().display().to_string();
    let told = dbctl(&server, &["-h", &directory, "status"]).fails(4);
    assert!(told.contains("no access for host"), "{told}");
}

#[test]
fn the_socket_has_no_tls_and_needs_none() {
    let sockets = socket_dir();
    let directory = sockets.path().display().to_string();
    let secured = secured(&[("RequireTls", "1"), ("SocketDir", &directory)]);
    let path = socket(&secured.server, sockets.path());
    let mut stream = UnixStream::connect(&path).expect("a connection");
    // Length 8, and the number of a request for TLS.
    stream
        .write_all(&[0, 0, 0, 8, 4, 210, 22, 47])
        .expect("a request");
    let mut answer = [0];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"N");
    client(&secured.server, sockets.path(), SHOP).run("SELECT 1");
    // A header that tells of a client elsewhere is not believed from here.
    let mut stream = UnixStream::connect(&path).expect("a connection");
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    header.extend([10, 0, 0, 5, 10, 0, 0, 6, 1, 1, 1, 2]);
    stream.write_all(&header).expect("a header");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("redirects are not accepted"), "{answer}");
}

#[test]
fn a_slave_serves_reads_and_hands_nothing_on_that_needs_no_password() {
    let sockets = socket_dir();
    let master = Settings::master().set("Replication", "RedirectFrom", "127.0.0.1");
    let slave = Settings::slave().set("Server", "SocketDir", sockets.path().display());
    let mut cluster = Cluster::with(master, slave);
    cluster.master.sql("system", "CREATE DATABASE shop");
    cluster.master.sql(SHOP, "CREATE TABLE item (id int)");
    cluster.synchronize();
    let password = cluster.folder().join("password");
    files::write(&password, PASSWORD);
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).expect("ours");
    let address = cluster.master.address();
    cluster.slave.reconfigure(|settings| {
        settings
            .set("Replication", "RedirectWrite", address)
            .set("Replication", "ForwardWrites", 1)
            .set("Replication", "ForwardUser", "dba")
            .set("Replication", "ForwardPasswordFile", password.display())
    });
    cluster.slave.restart();
    let reader = client(&cluster.slave, sockets.path(), SHOP);
    assert_eq!(reader.value("SELECT count(*) FROM item"), "0");
    let refused = reader.refused("INSERT INTO item VALUES (1)");
    assert_eq!(refused.code, "25006");
    assert!(
        refused.message.contains("does not forward writes"),
        "{refused:?}"
    );
    let mut writer = config(&cluster.slave, sockets.path(), SHOP);
    writer.options("-c eloqdb.open_mode=1").password(PASSWORD);
    let refused = Client::with(&writer).err().expect("it is not handed on");
    let refused = Refusal::of(&refused).expect("the server's words");
    assert_eq!(refused.code, "25006");
    assert!(refused.message.contains("does not redirect"), "{refused:?}");
    assert!(refused.hint.contains("by the network"), "{refused:?}");
    assert_eq!(
        cluster.master.sql(SHOP, "SELECT count(*) FROM item")[0][0],
        "0"
    );
}

#[test]
fn dbctl_needs_no_password_on_the_servers_own_machine() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let mut server = server(&folder, sockets.path());
    let directory = sockets.path().display().to_string();
    let port = server.address().port().to_string();
    let there = |words: &[&str]| {
        let mut command = ours("dbctl");
        command.args(["-h", &directory, "-s", &port]).args(words);
        command.env("EQ_NEWPASSWORD", "clerk's own");
        run(&mut command, b"")
    };
    assert!(there(&["status"]).ok().contains("Master"));
    there(&["user", "create", "clerk"]).ok();
    assert!(dbctl(&server, &["user", "list"]).ok().contains("clerk"));
    // Over the network a password is asked for, as before.
    let network = ["-h", "127.0.0.1", "status"];
    assert!(
        dbctl(&server, &network)
            .fails(4)
            .contains("asks for a password")
    );
    let tls = ["--tls", "require", "status"];
    assert_ne!(dbctl(&server, &tls).code, Some(0));
    assert!(there(&["shutdown"]).ok().contains("the server has stopped"));
    assert!(
        server
            .process()
            .ended_within(LONG)
            .is_some_and(|status| status.success())
    );
    assert_eq!(
        fs::read_dir(sockets.path()).expect("a directory").count(),
        0
    );
}

#[test]
fn a_client_file_names_the_server_and_keeps_its_password() {
    let (folder, sockets) = (Folder::new(), socket_dir());
    let server = server(&folder, sockets.path());
    let file = folder.join("client.cfg");
    let port = server.address().port();
    let text = format!("[client]\nhost = 127.0.0.1\nservice = {port}\npassword = \"{PASSWORD}\"\n");
    files::write(&file, &text);
    let ask = |mode, words: &[&str]| {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("ours");
        let mut command = ours("dbctl");
        run(command.env("EQ_CLIENTFILE", &file).args(words), b"")
    };
    assert!(ask(0o600, &["status"]).ok().contains("Master"));
    let refused = ask(0o640, &["status"]).fails(2);
    assert!(
        refused.contains("chmod 600") && !refused.contains(PASSWORD),
        "{refused}"
    );
    // The command line wins.
    assert!(
        ask(0o600, &["-p", "guessed", "status"])
            .fails(4)
            .contains("failed")
    );
    files::write(
        &file,
        format!("[client]\nhost = {}\n", sockets.path().display()),
    );
    let service = port.to_string();
    assert!(
        ask(0o644, &["-s", &service, "status"])
            .ok()
            .contains("Master")
    );
    files::write(&file, "[client]\nhosts = x\n");
    assert!(
        ask(0o644, &["status"])
            .fails(2)
            .contains("did you mean host?")
    );
}
