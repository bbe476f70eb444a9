//! Who may connect: from where, as whom, to which database.
//!
//! A request is judged by `[db-access]` and by the section of its database, `[db-access shop]`, if there is
//! one:
//!
//! 1. Whom a `deny` or `deny-users` of any of these sections names stays outside.
//! 2. Where the client is must be in `allow`, and its user in `allow-users`: each that of the database, if
//!    its section has the key, else that of `[db-access]`.
//!
//! A client of the Unix socket is on this machine: it is where `local` is, and where the loopback addresses are.
//!
//! The order of sections, keys and entries in the file has no say. Names of hosts are looked up by whoever
//! asks: [`Access::decide`] does no I/O, and says which ones it needs.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::host::{Host, HostName, hosts, hosts_or_local};
use crate::keys::Section;
use crate::net::words;
use crate::place::{DatabaseName, Place};
use crate::reader::Reader;
use crate::service::shortened;

/// The section for connections that bring the forward log, named as in PostgreSQL's rules.
const REPLICATION: &str = "replication";
/// The database that they open.
const SYSTEM: &str = "system";

/// All rules of `[db-access]`, or of `[http-access]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Access {
    general: Rules,
    databases: BTreeMap<DatabaseName, Rules>,
}

/// The rules of one section; what it does not have is left to the one above it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rules {
    /// Where the section begins, for messages.
    head: String,
    allow: Option<Rule<Vec<Host>>>,
    deny: Option<Rule<Vec<Host>>>,
    allow_users: Option<Rule<Users>>,
    deny_users: Option<Rule<Users>>,
}

/// A list, and where it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rule<T> {
    list: T,
    /// `file:line: deny of [db-access shop]`
    told: String,
}

/// A list of users.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Users {
    All,
    Named(Vec<String>),
}

impl Default for Users {
    fn default() -> Self {
        Self::Named(Vec::new())
    }
}

impl Users {
    fn have(&self, user: &str) -> bool {
        match self {
            Self::All => true,
            Self::Named(names) => names.iter().any(|name| name == user),
        }
    }
}

/// A list of users; `all` is everybody, `none` nobody.
fn users(text: &str) -> Result<Users, String> {
    let mut names = Vec::new();
    for word in words(text) {
        match word.to_ascii_lowercase().as_str() {
            "all" => return Ok(Users::All),
            "none" => {}
            // Most often a comma was forgotten, and the rule would be for nobody.
            _ if word.contains(char::is_whitespace) => {
                return Err(format!(
                    "`{}` has a blank in it; write users with commas between, all or none",
                    shortened(word)
                ));
            }
            _ => names.push(word.to_owned()),
        }
    }
    Ok(Users::Named(names))
}

/// What a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// Where it is.
    pub origin: Origin,
    /// Who it says that it is.
    pub user: &'a str,
    /// What it wants to open.
    pub target: Target<'a>,
}

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// At this address.
    Address(IpAddr),
    /// On this machine: it has come by the Unix socket.
    Local,
}

impl Origin {
    /// The addresses as which it counts.
    fn addresses(self) -> Vec<IpAddr> {
        match self {
            Self::Address(address) => vec![address.to_canonical()],
            Self::Local => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        }
    }
}

/// What is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// A database, for SQL.
    Database(&'a str),
    /// The environment, to bring it the forward log: `[db-access replication]`, else as the database
    /// `system`.
    Replication,
    /// The status page.
    StatusPage,
}

/// What is known of names of hosts: their addresses, or none where a name can't be resolved.
pub type Known = BTreeMap<HostName, Option<Vec<IpAddr>>>;

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<'a> {
    /// It may come in.
    Permitted,
    /// It may not, by this rule: for the log, never for the client.
    Refused(Refusal<'a>),
    /// That depends on these names, of which nothing is known.
    Ask(Vec<&'a HostName>),
}

/// Why somebody may not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// The rule: file, line, key and section.
    pub rule: &'a str,
    /// The name in it that can't be resolved, where that is why.
    pub unresolved: Option<&'a HostName>,
}

