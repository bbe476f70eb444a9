//! The commands about sources, each with its exit codes and refusals.

use std::fs;
use std::path::PathBuf;

use dbtests::{LONG, Line, PASSWORD, Traffic, follower, process, wait_for};
use serde_json::Value;

use crate::shop::{items, sell};
use crate::sources::{Site, list, refused, shown, wait_for_state};

#[test]
fn a_source_is_started_shut_down_and_looked_at_by_command_and_that_survives_restarts() {
    let mut site = Site::by_command();
    assert_eq!(site.health(&[]), Some(1), "none runs");
    site.begin();
    site.wait_for_slave();
    let source = wait_for_state(&site.master, "slave", "shipping");
    assert_eq!(source["address"], site.slave.address().to_string());
    assert_eq!(source["configured"], false);
    let table = site.source(&["list"]).ok();
    assert!(
        table.contains("shipping") && table.contains("command"),
        "{table}"
    );
    assert_eq!(
        (site.health(&[]), site.health(&["slave"])),
        (Some(0), Some(0))
    );
    let json = site.source(&["checkhealth", "--json"]).ok();
    let whole: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(
        (&whole["health"], json.trim().lines().count()),
        (&0.into(), 2)
    );
    let line = json.lines().nth(1).expect("a line").trim_end_matches("]}");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["source"], "slave");
    let runs = refused(&site.master, "source start slave");
    assert_eq!(runs.code, "R0112");
    let said = format!(
        "the source for slave is running already (process {})",
        source["process"]
    );
    assert_eq!(runs.message, said);
    site.master.restart();
    sell(&site.master, 2);
    site.wait_for_slave();
    let said = site.source(&["shutdown", "slave", "--timeout", "30s"]).ok();
    assert!(said.contains("the source for slave is shut down"), "{said}");
    assert_eq!(site.health(&["slave"]), Some(1));
    assert_eq!(refused(&site.master, "source shutdown slave").code, "R0113");
    site.master.restart();
    sell(&site.master, 2);
    assert_eq!(shown(&site.master, "slave")["state"], "stopped");
    site.source(&["start", "slave"]).ok();
    site.wait_for_slave();
    assert_eq!(items(&site.master), items(&site.slave));
    // What can't be reached is no end.
    site.slave.stop();
    wait_for("the source to wait", LONG, || {
        let source = shown(&site.master, "slave");
        let tries = ["waiting", "connecting"]
            .iter()
            .any(|it| source["state"] == *it);
        let why = source["reason"].as_str()?;
        (tries && why.contains("can't be reached")).then_some(())
    });
    assert_eq!(site.health(&["slave"]), Some(3));
    site.source(&["shutdown", "--timeout", "0"]).ok();
    site.source(&["drop", "slave"]).ok();
    assert_eq!(list(&site.master), [Value::Null; 0]);
}

/// Commands to a master without a source, SQLSTATE, message.
const REFUSALS: &[(&str, &str, &str)] = &[
    (
        "source shutdown west",
        "R0107",
        "no source for west is known",
    ),
    (
        "source activate west",
        "R0107",
        "no source for west is known",
    ),
    (
        "source deactivate west",
        "R0107",
        "no source for west is known",
    ),
    ("source start west", "R0107", "no source for west is known"),
    (
        "source checkhealth west",
        "R0107",
        "no source for west is known",
    ),
    (
        "source showbacklog west",
        "R0107",
        "no source for west is known",
    ),
    (
        "source statslog west on",
        "R0107",
        "no source for west is known",
    ),
    (
        "source start master :1",
        "R0104",
        "source and slave are both called master",
    ),
    (
        "source start",
        "42601",
        "no secondary named: give its name, or set EQ_INSTSECONDARY",
    ),
    (
        "source activate",
        "42601",
        "no secondary named: give its name, or set EQ_INSTSECONDARY",
    ),
    (
        "source deactivate --root",
        "42601",
        "no secondary named: give its name, or set EQ_INSTSECONDARY",
    ),
    (
        "source changelog",
        "42601",
        "no secondary named: give its name, or set EQ_INSTSECONDARY",
    ),
    (
        "source statslog",
        "42601",
        "no secondary named: give its name, or set EQ_INSTSECONDARY",
    ),
    (
        "source start a-name-of-16-chr :1",
        "42602",
        "\"a-name-of-16-chr\" is not an instance name; write 1 to 15 letters, digits, -, _ or .",
    ),
    (
        "source shutdown a/b",
        "42602",
        "\"a/b\" is not an instance name; write 1 to 15 letters, digits, -, _ or .",
    ),
    (
        "source start west :1 --propagate",
        "R0101",
        "master is the root: it takes no log from another server",
    ),
    (
        "receiver shutdown",
        "R0101",
        "master is the root: it takes no log from another server",
    ),
    (
        "source start west :1 --root --propagate",
        "42601",
        "--root and --propagate exclude each other",
    ),
    (
        "source start west :1 --auto",
        "42601",
        "--auto is for a passive source: say --passive, too",
    ),
    (
        "source start west :1 --connect-params 5,x",
        "42601",
        "`5,x` is not: hard tries, hard period (ms), soft period (s), alert (s), heartbeat (s), heartbeat wait (s); for example 5,500,5,30,15,60",
    ),
];

