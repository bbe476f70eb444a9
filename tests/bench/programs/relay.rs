//! A line that is slow but wide: what it takes in comes out a given time later, as fast as it came.
//!
//! `relay PORT MICROSECONDS` accepts connections, prints the port that it has, and opens one to
//! PORT of this machine for each. Both directions are delayed. The kernel's own tool for that
//! (netem) is not on every machine.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the port is its output; an error is said before it ends"
)]

use std::io::{Read, Result, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Pieces under way in a direction: with pieces of 64 KiB, more than any of the tests sends at once.
const UNDER_WAY: usize = 4096;

/// Bytes, and when they are due.
type Piece = (Instant, Vec<u8>);

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let [port, microseconds] = numbers.as_slice() else {
        eprintln!("usage: relay PORT MICROSECONDS");
        return ExitCode::from(2);
    };
    let Ok(port) = u16::try_from(*port) else {
        eprintln!("relay: {port} is no port");
        return ExitCode::from(2);
    };
    match serve(port, Duration::from_micros(*microseconds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(port: u16, delay: Duration) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    std::io::stdout().flush()?;
    for client in listener.incoming() {
        let client = client?;
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        direction(client.try_clone()?, server.try_clone()?, delay);
        direction(server, client, delay);
    }
    Ok(())
}

/// Two threads: one that takes in, one that gives out.
fn direction(from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver) = sync_channel(UNDER_WAY);
    thread::spawn(move || take_in(from, delay, &sender));
    thread::spawn(move || give_out(to, &receiver));
}

/// Ends with the sender's end, or when nobody gives out any more.
fn take_in(mut from: TcpStream, delay: Duration, pieces: &SyncSender<Piece>) {
    let mut buffer = vec![0; 65536];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default().to_vec();
        if pieces.send((Instant::now() + delay, bytes)).is_err() {
            break;
        }
    }
}

/// The end of one side reaches the other after all that came before it.
fn give_out(mut to: TcpStream, pieces: &Receiver<Piece>) {
    while let Ok((due, bytes)) = pieces.recv() {
        wait_until(due);
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    if let Err(error) = to.shutdown(Shutdown::Both) {
        // The other direction has closed it already.
        drop(error);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the time itself is what is waited for"
)]
fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        thread::sleep(left);
    }
}
