//! The one table of keys: what the parser accepts, what the samples explain, what `dbctl config`
//! shows.

use std::fmt;

/// A section of the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// `[Server]`
    Server,
    /// `[db-access]`
    DbAccess,
    /// `[http-access]`
    HttpAccess,
    /// `[ForwardLog]`
    ForwardLog,
    /// `[Replication]`
    Replication,
    /// `[Archive NAME]`
    Archive,
    /// `[Volumes]`
    Volumes,
    /// `[dbrepl]`, in the file of `dbrepl -C` only
    Dbrepl,
    /// `[client]`, in the client file only
    Client,
}

impl Section {
    /// The sections of `eloqdb.cfg`, in the order of the samples.
    pub const SERVER_FILE: [Self; 7] = [
        Self::Server,
        Self::DbAccess,
        Self::HttpAccess,
        Self::ForwardLog,
        Self::Replication,
        Self::Archive,
        Self::Volumes,
    ];

    /// The sections of the file of `dbrepl -C`.
    pub const REPLICATION_FILE: [Self; 1] = [Self::Dbrepl];

    /// The sections of the client file.
    pub const CLIENT_FILE: [Self; 1] = [Self::Client];

    /// The name as it is written between the brackets.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "Server",
            Self::DbAccess => "db-access",
            Self::HttpAccess => "http-access",
            Self::ForwardLog => "ForwardLog",
            Self::Replication => "Replication",
            Self::Archive => "Archive",
            Self::Volumes => "Volumes",
            Self::Dbrepl => "dbrepl",
            Self::Client => "client",
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// Any text, which is not shown.
    Secret,
    /// `off`, or a port or service name, with `/4`, `/6` or `/46`.
    MaybeService,
    /// A file or directory.
    Path,
    /// A path whose file name holds `%N`.
    LogPath,
    /// Port or service name, with `/4`, `/6` or `/46`.
    Service,
    /// A list of hosts with their services, `host:service`.
    HostServices,
    /// `off`, or a list of `log` and hosts with their services.
    Sources,
    /// A list of slaves with their names, `NAME@host:service`.
    NamedSlaves,
    /// A list of addresses to listen on.
    Addresses,
    /// A list of networks, or `all`, or `none`.
    Networks,
    /// A list of networks and names of hosts, or `all`, or `none`.
    Hosts,
    /// A list of users, or `all`, or `none`.
    Users,
    /// A list of databases.
    Databases,
    /// 1 to 15 characters.
    Instance,
    /// A whole number.
    Number,
    /// 0 or 1.
    Switch,
    /// Bytes, with k, m, g, t.
    Size,
    /// A time with its unit.
    Duration,
    /// `all`, a size or a time.
    Keep,
    /// Bits per second, with k or m in steps of 1000.
    Bandwidth,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// Whether this version can do what the key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// The key works, since that version.
    Since(&'static str),
    /// The key is known, and only its default is accepted.
    NotYet,
}

/// One key of the configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Where it stands.
    pub section: Section,
    /// Its name, in its usual spelling.
    pub name: &'static str,
    /// What its value must look like.
    pub kind: Kind,
    /// The value that holds when the key is missing; empty = unset.
    pub default: &'static str,
    /// One line for people.
    pub meaning: &'static str,
    /// Whether it works.
    pub support: Support,
}

const V: Support = Support::Since("0.1");

const fn key(
    section: Section,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key {
        section,
        name,
        kind,
        default,
        meaning,
        support: V,
    }
}

const fn later(key: Key) -> Key {
    Key {
        support: Support::NotYet,
        ..key
    }
}

/// Another spelling of a key, accepted with a warning.
pub(crate) const ALIASES: [(Section, &str, &str); 1] =
    [(Replication, "RedicectWrite", "RedirectWrite")];

