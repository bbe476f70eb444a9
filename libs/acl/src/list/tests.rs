use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn role(name: &str) -> Grantee {
    Grantee::Role(name.to_owned())
}

fn all(privileges: Privileges) -> Revoked {
    Revoked {
        privileges,
        option_only: false,
        cascade: false,
    }
}

#[test]
fn a_list_is_what_was_granted() {
    let mut list = Acl::default_of(Kind::Table, "dba");
    let read = (Privileges::SELECT, false);
    list.grant("dba", "dba", &role("ann"), read).unwrap();
    let more = (Privileges::UPDATE, true);
    list.grant("dba", "dba", &role("ann"), more).unwrap();
    list.grant("dba", "dba", &Grantee::Public, read).unwrap();
    assert_eq!(
        list.to_string(),
        "dba=arwdDxt/dba\nann=rw*/dba\n=r/dba",
        "as psql shows it"
    );
    assert_eq!(Acl::read(&list.to_string()), Some(list.clone()));
    assert_eq!(list.held(|_| false), Privileges::SELECT);
    assert!(list.held(|name| name == "ann").has(Privileges::UPDATE));
    assert_eq!(list.options("dba", "ann"), Privileges::UPDATE);
    list.change_owner("dba", "ann");
    assert_eq!(list.to_string(), "ann=arw*dDxt/ann\n=r/ann");
}

#[test]
fn what_was_granted_on_goes_with_it_or_keeps_it() {
    let mut list = Acl::default_of(Kind::Table, "dba");
    let read = Privileges::SELECT;
    list.grant("dba", "dba", &role("ann"), (read, true))
        .unwrap();
    list.grant("dba", "ann", &role("bob"), (read, true))
        .unwrap();
    let circle = list.clone().grant("dba", "bob", &role("ann"), (read, true));
    assert_eq!(circle, Err(Refused::Circle));
    let public = list
        .clone()
        .grant("dba", "dba", &Grantee::Public, (read, true));
    assert_eq!(public, Err(Refused::OptionToPublic));
    let kept = list.clone().revoke("dba", "dba", &role("ann"), all(read));
    assert_eq!(kept, Err(Refused::Dependent));
    let cascade = Revoked {
        option_only: true,
        cascade: true,
        ..all(read)
    };
    list.revoke("dba", "dba", &role("ann"), cascade).unwrap();
    assert_eq!(list.to_string(), "dba=arwdDxt/dba\nann=r/dba");
}

#[test]
fn a_grant_is_made_in_the_name_of_who_may() {
    let mut list = Acl::default_of(Kind::Table, "owner");
    let both = Privileges::SELECT.and(Privileges::INSERT);
    list.grant("owner", "owner", &role("group"), (Privileges::SELECT, true))
        .unwrap();
    assert_eq!(
        list.grantor("owner", &["ann", "owner"], both),
        ("owner", both)
    );
    assert_eq!(
        list.grantor("owner", &["ann", "group"], both),
        ("group", Privileges::SELECT)
    );
    assert_eq!(
        list.grantor("owner", &["ann"], both),
        ("ann", Privileges::NONE)
    );
}

/// Who has granted one privilege to whom, and whether it may be granted on.
type Edges = BTreeSet<(u8, u8, bool)>;

/// The owner is 0. What nobody may grant any more goes, until nothing changes.
fn settle(edges: &mut Edges) {
    loop {
        let holds = |edges: &Edges, who: u8| {
            who == 0 || edges.iter().any(|(_, to, option)| *to == who && *option)
        };
        let before = edges.clone();
        edges.retain(|(from, ..)| holds(&before, *from));
        if edges.len() == before.len() {
            return;
        }
    }
}

fn reaches(edges: &Edges, from: u8, to: u8) -> bool {
    let mut without = edges.clone();
    without.retain(|(_, grantee, option)| !(*grantee == from && *option));
    settle(&mut without);
    to != 0
        && !without
            .iter()
            .any(|(_, grantee, option)| *grantee == to && *option)
}

#[derive(Debug, Clone, Copy)]
struct Step {
    from: u8,
    to: u8,
    grants: bool,
    option: bool,
    cascade: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (
        0..4_u8,
        0..4_u8,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(from, to, grants, option, cascade)| Step {
            from,
            to,
            grants,
            option,
            cascade,
        })
}

/// The same by the slow way: every edge is looked at again until nothing changes.
fn slow(edges: &Edges, step: Step) -> Option<Edges> {
    let mut after = edges.clone();
    let (plain, option) = ((step.from, step.to, false), (step.from, step.to, true));
    if step.grants {
        if step.option && step.from != 0 && reaches(edges, step.to, step.from) {
            return None;
        }
        if step.option {
            after.remove(&plain);
            after.insert(option);
        } else if !after.contains(&option) {
            after.insert(plain);
        }
        return Some(after);
    }
    let had = after.remove(&option);
    if step.option {
        if had {
            after.insert(plain);
        }
    } else {
        after.remove(&plain);
    }
    let before = after.len();
    settle(&mut after);
    (step.cascade || before == after.len()).then_some(after)
}

proptest! {
    #[test]
    fn lists_do_what_the_slow_model_does(steps in prop::collection::vec(step(), 1..40)) {
        let name = |who: u8| format!("r{who}");
        let mut list = Acl::default();
        let mut edges = Edges::new();
        for step in steps {
            let may = step.from == 0 || edges.iter().any(|(_, to, option)| *to == step.from && *option);
            // Who may not grant can neither revoke; the owner has all options as it is.
            if !may || step.to == 0 || step.from == step.to {
                continue;
            }
            let mut changed = list.clone();
            let (from, to) = (name(step.from), role(&name(step.to)));
            let result = if step.grants {
                changed.grant("r0", &from, &to, (Privileges::SELECT, step.option))
            } else {
                changed.revoke("r0", &from, &to, Revoked {
                    privileges: Privileges::SELECT,
                    option_only: step.option,
                    cascade: step.cascade,
                })
            };
            let slow = slow(&edges, step);
            prop_assert_eq!(result.is_ok(), slow.is_some(), "{:?} on {}", step, list);
            let Some(slow) = slow else { continue };
            (list, edges) = (changed, slow);
            let shown: Edges = list.items().iter().map(|item| {
                let number = |name: &str| name[1..].parse().unwrap();
                (number(&item.grantor), number(item.grantee.role().unwrap()), !item.options.is_empty())
            }).collect();
            prop_assert_eq!(&shown, &edges);
            prop_assert_eq!(Acl::read(&list.to_string()), Some(list.clone()));
        }
    }
}
