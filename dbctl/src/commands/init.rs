//! `init`: makes an environment. The server does it; this finds the server and the password.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use dbconfig::keys::{self, Section};
use dbconfig::{Config, Role};

use crate::commands::certificate::{self, Made};
use crate::commands::config::change;
use crate::credentials::new_password;
use crate::error::{CommandError, Result};
use crate::invocation::Invocation;
use crate::output::Table;

const SERVER: &str = "dbserver";

/// Exit code of dbserver for a configuration that can't be used.
const SERVER_USAGE: i32 = 2;

pub(crate) fn run(invocation: &Invocation, instance: Option<&str>) -> Result<()> {
    let path = invocation.config_path();
    let mut config = invocation.config()?;
    // An environment that there is already keeps its name: the server refuses to make another.
    if let Some(name) = instance
        && !config.server.data_dir.join("control").exists()
    {
        name_instance(&path, name)?;
        config = invocation.config()?;
    }
    let tls = invocation.names_tls();
    if tls {
        certificate::refuse_existing(&path, &config)?;
    }
    let server = find_server().ok_or_else(|| {
        CommandError::error("cannot find dbserver, neither beside dbctl nor in PATH")
    })?;
    let password = match invocation.given_password()? {
        Some(password) => password,
        None => new_password("dba", "EQ_DBPASSWORD")?,
    };
    let status = Command::new(&server)
        .arg("-c")
        .arg(&path)
        .arg("--init")
        .env("EQ_DBPASSWORD", password)
        .status()
        .map_err(|error| CommandError::io("run", &server, &error))?;
    if status.success() {
        let made = tls.then(|| certificate::make(&path, &config)).transpose()?;
        return invocation
            .output
            .result(&summary(&config, &path, made.as_ref()));
    }
    let message = format!(
        "no environment was made in {}",
        config.server.data_dir.display()
    );
    Err(match status.code() {
        Some(SERVER_USAGE) => CommandError::usage(message),
        Some(_) => CommandError::error(message),
        None => CommandError::error(message)
            .with_detail(format!("{} ended by {status}", server.display())),
    })
}

/// The name goes into the configuration, where every start finds it.
fn name_instance(path: &Path, name: &str) -> Result<()> {
    let name = dbconfig::instance::checked(name).map_err(CommandError::usage)?;
    let key = keys::find(Section::Server, "Instance")
        .ok_or_else(|| CommandError::error("there is no key Instance"))?;
    change(path, &[(Section::Server.into(), key, &name)]).map(drop)
}

/// What there is now, and what comes next.
fn summary(config: &Config, path: &Path, made: Option<&Made>) -> Table {
    let log = match &config.forward_log.location {
        Some(location) => location.display().to_string(),
        None => "off".to_owned(),
    };
    let shown = path.display();
    let (role, next) = match config.replication.role {
        Role::Standalone => ("standalone", format!("dbserver -c {shown}")),
        Role::Master => ("master", format!("dbserver -c {shown}")),
        Role::Slave => (
            "slave",
            format!(
                "dbserver -c {shown}, then beside the master: dbrepl -c MASTER.cfg HOST:{}",
                config.server.service
            ),
        ),
    };
    let mut table = Table::new(&["name", "value"]);
    let certificate = made.map(|made| ("certificate", made.certificate.display().to_string()));
    let fingerprint = made.map(|made| ("SHA-256", made.fingerprint.clone()));
    let rows = [
        ("environment", config.server.data_dir.display().to_string()),
        ("instance", config.server.instance.clone()),
        ("role", role.to_owned()),
        ("forward log", log),
        ("user", "dba".to_owned()),
    ];
    let rows = rows.into_iter().chain(certificate).chain(fingerprint);
    for (name, value) in rows.chain([("next step", next)]) {
        table.push([name.to_owned(), value]);
    }
    table
}

/// The server beside this program, else the first one in PATH.
pub(super) fn find_server() -> Option<PathBuf> {
    let beside = env::current_exe()
        .ok()
        .and_then(|own| Some(own.parent()?.join(SERVER)));
    let search = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&search).map(|directory| directory.join(SERVER));
    beside
        .into_iter()
        .chain(in_path)
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next_step(text: &str) -> String {
        let text = format!("[Server]\nDataDir = /d\nService = 9000\n{text}");
        let config = Config::parse(Path::new("/x.cfg"), &text).unwrap();
        let table = summary(&config, Path::new("x.cfg"), None);
        table.rows.last().unwrap()[1].clone().unwrap()
    }

    #[test]
    fn the_next_step_is_a_line_to_type() {
        assert_eq!(next_step(""), "dbserver -c x.cfg");
        assert_eq!(
            next_step("[Replication]\nRole = Slave"),
            "dbserver -c x.cfg, then beside the master: dbrepl -c MASTER.cfg HOST:9000"
        );
    }
}
