//! Several instances, and a dbrepl for each line between two of them.

use std::collections::BTreeMap;

use dbtests::{Folder, Follower, LONG, Server, Settings, compare, follower, wait_for};
use serde_json::Value;

/// Servers by name; by the name of each slave the dbrepl that feeds it.
pub(crate) struct Sites {
    feeds: BTreeMap<String, Follower>,
    servers: BTreeMap<String, Server>,
    /// Goes last: their logs are in there.
    folder: Folder,
}

impl Sites {
    /// Starts a server for each name; the first one is the root, the others are empty slaves.
    pub(crate) fn start(names: &[&str]) -> Self {
        let mut sites = Self {
            folder: Folder::new(),
            servers: BTreeMap::new(),
            feeds: BTreeMap::new(),
        };
        for (number, name) in names.iter().enumerate() {
            let role = if number == 0 { "Master" } else { "Slave" };
            sites.add(Settings::new(name, role));
        }
        sites
    }

    /// One more, known by the name of its folder.
    pub(crate) fn add(&mut self, settings: Settings) {
        let name = settings.name().to_owned();
        let mut server = Server::create(self.folder.path(), settings);
        server.start();
        self.servers.insert(name, server);
    }

    pub(crate) fn at(&self, name: &str) -> &Server {
        &self.servers[name]
    }

    pub(crate) fn at_mut(&mut self, name: &str) -> &mut Server {
        self.servers.get_mut(name).expect("a server of that name")
    }

    pub(crate) fn folder(&self) -> &Folder {
        &self.folder
    }

    /// A dbrepl feeds `slave` with the log of `source` from now on, in the place of the one that did.
    pub(crate) fn feed(&mut self, source: &str, slave: &str) {
        self.stop_feeding(slave);
        let command = follower::dbrepl(self.at(source), self.at(slave), &["-v"]);
        let log = self.folder.join(&format!("dbrepl-{source}-{slave}.log"));
        let feed = Follower::run(command, log);
        self.feeds.insert(slave.to_owned(), feed);
    }

    /// Stops the dbrepl that feeds it, if one does.
    pub(crate) fn stop_feeding(&mut self, slave: &str) {
        if let Some(mut feed) = self.feeds.remove(slave) {
            feed.stop();
        }
    }

    /// What the dbrepl that feeds it has said.
    pub(crate) fn said(&self, slave: &str) -> String {
        self.feeds[slave].output()
    }

    /// Until these show all that the root has, while nobody writes; then they have the same, to the last byte.
    #[track_caller]
    pub(crate) fn settle(&self, root: &str, others: &[&str]) {
        let root = self.at(root);
        for name in others {
            let other = self.at(name);
            wait_for(&format!("{name} to have all"), LONG, || {
                let durable = root.command("forwardlog status").remove("position")?;
                // A root that was left behind may not have heard of it yet: it has applied nothing.
                let tree = self.tree(name);
                let mut instances = tree["instances"].as_array()?.iter();
                let here = instances.find(|it| it["place"] == "here")?;
                (here["applied"]["position"] == durable.as_str()).then_some(())
            });
            compare::databases(root, other);
            compare::logs(root, other);
        }
    }

    /// `replication tree --json` of an instance.
    #[track_caller]
    pub(crate) fn tree(&self, name: &str) -> Value {
        let text = self.at(name).dbctl(&["--json", "replication", "tree"]).ok();
        serde_json::from_str(&text).expect("JSON")
    }

    /// The tree as an instance shows it: `level name state`, a line each.
    pub(crate) fn shown(&self, name: &str) -> Vec<String> {
        let tree = self.tree(name);
        let instances = tree["instances"].as_array().expect("a list").iter();
        let line = |it: &Value| {
            let state = it["state"].as_str().unwrap_or("-");
            format!(
                "{} {} {state}",
                it["level"],
                it["instance"].as_str().expect("a name")
            )
        };
        instances.map(line).collect()
    }

    /// Until an instance shows the tree so.
    #[track_caller]
    pub(crate) fn wait_for_tree(&self, name: &str, expected: &[&str]) {
        let mut last = Vec::new();
        let end = std::time::Instant::now() + LONG;
        wait_for(&format!("{name} to show {expected:?}"), 2 * LONG, || {
            last = self.shown(name);
            assert!(std::time::Instant::now() < end, "{name} shows {last:?}");
            (last == expected).then_some(())
        });
    }
}
