//! What the server that runs this dbrepl wants: lines on standard input.

use std::io::{BufRead as _, stdin};
use std::thread;

use dbproto::managed::{Order, of_line};
use tokio::sync::mpsc;

use crate::error::{ExitCode, ShipError};

/// Longest order in bytes: a path of the system has 4096 at most, and each may be written as six.
const MAX_LINE: usize = 64 << 10;

/// Orders as they come; none more once the server is gone.
pub(super) type Orders = mpsc::UnboundedReceiver<Result<Order, String>>;

/// Reads orders on a thread of its own.
pub(super) fn listen() -> Result<Orders, ShipError> {
    let (sender, orders) = mpsc::unbounded_channel();
    let reading = thread::Builder::new().name("orders".into()).spawn(move || {
        let mut lines = stdin().lock();
        let mut line = Vec::new();
        loop {
            line.clear();
            let read =
                std::io::Read::take(&mut lines, MAX_LINE as u64).read_until(b'\n', &mut line);
            // The end of the input, or a line without its end: the server is gone.
            if read.is_err() || line.pop() != Some(b'\n') {
                return;
            }
            let order = str::from_utf8(&line).map_err(|error| error.to_string());
            if sender.send(order.and_then(of_line)).is_err() {
                return;
            }
        }
    });
    reading
        .map(|_thread| orders)
        .map_err(|error| ShipError::new(ExitCode::Error, format!("can't read orders: {error}")))
}
