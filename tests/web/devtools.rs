//! A browser without a window, driven by its own protocol over two pipes.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};

use dbtests::process::{Background, run};
use dbtests::programs::other;
use dbtests::{Folder, LONG};
use serde_json::{Value, json};

/// Names that the browser has on one system or another.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A running browser with one page.
pub(crate) struct Browser {
    process: Background,
    commands: File,
    messages: Receiver<Value>,
    next: u64,
    session: Option<String>,
    /// What the browser has told of itself since [`Browser::forget`].
    events: Vec<Value>,
    _folder: Folder,
}

impl Browser {
    /// Starts one; `None` where this machine has none.
    pub(crate) fn start() -> Option<Self> {
        let program = NAMES.into_iter().find_map(other)?;
        let folder = Folder::new();
        let (to, from) = (folder.join("to"), folder.join("from"));
        run(Command::new("mkfifo").arg(&to).arg(&from), b"").ok();
        // The pipes have the numbers 3 and 4.
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "to=$1 from=$2; shift 2; exec \"$@\" 3<\"$to\" 4>\"$from\"",
                "sh",
            ])
            .args([&to, &from])
            .arg(program.get_program())
            .args(["--headless=new", "--remote-debugging-pipe", "--no-sandbox"])
            .args([
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .arg(format!(
                "--user-data-dir={}",
                folder.join("profile").display()
            ))
            .arg("about:blank")
            .env("HOME", folder.path());
        let process = Background::start(&mut command, &folder.join("log"));
        let commands = OpenOptions::new().write(true).open(&to).expect("a pipe");
        let answers = BufReader::new(File::open(&from).expect("a pipe"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("JSON of the browser");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            process,
            commands,
            messages,
            next: 1,
            session: None,
            events: Vec::new(),
            _folder: folder,
        };
        browser.attach();
        Some(browser)
    }

    /// A page of its own, which tells of what it asks for and what goes wrong.
    fn attach(&mut self) {
        let made = self.call("Target.createTarget", &json!({ "url": "about:blank" }));
        let target = made["targetId"].clone();
        let attached = self.call(
            "Target.attachToTarget",
            &json!({ "targetId": target, "flatten": true }),
        );
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        assert!(self.session.is_some(), "{attached}");
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), &json!({}));
        }
    }

    /// Gives a command, and its result.
    #[track_caller]
    pub(crate) fn call(&mut self, method: &str, parameters: &Value) -> Value {
        let id = self.next;
        self.next += 1;
        let mut command = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        let text = format!("{command}\0");
        self.commands
            .write_all(text.as_bytes())
            .expect("the browser listens");
        loop {
            let message = self.receive();
            if message["id"] == id {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    #[track_caller]
    fn receive(&mut self) -> Value {
        let received = self.messages.recv_timeout(LONG);
        received.unwrap_or_else(|error| panic!("{error}: {}", self.process.output()))
    }

    /// Opens an address, and waits until all of it is there.
    #[track_caller]
    pub(crate) fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", &json!({ "url": url }));
        assert!(opened.get("errorText").is_none(), "{opened}");
        let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
        while !self.events.iter().any(loaded) {
            let message = self.receive();
            self.events.push(message);
        }
    }

    /// The value of an expression in the page.
    #[track_caller]
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        self.call("Runtime.evaluate", &asked)["result"]["value"].clone()
    }

    /// What has happened of this kind.
    pub(crate) fn events(&self, method: &str) -> Vec<&Value> {
        let of_kind = |event: &&Value| event["method"] == method;
        self.events.iter().filter(of_kind).collect()
    }

    /// What happens from now on is all that counts.
    pub(crate) fn forget(&mut self) {
        self.events.clear();
    }

    /// A picture of the whole page, in PNG.
    #[track_caller]
    pub(crate) fn picture(&mut self, path: &Path) {
        use base64::Engine as _;
        let asked = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.call("Page.captureScreenshot", &asked);
        let data = taken["data"].as_str().expect("a picture");
        let bytes = base64::engine::general_purpose::STANDARD.decode(data);
        dbtests::files::write(path, bytes.expect("base64"));
    }

    /// Ends it.
    pub(crate) fn close(mut self) {
        self.session = None;
        self.call("Browser.close", &json!({}));
        let ended = self.process.ended_within(LONG);
        assert!(ended.is_some(), "the browser does not end");
    }
}