#[test]
fn what_does_not_fit_has_a_state_of_its_own_and_says_what_to_do() {
    let site = Site::with(|settings, _| settings.set("Replication", "MaxSources", 1));
    for (command, code, message) in REFUSALS {
        let refusal = refused(&site.master, command);
        assert_eq!(
            (refusal.code.as_str(), refusal.message.as_str()),
            (*code, *message),
            "{command}"
        );
        let needs_hint = code.starts_with('R');
        assert!(
            !needs_hint || !refusal.hint.is_empty(),
            "{command}: {refusal:?}"
        );
    }
    let update = refused(&site.master, "source start west :1 --update");
    assert!(update.message.contains("say --root"), "{update:?}");
    site.begin();
    site.wait_for_slave();
    let many = refused(&site.master, "source start west :1");
    assert_eq!(
        (many.code.as_str(), many.message.as_str()),
        ("R0114", "there are 1 sources already (MaxSources)")
    );
    assert!(many.hint.contains("MaxSources"));
    let slave = refused(&site.slave, "source start west :1 --root");
    assert_eq!(
        (slave.code.as_str(), slave.message.as_str()),
        ("R0102", "slave is not the root")
    );
    assert!(slave.hint.contains("--propagate"));
}

#[test]
fn the_environment_may_name_the_slave() {
    let site = Site::by_command();
    let with_name = |words: &[&str]| {
        let mut command = site.master.dbctl_command();
        command
            .args(words)
            .env("EQ_DBPASSWORD", PASSWORD)
            .env("EQ_INSTSECONDARY", "slave");
        process::run(&mut command, b"")
    };
    with_name(&["source", "start", &site.slave.address().to_string()]).ok();
    site.wait_for_slave();
    wait_for_state(&site.master, "slave", "shipping");
    assert_eq!(with_name(&["source", "checkhealth"]).code, Some(0));
    with_name(&["source", "deactivate"]).ok();
    assert_eq!(shown(&site.master, "slave")["state"], "passive");
    with_name(&["source", "shutdown"]).ok();
    assert_eq!(shown(&site.master, "slave")["state"], "stopped");
}

#[test]
fn a_slave_that_calls_itself_otherwise_is_refused_by_name() {
    let site = Site::by_command();
    let address = site.slave.address().to_string();
    site.source(&["start", "west", &address]).ok();
    let source = wait_for_state(&site.master, "west", "refused");
    let reason = source["reason"].as_str().expect("why").to_owned();
    let said = "the slave calls itself slave, this source is for west";
    assert!(
        reason.contains(said) && reason.contains("source start slave"),
        "{reason}"
    );
    assert_eq!(site.health(&["west"]), Some(5));
    // The slave knows why nothing comes.
    wait_for("the slave to have heard it", LONG, || {
        site.slave.log().contains(said).then_some(())
    });
    let refusal = refused(&site.master, "source deactivate west");
    assert_eq!(refusal.code, "R0113");
    assert!(refusal.hint.contains(said));
    // Under its name it is fed.
    site.source(&["start", "slave", &address]).ok();
    site.wait_for_slave();
    assert_eq!(site.health(&[]), Some(5), "the worst of all");
}

