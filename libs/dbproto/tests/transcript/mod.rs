//! The language of the transcripts: `name=value` words, and points such as `1-2:500/aa`, whose
//! hash is one byte 32 times.

pub(crate) mod receiver;
pub(crate) mod shipper;

use bytes::Bytes;
use dbproto::{
    Below, Greeting, Identify, Identity, Message, PROTOCOL_VERSION, Progress, Refuse, Role,
};
use fwlog::{
    Above, BootNonce, ChainHash, CommitNumber, EnvironmentId, GenerationId, GenerationReason,
    HistoryLine, InstanceId, LogKind, LogPoint, LostForks, SegmentHeader, SegmentId, Speaker,
    Timestamp, TreePath, Twin,
};
use pgtypes::SqlState;

/// The words of one command.
pub(crate) struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    pub(crate) fn new(command: &'a str) -> Self {
        Self(command.split_whitespace().collect())
    }

    pub(crate) fn at(&self, index: usize) -> &'a str {
        self.0
            .get(index)
            .unwrap_or_else(|| panic!("word {index} is missing in {:?}", self.0))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }

    pub(crate) fn number(&self, name: &str, default: u64) -> u64 {
        self.get(name).map_or(default, |text| text.parse().unwrap())
    }

    pub(crate) fn progress(&self, name: &str) -> Option<Progress> {
        self.get(name).map(progress)
    }

    /// `id=01 history=1/g1,2/g2<1-3:500/a3@43`: generations by their numbers and ids, and what each goes on from.
    pub(crate) fn greeting(&self, name: &str) -> Option<Box<Greeting>> {
        let id = u8::from_str_radix(self.get("id")?, 16).unwrap();
        let lines = self
            .get("history")
            .into_iter()
            .flat_map(|text| text.split(','));
        Some(Box::new(Greeting {
            speaker: Speaker {
                id: InstanceId::from_bytes([id; 16]),
                boot: BootNonce::from_bytes([0; 16]),
                name: name.to_owned(),
            },
            branch: lines.map(line).collect(),
            above: self.get("above").map(|text| Box::new(above(text))),
            settled: None,
        }))
    }

    pub(crate) fn from(&self, index: usize) -> &[&'a str] {
        &self.0[index..]
    }
}

/// `1a>2b`: ids and names from the top down; `1a!` is known to be the root; `;3c` behind it is a twin.
pub(crate) fn above(text: &str) -> Above {
    let mut parts = text.split(';');
    let path = parts.next().unwrap();
    let root_is_known = path.contains('!');
    let instances = path.split('>').map(speaker).collect();
    let twin = |text| Twin {
        instance: speaker(text),
        other: "the other one is elsewhere".to_owned(),
    };
    Above {
        path: TreePath::new(instances, root_is_known).unwrap(),
        twins: parts.map(twin).collect(),
    }
}

fn speaker(text: &str) -> Speaker {
    let (id, name) = text.split_at(1);
    Speaker {
        id: InstanceId::from_bytes([u8::from_str_radix(id, 16).unwrap(); 16]),
        boot: BootNonce::from_bytes([0; 16]),
        name: name.trim_end_matches('!').to_owned(),
    }
}

pub(crate) fn show_above(above: &Above) -> String {
    let names: Vec<&str> = above.path.instances().map(|it| &*it.name).collect();
    let root = above.path.root().map_or("root unknown", |_| "root known");
    let twins: Vec<String> = above
        .twins
        .iter()
        .map(|it| format!(", twin {}", it.instance.name))
        .collect();
    format!("{} ({root}){}", names.join(" > "), twins.concat())
}

pub(crate) fn hash(text: &str) -> ChainHash {
    ChainHash::from_bytes([u8::from_str_radix(text, 16).unwrap(); 32])
}

pub(crate) fn point(text: &str) -> LogPoint {
    let (position, rest) = text.split_once('/').unwrap();
    LogPoint::new(position.parse().unwrap(), hash(rest))
}

/// `1-2:500/aa@7`: the point, and the newest commit before it; its time is as many seconds.
pub(crate) fn progress(text: &str) -> Progress {
    let (place, commit) = text.split_once('@').unwrap_or((text, "0"));
    let commit: u64 = commit.parse().unwrap();
    Progress {
        point: point(place),
        commit: CommitNumber::new(commit),
        time: Timestamp::from_micros(commit * 1_000_000),
    }
}

fn line(text: &str) -> HistoryLine {
    let (name, parent) = text.split_once('<').unwrap_or((text, "1-1:0/00@0"));
    let (number, id) = name.split_once('/').unwrap();
    let parent = progress(parent);
    HistoryLine {
        number: number.parse().unwrap(),
        id: GenerationId::new(hash(id)),
        reason: GenerationReason::Promote,
        time: parent.time,
        parent: parent.point,
        commit: parent.commit,
        instance: "alpha".to_owned(),
    }
}

pub(crate) fn environment(text: &str) -> EnvironmentId {
    EnvironmentId::from_bytes([u8::from_str_radix(text, 16).unwrap(); 16])
}

fn role(words: &Words<'_>, default: Role) -> Role {
    match words.get("role") {
        None => default,
        Some("Standalone") => Role::Standalone,
        Some("Master") => Role::Master,
        Some("Slave") => Role::Slave,
        Some(other) => panic!("no role {other}"),
    }
}

