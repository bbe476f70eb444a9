//! Options that change how the log travels, and not what arrives.

use dbtests::{Cluster, Server, Settings, compare, follower};

use crate::shop::{items, open, sell};

#[test]
fn a_log_stored_plain_is_packed_on_the_wire_and_arrives_plain() {
    let plain = |settings: Settings| settings.set("ForwardLog", "FwCompress", "none");
    let cluster = Cluster::with(plain(Settings::master()), Settings::slave());
    open(&cluster.master);
    sell(&cluster.master, 100);
    let run = cluster.replicate(&["-S", "-Z"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    cluster.compare();
    sell(&cluster.master, 10);
    cluster.synchronize();
    assert_eq!(items(&cluster.slave), 110);
    cluster.compare();
}

#[test]
fn a_narrow_line_carries_the_same() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 100);
    let run = cluster.replicate(&["-S", "-b", "1m"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    cluster.compare();
}

#[test]
fn one_generation_can_be_sent_alone() {
    let mut cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 10);
    cluster.synchronize();
    cluster.slave.stop();
    cluster.slave.set_role("Master");
    cluster.slave.start();
    sell(&cluster.slave, 5);
    let mut third = Server::create(cluster.folder().path(), Settings::new("third", "Slave"));
    third.start();
    // An empty slave is at the beginning of generation 1.
    let run = follower::replicate(&cluster.slave, &third, &["-G"]);
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(items(&third), 10);
    follower::replicate(&cluster.slave, &third, &["-S"]).ok();
    assert_eq!(items(&third), 15);
    compare::logs(&cluster.slave, &third);
}

#[test]
fn a_users_password_from_a_file_and_options_from_a_file_do() {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, 1);
    let password = cluster.folder().join("password");
    dbtests::files::write_private(&password, format!("{}\n", dbtests::PASSWORD));
    let options = cluster.folder().join("dbrepl.cfg");
    dbtests::files::write(
        &options,
        format!(
            "[dbrepl]\nconfig = {}\nserver = {}\npassword-file = {}\nsync = 1\n",
            cluster.master.config_path().display(),
            cluster.slave.address(),
            password.display()
        ),
    );
    let mut command = dbtests::programs::ours("dbrepl");
    let run = dbtests::process::run(command.arg("-C").arg(options), b"");
    assert_eq!(run.code, Some(0), "{}", run.err);
    assert_eq!(items(&cluster.slave), 1);
}