#[test]
fn a_dbrepl_by_hand_works_as_ever_is_shown_and_takes_no_commands() {
    let site = Site::by_command();
    let command = follower::dbrepl(&site.master, &site.slave, &["-v"]);
    let mut by_hand = follower::Follower::run(command, site.folder.join("by-hand.log"));
    site.wait_for_slave();
    wait_for("the note of it", LONG, || {
        let sources = list(&site.master);
        (sources.first()?["state"] == "by hand").then_some(())
    });
    let refusal = refused(&site.master, "source shutdown slave");
    assert_eq!(
        (refusal.code.as_str(), refusal.message.as_str()),
        ("R0113", "no source for slave is running")
    );
    let hint = refusal.hint;
    assert!(
        hint.contains("started by hand feeds slave at") && hint.contains("source start slave"),
        "{hint}"
    );
    by_hand.stop();
    site.begin();
    sell(&site.master, 1);
    site.wait_for_slave();
}

#[test]
fn the_backlog_is_told_for_what_was_sent_is_durable_and_is_applied() {
    let site = Site::by_command();
    let line = Line::to(site.slave.address());
    site.source(&["start", "slave", &line.address().to_string()])
        .ok();
    sell(&site.master, 5);
    site.wait_for_slave();
    let backlog = |words: &[&str]| -> Vec<Value> {
        let words = [&["--json", "source", "showbacklog"], words].concat();
        serde_json::from_str(&site.master.dbctl(&words).ok()).expect("JSON")
    };
    let places = |rows: &[Value]| -> Vec<String> {
        let place = |row: &Value| row["place"].as_str().expect("a place").to_owned();
        rows.iter().map(place).collect()
    };
    wait_for("nothing to be missing", LONG, || {
        let rows = backlog(&["slave"]);
        assert_eq!(places(&rows), ["sent", "durable", "applied"]);
        let is_all =
            |row: &Value| row["bytes"] == 0 && row["commits"] == 0 && row["seconds"] == 0.0;
        rows.iter().all(is_all).then_some(())
    });
    line.set(Traffic::Hold);
    sell(&site.master, 7);
    wait_for("what is missing to be told", LONG, || {
        let rows = backlog(&[]);
        let durable = rows.iter().find(|row| row["place"] == "durable")?;
        let lacks = durable["commits"].as_u64()? >= 7 && durable["bytes"].as_u64()? > 0;
        lacks.then_some(())
    });
    let table = site.source(&["showbacklog"]).ok();
    assert!(table.contains("backlog in bytes"), "{table}");
    line.set(Traffic::Carry);
    site.wait_for_slave();
}

#[test]
fn a_source_has_a_log_and_statistics_of_its_own_where_they_are_wanted() {
    let mut site = Site::by_command();
    let file = |name: &str| site.folder.join(name).display().to_string();
    let address = site.slave.address().to_string();
    let (first, second, stats) = (file("first.log"), file("second.log"), file("stats.log"));
    site.source(&["start", "slave", &address, "--log-file", &first])
        .ok();
    site.wait_for_slave();
    let text = |path: &str| fs::read_to_string(PathBuf::from(path)).unwrap_or_default();
    site.source(&["statslog", "slave", "on", &stats]).ok();
    sell(&site.master, 1);
    wait_for("messages to be told", LONG, || {
        let told = text(&stats);
        (told.contains(" sent Blocks at ") && told.contains(" received Status, ")).then_some(())
    });
    assert!(
        site.source(&["statslog", "slave", "off"])
            .ok()
            .contains("are off")
    );
    assert!(
        site.source(&["statslog", "slave", "off"])
            .ok()
            .contains("off already")
    );
    assert!(
        site.source(&["changelog", "slave", &second])
            .ok()
            .contains("goes to")
    );
    assert!(
        site.source(&["changelog", "slave", &second])
            .ok()
            .contains("goes already to")
    );
    site.source(&["changelog", "slave", "second.log"]).fails(2);
    let nowhere = file("nowhere/a.log");
    let told = site.source(&["changelog", "slave", &nowhere]).fails(1);
    assert!(told.contains("nowhere"), "{told}");
    let before = text(&first);
    site.slave.stop();
    wait_for("the new file to tell of it", LONG, || {
        text(&second).contains("trying again").then_some(())
    });
    assert_eq!(text(&first), before);
    site.slave.start();
    site.master.restart();
    assert_eq!(
        shown(&site.master, "slave")["log_file"],
        Value::from(second.as_str())
    );
}
