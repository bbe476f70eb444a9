//! Ports, directories, roles that are taken or missing.

use dbtests::{Folder, Server, Settings};

#[test]
fn a_port_in_use_is_named() {
    let folder = Folder::new();
    let mut first = Server::create(folder.path(), Settings::master());
    first.start();
    let mut second = Server::create(folder.path(), Settings::new("second", "Master"));
    second.share_port_of(&first);
    let told = second.try_start().expect_err("the port is taken").fails(1);
    assert!(told.contains(&first.address().to_string()), "{told}");
    assert!(told.contains("another program uses the port"), "{told}");
    first.stop();
    second.start();
}

#[test]
fn an_address_that_the_machine_has_not_got_is_named_with_the_way_out() {
    let folder = Folder::new();
    // Of the addresses that are for examples alone.
    let settings = Settings::master().set("Server", "Listen", "203.0.113.9");
    let mut server = Server::create(folder.path(), settings);
    let told = server.try_start().expect_err("no such address").fails(1);
    assert!(told.contains("203.0.113.9"), "{told}");
    assert!(told.contains("this machine has no such address"), "{told}");
    assert!(told.contains("set Listen"), "{told}");
}

#[test]
fn port_0_lets_the_system_choose() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    server.use_any_port();
    server.start();
    let lock = std::fs::read_to_string(server.data_dir().join("lock")).unwrap();
    let address = lock
        .lines()
        .find_map(|line| line.strip_prefix("address = "))
        .unwrap();
    let client = dbtests::Client::connect(address.parse().unwrap(), "system", dbtests::PASSWORD);
    assert_eq!(client.expect("it serves there").value("SELECT 1"), "1");
}

#[test]
fn a_directory_without_an_environment_says_how_to_make_one() {
    let folder = Folder::new();
    let mut server = Server::prepare(folder.path(), Settings::master());
    let told = server.try_start().expect_err("there is nothing").fails(1);
    assert!(told.contains("there is no environment in"), "{told}");
    assert!(
        told.contains(&server.data_dir().display().to_string()),
        "{told}"
    );
    assert!(told.contains("init"), "it says what to do: {told}");
    server.init().ok();
    server.start();
}

#[test]
fn an_environment_is_not_made_over_another_one() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    let told = server.init().fails(1);
    assert!(told.contains("there is an environment in"), "{told}");
    server.start();
    assert!(server.command("status").contains_key("environment"));
}

#[test]
fn a_second_server_on_one_environment_is_refused() {
    let folder = Folder::new();
    let mut first = Server::create(folder.path(), Settings::master());
    first.start();
    let settings = Settings::master()
        .named("second")
        .set("Server", "DataDir", "../master/data")
        .set("ForwardLog", "FwLog", "../master/fwlog/fw-%N");
    let mut second = Server::prepare(folder.path(), settings);
    let told = second.try_start().expect_err("one is enough").fails(1);
    assert!(
        told.contains("another server runs the environment"),
        "{told}"
    );
    // The first one has not noticed.
    first.sql("system", "CREATE DATABASE shop");
    first.restart();
    assert_eq!(first.sql("shop", "SELECT 1")[0][0], "1");
}

#[test]
fn an_empty_slave_cannot_be_a_master() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::slave());
    server.set_role("Master");
    let told = server.try_start().expect_err("it has nothing").fails(1);
    assert!(told.contains("empty slave"), "{told}");
    assert!(told.contains("hint: "), "{told}");
}

#[test]
fn a_log_directory_that_is_gone_stops_the_start() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    let away = server.folder().join("elsewhere");
    dbtests::files::copy_directory(&server.fwlog_dir(), &away);
    std::fs::remove_dir_all(server.fwlog_dir()).unwrap();
    let told = server.try_start().expect_err("no log").fails(1);
    assert!(
        told.contains(&server.fwlog_dir().display().to_string()),
        "{told}"
    );
    dbtests::files::copy_directory(&away, &server.fwlog_dir());
    server.start();
}