/// The words of Role.
pub(crate) const ROLES: &[&str] = &["Standalone", "Master", "Primary", "Slave", "Secondary"];
/// The words of `Rejoin`.
pub(crate) const REJOINS: &[&str] = &["ask", "auto"];
/// The words of `FormerRootBelow`.
pub(crate) const SYNC_ON_LOSS: &[&str] = &["continue", "wait"];
pub(crate) const FORMER_ROOT_BELOW: &[&str] = &["root", "any"];
/// The words of `StartGuard`.
pub(crate) const START_GUARDS: &[&str] = &["off", "ask", "require"];
/// The words of `LogFormat`.
pub(crate) const LOG_FORMATS: &[&str] = &["text", "json"];
/// The words of `VerifyData`.
pub(crate) const VERIFY_DATA: &[&str] = &["start", "read"];
/// The words of `TlsMinVersion`.
pub(crate) const TLS_VERSIONS: &[&str] = &["1.2", "1.3"];
/// The words of `tls` of a client.
pub(crate) const INITS: &[&str] = &["never", "auto", "always"];
pub(crate) const TLS_MODES: &[&str] = &["disable", "prefer", "require", "verify-ca", "verify-full"];
/// The words of `TlsClientCert`.
pub(crate) const CLIENT_CERTS: &[&str] = &["optional", "required"];
/// The words of `CertUser`.
pub(crate) const CERT_USERS: &[&str] = &["none", "CN"];
/// The words of `FwOnFailure`.
pub(crate) const ON_FAILURE: &[&str] = &["stop", "disable"];
/// The words of `FwCompress`.
pub(crate) const COMPRESSIONS: &[&str] = &["zstd", "none"];

use Kind::{
    Addresses, Bandwidth, Databases, Duration, HostServices, Hosts, Instance, Keep, LogPath,
    MaybeService, NamedSlaves, Networks, Number, Path, Secret, Service, Size, Sources, Switch,
    Text, Users, Words,
};
use Section::{
    Archive, Client, DbAccess, Dbrepl, ForwardLog, HttpAccess, Replication, Server, Volumes,
};

