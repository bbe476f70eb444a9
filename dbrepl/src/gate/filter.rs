//! The operator's command that is asked before a transaction is sent.
//!
//! Two threads wait for it, so that dbrepl never does: one writes lines to its input, one reads what it answers. It lives as
//! long as a connection; it is killed where it does not end by itself when its input does.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use dbproto::Standing;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::sync::mpsc::{UnboundedReceiver, error::TryRecvError, unbounded_channel};

use crate::error::{ExitCode, ShipError};

/// The longest answer; more is none.
const MAX_ANSWER: u64 = 100;

/// How long the command may take to end once it has closed its output, or its input has ended.
const ENDS: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(10);

/// What has come of the command.
#[derive(Debug)]
enum Heard {
    /// An answer: whether a transaction passes.
    Passes(bool),
    /// It is gone, or answers what is no answer: nothing more comes.
    Down(String),
}

/// The running command.
#[derive(Debug)]
pub(super) struct Filter {
    lines: Option<mpsc::Sender<String>>,
    heard: UnboundedReceiver<Heard>,
    /// Answers that have come of those that are waited for.
    answers: Vec<bool>,
    down: Option<String>,
}

impl Filter {
    /// Starts the command by the shell. Where that fails it is known with the first answer.
    pub(super) fn start(command: &str) -> Self {
        let (lines, to_write) = mpsc::channel::<String>();
        let (tell, heard) = unbounded_channel();
        let mut filter = Self {
            lines: Some(lines),
            heard,
            answers: Vec::new(),
            down: None,
        };
        let started = Command::new("/bin/sh")
            .args(["-c", command])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What is meant for dbrepl alone, as Ctrl-C, does not end it.
            .process_group(0)
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => {
                filter.down = Some(format!("cannot be started: {error}"));
                return filter;
            }
        };
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let (Some(input), Some(output)) = (input, output) else {
            unreachable!("both are pipes")
        };
        let child = Arc::new(Mutex::new(child));
        let written = Arc::clone(&child);
        thread::spawn(move || {
            write(&to_write, input);
            // Its input has ended: so is it to.
            drop(end(&written));
        });
        thread::spawn(move || {
            let why = read(output, |passes| tell.send(Heard::Passes(passes)).is_ok());
            let ended = end(&child);
            let why = why.unwrap_or_else(|| ended_by_itself(ended));
            // Nobody may be there any more to be told.
            drop(tell.send(Heard::Down(why)));
        });
        filter
    }

    /// Puts transactions to it, one line each.
    pub(super) fn ask(&mut self, lines: impl Iterator<Item = String>) {
        for line in lines {
            if let Some(sender) = &self.lines
                && sender.send(line).is_err()
            {
                // Its end is heard.
                self.lines = None;
            }
        }
    }

    /// So many answers, in the order of what was asked. Cancelling loses nothing.
    pub(super) async fn answers(&mut self, count: usize) -> Result<Vec<bool>, ShipError> {
        while self.answers.len() < count {
            self.check()?;
            match self.heard.recv().await {
                Some(heard) => self.take(heard),
                None => self.take(Heard::Down("is gone".into())),
            }
        }
        Ok(self.answers.drain(..count).collect())
    }

    /// The same, if they have come already.
    pub(super) fn answered(&mut self, count: usize) -> Result<Option<Vec<bool>>, ShipError> {
        while self.answers.len() < count {
            self.check()?;
            match self.heard.try_recv() {
                Ok(heard) => self.take(heard),
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => self.take(Heard::Down("is gone".into())),
            }
        }
        Ok(Some(self.answers.drain(..count).collect()))
    }

    /// Returns when it is gone while nothing is asked: nor may it say anything then.
    pub(super) async fn down(&mut self) -> ShipError {
        loop {
            if let Err(failure) = self.check() {
                return failure;
            }
            match self.heard.recv().await {
                Some(Heard::Passes(_)) => {
                    self.take(Heard::Down("answered what was not asked".into()));
                }
                Some(heard) => self.take(heard),
                None => self.take(Heard::Down("is gone".into())),
            }
        }
    }

    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Passes(passes) => self.answers.push(passes),
            Heard::Down(why) => self.down = Some(why),
        }
    }

    fn check(&self) -> Result<(), ShipError> {
        match &self.down {
            None => Ok(()),
            Some(why) => Err(ShipError::new(
                ExitCode::Error,
                format!("the filter of dbrepl {why}: nothing is sent without its word"),
            )
            .hint("see why it has ended, and start dbrepl again: it starts the filter, and asks it about what the slave lacks")
            .standing(Standing::Refused)
            .by_filter()),
        }
    }
}

