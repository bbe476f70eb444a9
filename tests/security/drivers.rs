//! What stock drivers do in each of libpq's modes with good and bad certificates. `drivers/run.sh` installs them and asks.

use std::path::{Path, PathBuf};
use std::process::Command;

use dbtests::data::manifest;
use dbtests::process::run;
use dbtests::programs::needed;
use dbtests::{PASSWORD, Server};
use tls::testing::{Authority, Flaw, Pair};

use crate::{Secured, secured, with_pair};

const MODES: [&str; 6] = [
    "disable",
    "allow",
    "prefer",
    "require",
    "verify-ca",
    "verify-full",
];

/// Names of certificates, in the order of the letters that a driver is expected to say.
const CERTIFICATES: [&str; 5] = ["good", "name", "expired", "else", "self-signed"];

/// A driver, and what it does with each of the certificates: a letter for each mode, y = within TLS, c = in clear text, n = not
/// at all. They have the file of authorities in each mode. What they do where it is no use to them differs: libpq and
/// asyncpg look at the certificate from `require` on, JDBC from `verify-ca` on; libpq falls back to clear text with `prefer`,
/// the others take TLS with whatever there is.
struct Driver {
    name: &'static str,
    command: fn(&Path) -> Command,
    expected: [&'static str; 5],
}

fn script(name: &str) -> PathBuf {
    manifest("security/drivers").join(name)
}

fn python(drivers: &Path, name: &str) -> Command {
    let mut command = Command::new(drivers.join("bin/python"));
    command.arg(script(name));
    command
}

const DRIVERS: [Driver; 4] = [
    Driver {
        name: "psycopg 3",
        command: |drivers| python(drivers, "psycopg_modes.py"),
        expected: ["ccyyyy", "ccyyyn", "cccnnn", "cccnnn", "cccnnn"],
    },
    Driver {
        name: "asyncpg",
        command: |drivers| python(drivers, "asyncpg_modes.py"),
        expected: ["ccyyyy", "ccyyyn", "ccynnn", "ccynnn", "ccynnn"],
    },
    Driver {
        name: "node-postgres",
        command: |drivers| {
            let mut command = needed("node", "nodejs");
            command
                .arg(script("pg_modes.js"))
                .env("NODE_PATH", drivers.join("node_modules"));
            command
        },
        expected: ["c-yyyy", "c-yyyn", "c-ynnn", "c-ynnn", "c-ynnn"],
    },
    Driver {
        name: "JDBC",
        command: |_| {
            let mut command = needed("java", "default-jdk-headless");
            command
                .args(["-cp", "/usr/share/java/postgresql.jar"])
                .arg(script("Modes.java"));
            command
        },
        expected: ["ccyyyy", "ccyyyn", "ccyynn", "ccyynn", "ccyynn"],
    },
];

fn ask(driver: &Driver, drivers: &Path, server: &Server, root: &Path) -> String {
    let mut command = (driver.command)(drivers);
    command
        .args(MODES)
        .env("HOST", "127.0.0.1")
        .env("PORT", server.address().port().to_string())
        .env("SECRET", PASSWORD)
        .env("ROOT", root);
    let run = run(&mut command, b"");
    run.out
}

#[test]
#[ignore = "needs drivers: tests/security/drivers/run.sh installs them"]
fn each_driver_takes_the_certificates_that_its_mode_allows() {
    let drivers = std::env::var_os("ELOQDB_DRIVERS").expect("ELOQDB_DRIVERS, where they are");
    let drivers = Path::new(&drivers);
    let Secured {
        folder,
        authority,
        mut server,
    } = secured(&[]);
    let other = Authority::new(folder.path(), "other").expect("an authority");
    let sign = |by: &Authority, name: &str, flaw| {
        let file = format!("{name} {}", flaw == Flaw::Expired);
        by.sign(folder.path(), &file, name, flaw).expect("a pair")
    };
    let pairs = [
        sign(&authority, "127.0.0.1", Flaw::None),
        sign(&authority, "db.example", Flaw::None),
        sign(&authority, "127.0.0.1", Flaw::Expired),
        other
            .sign(folder.path(), "else", "127.0.0.1", Flaw::None)
            .expect("a pair"),
        Pair::own_authority(folder.path(), "localhost").expect("a pair"),
    ];
    let mut wrong = Vec::new();
    for (number, pair) in pairs.iter().enumerate() {
        server.reconfigure(|settings| with_pair(settings, pair));
        server.restart();
        for driver in &DRIVERS {
            let said = ask(driver, drivers, &server, &authority.certificate);
            let (certificate, expected) = (CERTIFICATES[number], driver.expected[number]);
            if said != expected {
                wrong.push(format!(
                    "{}, {certificate}: {said} and not {expected}",
                    driver.name
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The page has the same letters.
#[test]
fn the_page_says_what_each_driver_does() {
    let page = manifest("../docs/security.md");
    let page = std::fs::read_to_string(page).expect("the page");
    for driver in &DRIVERS {
        let row = format!("| {} | {} |", driver.name, driver.expected.join(" | "));
        assert!(page.contains(&row), "{row}");
    }
}
