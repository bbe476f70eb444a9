//! What stock clients do with the server: psql, drivers, their types, their errors.

mod batches;
mod dumps;
mod errors;
mod explain;
mod formats;
mod libraries;
mod notify;
mod psql;
mod python;
mod statements;
mod transactions;

use dbtests::{Folder, Server, Settings};

/// One server with a database `shop`; gone with the test.
pub(crate) struct Shop {
    pub(crate) server: Server,
    _folder: Folder,
}

impl Shop {
    pub(crate) fn open() -> Self {
        let folder = Folder::new();
        let settings = Settings::new("alone", "Standalone").without("ForwardLog", "FwLog");
        let mut server = Server::create(folder.path(), settings);
        server.start();
        server.sql("system", "CREATE DATABASE shop");
        Self {
            server,
            _folder: folder,
        }
    }

    /// A connection to `shop`.
    pub(crate) fn client(&self) -> dbtests::Client {
        self.server.client("shop")
    }

    /// psql on `shop` with a script.
    pub(crate) fn psql(&self, arguments: &[&str], script: &str) -> dbtests::Run {
        self.server.psql("shop", arguments, script)
    }
}
