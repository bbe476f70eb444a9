//! The tree of instances: everyone knows who is above, the root knows who is below, and who has no place in it is refused.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use dbtests::{Follower, LONG, Server, Settings, follower, wait_for};

use crate::shop::{SHOP, open, sell};
use crate::sites::Sites;

#[test]
fn each_instance_shows_the_way_to_the_root_and_all_that_is_below_it() {
    let mut sites = Sites::start(&["north", "south", "east"]);
    open(sites.at("north"));
    sites.feed("north", "south");
    sites.feed("south", "east");
    sell(sites.at("north"), 10);
    sites.settle("north", &["south", "east"]);
    sites.wait_for_tree(
        "north",
        &["0 north -", "1 south following", "2 east following"],
    );
    sites.wait_for_tree(
        "south",
        &["0 north -", "1 south following", "2 east following"],
    );
    sites.wait_for_tree("east", &["0 north -", "1 south -", "2 east following"]);
    // All of it is told up to the root, with nothing left to do.
    let durable = sites
        .at("north")
        .command("forwardlog status")
        .remove("position");
    let east = wait_for("the root to know what east has", LONG, || {
        let east = sites.tree("north")["instances"][2].clone();
        (east["applied"]["position"].as_str() == durable.as_deref()).then_some(east)
    });
    for (key, value) in [("role", "slave"), ("source", "south"), ("place", "below")] {
        assert_eq!(east[key], value, "{east}");
    }
    assert_eq!(
        (&east["lag_in_bytes"], &east["lag_in_commits"]),
        (&0.into(), &0.into())
    );
    let south = sites.tree("east")["instances"][1].clone();
    assert_eq!(
        (&south["role"], &south["place"]),
        (&"propagating".into(), &"above".into())
    );
    let text = sites.at("north").dbctl(&["replication", "tree"]).ok();
    let row = text
        .lines()
        .find(|line| line.contains("east"))
        .expect("a row");
    assert!(row.starts_with("    east"), "two levels down: {text}");
    let line = |name: &str| sites.at(name).command("status").remove("tree");
    assert_eq!(line("north").as_deref(), Some("north; 2 instances below"));
    assert_eq!(line("east").as_deref(), Some("north > south > east"));
    // What is behind a line that is cut nobody can say.
    sites.stop_feeding("south");
    sites.wait_for_tree("north", &["0 north -", "1 south not connected", "2 east -"]);
    sites.wait_for_tree("east", &["0 south -", "1 east following"]);
    assert_eq!(sites.tree("east")["root"], serde_json::Value::Null);
}

