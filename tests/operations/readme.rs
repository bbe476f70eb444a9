//! The lines that README has for the first master and slave, as they are printed.

use std::process::Command;

use dbtests::data::manifest;
use dbtests::{Folder, PASSWORD, Server, Settings, files, process, programs, wait_for};

use crate::shop::{items, open, sell};

/// The lines of README that begin with these words.
fn lines(first: &str) -> Vec<String> {
    let text = String::from_utf8(files::read(&manifest("../README.md"))).expect("text");
    let lines = text.lines().filter(|line| line.starts_with(first));
    // What stands behind # is for the reader.
    let plain = lines.map(|line| line.split(" #").next().unwrap_or_default());
    plain.map(|line| line.trim_end().to_owned()).collect()
}

/// A shell in a folder where our programs are found, as a person has it.
fn shell(folder: &Folder, line: &str) -> Command {
    let program = programs::ours("dbctl").get_program().to_owned();
    let programs = std::path::Path::new(&program)
        .parent()
        .expect("a directory");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = programs::needed("sh", "dash");
    shell
        .args(["-c", line])
        .current_dir(folder.path())
        .env_remove("EQ_DBPASSWORD")
        .env("PATH", format!("{}:{path}", programs.display()));
    shell
}

#[test]
fn the_filters_that_operating_has_for_jq_print_what_they_are_for() {
    if programs::other("jq").is_none() {
        return;
    }
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    master.start();
    let page = String::from_utf8(files::read(&manifest("../docs/operating.md"))).expect("text");
    let config = master.config_path().display().to_string();
    let mut printed = Vec::new();
    for line in page.lines().filter(|line| line.contains(" | jq '")) {
        let line = line.replace("master.cfg", &config);
        let mut command = shell(&folder, &line);
        printed.push(process::run(command.env("EQ_DBPASSWORD", PASSWORD), b"").ok());
    }
    let [position, far_behind] = printed.try_into().expect("two examples");
    assert!(position.starts_with("\"1-"), "{position}");
    assert_eq!(far_behind, "", "there are no slaves");
}

#[test]
fn the_lines_of_the_readme_replicate() {
    let folder = Folder::new();
    let mut master = Server::create(folder.path(), Settings::master());
    let mut slave = Server::create(folder.path(), Settings::slave());
    master.start();
    slave.start();
    open(&master);
    sell(&master, 3);
    // The password of the slave's init, typed.
    let [password] = lines("(umask 077; cat > slave.pw)")
        .try_into()
        .expect("a line");
    let typed = format!("{PASSWORD}\n");
    process::run(&mut shell(&folder, &password), typed.as_bytes()).ok();
    let [dbrepl] = lines("dbrepl -c master.cfg").try_into().expect("a line");
    let config = master.config_path().display().to_string();
    let here = dbrepl
        .replace("master.cfg", &config)
        .replace("slave.example.com:eloqdb", &slave.address().to_string());
    assert_ne!(dbrepl, here);
    let log = folder.join("dbrepl.log");
    let line = format!("exec {here}");
    let mut running = process::Background::start(&mut shell(&folder, &line), &log);
    wait_for("the slave to be up-to-date", dbtests::LONG, || {
        running.output().contains("up-to-date until").then_some(())
    });
    assert_eq!(items(&slave), 3);
    // What an operator does every day.
    let repository = folder.join("backup").display().to_string();
    let run = |line: String| {
        let line = line.replace("master.cfg", &config);
        let line = line.replace("/backup/eloqdb", &repository);
        let mut command = shell(&folder, &line);
        process::run(command.env("EQ_DBPASSWORD", PASSWORD), b"").ok()
    };
    for line in lines("dbctl archive init") {
        run(line);
    }
    let (switchover, every_day): (Vec<_>, Vec<_>) = lines("dbctl -c master.cfg")
        .into_iter()
        .partition(|line| line.contains("switchover"));
    for line in every_day {
        // Nobody has to go back here: tests/replication/rejoin.rs has who has.
        let one_server = ["init", "sql", "user create", "database checksum", "rejoin"];
        if !one_server.iter().any(|word| line.contains(word)) {
            run(line);
        }
    }
    let [list, verify] = lines("dbctl backup").try_into().expect("two lines");
    assert!(run(list).contains("restorable: "));
    assert!(run(verify).contains("every byte is good"));
    // The way back waits beside the slave.
    let [back] = lines("dbrepl -c slave.cfg").try_into().expect("a line");
    let back = back
        .replace("slave.cfg", &slave.config_path().display().to_string())
        .replace("master.pw", "slave.pw")
        .replace("master.example.com:eloqdb", &master.address().to_string());
    let line = format!("exec {back}");
    let back_log = folder.join("back.log");
    let mut waiting = process::Background::start(&mut shell(&folder, &line), &back_log);
    wait_for("the way back to wait", dbtests::LONG, || {
        waiting.output().contains("is the root").then_some(())
    });
    let [switchover] = switchover.try_into().expect("a line");
    let proof = run(switchover);
    assert!(proof.contains("transactions lost   0"), "{proof}");
    assert_eq!(slave.command("status")["role"], "Master");
    for dbrepl in [&mut running, &mut waiting] {
        dbrepl.signal("TERM");
        let status = wait_for("dbrepl to end", dbtests::LONG, || dbrepl.ended());
        assert!(status.success(), "{}", dbrepl.output());
    }
}
