//! What the log can't tell a slave any more comes as a copy, while both servers run.

use std::fs;
use std::process::Command;

use dbtests::memory::peak_mib;
use dbtests::{
    Cluster, Follower, LONG, Server, Settings, compare, files, follower, process, wait_for,
};

use serde_json::Value;

use crate::fencing::wait_for_noted;
use crate::rejoin::kept;
use crate::shop::{SHOP, items, open, sell};

/// dbrepl that makes copies by itself.
fn dbrepl(master: &Server, slave: &Server, options: &[&str]) -> Command {
    let mut options = [&["-v"], options].concat();
    if !options.contains(&"--init") {
        options.extend(["--init", "auto"]);
    }
    follower::dbrepl(master, slave, &options)
}

fn run(master: &Server, slave: &Server, options: &[&str]) -> process::Run {
    process::run(&mut dbrepl(master, slave, options), b"")
}

/// The master's log does not begin at the beginning any more: what is before its newest checkpoint is gone.
pub(crate) fn forget_beginning(master: &Server) {
    master.dbctl(&["forwardlog", "switch"]).ok();
    master.dbctl(&["checkpoint"]).ok();
    let segments = master.segments();
    let sealed = segments.segments().iter().filter(|it| it.sealed.is_some());
    for segment in sealed {
        fs::remove_file(&segment.path).expect("a segment to remove");
    }
}

fn master_with(rows: u32) -> Cluster {
    let cluster = Cluster::start();
    open(&cluster.master);
    sell(&cluster.master, rows);
    cluster
}

#[test]
fn an_empty_slave_gets_a_copy_where_the_log_begins_later() {
    let cluster = master_with(20);
    forget_beginning(&cluster.master);
    sell(&cluster.master, 5);
    let told = cluster.replicate(&["-S"]).fails(5);
    assert!(told.contains("no longer begins at the beginning"), "{told}");
    let waits = |seconds| {
        cluster
            .slave
            .dbctl(&["status", "--wait", "running", "--timeout", seconds])
    };
    assert!(waits("0").fails(1).contains("start pending"));
    let told = run(&cluster.master, &cluster.slave, &["-S"]);
    assert_eq!(told.code, Some(0), "{}\n{}", told.err, cluster.slave.log());
    assert_eq!(waits("1m").ok().trim(), "running");
    assert!(told.err.contains("the copy is complete"), "{}", told.err);
    assert_eq!(items(&cluster.slave), 25);
    sell(&cluster.master, 5);
    assert_eq!(run(&cluster.master, &cluster.slave, &["-S"]).code, Some(0));
    assert_eq!(items(&cluster.slave), 30);
    cluster.compare();
}

#[test]
fn a_slave_that_is_too_far_behind_is_resynchronized_by_what_differs() {
    let mut cluster = master_with(20);
    let client = cluster.master.client(SHOP);
    client.run("CREATE TABLE large (id INT PRIMARY KEY, body BYTEA)");
    client
        .run("INSERT INTO large SELECT i, gen_random_bytes(3000) FROM generate_series(1, 3000) i");
    cluster.synchronize();
    client.run("CREATE TABLE late (id INT)");
    client.run("UPDATE large SET body = gen_random_bytes(3000) WHERE id IN (7, 2900)");
    cluster.master.sql("system", "CREATE DATABASE other");
    forget_beginning(&cluster.master);
    sell(&cluster.master, 5);
    let told = run(&cluster.master, &cluster.slave, &["-S"]);
    assert_eq!(told.code, Some(0), "{}\n{}", told.err, cluster.slave.log());
    let log = cluster.slave.log();
    assert!(log.contains("the server begins with the copy"), "{log}");
    assert!(!log.contains("not stopped cleanly"), "{log}");
    let taken = log
        .split("taken=")
        .nth(1)
        .and_then(|it| it.split_whitespace().next());
    let taken: u32 = taken.expect("how many").parse().expect("a number");
    assert!((1..200).contains(&taken), "{taken} pages came");
    assert_eq!(items(&cluster.slave), 25);
    cluster.compare();
    // It goes on as any slave does, also after a crash.
    cluster.slave.kill9();
    cluster.slave.start();
    sell(&cluster.master, 5);
    assert_eq!(run(&cluster.master, &cluster.slave, &["-S"]).code, Some(0));
    cluster.compare();
}