/// All keys of `eloqdb.cfg`, of the file of `dbrepl -C` and of the client file, in the order of the samples.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key(Server, "Service", Service, "eloqdb", "port or service name of the one service port (eloqdb = 8102); /4, /6, /46 picks the address family"),
    key(Server, "Listen", Addresses, "127.0.0.1, ::1", "addresses to listen on; * = all"),
    key(Server, "SocketDir", Path, "/run/eloqdb", "directory of the Unix socket, .s.PGSQL.PORT: root and the user of the server need no password there to be a dba; unset: only if the directory is there; none = no socket"),
    key(Server, "DataDir", Path, "", "directory of the environment; must be set"),
    key(Server, "Instance", Instance, "", "name of this instance, 1 to 15 characters; stands in the segments that it makes; source and slaves need names that differ; under another name the next start is another instance; unset = host name"),
    key(Server, "InstanceRequired", Switch, "0", "1: without Instance the server does not start, instead of being called as its host"),
    key(Server, "LogFile", Text, "console", "where messages go: a file, console or syslog"),
    key(Server, "LogFlags", Text, "info", "levels of messages: error, warn, info, debug, trace, or target=level, ..."),
    key(Server, "LogFormat", Words(LOG_FORMATS), "text", "lines of the log: text, or json: one object a line"),
    key(Server, "LogSlow", Duration, "0", "a statement that takes at least so long is one line of the log; 0 = none is"),
    key(Server, "ServiceHttp", MaybeService, "off", "port or service name of the status page and of the metrics; off = none"),
    key(Server, "ServiceHttps", MaybeService, "off", "the same within TLS, with the certificate of TlsCert; off = none"),
    key(Server, "HttpUser", Text, "", "user who may read the status page; unset = whoever [http-access] lets in"),
    key(Server, "HttpPswd", Secret, "", "the password of HttpUser"),
    key(Server, "HttpHosts", Text, "", "names with a domain by which a browser may ask for the status page, or all; without HttpUser others are refused"),
    key(Server, "TlsCert", Path, "", "certificate of the service port and those between it and an authority, PEM; unset = no TLS"),
    key(Server, "TlsKey", Path, "", "private key of the certificate, PEM, closed to others"),
    key(Server, "TlsMinVersion", Words(TLS_VERSIONS), "1.2", "oldest version of TLS that is spoken: 1.2 or 1.3"),
    key(Server, "TlsClientCa", Path, "", "authorities whose client certificates are accepted, PEM; unset = no client is asked for one"),
    key(Server, "TlsClientCert", Words(CLIENT_CERTS), "optional", "required: a client without a certificate is refused"),
    key(Server, "CertUser", Words(CERT_USERS), "none", "CN: the common name of a client's certificate is its user, and no password is asked for; none: a certificate says nothing of the user"),
    key(Server, "RequireTls", Switch, "0", "1: clear text is refused, except on loopback and on the Unix socket"),
    key(Server, "MaxSessions", Number, "1000", "sessions at a time; three more for users with the privilege dba"),
    key(Server, "StatementTimeout", Duration, "0", "a statement that runs longer is cancelled; 0 = no limit"),
    key(Server, "IdleTransactionTimeout", Duration, "0", "a session that idles longer in a transaction is ended; 0 = no limit"),
    key(Server, "IdleSessionTimeout", Duration, "0", "a session that idles longer outside a transaction is ended; 0 = no limit"),
    key(Server, "TempFileLimit", Size, "0", "bytes that the temporary files of a session may have together; 0 = no limit"),
    key(Server, "LockTimeout", Duration, "0", "a statement that waits longer for a lock, or to write, is cancelled; 0 = no limit"),
    key(Server, "CoreDumps", Switch, "0", "1: a crash may leave a core dump, which has data and secrets of the server in it"),
    key(Server, "SyncMode", Switch, "1", "1: a commit waits for the disk; 0: it does not, and a power cut may lose the last SyncInterval"),
    key(Server, "SyncInterval", Duration, "500ms", "time between two writes to disk with SyncMode = 0"),
    key(Server, "CheckpointSize", Size, "256m", "a checkpoint begins when so much has changed"),
    key(Server, "CheckpointInterval", Duration, "5m", "a checkpoint begins when the last one is so old"),
    key(Server, "VerifyData", Words(VERIFY_DATA), "start", "start: all pages of the data files are verified at start, and each again when it is read; read: only when it is read"),
    key(Server, "RepairFrom", Sources, "log", "log: a damaged page of a data file is made again from the server's own log when it is met; host:service, several with commas between: from that server, which has the same databases; off: it is only told"),
    key(Server, "ScrubRate", Size, "1m", "bytes of data files that are read each second in the background to find damage, all of them once a day; 0 = none"),
    key(Server, "BackupHold", Text, "2h, 16g", "a time and a size: so long the data files stand still for 'dbctl backup start', and so much log and pages may gather meanwhile; what comes first ends it"),
    key(DbAccess, "allow", Hosts, "127.0.0.0/8, ::1", "networks and hosts whose clients may connect, local = those of the Unix socket, as which loopback counts, too; that of [db-access NAME] stands in its place for the database NAME"),
    key(DbAccess, "deny", Hosts, "", "networks and hosts whose clients may not, even if allow has them; that of [db-access NAME] holds beside it"),
    key(DbAccess, "allow-users", Users, "all", "users who may connect; that of [db-access NAME] stands in its place for the database NAME"),
    key(DbAccess, "deny-users", Users, "", "users who may not, even if allow-users has them; that of [db-access NAME] holds beside it"),
    key(HttpAccess, "allow", Hosts, "127.0.0.0/8, ::1", "networks and hosts whose clients may read the status page"),
    key(HttpAccess, "deny", Hosts, "", "networks and hosts whose clients may not, even if allow has them"),
    key(ForwardLog, "FwLog", LogPath, "", "path of the log segments, with %N in the file name; unset = forward logging is off"),
    key(ForwardLog, "FwMaxSize", Size, "256m", "a new segment begins at this size"),
    key(ForwardLog, "FwKeep", Keep, "all", "how much of the log to keep: all, a size or a time; what is older goes by itself when nobody needs it"),
    key(ForwardLog, "FwKeepForSlaves", Size, "64g", "FwKeep never removes what a known slave still needs, up to this size"),
    key(ForwardLog, "FwOnFailure", Words(ON_FAILURE), "stop", "when the log can't be written: stop = refuse writes until it can, disable = go on without it"),
    later(key(ForwardLog, "FwRecovery", Switch, "1", "replay the log at start-up")),
    key(ForwardLog, "FwCompress", Words(COMPRESSIONS), "zstd", "compression of the log: zstd or none"),
    key(ForwardLog, "EnableAudit", Switch, "0", "1: the log says of each commit who did it, from where, with which statements"),
    key(ForwardLog, "AuditOnly", Switch, "0", "1: FwLog gets the audit records alone, commits the journal in DataDir; needs Role = Standalone"),
    key(ForwardLog, "GroupReadAccess", Switch, "0", "1: the group may read the segments (0640), 0: only the owner (0600)"),
    key(Replication, "Role", Words(ROLES), "Standalone", "Standalone, Master (= Primary) or Slave (= Secondary)"),
    key(Replication, "Apply", Databases, "", "on a slave: databases that get pages, with commas between; the others only pass through its log; unset = all"),
    key(Replication, "ApplyNot", Databases, "", "on a slave: databases that get no pages, with commas between; the others do; unset = none"),
    key(Replication, "RedirectWrite", HostServices, "", "on a slave: host:service of the master, which gets the sessions that write; several with commas between are tried in turn"),
    key(Replication, "RedirectTls", Words(TLS_MODES), "prefer", "TLS to the servers of RedirectWrite, RepairFrom, VerifyWith, Peers and Sources: disable, prefer, require, verify-ca or verify-full, as libpq's sslmode"),
    key(Replication, "RedirectTlsCa", Path, "", "authorities of their certificates, PEM; or these certificates themselves"),
    key(Replication, "RedirectFrom", Networks, "", "on a master: networks of the slaves that may redirect sessions to it"),
    key(Replication, "ForwardWrites", Switch, "0", "on a slave, 1: a transaction that begins with a write runs on the master of RedirectWrite, 0: it is refused"),
    key(Replication, "ForwardUser", Text, "", "on a slave: user that logs in on the master for ForwardWrites; it needs the right to act for others there"),
    key(Replication, "ForwardPasswordFile", Path, "", "on a slave: file whose first line is the password of ForwardUser"),
    key(Replication, "ForwardReadWait", Duration, "30s", "on a slave: so long a read waits for what its session has written by ForwardWrites; 0 = no limit"),
    key(Replication, "PeerUser", Text, "dba", "user that logs in on the servers of RepairFrom, VerifyWith, Peers and Sources; it needs the privilege operator there"),
    key(Replication, "PeerPasswordFile", Path, "", "file whose first line is the password of PeerUser; unset = the certificate of TlsCert says who it is"),
    key(Replication, "VerifyAt", Text, "", "on a slave: time of the day (UTC, 03:15) at which all databases are compared with the master's; unset = never"),
    key(Replication, "VerifyWith", HostServices, "", "on a slave: host:service of the master for VerifyAt; unset = that of RedirectWrite"),
    key(Replication, "Sources", NamedSlaves, "", "slaves that this server feeds by itself, NAME@host:service, several with commas between; it runs one dbrepl for all of them"),
    key(Replication, "SourcesConfig", Path, "", "file with the options of that dbrepl, as of dbrepl -C; unset = it logs in as PeerUser, with TLS as RedirectTls says"),
    key(Replication, "MaxSources", Number, "256", "so many sources there may be, those by command among them"),
    key(Replication, "Peers", HostServices, "", "host:service of the other servers that may be the root, with commas between; asked by StartGuard and by a promotion; the own address among them does no harm"),
    key(Replication, "StartGuard", Words(START_GUARDS), "ask", "a server that was the root asks its Peers before it writes after a start; ask: 3s at most, require: until one has answered, off: nobody is asked; without Peers nobody is"),
    key(Replication, "Rejoin", Words(REJOINS), "ask", "what a root does that was left behind and has what the new one has not: ask = waits for 'dbctl rejoin', auto = goes back by itself, and keeps that as files"),
    key(Replication, "FormerRootBelow", Words(FORMER_ROOT_BELOW), "root", "who may feed a former root while its lost transactions are not settled: root = the root alone, any = any slave, too"),
    key(Replication, "RewindWait", Duration, "2s", "so long a checkpoint of a root waits for what its slaves are about to get, so that a rejoin is a cut of the log; 0 = not at all"),
    key(Replication, "SyncSlaves", Text, "", "slaves that have to have a commit on their disks before it is answered and seen: any K, any K (NAME, ...), first K (NAME, ...), majority; they are Sources of this server; unset = none"),
    key(Replication, "SyncOnLoss", Words(SYNC_ON_LOSS), "continue", "what a root does when too few of them answer: continue = goes on alone after SyncOnLossAfter, and says so, until they have caught up; wait = its commits wait"),
    key(Replication, "SyncOnLossAfter", Duration, "10s", "so long nothing is acknowledged before the root goes on alone"),
    key(Replication, "Priority", Number, "100", "0: this server never becomes the root; any other number: it may"),
    key(Replication, "MessageFile", Path, "", "file that gets one line for each change of state of replication; unset = none"),
    key(Replication, "TmpDir", Path, "/tmp", "scratch for parts of transactions that are not complete yet"),
    key(Replication, "MaxApplyDelay", Duration, "0", "slave: a session in mode 6, 7 or 8 that holds back what is applied longer is ended; 0 = never"),
    key(Archive, "Url", Text, "", "where the repository is whose name stands in [Archive NAME]: file:///DIRECTORY, s3://BUCKET/PREFIX, az://CONTAINER/PREFIX or gs://BUCKET/PREFIX; the server archives its log there by itself"),
    key(Archive, "Interval", Duration, "", "what is not archived gets no older; unset = 10s"),
    key(Archive, "PartSize", Size, "", "parts of about this size, 64k to 24m; unset = 8m"),
    key(Archive, "Bandwidth", Bandwidth, "", "limit in bits per second; unset = none"),
    key(Archive, "WarnBehind", Duration, "", "an archive that lacks something for longer is told of, in the log and by 'dbctl replication check'; 0 = none is; unset = 5m"),
    key(Archive, "KeepHistory", Duration, "", "'dbctl backup prune NAME' leaves all that it takes to restore each moment of so long; unset = none"),
    key(Archive, "KeepDaily", Number, "", "and the newest backup of each of so many days; unset = none"),
    key(Archive, "KeepWeekly", Number, "", "and of each of so many weeks; unset = none"),
    key(Archive, "KeepMonthly", Number, "", "and of each of so many months of 30 days; unset = none"),
    key(Volumes, "MaxSize", Size, "0", "limit of the data files, 1m at least; 0 = none"),
    key(Dbrepl, "config", Path, "", "configuration file of the master"),
    key(Dbrepl, "server", Text, "", "slave to send to, host:service"),
    key(Dbrepl, "user", Text, "", "user to log in as"),
    key(Dbrepl, "password", Text, "", "its password; a password file is better"),
    key(Dbrepl, "password-file", Path, "", "file whose first line is the password"),
    key(Dbrepl, "tls", Words(TLS_MODES), "", "TLS to the slave: disable, prefer, require, verify-ca or verify-full, as libpq's sslmode; unset = prefer"),
    key(Dbrepl, "ca-file", Path, "", "authorities of the slave's certificate, PEM; or that certificate itself"),
    key(Dbrepl, "cert-file", Path, "", "own certificate, where the slave asks for one, PEM"),
    key(Dbrepl, "key-file", Path, "", "its private key, PEM, closed to others"),
    key(Dbrepl, "verbose", Switch, "0", "show progress"),
    key(Dbrepl, "sync", Switch, "0", "synchronize on the existing log, then exit"),
    key(Dbrepl, "generation", Switch, "0", "process the current generation, then exit"),
    key(Dbrepl, "until", Text, "", "up to and including that point in time, then exit"),
    key(Dbrepl, "bandwidth", Bandwidth, "0", "limit in bits per second; 0 = none"),
    key(Dbrepl, "delay", Duration, "0", "a transaction is sent no earlier than so long after its commit; 0 = at once"),
    key(Dbrepl, "filter", Text, "", "command that is asked before a transaction is sent; unset = none"),
    key(Dbrepl, "compress", Switch, "0", "compress on the wire what is stored uncompressed"),
    key(Dbrepl, "init", Words(INITS), "", "copies for slaves that the log can't bring up to date: never, auto, or always (each empty slave); unset = auto"),
    key(Dbrepl, "resync", Switch, "0", "1: slaves whose log differs are re-synchronized, too; what only they have is set aside"),
    key(Dbrepl, "source", Text, "", "server of the log, for copies, host:service; unset = by its configuration"),
    key(Dbrepl, "source-user", Text, "", "user to log in as there; unset = as at the slaves"),
    key(Dbrepl, "source-password-file", Path, "", "file whose first line is that user's password"),
    key(Dbrepl, "part-size", Size, "", "an archive gets parts of about this size, 64k to 24m; unset = 8m"),
    key(Dbrepl, "interval", Duration, "", "what is older is archived, too, in a smaller part; unset = 10s"),
    key(Dbrepl, "hard-tries", Number, "1", "attempts to reach a slave that are one hard-period apart; then the pause doubles up to soft-period"),
    key(Dbrepl, "hard-period", Duration, "100ms", "pause between the first attempts"),
    key(Dbrepl, "soft-period", Duration, "5s", "longest pause between two attempts"),
    key(Dbrepl, "alert", Duration, "0", "a slave that is not reached is told of again each time so long has passed, hard-tries x hard-period + soft-period at least; 0 = never"),
    key(Dbrepl, "heartbeat", Duration, "1s", "a sign of life goes to the slave so often; more than 2s is taken as 2s"),
    key(Dbrepl, "heartbeat-wait", Duration, "30s", "a slave that has said nothing for so long is connected anew; less than 3s is taken as 3s"),
    key(Dbrepl, "daemon", Switch, "0", "run in the background"),
    key(Dbrepl, "pid-file", Path, "", "file for the process id"),
    key(Dbrepl, "log-file", Text, "console", "where messages go: a file, console or syslog"),
    key(Dbrepl, "debug", Text, "", "debug flags"),
    key(Client, "host", Text, "", "server, host or host:service, or the directory of its Unix socket; holds where neither -h nor -c nor EQ_CONFIG says another"),
    key(Client, "service", Text, "", "port or service name of that server"),
    key(Client, "user", Text, "", "user to log in as"),
    key(Client, "password", Text, "", "its password; a password file is better"),
    key(Client, "password-file", Path, "", "file whose first line is the password"),
    key(Client, "tls", Words(TLS_MODES), "", "TLS to the server: disable, prefer, require, verify-ca or verify-full, as libpq's sslmode; unset = prefer"),
    key(Client, "ca-file", Path, "", "authorities of the server's certificate, PEM; or that certificate itself"),
    key(Client, "cert-file", Path, "", "own certificate, where the server asks for one, PEM"),
    key(Client, "key-file", Path, "", "its private key, PEM, closed to others"),
];