/// Whether a list has an address.
enum Found<'a> {
    Yes,
    No,
    /// It does not, as far as its names can be resolved.
    Unresolved(&'a HostName),
    Ask(Vec<&'a HostName>),
}

impl Rule<Vec<Host>> {
    fn find(&self, origin: Origin, known: &Known) -> Found<'_> {
        let addresses = origin.addresses();
        let (mut unresolved, mut unknown) = (None, Vec::new());
        for host in &self.list {
            match host {
                Host::Local if origin == Origin::Local => return Found::Yes,
                Host::Net(net) if addresses.iter().any(|at| net.contains(*at)) => {
                    return Found::Yes;
                }
                Host::Net(_) | Host::Local => {}
                Host::Name(name) => match known.get(name) {
                    None => unknown.push(name),
                    Some(None) => unresolved = Some(name),
                    Some(Some(found)) => {
                        if found
                            .iter()
                            .any(|has| addresses.contains(&has.to_canonical()))
                        {
                            return Found::Yes;
                        }
                    }
                },
            }
        }
        match (unresolved, unknown.is_empty()) {
            (_, false) => Found::Ask(unknown),
            (Some(name), true) => Found::Unresolved(name),
            (None, true) => Found::No,
        }
    }
}

impl Access {
    /// Judges a request by what is known of names. Once all are known that it asked for, it asks for no more.
    pub fn decide(&self, asked: &Asked<'_>, known: &Known) -> Decision<'_> {
        let sections = self.sections(asked.target);
        let mut unknown = Vec::new();
        for rule in sections.iter().filter_map(|rules| rules.deny.as_ref()) {
            match rule.find(asked.origin, known) {
                Found::Yes => return refused(&rule.told, None),
                // It could be this client.
                Found::Unresolved(name) => return refused(&rule.told, Some(name)),
                Found::Ask(names) => unknown.extend(names),
                Found::No => {}
            }
        }
        let denied = sections
            .iter()
            .filter_map(|rules| rules.deny_users.as_ref());
        for rule in denied {
            if rule.list.have(asked.user) {
                return refused(&rule.told, None);
            }
        }
        let nearest = sections.iter().rev();
        if let Some(rule) = nearest.clone().find_map(|rules| rules.allow_users.as_ref())
            && !rule.list.have(asked.user)
        {
            return refused(&rule.told, None);
        }
        let Some(rule) = nearest.clone().find_map(|rules| rules.allow.as_ref()) else {
            return refused(&self.general.head, None);
        };
        match rule.find(asked.origin, known) {
            Found::Yes => {}
            Found::No => return refused(&rule.told, None),
            Found::Unresolved(name) => return refused(&rule.told, Some(name)),
            Found::Ask(names) => unknown.extend(names),
        }
        if unknown.is_empty() {
            Decision::Permitted
        } else {
            Decision::Ask(unknown)
        }
    }

    /// The sections that have a say, from the general one to the most special.
    fn sections(&self, target: Target<'_>) -> Vec<&Rules> {
        let special: &[&str] = match target {
            Target::Database(name) => &[name],
            Target::Replication => &[SYSTEM, REPLICATION],
            Target::StatusPage => &[],
        };
        let special = special.iter().map(|name| DatabaseName::new(name));
        let special = special.filter_map(|name| self.databases.get(&name));
        std::iter::once(&self.general).chain(special).collect()
    }

    /// The databases that have a section, each with the place of its head.
    pub fn databases(&self) -> impl Iterator<Item = (&DatabaseName, &str)> {
        let replication = DatabaseName::new(REPLICATION);
        self.databases
            .iter()
            .filter(move |(name, _)| **name != replication)
            .map(|(name, rules)| (name, rules.head.as_str()))
    }
}

fn refused<'a>(rule: &'a str, unresolved: Option<&'a HostName>) -> Decision<'a> {
    Decision::Refused(Refusal { rule, unresolved })
}

/// Reads the section and, for `[db-access]`, those of databases.
pub(crate) fn read(reader: &mut Reader, section: Section) -> Access {
    let general = read_rules(reader, &section.into());
    let mut databases = BTreeMap::new();
    for place in reader.places_of_databases(section) {
        let rules = read_rules(reader, &place);
        databases.extend(place.database.map(|name| (name, rules)));
    }
    Access { general, databases }
}

fn read_rules(reader: &mut Reader, place: &Place) -> Rules {
    let section = place.section;
    let head = reader.head(place);
    // The status page is not on the Unix socket.
    let list = match section {
        Section::DbAccess => hosts_or_local,
        _ => hosts,
    };
    reader.enter(place);
    let mut rules = Rules {
        head,
        allow: read_rule(reader, section, "allow", list),
        deny: read_rule(reader, section, "deny", list),
        ..Rules::default()
    };
    if section == Section::DbAccess {
        rules.allow_users = read_rule(reader, section, "allow-users", users);
        rules.deny_users = read_rule(reader, section, "deny-users", users);
    }
    reader.leave();
    rules
}

fn read_rule<T>(
    reader: &mut Reader,
    section: Section,
    key: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Option<Rule<T>> {
    let told = reader.told(section, key);
    let list = reader.optional(section, key, read)?;
    Some(Rule { list, told })
}

#[cfg(test)]
mod tests;
