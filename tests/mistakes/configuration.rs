//! Typing mistakes in the configuration.

use dbtests::{Folder, Server, Settings, files, process, programs};

/// What a program says of a configuration that must be refused.
#[track_caller]
fn refused(server: &Server, program: &str, arguments: &[&str]) -> String {
    let mut command = programs::ours(program);
    command
        .arg("-c")
        .arg(server.config_path())
        .args(arguments)
        .env("EQ_DBPASSWORD", "x");
    process::run(&mut command, b"").fails(2)
}

#[test]
fn a_typing_mistake_is_named_with_file_and_line_by_every_program() {
    let folder = Folder::new();
    let server = Server::create(folder.path(), Settings::master());
    let path = server.config_path();
    let good = String::from_utf8(files::read(&path)).unwrap();
    let lines = good.lines().count();
    for (mistake, named) in [
        ("[ForwardLog]\nFwLogg = /x/fw-%N\n", "FwLogg"),
        ("[Replikation]\nRole = Slave\n", "Replikation"),
        ("[ForwardLog]\nFwMaxSize = 12 potatoes\n", "FwMaxSize"),
        ("[Server]\nSyncMode = 7\n", "SyncMode"),
    ] {
        files::write(&path, format!("{good}{mistake}"));
        let line = if named == "Replikation" {
            lines + 1
        } else {
            lines + 2
        };
        let place = format!("{}:{line}", path.display());
        for (program, arguments) in [
            ("dbserver", &[][..]),
            ("dbserver", &["--check"]),
            ("dbctl", &["config", "check"]),
            ("dbctl", &["init"]),
            ("dbrepl", &["-S", "127.0.0.1:1"]),
        ] {
            let told = refused(&server, program, arguments);
            assert!(
                told.contains(&place),
                "{program}: the place {place}: {told}"
            );
            assert!(told.contains(named), "{program}: the word {named}: {told}");
        }
    }
}

#[test]
fn a_configuration_that_is_not_there_is_exit_code_2() {
    let folder = Folder::new();
    let missing = folder.join("nothing.cfg");
    for program in ["dbserver", "dbctl", "dbrepl"] {
        let mut command = programs::ours(program);
        command.arg("-c").arg(&missing);
        match program {
            "dbctl" => command.args(["config", "check"]),
            "dbrepl" => command.args(["-S", "127.0.0.1:1"]),
            _ => &mut command,
        };
        let told = process::run(&mut command, b"").fails(2);
        assert!(
            told.contains(&missing.display().to_string()),
            "{program}: {told}"
        );
    }
}

#[test]
fn what_has_no_function_yet_is_refused_and_not_ignored() {
    let folder = Folder::new();
    let settings = Settings::master().set("ForwardLog", "FwRecovery", "0");
    let server = Server::prepare(folder.path(), settings);
    let told = refused(&server, "dbserver", &[]);
    assert!(
        told.contains("FwRecovery") && told.contains("is not supported"),
        "{told}"
    );
}

#[test]
fn audit_records_alone_are_refused_where_something_is_to_be_replicated() {
    for settings in [Settings::master(), Settings::slave()] {
        let folder = Folder::new();
        let server = Server::prepare(folder.path(), settings.set("ForwardLog", "AuditOnly", "1"));
        let told = refused(&server, "dbserver", &[]);
        assert!(told.contains("nothing can be replicated"), "{told}");
    }
    let folder = Folder::new();
    let settings = Settings::new("north", "Standalone").set("ForwardLog", "AuditOnly", "1");
    let server = Server::prepare(folder.path(), settings.without("ForwardLog", "FwLog"));
    let told = refused(&server, "dbserver", &[]);
    assert!(told.contains("AuditOnly needs FwLog"), "{told}");
}

#[test]
fn unknown_options_are_exit_code_2() {
    for program in ["dbserver", "dbctl", "dbrepl"] {
        let told = process::run(programs::ours(program).arg("--no-such-option"), b"").fails(2);
        assert!(told.contains("--no-such-option"), "{program}: {told}");
    }
}
