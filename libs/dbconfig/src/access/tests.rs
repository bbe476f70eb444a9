use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::Config;

fn config(lines: &str) -> Config {
    let text = format!("[Server]\nDataDir = /d\n{lines}");
    Config::parse_with(Path::new("/etc/x.cfg"), &text, &|_| None)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// What names of hosts stand for in these tests; `lost` can't be resolved.
const NAMES: [(&str, Option<&[&str]>); 3] = [
    ("till", Some(&["10.0.0.1", "fd00::1"])),
    ("none.example", Some(&[])),
    ("lost", None),
];

fn resolve(name: &HostName) -> Option<Vec<IpAddr>> {
    let (_, addresses) = NAMES.iter().find(|(known, _)| *known == name.as_str())?;
    addresses.map(|list| list.iter().map(|text| text.parse().unwrap()).collect())
}

/// Asks until there is an answer, as a server does; gives the rule that refused.
fn judge(access: &Access, asked: &Asked<'_>) -> Result<(), String> {
    let mut known = Known::new();
    for _ in 0..2 {
        match access.decide(asked, &known) {
            Decision::Permitted => return Ok(()),
            Decision::Refused(refusal) => return Err(refusal.rule.to_owned()),
            Decision::Ask(names) => {
                let names: Vec<HostName> = names.into_iter().cloned().collect();
                known.extend(names.into_iter().map(|name| (name.clone(), resolve(&name))));
            }
        }
    }
    panic!("it asks for names again and again: {asked:?}");
}

/// `local`, or an address.
fn origin(text: &str) -> Origin {
    match text {
        "local" => Origin::Local,
        address => Origin::Address(address.parse().unwrap()),
    }
}

fn permits(access: &Access, address: &str, user: &str, target: Target<'_>) -> bool {
    let origin = origin(address);
    judge(
        access,
        &Asked {
            origin,
            user,
            target,
        },
    )
    .is_ok()
}

#[test]
fn deny_wins_over_allow() {
    let access = config("[db-access]\nallow = 10.0.0.0/8, fd00::/8\ndeny = 10.1.0.0/16").access;
    let permits = |address| permits(&access, address, "app", Target::Database("shop"));
    assert!(permits("10.2.0.1"));
    assert!(permits("fd00::7"));
    assert!(!permits("10.1.255.255"));
    assert!(!permits("11.0.0.1"));
    assert!(!permits("fe00::7"));
}

#[test]
fn all_and_none_are_what_they_say() {
    for (lines, address, expected) in [
        ("allow = all\ndeny = none", "203.0.113.9", true),
        ("allow = all\ndeny = none", "2001:db8::1", true),
        ("allow = all\ndeny = ALL", "::1", false),
        ("allow = none", "127.0.0.1", false),
        ("allow-users = none", "127.0.0.1", false),
        ("deny-users = all", "127.0.0.1", false),
        // The Unix socket is of this machine, as loopback is.
        ("", "local", true),
        ("allow = 10.0.0.0/8", "local", false),
        ("allow = 10.0.0.0/8, local", "local", true),
        ("allow = local", "127.0.0.1", false),
        ("allow = ::1", "local", true),
        ("allow = all\ndeny = local", "local", false),
        ("allow = all\ndeny = local", "127.0.0.1", true),
        ("deny = 127.0.0.1", "local", false),
        ("allow = all\ndeny = all", "local", false),
    ] {
        let access = config(&format!("[db-access]\n{lines}")).access;
        let target = Target::Database("shop");
        assert_eq!(
            permits(&access, address, "app", target),
            expected,
            "{lines}: {address}"
        );
    }
}

#[test]
fn an_ipv4_client_on_an_ipv6_socket_counts_as_ipv4() {
    let access = config("[db-access]\nallow = 127.0.0.0/8, till").access;
    let permits = |address| permits(&access, address, "app", Target::Database("shop"));
    assert!(permits("::ffff:127.0.0.1"));
    assert!(permits("::ffff:10.0.0.1"));
    assert!(!permits("::ffff:10.0.0.2"));
    assert!(!permits("::1"));
}

#[test]
fn a_database_has_its_own_allow_and_the_common_deny() {
    let lines = "[db-access]\nallow = 10.0.0.0/8\ndeny = 10.9.0.0/16\n\
                 [db-access Shop]\nallow = 10.9.0.0/16, 192.0.2.0/24\nallow-users = app, Ann";
    let access = config(lines).access;
    let shop = Target::Database("shop");
    assert!(permits(&access, "192.0.2.1", "app", shop));
    assert!(permits(
        &access,
        "192.0.2.1",
        "Ann",
        Target::Database("SHOP")
    ));
    assert!(!permits(&access, "192.0.2.1", "ann", shop));
    assert!(!permits(&access, "10.1.0.1", "app", shop));
    assert!(!permits(&access, "10.9.0.1", "app", shop));
    assert!(permits(
        &access,
        "10.1.0.1",
        "bob",
        Target::Database("stock")
    ));
}

#[test]
fn the_forward_log_comes_from_one_address_only() {
    let lines = "[db-access system]\nallow = 127.0.0.1, 10.0.0.7\n\
                 [db-access replication]\nallow = 10.0.0.7\nallow-users = repl";
    let access = config(lines).access;
    let system = Target::Database("system");
    assert!(permits(&access, "127.0.0.1", "dba", system));
    assert!(permits(&access, "10.0.0.7", "dba", system));
    assert!(permits(&access, "10.0.0.7", "repl", Target::Replication));
    assert!(!permits(&access, "10.0.0.7", "dba", Target::Replication));
    assert!(!permits(&access, "127.0.0.1", "repl", Target::Replication));
    // Without a section of its own it is as the database that it opens.
    let access = config("[db-access system]\nallow = 10.0.0.7").access;
    assert!(permits(&access, "10.0.0.7", "dba", Target::Replication));
    assert!(!permits(&access, "127.0.0.1", "dba", Target::Replication));
    assert!(permits(
        &access,
        "127.0.0.1",
        "dba",
        Target::Database("shop")
    ));
}

#[test]
fn a_refusal_names_file_and_line() {
    let lines = "[db-access]\ndeny = 10.0.0.9\n[db-access shop]\nallow-users = app\nallow = lost";
    let access = config(lines).access;
    let refusal = |address: &str, user| {
        let origin = origin(address);
        let target = Target::Database("shop");
        judge(
            &access,
            &Asked {
                origin,
                user,
                target,
            },
        )
        .unwrap_err()
    };
    assert_eq!(
        refusal("10.0.0.9", "app"),
        "/etc/x.cfg:4: deny of [db-access]"
    );
    let users = "/etc/x.cfg:6: allow-users of [db-access shop]";
    assert_eq!(refusal("127.0.0.1", "ann"), users);
    let hosts = "/etc/x.cfg:7: allow of [db-access shop]";
    assert_eq!(refusal("127.0.0.1", "app"), hosts);
    let origin = origin("127.0.0.1");
    let target = Target::StatusPage;
    let page = Asked {
        origin,
        user: "",
        target,
    };
    assert_eq!(judge(&config("").http_access, &page), Ok(()));
}

#[test]
fn a_name_that_is_lost_lets_nobody_in() {
    let target = Target::Database("shop");
    let allow = config("[db-access]\nallow = lost, till").access;
    assert!(permits(&allow, "10.0.0.1", "app", target));
    assert!(!permits(&allow, "10.0.0.2", "app", target));
    // It may be the very host that is denied.
    let deny = config("[db-access]\nallow = all\ndeny = lost").access;
    assert!(!permits(&deny, "10.0.0.1", "app", target));
    let deny = config("[db-access]\nallow = all\ndeny = till").access;
    assert!(!permits(&deny, "fd00::1", "app", target));
    assert!(permits(&deny, "10.0.0.2", "app", target));
}

#[test]
fn names_are_looked_up_only_where_they_decide() {
    let access = config("[db-access]\nallow = 10.0.0.0/8, till\ndeny = 10.9.0.0/16").access;
    let decide = |address: &str| {
        let asked = Asked {
            origin: origin(address),
            user: "app",
            target: Target::Database("shop"),
        };
        matches!(access.decide(&asked, &Known::new()), Decision::Ask(_))
    };
    assert!(!decide("10.0.0.1"), "a network has it");
    assert!(!decide("10.9.0.1"), "it is denied anyway");
    assert!(decide("192.0.2.1"));
}

#[test]
fn sections_of_databases_are_listed_with_their_places() {
    let lines = "[db-access replication]\n[db-access Shop]\n[db-access shop]\nallow = all";
    let config = config(lines);
    let databases: Vec<_> = config.access.databases().collect();
    let shop = DatabaseName::new("shop");
    assert_eq!(databases, [(&shop, "/etc/x.cfg:4: [db-access shop]")]);
    let settings = config
        .settings
        .iter()
        .filter(|setting| setting.database.is_some());
    let shown: Vec<_> = settings
        .map(|setting| {
            (
                setting.place().to_string(),
                setting.key.name,
                &*setting.text,
            )
        })
        .collect();
    assert_eq!(shown, [("db-access shop".to_owned(), "allow", "all")]);
    let twice =
        "[Server]\nDataDir = /d\n[db-access Shop]\nallow = all\n[db-access \"shop\"]\nallow = none";
    let error = Config::parse(Path::new("x.cfg"), twice)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "x.cfg:6: allow was already set in line 4");
    let error = Config::parse(Path::new("x.cfg"), "[http-access shop]").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("unknown section [http-access shop]"),
        "{error}"
    );
}