#[test]
fn who_is_below_does_not_feed_who_is_above() {
    let mut sites = Sites::start(&["a", "b", "c"]);
    sites.feed("a", "b");
    sites.feed("b", "c");
    sites.settle("a", &["b", "c"]);
    sites.wait_for_tree("c", &["0 a -", "1 b -", "2 c following"]);
    let said = follower::replicate(sites.at("c"), sites.at("b"), &["-S"]).fails(2);
    for part in [
        "the log would go in a circle: b > c > b",
        "nearer to the root",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = follower::replicate(sites.at("c"), sites.at("a"), &["-S"]).fails(2);
    assert!(said.contains("a is the root"), "{said}");
    sell_something(&sites);
    sites.settle("a", &["b", "c"]);
}

fn sell_something(sites: &Sites) {
    open(sites.at("a"));
    sell(sites.at("a"), 3);
}

/// Without a root nobody has anything to tell, and the circle is one all the same.
#[test]
fn of_two_that_feed_each_other_one_way_stays_and_the_other_waits_for_the_root() {
    let mut sites = Sites::start(&["a", "b", "c"]);
    open(sites.at("a"));
    for slave in ["b", "c"] {
        sites.feed("a", slave);
        sites.settle("a", &[slave]);
        sites.stop_feeding(slave);
    }
    sites.at_mut("a").stop();
    sites.feed("b", "c");
    sites.feed("c", "b");
    let (fed, other) = wait_for("one way to be refused", LONG, || {
        let refused = ["b", "c"].map(|it| sites.said(it).contains("would go in a circle"));
        let is_fed = |name: &str| {
            let tree = sites.tree(name);
            let mut instances = tree["instances"].as_array().expect("a list").iter();
            instances.any(|it| it["place"] == "above")
        };
        match refused {
            [true, _] if is_fed("c") && !is_fed("b") => Some(("c", "b")),
            [_, true] if is_fed("b") && !is_fed("c") => Some(("b", "c")),
            _ => None,
        }
    });
    // The one that is refused becomes the root, and feeds the other one: nobody starts anything.
    wait_for("it to be the root", LONG, || {
        let run = sites.at(other).dbctl(&["replication", "promote"]);
        (run.code == Some(0)).then_some(())
    });
    sell(sites.at(other), 3);
    sites.settle(other, &[fed]);
}

#[test]
fn the_younger_of_two_with_one_name_is_cut_wherever_in_the_tree_they_are() {
    let mut sites = Sites::start(&["a", "b", "c", "d"]);
    sites.add(Settings::new("another", "Slave").set("Server", "Instance", "d"));
    for (source, slave) in [("a", "b"), ("a", "c"), ("b", "d")] {
        sites.feed(source, slave);
    }
    sites.settle("a", &["b", "c", "d"]);
    sites.wait_for_tree(
        "a",
        &["0 a -", "1 b following", "2 d following", "1 c following"],
    );
    sites.feed("c", "another");
    wait_for("the younger one to be cut", LONG, || {
        sites
            .said("another")
            .contains("two instances are called d")
            .then_some(())
    });
    let said = sites.said("another");
    assert!(said.contains("is fed by b at"), "{said}");
    wait_for("it to say so itself", LONG, || {
        let status = sites.at("another").command("replication status");
        (status["replication"] == "not unique").then_some(())
    });
    let both = [
        "0 a -",
        "1 b following",
        "2 d following",
        "1 c following",
        "2 d not unique",
    ];
    sites.wait_for_tree("a", &both);
    open(sites.at("a"));
    sites.settle("a", &["d"]);
    // It is fed once the other one has gone.
    sites.at_mut("d").stop();
    sites.stop_feeding("d");
    sites.settle("a", &["another"]);
    // A name that is above already is refused at once.
    sites.add(Settings::new("false a", "Slave").set("Server", "Instance", "a"));
    let said = follower::replicate(sites.at("b"), sites.at("false a"), &["-S"]).fails(2);
    assert!(said.contains("two instances are called a"), "{said}");
}

/// Instances of a level, and those that feed them.
struct Level {
    names: Vec<String>,
    sources: Vec<String>,
}

/// Two slaves of the root with one slave each; with `ELOQDB_TREE=4` four with four each.
fn levels() -> [Level; 2] {
    let wide = std::env::var("ELOQDB_TREE").ok();
    let wide = wide.map(|text| text.parse::<usize>().expect("a number of slaves"));
    let (first, second) = wide.map_or((2, 1), |wide| (wide, wide));
    let names: Vec<String> = (0..first).map(|at| format!("s{at}")).collect();
    let below = |name: &String| {
        (0..second)
            .map(|at| format!("{name}-{at}"))
            .collect::<Vec<_>>()
    };
    [
        Level {
            sources: vec!["root".to_owned()],
            names: names.clone(),
        },
        Level {
            names: names.iter().flat_map(below).collect(),
            sources: names,
        },
    ]
}

/// One dbrepl for all slaves of a source.
fn feed_all(sites: &Sites, levels: &[Level; 2]) -> Vec<Follower> {
    let mut feeds = Vec::new();
    for level in levels {
        let each = level.names.len() / level.sources.len();
        for (source, slaves) in level.sources.iter().zip(level.names.chunks(each)) {
            let address = |name: &String| sites.at(name).address().to_string();
            let addresses: Vec<String> = slaves.iter().map(address).collect();
            let command = follower::dbrepl_to_all(sites.at(source), &addresses, &["-v"]);
            let log = sites.folder().join(&format!("dbrepl-{source}.log"));
            feeds.push(Follower::run(command, log));
        }
    }
    feeds
}

/// When each row was acknowledged.
#[derive(Default)]
struct Written {
    over: AtomicBool,
    at: Mutex<Vec<Instant>>,
}

impl Written {
    fn write(&self, root: &Server, rows: usize) {
        let client = root.client(SHOP);
        for _ in 0..rows {
            client.run("INSERT INTO item (name, price) VALUES ('x', 1)");
            self.at
                .lock()
                .expect("no writer has failed")
                .push(Instant::now());
        }
        self.over.store(true, Ordering::SeqCst);
    }

    /// How long the oldest row waits that is not shown there.
    fn lag(&self, shown: usize) -> Duration {
        let at = self.at.lock().expect("no writer has failed");
        at.get(shown).map_or(Duration::ZERO, Instant::elapsed)
    }
}

/// Lags of a level while rows are written, sorted.
fn watch(sites: &Sites, level: &Level, written: &Written) -> Vec<Duration> {
    let client = |name: &String| sites.at(name).client(SHOP);
    let clients: Vec<_> = level.names.iter().map(client).collect();
    let mut lags = Vec::new();
    while !written.over.load(Ordering::SeqCst) {
        for client in &clients {
            let shown = client.value("SELECT count(*) FROM item");
            lags.push(written.lag(shown.parse().expect("a number")));
        }
    }
    lags.sort();
    lags
}

#[test]
fn a_tree_under_load_becomes_equal_everywhere() {
    let levels = levels();
    let all: Vec<&str> = levels
        .iter()
        .flat_map(|it| &it.names)
        .map(String::as_str)
        .collect();
    let names: Vec<&str> = ["root"].into_iter().chain(all.iter().copied()).collect();
    let sites = Sites::start(&names);
    open(sites.at("root"));
    let mut feeds = feed_all(&sites, &levels);
    sites.settle("root", &all);
    let written = Written::default();
    let rows = if all.len() > 4 { 5000 } else { 300 };
    thread::scope(|scope| {
        let watches = levels.each_ref().map(|level| {
            let (sites, written) = (&sites, &written);
            scope.spawn(move || watch(sites, level, written))
        });
        written.write(sites.at("root"), rows);
        for (level, lags) in watches.into_iter().enumerate() {
            let lags = lags.join().expect("no watcher has failed");
            let part = |of: usize| {
                let at = lags.len().saturating_sub(1) * of / 100;
                lags.get(at).copied().unwrap_or_default()
            };
            eprintln!(
                "level {}: {} looks, lag median {:?}, 99 % {:?}, longest {:?}",
                level + 1,
                lags.len(),
                part(50),
                part(99),
                part(100)
            );
        }
    });
    sites.settle("root", &all);
    wait_for("the root to see all of them follow", LONG, || {
        let shown = sites.shown("root");
        let follow = shown.iter().filter(|line| line.ends_with(" following"));
        (shown.len() == names.len() && follow.count() == all.len()).then_some(())
    });
    feeds.iter_mut().for_each(Follower::stop);
}
