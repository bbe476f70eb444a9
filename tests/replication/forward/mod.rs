//! Applications that know the slave alone, and write: transactions that the slave forwards to its master.

mod cursors;
mod loss;
mod protocol;
mod rights;
mod transactions;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use dbtests::{Client, Cluster, Folder, Follower, Server, Settings, files};
use tokio_postgres::Config;

use crate::shop::{SHOP, open};

/// Who logs in on the master for the slave.
const FORWARDER: &str = "forwarder";
const ITS_PASSWORD: &str = "between you and me";

/// A master, a slave that forwards to it, and what feeds the slave.
struct Forwarding {
    cluster: Cluster,
    follower: Follower,
}

impl Forwarding {
    fn start() -> Self {
        Self::through(|master| master.address().to_string())
    }

    /// The slave reaches the master at the address that `route` gives.
    fn through(route: impl FnOnce(&Server) -> String) -> Self {
        let master = Settings::master()
            .set("Replication", "RedirectFrom", "127.0.0.1")
            .set("ForwardLog", "EnableAudit", "1");
        let mut cluster = Cluster::with(master, Settings::slave());
        let make = ["user", "create", FORWARDER];
        cluster
            .master
            .dbctl_with_new_password(&make, ITS_PASSWORD)
            .ok();
        cluster
            .master
            .dbctl(&["user", "grant", FORWARDER, "forward"])
            .ok();
        open(&cluster.master);
        let route = route(&cluster.master);
        let password = write_password(cluster.folder(), ITS_PASSWORD);
        cluster.slave.reconfigure(|settings| {
            settings
                .set("Replication", "RedirectWrite", route)
                .set("Replication", "ForwardWrites", "on")
                .set("Replication", "ForwardUser", FORWARDER)
                .set("Replication", "ForwardPasswordFile", &password)
        });
        cluster.slave.restart();
        let mut follower = cluster.follow();
        cluster.wait_for_slave(&mut follower);
        Self { cluster, follower }
    }

    /// A session on the slave that says nothing of modes.
    fn client(&self) -> Client {
        self.cluster.slave.client(SHOP)
    }

    /// Names of the items on the master, in their order.
    fn names(&self) -> Vec<String> {
        let rows = self
            .cluster
            .master
            .sql(SHOP, "SELECT name FROM item ORDER BY id");
        rows.into_iter().flatten().collect()
    }
}

/// The file with the forwarder's password; gives its path.
fn write_password(folder: &Folder, password: &str) -> String {
    let path = folder.join("forwarder.password");
    files::write(&path, password);
    fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("a mode");
    path.display().to_string()
}

/// How a user logs in on a server.
fn config(server: &Server, user: &str, password: &str) -> Config {
    let mut config = Client::config(server.address(), SHOP, password);
    config.user(user);
    config
}
