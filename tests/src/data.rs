//! Real data to load.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::run;

/// A script as a PostgreSQL user has it: makes its own database and connects to it.
#[derive(Debug)]
pub struct Script {
    /// The database that it makes.
    pub database: &'static str,
    /// Its text.
    pub text: String,
    /// Rows that must be there afterwards, where that is known.
    pub rows: &'static [(&'static str, u64)],
}

const CHINOOK_ROWS: &[(&str, u64)] = &[
    ("album", 347),
    ("artist", 275),
    ("customer", 59),
    ("employee", 8),
    ("genre", 25),
    ("invoice", 412),
    ("invoice_line", 2240),
    ("media_type", 5),
    ("playlist", 18),
    ("playlist_track", 8715),
    ("track", 3503),
];

/// The music shop Chinook from the shared folder, else the sample shop of this repository.
pub fn music_shop() -> Script {
    let folder =
        env::var_os("ELOQDB_SHARED").map_or_else(|| manifest("../../shared"), PathBuf::from);
    let chinook = folder.join("data/chinook/Chinook_PostgreSql.sql");
    match fs::read_to_string(&chinook) {
        Ok(text) => Script {
            database: "chinook",
            text,
            rows: CHINOOK_ROWS,
        },
        Err(error) => sample_shop(&format!("{}: {error}", chinook.display())),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "the report of the test says what it used"
)]
fn sample_shop(why: &str) -> Script {
    println!("{why}; the sample shop is loaded instead");
    let text = run(Command::new("sh").arg(manifest("../etc/make-shop.sh")), b"").ok();
    Script {
        database: "shop",
        text: format!("CREATE DATABASE shop;\n\\c shop\n{text}"),
        rows: &[],
    }
}

/// The list of makers of network cards in Debian's package ieee-data.
pub fn oui_csv() -> Option<PathBuf> {
    let path = Path::new("/usr/share/ieee-data/oui.csv");
    path.exists().then(|| path.to_owned())
}

/// A path relative to this package.
pub fn manifest(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}
