//! The limit of a machine: what a server of PostgreSQL's protocol could do here that had no SQL.
//!
//! It answers simple and extended queries, named statements and pipelines as pgbench sends them,
//! works three microseconds a statement, and syncs a log at each commit. A thread has a connection;
//! the first that commits writes and syncs for all that commit meanwhile. Nothing is stored but the
//! log, which is allocated before and overwritten, so that a sync writes no metadata.
//!
//! `limit FOLDER` makes its log there and prints the port that it has.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the port is its output; an error is said before it ends"
)]

mod log;
mod session;
mod statement;

use std::io::{Result, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use log::Log;
use session::Session;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("usage: limit FOLDER");
        return ExitCode::from(2);
    };
    match serve(&PathBuf::from(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("limit: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(folder: &std::path::Path) -> Result<()> {
    let log = Arc::new(Log::create(&folder.join("limit.log"))?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    for stream in listener.incoming() {
        let stream = stream?;
        stream.set_nodelay(true)?;
        let log = Arc::clone(&log);
        thread::spawn(move || {
            // A client that goes in the middle is gone, no more.
            if let Err(error) = Session::new(stream, &log).run() {
                eprintln!("limit: {error}");
            }
        });
    }
    Ok(())
}
