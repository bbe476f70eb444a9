//! Nothing is touched before it is known to work, and what can't be done is said.

use std::os::unix::fs::PermissionsExt as _;

use dbtests::small_disk::where_mounting_works;
use dbtests::{
    Cluster, Folder, PASSWORD, Server, Settings, SmallDisk, files, follower, process, programs,
};

use crate::shop::{open, open_segment, sell};

#[test]
fn a_rebuild_proves_the_log_up_to_its_durable_end_first() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    open(&master);
    sell(&master, 20);
    let segment = open_segment(&master);
    master.kill9();
    // Behind the redo point, before the durable end.
    let mut bytes = files::read(&segment);
    let at = 128 + (bytes.iter().rposition(|byte| *byte != 0).expect("blocks") - 128) / 2;
    bytes[at] ^= 1;
    files::write(&segment, &bytes);
    let before = files::read(&master.data_dir().join("control"));
    let refused = master.try_start_with(&["--rebuild"]).unwrap_err();
    assert!(refused.err.contains("--rebuild is refused"), "{refused:?}");
    assert!(refused.err.contains("it was durable up to"), "{refused:?}");
    assert_eq!(files::read(&master.data_dir().join("control")), before);
    let aside = std::fs::read_dir(master.data_dir())
        .expect("a directory")
        .flatten();
    let aside: Vec<_> = aside
        .filter(|entry| entry.file_name().to_string_lossy().contains("damaged"))
        .collect();
    assert!(aside.is_empty(), "{aside:?}");
    assert!(!master.data_dir().join("rebuild").exists());
}

#[test]
fn a_dump_that_fails_leaves_nothing() {
    where_mounting_works(|| {
        let folder = Folder::new();
        let disk = SmallDisk::mount(&folder.join("disk"), "16m");
        let mut master = Server::create(folder.path(), Settings::master());
        master.start();
        open(&master);
        sell(&master, 5);
        disk.fill(8 << 10);
        let target = folder.join("disk/copy.db").display().to_string();
        let told = master
            .dbctl(&["database", "dump", "shop", &target])
            .fails(1);
        assert!(told.contains("No space left"), "{told}");
        assert!(!folder.join("disk/copy.db").exists());
        disk.make_room();
        master.dbctl(&["database", "dump", "shop", &target]).ok();
        let relative = master
            .dbctl(&["database", "dump", "shop", "copy.db"])
            .fails(2);
        assert!(relative.contains("not an absolute path"), "{relative}");
    });
}

#[test]
fn a_pid_file_is_never_another_file() {
    let cluster = Cluster::start();
    let config = cluster.master.config_path();
    let before = files::read(&config);
    let path = config.display().to_string();
    let told = cluster.replicate(&["-S", "-P", &path]).fails(2);
    assert!(told.contains("it is no pid file"), "{told}");
    assert_eq!(files::read(&config), before);
    // In the background nobody would read it.
    let told = cluster
        .replicate(&["-D", "-l", "/dev/null", "-P", &path])
        .fails(2);
    assert!(told.contains("it is no pid file"), "{told}");
}

#[test]
fn a_point_in_time_that_is_over_is_refused() {
    let cluster = Cluster::start();
    let told = cluster.replicate(&["-T", "2001-01-01 00:00:00"]).fails(1);
    assert!(told.contains("the log begins at 20"), "{told}");
    assert!(told.contains("hint: give a later time"), "{told}");
    open(&cluster.master);
    cluster.synchronize();
    let told = cluster.replicate(&["-T", "2001-01-01 00:00:00"]).fails(1);
    assert!(told.contains("the slave is at 20"), "{told}");
}

#[test]
fn dbrepl_to_itself_to_a_master_or_to_a_number_is_refused() {
    let cluster = Cluster::start();
    let own = follower::dbrepl_to(&cluster.master, cluster.master.address(), &["-S"]);
    let told = process::run(&mut { own }, b"").fails(2);
    assert!(
        told.contains("is the server whose log is to be sent"),
        "{told}"
    );
    let folder = Folder::new();
    let mut other = Server::create(folder.path(), Settings::master());
    other.start();
    let told = follower::replicate(&cluster.master, &other, &["-S"]).fails(2);
    assert!(
        told.contains("is the root: it takes no log from another server"),
        "{told}"
    );
    let mut bare = programs::ours("dbrepl");
    bare.arg("-c").arg(cluster.master.config_path()).arg("8102");
    let told = process::run(&mut bare, b"").fails(2);
    assert!(told.contains("is :8102"), "{told}");
}

#[test]
fn a_password_file_that_others_can_read_is_refused() {
    let cluster = Cluster::start();
    let path = cluster.folder().join("pw");
    files::write(&path, PASSWORD);
    let mode = |mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(&path, permissions).expect("a mode");
    };
    let ask = || {
        let mut command = cluster.master.dbctl_command();
        command.arg("--password-file").arg(&path).arg("status");
        process::run(&mut command, b"")
    };
    mode(0o644);
    let told = ask().fails(2);
    assert!(told.contains("is open to others (mode 644)"), "{told}");
    mode(0o600);
    ask().ok();
}

#[test]
fn a_check_before_a_start_names_folders_and_ports() {
    let folder = Folder::new();
    let mut server = Server::create(folder.path(), Settings::master());
    let check = |server: &Server| {
        let mut command = programs::ours("dbserver");
        command.arg("-c").arg(server.config_path()).arg("--check");
        process::run(&mut command, b"")
    };
    let told = check(&server).ok();
    for line in [
        "ok: configuration ",
        "ok: DataDir ",
        "ok: FwLog ",
        "ok: TmpDir ",
        "ok: port 127.0.0.1:",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    server.start();
    let used = check(&server);
    assert_eq!(used.code, Some(1), "{used:?}");
    assert!(
        used.out.contains("is used: a server runs already"),
        "{used:?}"
    );
    // The environment is taken whatever the port is, and a second start says so first.
    let runs = "another server runs the environment in ";
    assert!(used.out.contains(&format!("error: {runs}")), "{used:?}");
    let mut second = programs::ours("dbserver");
    second.arg("-c").arg(server.config_path());
    let told = process::run(&mut second, b"").fails(1);
    assert!(told.contains(runs), "{told}");
    assert!(!told.contains("another program uses the port"), "{told}");
    server.stop();
    std::fs::remove_dir_all(server.folder().join("tmp")).expect("removed");
    let missing = check(&server);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.out.contains("error: TmpDir "), "{missing:?}");
}
