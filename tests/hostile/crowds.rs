//! Many clients at once: those who speak get in, and those who do not keep nobody out.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use dbtests::{Client, Folder, LONG, PASSWORD, Refusal, Server, Settings};
use futures::future::join_all;
use tokio::runtime::Builder;
use tokio_postgres::{Config, NoTls};

use dbtests::memory::{now_mib, peak_mib};

fn server(folder: &Folder, max_sessions: u32) -> Server {
    let settings = Settings::master().set("Server", "MaxSessions", max_sessions);
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE USER clerk PASSWORD 'clerk'");
    server
}

fn clerk(server: &Server) -> Config {
    let mut config = Client::config(server.address(), "system", "clerk");
    config.user("clerk").connect_timeout(LONG);
    config
}

/// Opens so many sessions in the same moment; gives what was refused, what the sessions take in MiB, and how long the slowest
/// had to wait.
fn rush(server: &mut Server, count: u32) -> (Vec<String>, u64, Duration) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let config = clerk(server);
    let before = now_mib(server.process().pid());
    let began = Instant::now();
    let connect = || async { (config.connect(NoTls).await, began.elapsed()) };
    let all = runtime.block_on(join_all((0..count).map(|_| connect())));
    let (connected, times): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    let slowest = times.into_iter().max().unwrap_or_default();
    let refused = connected
        .iter()
        .filter_map(|client| client.as_ref().err().map(ToString::to_string))
        .collect();
    let sessions = server.sql("system", "DBCTL 'session list'").len();
    assert!(sessions >= connected.iter().filter(|client| client.is_ok()).count());
    let now = now_mib(server.process().pid());
    (refused, now.saturating_sub(before), slowest)
}

#[test]
fn three_hundred_that_connect_in_the_same_moment_get_in() {
    let folder = Folder::new();
    let mut server = server(&folder, 400);
    let (refused, ..) = rush(&mut server, 300);
    assert_eq!(refused, Vec::<String>::new());
    assert!(!server.log().contains("refused"), "{}", server.log());
    server.stop();
}

#[test]
#[ignore = "a thousand connections need thousands of open files"]
fn a_thousand_that_connect_in_the_same_moment_get_in() {
    let folder = Folder::new();
    let mut server = server(&folder, 1000);
    for round in 1..=10 {
        let (refused, mib, slowest) = rush(&mut server, 1000);
        assert_eq!(refused, Vec::<String>::new());
        println!("{round}: the last of 1000 was in after {slowest:.2?}; they take {mib} MiB more");
        // Those of this round have gone, and their places are free.
        let alone = || server.sql("system", "DBCTL 'session list'").len() == 1;
        dbtests::wait_for("the sessions to leave", LONG, || alone().then_some(()));
    }
    println!("at most {} MiB", peak_mib(server.process().pid()));
    server.stop();
}

/// A client that says so much and no more.
fn halting(server: &Server, said: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).expect("a connection");
    stream.write_all(said).expect("written");
    stream
}

/// A whole start-up message, for which the server wants a password.
const LOGIN: &[u8] = b"\0\0\0\x20\0\x03\0\0user\0clerk\0database\0system\0\0";

#[test]
fn those_who_halt_at_any_place_keep_nobody_out() {
    let folder = Folder::new();
    let mut server = server(&folder, 400);
    // The silent ones are more than may wait at all.
    for (count, said) in [(600, &LOGIN[..0]), (200, &LOGIN[..6]), (200, LOGIN)] {
        let mut waiting: Vec<_> = (0..count).map(|_| halting(&server, said)).collect();
        let (refused, ..) = rush(&mut server, 20);
        assert_eq!(refused, Vec::<String>::new(), "{}", said.escape_ascii());
        // Somebody had to go for that, and was told.
        let mut told = Vec::new();
        let first = waiting.first_mut().expect("some of them");
        first.set_read_timeout(Some(LONG)).expect("a timeout");
        first.read_to_end(&mut told).expect("the server's words");
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.contains("C53300\0"), "{told:?}");
    }
    let peak = peak_mib(server.process().pid());
    assert!(peak < 400, "{peak} MiB");
    server.stop();
}

#[test]
fn a_full_server_has_three_places_for_administrators() {
    let folder = Folder::new();
    let mut server = server(&folder, 5);
    let clerk = clerk(&server);
    let dba = Client::config(server.address(), "system", PASSWORD);
    // The session that made the user may not have left yet.
    let enter = || dbtests::wait_for("a place", LONG, || Client::with(&clerk).ok());
    let _clerks: Vec<Client> = (0..5).map(|_| enter()).collect();
    let refusal = |config: &Config| {
        let error = Client::with(config).err().expect("a refusal");
        let refusal = Refusal::of(&error).expect("the server's words");
        assert_eq!(refusal.code, "53300");
        refusal.message
    };
    let reserved =
        "remaining connection slots are reserved for non-replication superuser connections";
    let mut administrators = Vec::new();
    for _ in 0..3 {
        assert_eq!(refusal(&clerk), reserved);
        administrators.push(Client::with(&dba).expect("a reserved place"));
    }
    for config in [&clerk, &dba] {
        assert_eq!(refusal(config), "sorry, too many clients already");
    }
    assert_eq!(administrators[2].value("SELECT 1"), "1");
    server.stop();
}
