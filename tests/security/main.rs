//! Who may come in, and what somebody on the line can see: TLS as clients know it.

mod access;
mod certificates;
mod definitions;
mod drivers;
mod local;
mod masters;
mod modes;
mod privileges;
mod programs;
mod roles;
mod secrets;
mod tap;

use dbtests::{Folder, Server, Settings};
use tls::testing::{Authority, Flaw, Pair};

const SHOP: &str = "shop";

/// A server with TLS, and who has signed its certificate.
struct Secured {
    folder: Folder,
    authority: Authority,
    server: Server,
}

/// A master whose certificate is for 127.0.0.1, with more keys of `[Server]`.
fn secured(keys: &[(&str, &str)]) -> Secured {
    let folder = Folder::new();
    let authority = Authority::new(folder.path(), "authority").expect("an authority");
    let pair = authority.sign(folder.path(), "server", "127.0.0.1", Flaw::None);
    let settings = with_pair(Settings::master(), &pair.expect("a certificate"));
    let client_ca = authority.certificate.display().to_string();
    let settings = keys.iter().fold(settings, |settings, (key, value)| {
        let value = if *value == "authority" {
            &client_ca
        } else {
            *value
        };
        settings.set("Server", key, value)
    });
    let mut server = Server::create(folder.path(), settings);
    server.start();
    server.sql("system", "CREATE DATABASE shop");
    Secured {
        folder,
        authority,
        server,
    }
}

fn with_pair(settings: Settings, pair: &Pair) -> Settings {
    settings
        .set("Server", "TlsCert", pair.certificate.display())
        .set("Server", "TlsKey", pair.key.display())
}
