//! What CREATE EXTENSION can name: what is part of the server.

use dialect::pg_catalog::{EXTENSIONS, Rows};

use crate::session::functions::facts::Facts;
use crate::session::functions::refusal::Refusal;
use crate::session::functions::rows::{text, truth};

#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn available(_: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    for (_, name, version) in EXTENSIONS {
        rows.push(&[
            ("name", text(*name)),
            ("default_version", text(*version)),
            ("installed_version", text(*version)),
            ("comment", text("part of the server")),
        ]);
    }
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "in a table with what can fail")]
pub(super) fn versions(_: &Facts, rows: &mut Rows) -> Result<(), Refusal> {
    for (_, name, version) in EXTENSIONS {
        rows.push(&[
            ("name", text(*name)),
            ("version", text(*version)),
            ("installed", truth(true)),
            ("superuser", truth(false)),
            ("trusted", truth(true)),
            ("relocatable", truth(false)),
            ("schema", text("pg_catalog")),
            ("comment", text("part of the server")),
        ]);
    }
    Ok(())
}
