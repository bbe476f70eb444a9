//! Python programs of clients.

use std::process::Command;

use crate::process::{self, Run};
use crate::programs;
use crate::server::{PASSWORD, Server};

/// Runs a script that uses psycopg2; it finds the server's port in `SHOP_PORT`. `None` where the driver is not installed, which
/// is printed.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub fn psycopg2(script: &str, server: &Server) -> Option<Run> {
    // Debian's own python has Debian's psycopg2.
    let pythons = ["/usr/bin/python3", "python3"];
    let found = pythons.into_iter().find(|python| {
        let name = python.rsplit('/').next().unwrap_or(python);
        programs::other(name).is_some()
            && process::run(Command::new(python).args(["-c", "import psycopg2"]), b"").code
                == Some(0)
    });
    let Some(python) = found else {
        println!("skipped: python3-psycopg2 is not installed; tests/run.sh installs it");
        return None;
    };
    let mut command = Command::new(python);
    command
        .args(["-c", script])
        .env("PGPASSWORD", PASSWORD)
        .env("SHOP_PORT", server.address().port().to_string());
    Some(process::run(&mut command, b""))
}
