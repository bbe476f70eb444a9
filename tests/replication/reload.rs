//! The configuration is read again while the server runs: sources come, go and move, and those that were refused are
//! tried again.

use dbtests::{LONG, PASSWORD, Server, Settings, files, wait_for};
use serde_json::Value;

use crate::shop::sell;
use crate::sources::{Site, list, refused, shown, wait_for_all, wait_for_state};

/// What `reload` has answered.
#[track_caller]
fn reload(server: &Server) -> Value {
    let text = server.dbctl(&["--json", "reload"]).ok();
    serde_json::from_str(&text).expect("JSON")
}

/// From now on the file says this of `Sources`; the server runs on.
fn say(server: &mut Server, sources: &[(&str, &Server)]) {
    let words: Vec<String> = sources
        .iter()
        .map(|(name, slave)| format!("{name}@{}", slave.address()))
        .collect();
    server
        .reconfigure(|settings: Settings| settings.set("Replication", "Sources", words.join(", ")));
}

/// Until these are its sources: one that has been taken out is listed until it has ended.
#[track_caller]
fn wait_for_names(server: &Server, names: &[&str]) {
    wait_for(&format!("the sources to be {names:?}"), LONG, || {
        let sources = list(server);
        let listed = sources.iter().map(|it| it["source"].as_str());
        listed
            .eq(names.iter().map(|name| Some(*name)))
            .then_some(())
    });
}

#[test]
fn sources_of_the_configuration_come_go_and_move_when_it_is_read_again() {
    let mut site = Site::configured();
    site.wait_for_slave();
    let (other, third) = (site.another("other"), site.another("third"));
    let elsewhere = site.another("elsewhere");
    site.source(&["start", "third", &third.address().to_string()])
        .ok();
    wait_for_all(&site.master, &third);
    // One more, whose address is that of another server yet; the one by command stays.
    say(
        &mut site.master,
        &[("slave", &site.slave), ("other", &elsewhere)],
    );
    let told = reload(&site.master);
    assert_eq!(told["sources"][0]["source"], "other", "{told}");
    assert_eq!(told["taken"][0]["key"], "Sources", "{told}");
    let log = site.master.log();
    assert!(
        log.contains("dbctl reload: the source for other is started"),
        "{log}"
    );
    wait_for_state(&site.master, "other", "refused");
    // Its address is mended: it goes there without another word, and the first one was not touched.
    let since = shown(&site.master, "slave")["since"].clone();
    say(
        &mut site.master,
        &[("slave", &site.slave), ("other", &other)],
    );
    let text = site.master.dbctl(&["reload"]).ok();
    assert!(
        text.contains("goes to") && text.contains(&other.address().to_string()),
        "{text}"
    );
    sell(&site.master, 2);
    wait_for_all(&site.master, &other);
    assert_eq!(shown(&site.master, "slave")["since"], since);
    // An address that changes while it ships.
    site.slave.stop();
    say(
        &mut site.master,
        &[("slave", &elsewhere), ("other", &other)],
    );
    reload(&site.master);
    let waits = wait_for_state(&site.master, "slave", "refused");
    let why = waits["reason"].as_str().expect("a reason");
    assert!(why.contains("the slave calls itself elsewhere"), "{why}");
}

/// What is taken out ends and is forgotten; nothing else does.
#[test]
fn sources_that_are_taken_out_of_the_configuration_end_and_too_many_change_nothing() {
    let mut site = Site::configured();
    site.wait_for_slave();
    let (other, third) = (site.another("other"), site.another("third"));
    site.source(&["start", "third", &third.address().to_string()])
        .ok();
    say(
        &mut site.master,
        &[("slave", &site.slave), ("other", &other)],
    );
    reload(&site.master);
    wait_for_all(&site.master, &other);
    say(&mut site.master, &[("other", &other)]);
    let text = site.master.dbctl(&["reload"]).ok();
    assert!(text.contains("is not in Sources any more"), "{text}");
    wait_for_names(&site.master, &["other", "third"]);
    let text = site.master.dbctl(&["reload"]).ok();
    assert!(text.contains("nothing has changed"), "{text}");
    // With those by command there are too many: all is as it was.
    say(
        &mut site.master,
        &[("other", &other), ("slave", &site.slave)],
    );
    site.master
        .reconfigure(|settings| settings.set("Replication", "MaxSources", 2));
    let refusal = refused(&site.master, "reload");
    assert!(
        refusal
            .message
            .contains("there would be 3 sources, and may be 2 (MaxSources)"),
        "{refusal:?}"
    );
    assert_eq!(list(&site.master).len(), 2);
    // By a signal as by the command.
    say(&mut site.master, &[]);
    site.master.process().signal("HUP");
    wait_for("the signal to be heard", LONG, || {
        let log = site.master.log();
        log.contains("SIGHUP: the source for other ends")
            .then_some(())
    });
    wait_for_names(&site.master, &["third"]);
}

#[test]
fn sources_that_were_refused_for_a_password_are_tried_again_by_one_command() {
    let site = Site::by_command();
    let other = site.another("other");
    let hidden = files::hide(&site.folder.join("peers.password"));
    site.begin();
    site.source(&["start", "other", &other.address().to_string()])
        .ok();
    for name in ["slave", "other"] {
        let source = wait_for_state(&site.master, name, "refused");
        let why = source["reason"].as_str().expect("a reason");
        assert!(why.contains("'dbctl reload' for all"), "{why}");
    }
    files::unhide(&hidden);
    let told = reload(&site.master);
    assert_eq!(told["sources"].as_array().map(Vec::len), Some(2), "{told}");
    sell(&site.master, 1);
    site.wait_for_slave();
    wait_for_all(&site.master, &other);
    // A password that is wrong is read again, too.
    let file = site.folder.join("peers.password");
    site.source(&["shutdown"]).ok();
    files::write_private(&file, "another one");
    for name in ["slave", "other"] {
        site.source(&["start", name]).ok();
        wait_for_state(&site.master, name, "refused");
    }
    files::write_private(&file, PASSWORD);
    reload(&site.master);
    sell(&site.master, 1);
    site.wait_for_slave();
    wait_for_all(&site.master, &other);
}

/// A file that can't be read changes nothing, and the command says so.
#[test]
fn a_configuration_that_cannot_be_read_changes_nothing() {
    let mut site = Site::configured();
    site.wait_for_slave();
    let good = files::read(&site.master.config_path());
    site.master
        .reconfigure(|settings| settings.set("Replication", "Sources", "slave"));
    let refusal = refused(&site.master, "reload");
    assert!(
        refusal.message.contains("is not NAME@host:service"),
        "{refusal:?}"
    );
    assert!(refusal.hint.contains("config check"), "{refusal:?}");
    files::write(&site.master.config_path(), good);
    sell(&site.master, 1);
    site.wait_for_slave();
}