/// A former master of 27 items that is to be a slave of its own former slave, which has 23: 20 they have in common.
fn parted() -> Cluster {
    parted_after(|_| {}, |_| {})
}

/// The same, with what the master does before the two part, and behind that.
fn parted_after(before: impl FnOnce(&Server), behind: impl FnOnce(&Server)) -> Cluster {
    let mut cluster = master_with(20);
    before(&cluster.master);
    cluster.synchronize();
    // The slave becomes a master, and both go on.
    cluster.slave.set_role("Master");
    cluster.slave.restart();
    sell(&cluster.slave, 3);
    sell(&cluster.master, 7);
    behind(&cluster.master);
    cluster.master.set_role("Slave");
    cluster.master.restart();
    cluster
}

/// Who comes once may have left before it is told what was lost: the former master is fed until the new one knows it.
fn tell_what_was_lost(cluster: &Cluster) {
    let (old, new) = (&cluster.master, &cluster.slave);
    let log = cluster.folder().join("back.log");
    let mut fed = Follower::run(dbrepl(new, old, &[]), log);
    wait_for_noted(new, old);
    fed.stop();
    assert_eq!(run(new, old, &["-S"]).code, Some(0));
}

#[test]
fn a_former_master_comes_back_only_where_a_person_says_so_and_keeps_what_it_discards() {
    let cluster = parted();
    let (old, new) = (&cluster.master, &cluster.slave);
    let told = run(new, old, &["-S"]).fails(5);
    assert!(told.contains("diverged"), "{told}");
    assert_eq!(items(old), 27);
    let told = run(new, old, &["-S", "--resync"]);
    assert_eq!(told.code, Some(0), "{}\n{}", told.err, old.log());
    assert_eq!(items(old), 23);
    tell_what_was_lost(&cluster);
    compare::databases(new, old);
    compare::logs(new, old);
    let lost = fs::read_dir(old.fwlog_dir().join("lost")).expect("what is discarded");
    assert_eq!(lost.count(), 1);
    assert!(old.log().contains("is set aside"), "{}", old.log());
    // The rows, too.
    let (_, told) = kept(old);
    assert_eq!(
        [&told["made_by"], &told["plan"], &told["role"]],
        ["resync", "compare", "primary"],
        "{told}"
    );
    assert_eq!(
        [&told["transactions"], &told["exact"]],
        [&Value::from(7), &Value::from(true)],
        "{told}"
    );
    let said = "what the copy discards of this server is kept in lost/";
    assert!(old.log().contains(said), "{}", old.log());
}

/// The pages of a database that was removed behind the fork are in no log.
#[test]
fn a_resync_says_where_what_it_discards_is_kept_as_segments_alone() {
    let cluster = parted_after(
        |master| {
            master.sql("system", "CREATE DATABASE archive");
        },
        |master| {
            master.sql("system", "DROP DATABASE archive");
        },
    );
    let (old, new) = (&cluster.master, &cluster.slave);
    run(new, old, &["-S"]).fails(5);
    let told = run(new, old, &["-S", "--resync"]);
    assert_eq!(told.code, Some(0), "{}\n{}", told.err, old.log());
    assert_eq!(items(old), 23);
    tell_what_was_lost(&cluster);
    compare::databases(new, old);
    let (directory, told) = kept(old);
    let why = "database \"archive\" was removed behind the fork";
    assert_eq!([&told["made_by"], &told["why"]], ["resync", why], "{told}");
    assert_eq!(told["exact"], false, "{told}");
    assert_eq!(told["transactions"], 7, "{told}");
    let name = directory.file_name().expect("a name").to_string_lossy();
    let said = format!(
        "what the copy discards of this server is kept in lost/{name} as segments of the log alone: {why}"
    );
    assert!(old.log().contains(&said), "{}", old.log());
    // Each transaction says so as well, and the segments have them.
    let lines = String::from_utf8(files::read(&directory.join("lost.jsonl"))).expect("text");
    assert_eq!(lines.matches("\"untold\"").count(), 7, "{lines}");
    let segments = files::list(&directory.join("segments"), "");
    assert!(!segments.is_empty(), "{}", directory.display());
    let listed = old.dbctl(&["lost", "list"]);
    assert!(listed.out.contains(&*name), "{listed:?}");
}

