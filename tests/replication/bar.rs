//! The progress bar, on a terminal and nowhere else.

use dbtests::terminal::{on_terminal, rows};
use dbtests::{Cluster, Server, Settings, files, follower, process};

use crate::shop::{SHOP, open};

/// A log that is long enough for a bar.
fn long_log(master: &Server) {
    open(master);
    let client = master.client(SHOP);
    client.run("CREATE TABLE large (body BYTEA)");
    for _ in 0..12 {
        client.run("INSERT INTO large SELECT gen_random_bytes(3000) FROM generate_series(1, 1200)");
    }
}

#[test]
fn a_long_catch_up_shows_bytes_rate_and_time_to_go_within_the_terminals_width() {
    let cluster = Cluster::start();
    long_log(&cluster.master);
    let folder = cluster.folder().path();
    let columns = 60;
    let command = follower::dbrepl(&cluster.master, &cluster.slave, &["-v", "-S", "-b", "100m"]);
    let run = on_terminal(&command, columns, folder);
    assert_eq!(run.code, Some(0), "{run:?}");
    let rows = rows(&run.out);
    let bars: Vec<_> = rows.iter().filter(|row| row.contains(" to go, ")).collect();
    let moving = |row: &&&String| row.contains(" MiB of ") && row.contains(" MiB/s, 0:");
    assert!(bars.iter().any(|row| moving(&row)), "{rows:#?}");
    for row in bars {
        assert!(row.chars().count() <= columns, "{row}");
    }
    let last = rows
        .iter()
        .rev()
        .find(|row| !row.starts_with("Script done"));
    assert!(
        last.unwrap().starts_with("R1: slave server is up-to-date"),
        "{rows:#?}"
    );
}

#[test]
fn several_slaves_have_a_line_each_and_a_log_or_a_pipe_has_none() {
    let cluster = Cluster::start();
    long_log(&cluster.master);
    let folder = cluster.folder();
    let another = |name| {
        let mut slave = Server::create(folder.path(), Settings::new(name, "Slave"));
        slave.start();
        slave
    };
    let pair = |one: &Server, other: &Server| [one, other].map(|it| it.address().to_string());
    let second = another("second");
    let addresses = pair(&cluster.slave, &second);
    let command = follower::dbrepl_to_all(&cluster.master, &addresses, &["-v", "-S", "-b", "100m"]);
    let run = on_terminal(&command, 132, folder.path());
    assert_eq!(run.code, Some(0), "{run:?}");
    let shown = rows(&run.out);
    for address in &addresses {
        // A line that fills the terminal needs no end.
        let bar = |row: &String| {
            let behind = row.split(&format!("{address}: ")).nth(1);
            behind.is_some_and(|row| row.contains(" MiB of ") && row.contains(" to go, "))
        };
        assert!(shown.iter().any(bar), "{address}: {shown:#?}");
    }

    let (third, fourth) = (another("third"), another("fourth"));
    let log = folder.join("repl.log");
    let shown = log.display().to_string();
    let addresses = pair(&third, &fourth);
    let options = ["-v", "-S", "-l", &shown];
    let command = follower::dbrepl_to_all(&cluster.master, &addresses, &options);
    let run = on_terminal(&command, 132, folder.path());
    assert_eq!(run.code, Some(0), "{run:?}");
    let logged = String::from_utf8(files::read(&log)).expect("text");
    assert!(
        logged.contains("up-to-date") && !logged.contains("to go"),
        "{logged}"
    );
    assert!(!run.out.contains("to go"), "{}", run.out);

    let fifth = another("fifth");
    let piped = process::run(
        &mut follower::dbrepl(&cluster.master, &fifth, &["-v", "-S"]),
        b"",
    );
    assert_eq!(piped.code, Some(0), "{piped:?}");
    assert!(
        !piped.err.contains("to go") && !piped.err.contains('\u{1b}'),
        "{}",
        piped.err
    );
}