pub(crate) fn identify(words: &Words<'_>) -> Identify {
    Identify {
        protocol: PROTOCOL_VERSION,
        format: u32::try_from(words.number("format", 1)).unwrap(),
        environment: environment(words.get("environment").unwrap_or("e1")),
        instance: words.get("instance").unwrap_or("alpha").to_owned(),
        role: role(words, Role::Master),
        page_size: u32::try_from(words.number("page_size", 4096)).unwrap(),
        volume_limit: words.number("volume_limit", 0),
        durable: words.progress("end"),
        pack: words.get("pack").is_some(),
        greeting: words.greeting(words.get("instance").unwrap_or("alpha")),
    }
}

pub(crate) fn identity(words: &Words<'_>) -> Identity {
    let durable = words.progress("durable");
    Identity {
        protocol: PROTOCOL_VERSION,
        format: u32::try_from(words.number("format", 1)).unwrap(),
        environment: match words.get("environment") {
            Some("none") => None,
            other => Some(environment(other.unwrap_or("e1"))),
        },
        instance: words.get("instance").unwrap_or("beta").to_owned(),
        role: role(words, Role::Slave),
        page_size: u32::try_from(words.number("page_size", 4096)).unwrap(),
        received: words.progress("received").or(durable),
        durable,
        sealed: words.get("sealed").is_some(),
        applied: words.progress("applied").or(durable),
        log_begins: words.get("log_begins").map(|text| text.parse().unwrap()),
        forward_log: true,
        volume_limit: words.number("volume_limit", 0),
        pack: words.get("pack").is_some(),
        greeting: words.greeting(words.get("instance").unwrap_or("beta")),
    }
}

pub(crate) fn header(id: &str, words: &Words<'_>) -> Bytes {
    let id: SegmentId = id.parse().unwrap();
    let header = SegmentHeader {
        kind: LogKind::Forward,
        page_size: u32::try_from(words.number("page_size", 4096)).unwrap(),
        environment: environment(words.get("environment").unwrap_or("e1")),
        id,
        log_bytes: 0,
        last_commit: CommitNumber::ZERO,
        created: Timestamp::from_micros(0),
        previous: ChainHash::ZERO,
        origin: "alpha".to_owned(),
    };
    Bytes::copy_from_slice(&header.encode())
}

fn show_point(point: &LogPoint) -> String {
    format!("{}/{}", point.position, &point.hash.to_string()[..2])
}

pub(crate) fn show_start(at: Option<&LogPoint>) -> String {
    at.map_or_else(|| "the beginning".to_owned(), show_point)
}

pub(crate) fn show_progress(progress: &Progress) -> String {
    format!("{}@{}", show_point(&progress.point), progress.commit)
}

fn show_greeting(greeting: Option<&Greeting>) -> String {
    let Some(greeting) = greeting else {
        return String::new();
    };
    let branch: Vec<String> = greeting
        .branch
        .iter()
        .map(|line| line.number.to_string())
        .collect();
    let id = &greeting.speaker.id.to_string()[..2];
    let above = greeting.above.as_deref();
    let above = above.map_or_else(String::new, |above| {
        format!(", below {}", show_above(above))
    });
    format!(", id {id}, generations {}{above}", branch.join(" "))
}

pub(crate) fn show(message: &Message) -> String {
    let name = message.name();
    match message {
        Message::Identify(who) => {
            let more = show_greeting(who.greeting.as_deref());
            format!("{name} {} {}{more}", who.instance, who.role)
        }
        Message::Identity(who) => {
            let durable = who
                .durable
                .as_ref()
                .map_or_else(|| "nothing".to_owned(), show_progress);
            let more = show_greeting(who.greeting.as_deref());
            format!("{name} {} {} has {durable}{more}", who.instance, who.role)
        }
        Message::AskHash { position } => format!("{name} {position}"),
        Message::Hash { position, hash } => {
            let hash = hash.map_or_else(
                || "none".to_owned(),
                |hash| hash.to_string()[..2].to_owned(),
            );
            format!("{name} {position} {hash}")
        }
        Message::Start { at } => format!("{name} at {}", show_start(at.as_ref())),
        Message::Segment { header } => {
            let id = SegmentHeader::decode(header).map(|header| header.id.to_string());
            format!("{name} {}", id.unwrap_or_else(|_| "unreadable".to_owned()))
        }
        Message::Blocks { start, bytes } => format!("{name} {start} {} bytes", bytes.len()),
        Message::Seal { bytes } => format!("{name} {} bytes", bytes.len()),
        Message::KeepAlive { source, reply } => {
            format!("{name} {} reply={reply}", show_progress(&source.durable))
        }
        Message::Status(_) => name.to_owned(),
        Message::Above(above) => format!("{name} {}", show_above(above)),
        Message::Below(below) => format!("{name} {}", show_below(below)),
        Message::Lost(forks) => format!("{name} {}", show_lost(forks)),
        Message::Refuse(refuse) => format!("{name} {}", show_refuse(refuse)),
    }
}

pub(crate) fn show_below(below: &Below) -> String {
    let members: Vec<String> = below
        .members()
        .iter()
        .map(|member| format!("{} {}", member.level, member.name))
        .collect();
    members.join(", ")
}

/// `north 37 behind 1-3:500`
pub(crate) fn show_lost(forks: &LostForks) -> String {
    let forks = forks.all().iter();
    let forks = forks.map(|fork| {
        let (at, count) = (fork.fork.position, fork.transactions);
        format!("{} {count} behind {at}", fork.instance)
    });
    forks.collect::<Vec<_>>().join(", ")
}

pub(crate) fn refuse(words: &Words<'_>) -> Refuse {
    let state = SqlState::from_code(words.at(1)).unwrap();
    Refuse::new(state, "no")
}

pub(crate) fn show_refuse(refuse: &Refuse) -> String {
    format!("{} {}", refuse.sqlstate, refuse)
}
