//! Who guesses passwords is slowed, and nobody else.

use dbtests::{Client, Folder, PASSWORD, Refusal, Server, Settings};
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio_postgres::{Config, Error, NoTls};

const SLOWED: &str = "further wrong passwords are answered slowly";

fn guess(server: &Server, user: &str) {
    let mut config = Client::config(server.address(), "system", "a guess");
    let error = Client::with(config.user(user)).err().expect("a refusal");
    let refusal = Refusal::of(&error).expect("the server's words");
    let told = format!("password authentication failed for user \"{user}\"");
    assert_eq!((refusal.code.as_str(), refusal.message), ("28P01", told));
}

/// Logs in from another address of this machine.
fn from_elsewhere(server: &Server, config: &Config) -> Result<(), Error> {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let socket = TcpSocket::new_v4().expect("a socket");
        let address = "127.0.0.2:0".parse().expect("an address");
        socket.bind(address).expect("an address of loopback");
        let stream = socket.connect(server.address()).await;
        let stream = stream.expect("a connection");
        config.connect_raw(stream, NoTls).await.map(drop)
    })
}

#[test]
fn the_fourth_wrong_password_is_slowed_and_the_right_one_is_not() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.start();
    let dba = Client::config(server.address(), "system", PASSWORD);
    let slowed = || server.log().matches(SLOWED).count();
    // A user who is not there is slowed as one who is.
    for (user, sofar) in [("nobody", 0), ("dba", 1)] {
        for _ in 0..3 {
            guess(&server, user);
        }
        assert_eq!(slowed(), sofar, "{}", server.log());
        guess(&server, user);
        assert_eq!(slowed(), sofar + 1, "{}", server.log());
        assert!(from_elsewhere(&server, &dba).is_ok());
    }
    // What they have guessed elsewhere is still known; here the right one is a new beginning.
    assert!(Client::with(&dba).is_ok());
    for _ in 0..3 {
        guess(&server, "dba");
    }
    assert_eq!(slowed(), 2, "{}", server.log());
    server.stop();
}