#[test]
fn three_slaves_are_made_under_load_one_of_them_twice_and_one_from_another() {
    let cluster = master_with(20);
    cluster.master.client(SHOP).run(
        "CREATE TABLE large (id INT PRIMARY KEY, body BYTEA); \
         INSERT INTO large SELECT i, gen_random_bytes(3000) FROM generate_series(1, 5000) i",
    );
    forget_beginning(&cluster.master);
    let another = |name| {
        let mut slave = Server::create(cluster.folder().path(), Settings::new(name, "Slave"));
        slave.start();
        slave
    };
    let (mut second, third) = (another("second"), another("third"));
    let load = cluster.master.client(SHOP);
    let follow = |slave: &Server| {
        let log = cluster
            .folder()
            .join(&format!("{}.log", slave.settings().name()));
        Follower::run(dbrepl(&cluster.master, slave, &[]), log)
    };
    let (mut first_fed, mut second_fed) = (follow(&cluster.slave), follow(&second));
    wait_for("a copy to begin", LONG, || {
        load.run("UPDATE large SET body = gen_random_bytes(3000) WHERE id = 9");
        second.log().contains("a first copy begins").then_some(())
    });
    second.kill9();
    load.run("UPDATE large SET body = gen_random_bytes(3000) WHERE id < 50");
    second.start();
    for fed in [&mut first_fed, &mut second_fed] {
        wait_for("a copy to be complete", LONG, || {
            assert!(fed.is_running(), "{}", fed.output());
            load.run("UPDATE item SET price = price + 1 WHERE id = 1");
            fed.output().contains("the copy is complete").then_some(())
        });
    }
    cluster.wait_for_slave(&mut first_fed);
    // The third gets its copy and its log from the first slave: the master is not touched.
    let told = run(&cluster.slave, &third, &["-S"]);
    assert_eq!(told.code, Some(0), "{}\n{}", told.err, third.log());
    first_fed.stop();
    second_fed.stop();
    assert_eq!(run(&cluster.master, &second, &["-S"]).code, Some(0));
    for slave in [&cluster.slave, &second, &third] {
        compare::databases(&cluster.master, slave);
        compare::logs(&cluster.master, slave);
    }
}