/// The section of that name, whatever its case, among those of a file.
pub fn find_section(sections: &[Section], name: &str) -> Option<Section> {
    sections
        .iter()
        .copied()
        .find(|section| section.name().eq_ignore_ascii_case(name))
}

/// The key of that name, whatever its case.
pub fn find(section: Section, name: &str) -> Option<&'static Key> {
    of_section(section).find(|key| key.name.eq_ignore_ascii_case(name))
}

/// The keys of a section, in the order of the samples.
pub fn of_section(section: Section) -> impl Iterator<Item = &'static Key> {
    KEYS.iter().filter(move |key| key.section == section)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_section_has_a_key_twice() {
        for key in KEYS {
            let same =
                of_section(key.section).filter(|other| other.name.eq_ignore_ascii_case(key.name));
            assert_eq!(same.count(), 1, "{} {}", key.section, key.name);
        }
    }

    #[test]
    fn names_are_found_whatever_their_case() {
        let key = find(ForwardLog, "FWLOG").expect("known key");
        assert_eq!(key.name, "FwLog");
        assert_eq!(
            find_section(&Section::SERVER_FILE, "DB-Access"),
            Some(DbAccess)
        );
        assert_eq!(find_section(&Section::SERVER_FILE, "dbrepl"), None);
    }
}
