//! `[Archive NAME]`: the repositories that a server archives its log in by itself.

use std::time::Duration;

use crate::keys::Section;
use crate::reader::Reader;
use crate::value;

/// Longest name of a repository.
const MAX_NAME: usize = 32;

/// A repository that a server archives its log in by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// The name of the repository, in small letters.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// How old what is not archived gets; none = as dbrepl has it.
    pub interval: Option<Duration>,
    /// How large a part gets; none = as dbrepl has it.
    pub part_size: Option<u64>,
    /// Limit in bits per second; none = there is none.
    pub bandwidth: Option<u64>,
    /// An archive that lacks something for longer is told of; zero = none is.
    pub warn_behind: Duration,
    /// Which backups `backup prune` leaves there.
    pub keep: KeepBackups,
}

/// Which backups stay; each rule keeps some, and zero none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeepBackups {
    /// All that it takes to restore each moment of so long.
    pub history: Duration,
    /// The newest one of each of so many days.
    pub daily: u32,
    /// The same of weeks.
    pub weekly: u32,
    /// The same of months.
    pub monthly: u32,
}

/// How the names of archives begin among those of the slaves of a server.
pub const ARCHIVE_NAMES: &str = "archive.";

impl Archive {
    /// Unless the configuration says something else.
    pub const WARN_BEHIND: Duration = Duration::from_mins(5);

    /// The name that the archive has among the slaves of a server.
    pub fn among_slaves(&self) -> String {
        format!("{ARCHIVE_NAMES}{}", self.name)
    }
}

pub(crate) fn read(reader: &mut Reader) -> Vec<Archive> {
    use Section::Archive as S;
    for key in crate::keys::of_section(S).map(|key| key.name) {
        let set: Option<()> = reader.optional(S, key, |_| Ok(()));
        if set.is_some() {
            let why = "an archive has a name: write [Archive NAME], the name of its repository";
            reader.problem(S, key, why);
        }
    }
    let mut archives = Vec::new();
    for place in reader.places_of_databases(S) {
        let name = place.database.as_ref().map(ToString::to_string);
        let name = name.unwrap_or_default();
        reader.enter(&place);
        let url = reader.optional(S, "Url", url);
        if url.is_none() && !reader.is_set(S, "Url") {
            reader.problem(
                S,
                "Url",
                format!("[{place}] needs Url: where its repository is"),
            );
        }
        if !is_name(&name) {
            let why = format!(
                "[{place}]: the name of a repository has 1 to {MAX_NAME} letters, digits, - and _"
            );
            reader.problem(S, "Url", why);
        }
        let warn_behind = reader.optional(S, "WarnBehind", value::duration);
        archives.push(Archive {
            name,
            url: url.unwrap_or_default(),
            interval: reader.optional(S, "Interval", value::duration),
            part_size: reader.optional(S, "PartSize", value::size),
            bandwidth: reader
                .optional(S, "Bandwidth", value::bandwidth)
                .filter(|it| *it > 0),
            warn_behind: warn_behind.unwrap_or(Archive::WARN_BEHIND),
            keep: keep(reader),
        });
        reader.leave();
    }
    archives
}

fn keep(reader: &mut Reader) -> KeepBackups {
    use Section::Archive as S;
    let history = reader.optional(S, "KeepHistory", value::duration);
    let mut count = |key| reader.optional(S, key, value::number).unwrap_or(0);
    KeepBackups {
        history: history.unwrap_or_default(),
        daily: count("KeepDaily"),
        weekly: count("KeepWeekly"),
        monthly: count("KeepMonthly"),
    }
}

/// What follows `file://` and the like is known to dbrepl.
fn url(text: &str) -> Result<String, String> {
    if text.contains("://") {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no place of a repository; write file:///DIRECTORY, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX"
    ))
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=MAX_NAME).contains(&name.len()) && name.chars().all(is_plain)
}

/// What is archived is the forward log.
pub(crate) fn check(reader: &mut Reader, archives: &[Archive], has_log: bool) {
    if archives.is_empty() || has_log || reader.is_faulty(Section::ForwardLog, "FwLog") {
        return;
    }
    let why = "[Archive NAME] needs FwLog: what is archived is the forward log";
    reader.problem(Section::ForwardLog, "FwLog", why);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Config;

    fn config(text: &str) -> Result<Config, String> {
        let text = format!("[Server]\nDataDir = /data\n{text}\n");
        let config = Config::parse(Path::new("/etc/eloqdb.cfg"), &text);
        config.map_err(|error| error.to_string())
    }

    const LOG: &str = "[ForwardLog]\nFwLog = l/fw-%N\n";

    #[test]
    fn each_archive_has_a_section_of_its_own() {
        let text = format!(
            "{LOG}[Archive OffSite]\nUrl = s3://b/x\nInterval = 2s\nPartSize = 1m\nBandwidth = 8m\nWarnBehind = 1m\nKeepHistory = 30d\nKeepWeekly = 8\n[Archive near]\nUrl = file:///b"
        );
        let archives = config(&text).unwrap().archives;
        assert_eq!(
            archives,
            [
                Archive {
                    name: "offsite".to_owned(),
                    url: "s3://b/x".to_owned(),
                    interval: Some(Duration::from_secs(2)),
                    part_size: Some(1 << 20),
                    bandwidth: Some(8_000_000),
                    warn_behind: Duration::from_mins(1),
                    keep: KeepBackups {
                        history: Duration::from_hours(24 * 30),
                        weekly: 8,
                        ..KeepBackups::default()
                    },
                },
                Archive {
                    name: "near".to_owned(),
                    url: "file:///b".to_owned(),
                    interval: None,
                    part_size: None,
                    bandwidth: None,
                    warn_behind: Duration::from_mins(5),
                    keep: KeepBackups::default(),
                },
            ]
        );
        assert_eq!(archives[0].among_slaves(), "archive.offsite");
        assert_eq!(config("[Archive]").unwrap().archives, []);
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for (text, said) in [
            ("[Archive]\nUrl = s3://b", "write [Archive NAME]"),
            ("[Archive x]\nInterval = 1s", "[Archive x] needs Url"),
            ("[Archive a.b]\nUrl = s3://b", "the name of a repository"),
            ("[Archive x]\nUrl = /backup", "write file:///DIRECTORY"),
        ] {
            let told = config(&format!("{LOG}{text}")).unwrap_err();
            assert!(told.contains(said), "{text}: {told}");
        }
        let told = config("[Archive x]\nUrl = s3://b").unwrap_err();
        assert!(told.contains("[Archive NAME] needs FwLog"), "{told}");
    }
}
