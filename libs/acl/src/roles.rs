//! Roles and who is a member of which.

use std::collections::{BTreeMap, BTreeSet};

/// What matters of a role for what it may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Role {
    /// It may do everything.
    pub superuser: bool,
    /// It has the rights of the roles that it is a member of without SET ROLE.
    pub inherit: bool,
}

/// That a role is a member of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The group.
    pub role: String,
    /// Who is in it.
    pub member: String,
    /// May take others in.
    pub admin: bool,
    /// Who has made him a member.
    pub grantor: String,
}

/// All roles, and their memberships.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles {
    roles: BTreeMap<String, Role>,
    members: Vec<Member>,
}

impl Roles {
    /// These.
    pub fn new(roles: BTreeMap<String, Role>, members: Vec<Member>) -> Self {
        Self { roles, members }
    }

    /// Whether there is such a role.
    pub fn has(&self, role: &str) -> bool {
        self.roles.contains_key(role)
    }

    /// All memberships.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Whether a role may do everything.
    pub fn is_superuser(&self, role: &str) -> bool {
        self.roles.get(role).is_some_and(|role| role.superuser)
    }

    /// The role and all whose rights it has without SET ROLE; the role itself comes first.
    pub fn rights_of<'a>(&'a self, role: &'a str) -> Vec<&'a str> {
        self.closure(role, |member| {
            self.roles.get(member).is_some_and(|role| role.inherit)
        })
    }

    /// The role and all that it is a member of, directly or not.
    pub fn memberships<'a>(&'a self, role: &'a str) -> Vec<&'a str> {
        self.closure(role, |_| true)
    }

    /// Whether a role may become another by SET ROLE.
    pub fn may_become(&self, role: &str, other: &str) -> bool {
        self.is_superuser(role) || self.memberships(role).contains(&other)
    }

    /// Whether a role may take others into a group, and let them go.
    pub fn may_admit(&self, role: &str, group: &str) -> bool {
        let own = self.memberships(role);
        self.is_superuser(role)
            || self.members.iter().any(|member| {
                member.role == group && member.admin && own.contains(&member.member.as_str())
            })
    }

    fn closure<'a>(&'a self, role: &'a str, goes_on: impl Fn(&str) -> bool) -> Vec<&'a str> {
        let mut found = vec![role];
        let mut seen = BTreeSet::from([role]);
        let mut at = 0;
        while let Some(member) = found.get(at).copied() {
            at += 1;
            if !goes_on(member) {
                continue;
            }
            for group in self.members.iter().filter(|known| known.member == member) {
                if seen.insert(&group.role) {
                    found.push(&group.role);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles() -> Roles {
        let role = |name: &str, superuser, inherit| (name.to_owned(), Role { superuser, inherit });
        let member = |member: &str, role: &str, admin| Member {
            role: role.to_owned(),
            member: member.to_owned(),
            admin,
            grantor: "dba".to_owned(),
        };
        Roles::new(
            BTreeMap::from([
                role("dba", true, true),
                role("ann", false, true),
                role("bob", false, false),
                role("sales", false, true),
                role("staff", false, true),
            ]),
            vec![
                member("ann", "sales", false),
                member("sales", "staff", true),
                member("bob", "sales", false),
            ],
        )
    }

    #[test]
    fn rights_go_through_groups_of_those_who_inherit() {
        let roles = roles();
        assert_eq!(roles.rights_of("ann"), ["ann", "sales", "staff"]);
        assert_eq!(roles.rights_of("bob"), ["bob"]);
        assert_eq!(roles.memberships("bob"), ["bob", "sales", "staff"]);
        assert!(roles.may_become("bob", "staff") && !roles.may_become("staff", "bob"));
        assert!(roles.may_become("dba", "bob"));
        assert!(roles.may_admit("ann", "staff") && !roles.may_admit("ann", "sales"));
    }
}