#[test]
fn an_empty_slave_gets_a_copy_in_place_of_a_log_that_is_much_larger() {
    let cluster = master_with(5);
    let client = cluster.master.client(SHOP);
    client.run("CREATE TABLE large (id INT PRIMARY KEY, body BYTEA)");
    for _ in 0..10 {
        client.run("DELETE FROM large");
        client.run(
            "INSERT INTO large SELECT i, gen_random_bytes(3000) FROM generate_series(1, 3000) i",
        );
    }
    let told = run(&cluster.master, &cluster.slave, &["-S"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(
        told.err.contains("an empty slave gets a copy"),
        "{}",
        told.err
    );
    cluster.compare();
}

#[test]
fn init_always_gives_each_empty_slave_a_copy_and_a_point_in_time_none() {
    let cluster = master_with(5);
    let told = run(&cluster.master, &cluster.slave, &["-S", "--init", "always"]);
    assert_eq!(told.code, Some(0), "{}", told.err);
    assert!(told.err.contains("the copy is complete"), "{}", told.err);
    cluster.compare();
    sell(&cluster.master, 5);
    forget_beginning(&cluster.master);
    let told = run(&cluster.master, &cluster.slave, &["-T", "2999-01-01"]).fails(5);
    assert!(!told.contains("a copy"), "a copy is of now: {told}");
}

#[test]
fn a_slave_with_commits_of_its_own_is_never_taken_for_one_that_is_behind() {
    let mut cluster = parted();
    let (old, new) = (&cluster.master, &cluster.slave);
    // The new master's log does not reach back to where the two part: first it tells where that was, then its history
    // alone does.
    let segments = new.segments();
    let older = segments
        .segments()
        .iter()
        .filter(|it| it.id.generation.get() == 1);
    older.for_each(|it| fs::remove_file(&it.path).expect("a segment to remove"));
    let diverged = "diverged: the slave's log differs from the master's after 1-";
    let told = run(new, old, &["-S"]).fails(5);
    assert!(told.contains(diverged), "{told}");
    forget_beginning(new);
    let told = run(new, old, &["-S"]).fails(5);
    assert!(told.contains(diverged), "{told}");
    // Where that is lost, too, nobody can tell.
    cluster.slave.stop();
    for history in [
        cluster.slave.data_dir().join("history"),
        cluster.slave.fwlog_dir().join("fw.history"),
    ] {
        fs::remove_file(history).expect("a history to remove");
    }
    let told = run(&cluster.slave, &cluster.master, &["-S"]).fails(5);
    assert!(told.contains("can't be known"), "{told}");
    cluster.slave.start();
    let (old, new) = (&cluster.master, &cluster.slave);
    assert_eq!(items(old), 27);
    assert_eq!(run(new, old, &["-S", "--resync"]).code, Some(0));
    assert_eq!(items(old), 23);
    compare::databases(new, old);
    // Nor which rows are discarded: the log is set aside as it is.
    let said = "the log of this server up to now is set aside";
    assert!(old.log().contains(said), "{}", old.log());
    let segments = files::list(&old.fwlog_dir().join("lost"), "");
    assert_eq!(segments.len(), 1, "{segments:?}");
    assert!(
        !old.data_dir().join("lost").exists(),
        "nothing is told of rows"
    );
}

/// Bug: a message of the copy has up to 512 pages, and nothing was shown while it was on its way; where that took 30
/// seconds, the slave gave the connection up.
#[test]
fn a_slow_copy_is_shown_within_a_group_of_pages_on_both_sides() {
    let cluster = master_with(20);
    let client = cluster.master.client(SHOP);
    client.run("CREATE TABLE large (id INT PRIMARY KEY, body BYTEA)");
    client.run("INSERT INTO large SELECT i, gen_random_bytes(3000) FROM generate_series(1, 400) i");
    forget_beginning(&cluster.master);
    let command = dbrepl(&cluster.master, &cluster.slave, &["-S", "-b", "1m"]);
    let mut dbrepl = Follower::run(command, cluster.folder().join("slow.log"));
    // The table is in one group, with nearly all pages that there are.
    wait_for("a part of the group at the slave", LONG, || {
        let status = cluster.slave.dbctl(&["status"]).ok();
        let percent = status.split_once(" %)")?.0.rsplit_once('(')?.1;
        let percent: u32 = percent.parse().ok()?;
        (30..80).contains(&percent).then_some(())
    });
    wait_for("a part of the group at dbrepl", LONG, || {
        dbrepl.output().lines().find_map(|line| {
            let done = line.split_once("copy: ")?.1.split_once(" of ")?.0;
            let done: u32 = done.parse().ok()?;
            (100..400).contains(&done).then_some(())
        })
    });
    assert!(dbrepl.ended().success(), "{}", dbrepl.output());
    cluster.compare();
}

/// Above 1 GiB a database has a page that SQLite never writes. Only with `ELOQDB_LARGE`: `dbproto` has the same every day
/// without files.
#[test]
fn a_database_above_a_gibibyte_is_copied_and_its_slave_resynchronized() {
    if std::env::var_os("ELOQDB_LARGE").is_none() {
        return;
    }
    let mut cluster = Cluster::start();
    open(&cluster.master);
    let client = cluster.master.client(SHOP);
    client.run("CREATE TABLE wide (id INT PRIMARY KEY, body TEXT)");
    for from in (0..280_000).step_by(40_000) {
        client.run(&format!(
            "INSERT INTO wide SELECT i, repeat('x', 3900) FROM generate_series({from}, {from} + 39999) i"
        ));
        forget_beginning(&cluster.master);
    }
    let copied = |cluster: &Cluster| {
        let told = run(&cluster.master, &cluster.slave, &["-S"]);
        assert_eq!(told.code, Some(0), "{}\n{}", told.err, cluster.slave.log());
        assert!(told.err.contains("the copy is complete"), "{}", told.err);
    };
    copied(&cluster);
    cluster.slave.restart();
    client.run("UPDATE wide SET body = 'y' WHERE id = 7 OR id = 279990");
    forget_beginning(&cluster.master);
    copied(&cluster);
    compare::databases(&cluster.master, &cluster.slave);
    let slave = peak_mib(cluster.slave.process().pid());
    assert!(slave < 128, "{slave} MiB for a copy of 1.1 GiB");
}
