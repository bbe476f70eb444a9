//! Sessions that a slave hands to its master. Both are in this process, and nothing is replicated between them.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_postgres::{Client, NoTls};

use super::{Server, connect, count, refused};
use crate::clients::SessionInfo;
use crate::databases::Role;
use crate::databases::open_mode::{OpenMode, Writes};

/// A master that lets everybody here redirect.
async fn master() -> Server {
    Server::with("[Replication]\nRedirectFrom = 127.0.0.0/8").await
}

/// A master, and a slave that redirects to it.
async fn pair() -> (Server, Server) {
    let master = master().await;
    let slave = slave_of(&master.address.to_string()).await;
    (master, slave)
}

/// A slave whose masters are these.
async fn slave_of(masters: &str) -> Server {
    let lines = format!("[Replication]\nRedirectFrom = all\nRedirectWrite = {masters}");
    let slave = Server::with(&lines).await;
    slave.environment.change_role(Role::Slave).unwrap();
    slave
}

fn in_mode(server: &Server, mode: OpenMode) -> tokio_postgres::Config {
    let mut parameters = server.parameters("shop");
    parameters.options(format!("-c eloqdb.open_mode={mode}"));
    parameters
}

async fn writer(server: &Server) -> Client {
    connect(&in_mode(server, OpenMode::Write)).await.unwrap()
}

fn redirected(server: &Server) -> Vec<SessionInfo> {
    let mut sessions = server.environment.sessions().list();
    sessions.retain(|session| session.redirected.is_some());
    sessions
}

fn wait_until_nobody_is_redirected(server: &Server) {
    while !redirected(server).is_empty() {
        std::thread::yield_now();
    }
}