#[test]
fn a_forgotten_comma_is_a_mistake() {
    let text = "[Server]\nDataDir = /d\n[db-access]\ndeny-users = app ann";
    let error = Config::parse(Path::new("x.cfg"), text).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("x.cfg:4: deny-users: `app ann` has a blank"),
        "{error}"
    );
}

/// One section as words, for the file and for the model.
#[derive(Debug, Clone)]
struct Written {
    /// allow, deny, allow-users, deny-users
    keys: [Option<Vec<&'static str>>; 4],
}

const KEYS: [&str; 4] = ["allow", "deny", "allow-users", "deny-users"];
const HOSTS: [&str; 9] = [
    "all",
    "10.0.0.0/31",
    "10.0.0.2",
    "fd00::/127",
    "fd00::2",
    "::/0",
    "till",
    "none.example",
    "lost",
];
const USERS: [&str; 4] = ["all", "app", "ann", "bob"];
const ADDRESSES: [&str; 7] = [
    "127.0.0.1",
    "10.0.0.1",
    "10.0.0.2",
    "::ffff:10.0.0.1",
    "fd00::1",
    "fd00::2",
    "192.0.2.1",
];

/// By hand, without the code under test: each address against each word.
fn has_host(word: &str, address: &str) -> bool {
    let address = address.trim_start_matches("::ffff:");
    match word {
        "all" => true,
        "10.0.0.0/31" => address == "10.0.0.1",
        "fd00::/127" => address == "fd00::1",
        "::/0" => address.contains(':'),
        "till" => ["10.0.0.1", "fd00::1"].contains(&address),
        "none.example" | "lost" => false,
        one => one == address,
    }
}

fn list(of: &'static [&'static str]) -> impl Strategy<Value = Option<Vec<&'static str>>> {
    prop_oneof![
        1 => Just(None),
        1 => Just(Some(vec!["none"])),
        3 => subsequence(of, 1..=2).prop_map(Some),
    ]
}