/// Until there is nothing more to ask, or nobody who listens.
fn write(lines: &mpsc::Receiver<String>, mut input: ChildStdin) {
    for line in lines {
        if input.write_all(line.as_bytes()).is_err() {
            return;
        }
    }
}

/// Reads answers until there are no more; gives what is wrong with the last one, if so.
fn read(output: ChildStdout, mut tell: impl FnMut(bool) -> bool) -> Option<String> {
    let mut output = BufReader::new(output);
    loop {
        let mut line = Vec::new();
        let read = output
            .by_ref()
            .take(MAX_ANSWER)
            .read_until(b'\n', &mut line);
        let answer = match read {
            Ok(0) => return None,
            Ok(_) => String::from_utf8_lossy(&line),
            Err(error) => return Some(format!("cannot be read: {error}")),
        };
        let passes = match answer.trim() {
            "pass" => true,
            "hold" => false,
            other => {
                return Some(format!(
                    "answered {other:?}, which is neither pass nor hold"
                ));
            }
        };
        if !tell(passes) {
            return None;
        }
    }
}

/// It has closed its output, or its input has ended. Who does not end then is killed, with all that it has started.
fn end(child: &Mutex<Child>) -> io::Result<ExitStatus> {
    let locked = || child.lock().unwrap_or_else(PoisonError::into_inner);
    let deadline = Instant::now() + ENDS;
    loop {
        if let Some(status) = locked().try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            break;
        }
        thread::park_timeout(LOOK);
    }
    let mut child = locked();
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        kill_process_group(group, Signal::KILL)?;
    }
    child.wait()
}

fn ended_by_itself(ended: io::Result<ExitStatus>) -> String {
    match ended.map(|status| (status.code(), status.signal())) {
        Ok((Some(code), _)) => format!("has ended with {code}"),
        Ok((None, Some(signal))) => format!("was ended by signal {signal}"),
        Ok((None, None)) => "has ended".to_owned(),
        Err(error) => format!("cannot be looked after: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(command: &str, lines: &[&str]) -> Result<Vec<bool>, ShipError> {
        let mut filter = Filter::start(command);
        filter.ask(lines.iter().map(|line| format!("{line}\n")));
        filter.answers(lines.len()).await
    }

    #[tokio::test]
    async fn each_line_gets_its_answer_in_order() {
        let command =
            "while read line; do case $line in *bad*) echo hold;; *) echo pass;; esac; done";
        let answers = told(command, &["one", "bad", "three"]).await;
        assert_eq!(answers, Ok(vec![true, false, true]));
    }

    #[tokio::test]
    async fn its_end_and_what_is_no_answer_are_told_with_a_state_of_their_own() {
        for (command, why) in [
            ("exit 3", "has ended with 3"),
            ("kill -9 $$", "was ended by signal 9"),
            ("read line; echo maybe", "answered \"maybe\""),
            ("/no/such/program", "has ended with 127"),
        ] {
            let failure = told(command, &["one"]).await.unwrap_err();
            assert!(failure.message.contains(why), "{command}: {failure}");
            let refuse = failure.for_slave().unwrap();
            assert_eq!(refuse.sqlstate, "R0121", "{command}");
        }
    }

    #[tokio::test]
    async fn its_end_is_heard_while_nothing_is_asked() {
        let failure = Filter::start("exit 0").down().await;
        assert!(failure.message.contains("has ended with 0"), "{failure}");
        let failure = Filter::start("echo pass; cat").down().await;
        assert!(failure.message.contains("not asked"), "{failure}");
    }

    #[tokio::test]
    async fn who_does_not_end_with_its_input_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pid");
        // The pipe to its output ends with it.
        let command = format!("echo $$ >{}; sleep 1000; sleep 1000", pipe.display());
        let filter = Filter::start(&command);
        let pid = loop {
            let text = std::fs::read_to_string(&pipe).unwrap_or_default();
            if let Ok(pid) = text.trim().parse::<u32>() {
                break pid;
            }
            tokio::time::sleep(LOOK).await;
        };
        drop(filter);
        let process = std::path::PathBuf::from(format!("/proc/{pid}"));
        while process.exists() {
            tokio::time::sleep(LOOK).await;
        }
    }

    #[tokio::test]
    async fn it_ends_with_its_connection() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("ended");
        let command = format!("cat >/dev/null; touch {}", mark.display());
        drop(Filter::start(&command));
        while !mark.exists() {
            tokio::time::sleep(LOOK).await;
        }
    }
}
