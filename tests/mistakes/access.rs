//! Passwords, names, addresses.

use dbtests::{Client, Folder, PASSWORD, Refusal, Server, Settings, process};

fn master(folder: &Folder) -> Server {
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    master
}

#[test]
fn a_wrong_password_is_28p01_and_says_no_more() {
    let folder = Folder::new();
    let master = master(&folder);
    let refusal = |user: &str, password: &str| {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(master.address().port());
        config.user(user).password(password).dbname("system");
        let error = Client::with(&config).err().expect("a refusal");
        Refusal::of(&error).expect("the server's words")
    };
    let wrong = refusal("dba", "guessed");
    assert_eq!(wrong.code, "28P01");
    assert!(wrong.message.contains("dba"), "{wrong:?}");
    // Whether a user exists is nobody's business.
    let nobody = refusal("nobody", "guessed");
    assert_eq!(nobody.code, "28P01");
    assert_eq!(nobody.message.replace("nobody", "dba"), wrong.message);
    assert_eq!(refusal("dba", "").code, "28P01");
    assert!(!master.log().contains("guessed"), "passwords are in no log");
    assert!(Client::connect(master.address(), "system", PASSWORD).is_ok());
}

#[test]
fn dbctl_with_a_wrong_password_is_exit_code_4_and_without_a_server_3() {
    let folder = Folder::new();
    let mut master = master(&folder);
    let mut command = master.dbctl_command();
    let told = process::run(command.arg("status").env("EQ_DBPASSWORD", "guessed"), b"").fails(4);
    assert!(told.contains("password"), "{told}");
    assert!(!told.contains("guessed"), "{told}");
    master.stop();
    let told = master.dbctl(&["status"]).fails(3);
    assert!(
        told.contains(&master.address().port().to_string()),
        "it says where: {told}"
    );
}

#[test]
fn a_database_that_is_not_there_is_3d000() {
    let folder = Folder::new();
    let master = master(&folder);
    let error = Client::connect(master.address(), "shpo", PASSWORD)
        .err()
        .expect("a refusal");
    let refusal = Refusal::of(&error).expect("the server's words");
    assert_eq!(refusal.code, "3D000");
    assert!(refusal.message.contains("\"shpo\""), "{refusal:?}");
}

#[test]
fn an_ordinary_user_may_not_administer() {
    let folder = Folder::new();
    let master = master(&folder);
    master
        .dbctl_with_new_password(&["user", "create", "clerk"], "clerk's own")
        .ok();
    let mut config = tokio_postgres::Config::new();
    config.host("127.0.0.1").port(master.address().port());
    config
        .user("clerk")
        .password("clerk's own")
        .dbname("system");
    let clerk = Client::with(&config).expect("clerk logs in");
    for command in [
        "forwardlog disable",
        "shutdown",
        "user list",
        "database drop system",
    ] {
        let refusal = clerk.refused(&format!("DBCTL '{command}'"));
        assert_eq!(refusal.code, "42501", "{command}: {refusal:?}");
    }
    let mut command = master.dbctl_command();
    command
        .args(["-u", "clerk", "shutdown"])
        .env("EQ_DBPASSWORD", "clerk's own");
    process::run(&mut command, b"").fails(4);
}

#[test]
fn an_address_that_is_not_allowed_gets_no_further_than_hello() {
    let folder = Folder::new();
    let settings = Settings::master().set("db-access", "deny", "127.0.0.1");
    let mut master = Server::create(folder.path(), settings);
    master.start();
    let error = Client::connect(master.address(), "system", PASSWORD)
        .err()
        .expect("a refusal");
    let refusal = Refusal::of(&error).expect("the server's words");
    assert_eq!(refusal.code, "28000");
    assert!(refusal.message.contains("127.0.0.1"), "{refusal:?}");
}
