//! Signals that tell a program to stop or to open its files anew, and who has sent them: a log must
//! say who stopped a server.

#![warn(missing_docs)]
#![deny(clippy::indexing_slicing)]

mod sender;

use std::io;
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;

pub use crate::sender::{Sender, user};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: stop.
    Terminate,
    /// SIGINT: stop.
    Interrupt,
    /// SIGHUP: open log files anew, read again what can be.
    HangUp,
}

impl Signal {
    fn of_number(number: i32) -> Option<Self> {
        match number {
            SIGTERM => Some(Self::Terminate),
            SIGINT => Some(Self::Interrupt),
            SIGHUP => Some(Self::HangUp),
            _ => None,
        }
    }

    /// The name that signal(7) has for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt => "SIGINT",
            Self::HangUp => "SIGHUP",
        }
    }
}

/// Calls `heard` for each of the signals from now on, on a thread of its own, and keeps them from
/// ending the process. The text is the name of the signal and who has sent it, for a log.
pub fn listen(mut heard: impl FnMut(Signal, String) + Send + 'static) -> io::Result<()> {
    let mut signals = SignalsInfo::<WithOrigin>::new([SIGTERM, SIGINT, SIGHUP])?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for origin in signals.forever() {
                if let Some(signal) = Signal::of_number(origin.signal) {
                    let sender = Sender::of(&origin);
                    heard(signal, format!("{} from {sender}", signal.name()));
                }
            }
        })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::{self, Command};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_signal_comes_with_its_sender() {
        let (sender, receiver) = mpsc::channel();
        listen(move |signal, text| sender.send((signal, text)).expect("a receiver")).unwrap();
        // The shell itself sends it and is there until it was heard.
        let script = format!("kill -HUP {}; read line", process::id());
        let mut shell = Command::new("sh")
            .args(["-c", &script])
            .stdin(process::Stdio::piped())
            .spawn()
            .unwrap();
        let (signal, text) = receiver.recv_timeout(Duration::from_mins(1)).unwrap();
        assert_eq!(signal, Signal::HangUp);
        let from = format!("SIGHUP from process {} (sh) of ", shell.id());
        assert!(text.starts_with(&from), "{text}");
        drop(shell.stdin.take());
        shell.wait().unwrap();
    }
}