/// An address at which nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_mode_that_writes_is_served_by_the_master() {
    let (master, slave) = pair().await;
    for mode in OpenMode::ALL {
        let client = connect(&in_mode(&slave, mode)).await.unwrap();
        let here = mode.writes() == Writes::Nothing;
        assert_eq!(redirected(&slave).is_empty(), here, "mode {mode}");
        let row = client.query_one("SHOW eloqdb.open_mode", &[]).await;
        let shown: String = row.unwrap().get(0);
        assert_eq!(shown, mode.to_string());
        let made = client
            .batch_execute(&format!("CREATE TABLE t{mode}(a INT)"))
            .await;
        match mode.writes() {
            Writes::All => made.unwrap(),
            _ => assert_eq!(refused(made), "25006", "mode {mode}"),
        }
        drop(client);
        for server in [&slave, &master] {
            while server.environment.sessions().count() > 0 {
                std::thread::yield_now();
            }
        }
    }
    assert_eq!(
        count(&master.client().await, "SELECT count(*) FROM t4").await,
        0
    );
    // Who asks for nothing reads here.
    let reader = slave.client().await;
    assert_eq!(
        refused(reader.batch_execute("CREATE TABLE u(a INT)").await),
        "25006"
    );
    master.stop();
    slave.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_default_of_the_role_redirects_as_the_packet_does_and_the_packet_says_more() {
    let master = master().await;
    let lines = format!("[Replication]\nRedirectWrite = {}", master.address);
    let slave = Server::with(&lines).await;
    for server in [&master, &slave] {
        let sql = "CREATE USER app PASSWORD 'open sesame'; ALTER ROLE app SET eloqdb.open_mode = 1";
        server.client_after(sql).await;
    }
    slave.environment.change_role(Role::Slave).unwrap();
    let mut parameters = slave.parameters("shop");
    let app = connect(parameters.user("app")).await.unwrap();
    app.batch_execute("CREATE TABLE t(a INT)").await.unwrap();
    assert_eq!(redirected(&slave)[0].user, "app");
    let reads = connect(parameters.options("-c eloqdb.open_mode=5"))
        .await
        .unwrap();
    assert_eq!(
        refused(reads.batch_execute("CREATE TABLE u(a INT)").await),
        "25006"
    );
    drop((app, reads));
    slave.stop();
    master.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_come_in_the_master_says() {
    let (master, slave) = pair().await;
    let mut wrong = in_mode(&slave, OpenMode::Write);
    let error = connect(wrong.password("wrong")).await.err().unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!(
        (error.code().code(), error.message()),
        ("28P01", "password authentication failed for user \"dba\"")
    );
    let mut nowhere = in_mode(&slave, OpenMode::Write);
    assert_eq!(refused(connect(nowhere.dbname("nosuch")).await), "3D000");
    slave.stop();
    master.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirected_session_is_listed_with_its_target_and_bytes_and_can_be_ended() {
    let (master, slave) = pair().await;
    let client = writer(&slave).await;
    let before = redirected(&slave).remove(0);
    client
        .batch_execute("CREATE TABLE t(a TEXT); INSERT INTO t VALUES (repeat('x', 1000000))")
        .await
        .unwrap();
    client.query_one("SELECT a FROM t", &[]).await.unwrap();
    let session = redirected(&slave).remove(0);
    let counts = session.redirected.as_ref().unwrap();
    // What has passed is counted a moment later.
    while !counts.is_idle() {
        std::thread::yield_now();
    }
    assert_eq!(
        (session.state, session.asked_mode),
        ("redirected", Some(OpenMode::Write))
    );
    assert_eq!(counts.target, master.address.to_string());
    assert!(
        counts.to_client() > 1_000_000 && counts.to_master() > 100,
        "{counts:?}"
    );
    assert_eq!(before.pid, session.pid);
    // The master knows where the client is, and not the slave's address.
    let there = master.environment.sessions().list().remove(0);
    assert_eq!(there.address, session.address);

    let control = connect(&slave.parameters("system")).await.unwrap();
    let rows = control.simple_query("DBCTL 'session list'").await.unwrap();
    let text = format!("{rows:?}");
    assert!(text.contains(&master.address.to_string()), "{text}");
    control
        .simple_query(&format!("DBCTL 'session kill {}'", session.pid))
        .await
        .unwrap();
    let ended = client.batch_execute("SELECT 1").await;
    assert!(ended.is_err());
    wait_until_nobody_is_redirected(&slave);
    while master.environment.sessions().count() > 0 {
        std::thread::yield_now();
    }
    slave.stop();
    master.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_request_reaches_the_master() {
    let (master, slave) = pair().await;
    let client = writer(&slave).await;
    let other = writer(&slave).await;
    let cancel = client.cancel_token();
    let sleeps = tokio::spawn(async move {
        let slept = client.batch_execute("SELECT pg_sleep(600)").await;
        (client, slept)
    });
    let sessions = master.environment.sessions();
    while sessions
        .list()
        .iter()
        .all(|session| session.state != "active")
    {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    cancel.cancel_query(NoTls).await.unwrap();
    let (client, slept) = sleeps.await.unwrap();
    assert_eq!(refused(slept), "57014");
    for client in [client, other] {
        assert_eq!(count(&client, "SELECT 1::bigint").await, 1);
    }
    slave.stop();
    master.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_is_not_there_is_08001_and_a_later_one_is_tried() {
    let (gone, also_gone) = (nowhere(), nowhere());
    let slave = slave_of(&format!("{gone}, {also_gone}")).await;
    let error = connect(&in_mode(&slave, OpenMode::Update))
        .await
        .err()
        .unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!(
        (error.code().code(), error.message()),
        ("08001", "no master can be reached for a session in mode 2")
    );
    let detail = error.detail().unwrap();
    assert!(
        detail.contains(&gone) && detail.contains(&also_gone),
        "{detail}"
    );
    assert!(error.hint().unwrap().contains("RedirectWrite"));
    slave.stop();

    // The first is gone, the second a slave: the third takes it.
    let master = master().await;
    let second = Server::with("[Replication]\nRedirectFrom = 127.0.0.1").await;
    second.environment.change_role(Role::Slave).unwrap();
    let slave = slave_of(&format!("{gone}, {}, {}", second.address, master.address)).await;
    let client = writer(&slave).await;
    client.batch_execute("CREATE TABLE t(a INT)").await.unwrap();
    assert_eq!(master.environment.sessions().count(), 1);
    slave.stop();
    second.stop();
    master.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_a_slave_refuses_and_names_it() {
    let slave = Server::start().await;
    slave.environment.change_role(Role::Slave).unwrap();
    let error = connect(&in_mode(&slave, OpenMode::Write))
        .await
        .err()
        .unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "25006");
    assert!(error.hint().unwrap().contains("RedirectWrite"), "{error:?}");
    slave.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_refuses_redirected_sessions_from_elsewhere_and_clients_that_may_not_connect() {
    let closed = Server::start().await;
    let slave = slave_of(&closed.address.to_string()).await;
    let error = connect(&in_mode(&slave, OpenMode::Write))
        .await
        .err()
        .unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!(
        (error.code().code(), error.message()),
        (
            "28000",
            "sessions that 127.0.0.1 redirects are not accepted by this server"
        )
    );
    assert!(error.hint().unwrap().contains("RedirectFrom"));
    slave.stop();
    closed.stop();

    // What counts is where the client is.
    let lines = "[Replication]\nRedirectFrom = 127.0.0.1\n[db-access]\nallow = 127.0.0.0/8\ndeny = 127.0.0.9";
    let master = Server::with(lines).await;
    let mut stream = TcpStream::connect(master.address).await.unwrap();
    let mut opening = bytes::BytesMut::new();
    let header = crate::wire::ProxyHeader {
        addresses: Some((([127, 0, 0, 9], 4000).into(), ([127, 0, 0, 8], 8102).into())),
        hops: 1,
    };
    header.encode(&mut opening);
    opening.extend_from_slice(b"\0\0\0\x12\0\x03\0\0user\0dba\0\0");
    stream.write_all(&opening).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains("28000") && answer.contains("no access for host \"127.0.0.9\""),
        "{answer}"
    );
    master.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_has_become_a_slave_hands_on_once_and_a_ring_ends() {
    let master = master().await;
    let middle = slave_of(&master.address.to_string()).await;
    let first = slave_of(&middle.address.to_string()).await;
    let client = writer(&first).await;
    client.batch_execute("CREATE TABLE t(a INT)").await.unwrap();
    let (here, there) = (redirected(&first).remove(0), redirected(&middle).remove(0));
    assert_eq!(here.address, there.address);
    assert_eq!(
        master.environment.sessions().list()[0].address,
        here.address
    );
    // One more is one too many.
    let before = slave_of(&first.address.to_string()).await;
    let error = connect(&in_mode(&before, OpenMode::Write))
        .await
        .err()
        .unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "25006");
    assert!(error.message().contains("redirected 2 times"), "{error:?}");
    for server in [before, first, middle, master] {
        server.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_ends_under_a_session_is_told_and_the_slave_goes_on() {
    let line = dead_line().await;
    let slave = slave_of(&line.0).await;
    // It has answered, and is gone before the password.
    let error = connect(&in_mode(&slave, OpenMode::Write))
        .await
        .err()
        .unwrap();
    let error = error.as_db_error().unwrap();
    assert_eq!(error.code().code(), "08006");
    assert!(error.message().contains(&line.0), "{error:?}");
    assert!(error.hint().is_some());
    assert_eq!(count(&slave.client().await, "SELECT 1::bigint").await, 1);
    wait_until_nobody_is_redirected(&slave);
    slave.stop();
}

/// What looks like a master up to the request for the password, then ends.
async fn dead_line() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let task = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let asks = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0";
            let mut answer = [0; 4096];
            // It has no TLS.
            for says in [b"N".as_slice(), asks, b""] {
                if stream.read(&mut answer).await.unwrap() == 0 {
                    break;
                }
                stream.write_all(says).await.unwrap();
            }
        }
    });
    (address, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_slave_serves_new_sessions_and_old_ones_go_on() {
    let (master, slave) = pair().await;
    let old = writer(&slave).await;
    slave.environment.change_role(Role::Master).unwrap();
    let new = writer(&slave).await;
    new.batch_execute("CREATE TABLE here(a INT)").await.unwrap();
    old.batch_execute("CREATE TABLE there(a INT)")
        .await
        .unwrap();
    assert_eq!(
        count(&master.client().await, "SELECT count(*) FROM there").await,
        0
    );
    assert_eq!(redirected(&slave).len(), 1);
    slave.stop();
    master.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_no_more_still_reads_its_answers() {
    let (master, slave) = pair().await;
    let mut lengths = Vec::new();
    for server in [&master, &slave] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let parameters = in_mode(server, OpenMode::Write);
        let logged_in = parameters.connect_raw(&mut stream, NoTls).await.unwrap();
        drop(logged_in);
        let query = b"Q\0\0\0\x25SELECT repeat('x', 3000000) AS a\0";
        stream.write_all(query).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.last_chunk(), Some(b"Z\0\0\0\x05I"));
        lengths.push(answer.len());
    }
    assert_eq!(lengths[0], lengths[1]);
    assert!(lengths[0] > 3_000_000);
    wait_until_nobody_is_redirected(&slave);
    slave.stop();
    master.stop();
}