fn section() -> impl Strategy<Value = Written> {
    (list(&HOSTS), list(&HOSTS), list(&USERS), list(&USERS))
        .prop_map(|(a, b, c, d)| Written { keys: [a, b, c, d] })
}

fn model(sections: &[&Written], address: &str, user: &str) -> bool {
    let hosts = |words: &Vec<&str>| words.iter().any(|word| has_host(word, address));
    let users = |words: &Vec<&str>| words.iter().any(|word| [user, "all"].contains(word));
    let denied = sections.iter().any(|section| {
        let [_, deny, _, deny_users] = &section.keys;
        let lost = deny.iter().any(|words| words.contains(&"lost"));
        lost || deny.as_ref().is_some_and(hosts) || deny_users.as_ref().is_some_and(users)
    });
    let nearest = |key: usize| {
        sections
            .iter()
            .rev()
            .find_map(|section| section.keys[key].as_ref())
    };
    let is_near = || ["127.", "::1"].iter().any(|near| address.starts_with(near));
    let from = nearest(0).map_or_else(is_near, hosts);
    let who = nearest(2).is_none_or(users);
    !denied && from && who
}

fn written(head: &str, section: &Written, backwards: bool) -> String {
    let mut lines: Vec<String> = KEYS
        .iter()
        .zip(&section.keys)
        .filter_map(|(key, words)| Some(format!("{key} = {}\n", words.as_ref()?.join(", "))))
        .collect();
    if backwards {
        lines.reverse();
    }
    format!("[{head}]\n{}", lines.concat())
}

proptest! {
    /// Any rules in any order in the file are what the four sentences of the manual say.
    #[test]
    fn access_is_what_the_manual_says(
        general in section(),
        shop in proptest::option::of(section()),
        system in proptest::option::of(section()),
        replication in proptest::option::of(section()),
        backwards in any::<bool>(),
        user in select(&["app", "ann", "bob"][..]),
    ) {
        let named = [("db-access SHOP", &shop), ("db-access system", &system), ("db-access replication", &replication)];
        let mut parts = vec![written("db-access", &general, backwards)];
        parts.extend(named.iter().filter_map(|(head, section)| Some(written(head, section.as_ref()?, backwards))));
        if backwards {
            parts.reverse();
        }
        let access = config(&parts.concat()).access;
        for (target, of) in [
            (Target::Database("shop"), vec![&shop]),
            (Target::Database("stock"), vec![]),
            (Target::Database("system"), vec![&system]),
            (Target::Replication, vec![&system, &replication]),
        ] {
            let special = of.into_iter().filter_map(Option::as_ref);
            let sections: Vec<&Written> = std::iter::once(&general).chain(special).collect();
            for address in ADDRESSES {
                prop_assert_eq!(
                    permits(&access, address, user, target),
                    model(&sections, address, user),
                    "{} {} {:?}\n{}", address, user, target, parts.concat()
                );
            }
        }
    }
}
