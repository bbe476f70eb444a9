//! What decides who may do what in a database.

use std::collections::BTreeMap;

use crate::list::Acl;
use crate::privileges::{Kind, Privileges};
use crate::roles::Roles;

/// Who owns an object, and who may use it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// `None`: the owner of the database.
    pub owner: Option<String>,
    /// `None`: nothing was ever granted or revoked.
    pub acl: Option<Acl>,
}

/// The objects of a database of which something is known, by kind and name. Views are tables.
pub type Objects = BTreeMap<(Kind, String), Object>;

/// Who may do what in one database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Authority {
    /// All roles.
    pub roles: Roles,
    /// The database itself; `None`: it has no owner, and everybody may do everything in it.
    pub database: Option<Object>,
    /// What is in it.
    pub objects: Objects,
}

/// The schema that every database has.
const PUBLIC: &str = "public";

/// The role behind all databases that have no owner of their own.
const NOBODY: &str = "dba";

impl Authority {
    /// Whether a role may do everything in the database, whatever is granted.
    pub fn is_open_to(&self, role: &str) -> bool {
        self.database.is_none() || self.roles.is_superuser(role)
    }

    /// Who owns the database.
    pub fn database_owner(&self) -> &str {
        let owner = self.database.as_ref().and_then(|own| own.owner.as_deref());
        owner.unwrap_or(NOBODY)
    }

    /// What is known of an object.
    pub fn object(&self, kind: Kind, name: &str) -> Option<&Object> {
        if kind == Kind::Database {
            return self.database.as_ref();
        }
        self.objects.get(&(kind, name.to_owned()))
    }

    /// Who owns an object.
    pub fn owner(&self, kind: Kind, name: &str) -> &str {
        let owner = self.object(kind, name).and_then(|own| own.owner.as_deref());
        owner.unwrap_or_else(|| self.database_owner())
    }

    /// The list of an object: what was granted, or what holds where nothing was.
    pub fn acl(&self, kind: Kind, name: &str) -> Acl {
        let known = self.object(kind, name).and_then(|own| own.acl.clone());
        known.unwrap_or_else(|| {
            let owner = self.owner(kind, name);
            match (kind, name) {
                (Kind::Schema, PUBLIC) => Acl::default_of_public(owner),
                _ => Acl::default_of(kind, owner),
            }
        })
    }

    /// Whether a role has the rights of the owner.
    pub fn owns(&self, role: &str, kind: Kind, name: &str) -> bool {
        self.is_open_to(role) || self.roles.rights_of(role).contains(&self.owner(kind, name))
    }

    /// What a role may do with an object.
    pub fn held(&self, role: &str, kind: Kind, name: &str) -> Privileges {
        if self.is_open_to(role) {
            return kind.all();
        }
        let roles = self.roles.rights_of(role);
        let is = |name: &str| roles.contains(&name);
        let own = self.acl(kind, name).held(is);
        if kind == Kind::Database {
            return own;
        }
        let of_all = self.acl(Kind::Database, "").held(is);
        own.and(of_all.common(kind.all()))
    }

    /// What a role may grant on an object.
    pub fn options(&self, role: &str, kind: Kind, name: &str) -> Privileges {
        if self.owns(role, kind, name) {
            return kind.all();
        }
        let (acl, owner) = (self.acl(kind, name), self.owner(kind, name));
        let roles = self.roles.rights_of(role).into_iter();
        roles.fold(Privileges::NONE, |held, role| {
            held.and(acl.options(owner, role))
        })
    }

    /// Whether anything in the database is a role's, or was granted to it or by it.
    pub fn depends_on(&self, role: &str) -> bool {
        let names = |object: &Object| {
            object.owner.as_deref() == Some(role)
                || object.acl.as_ref().is_some_and(|acl| acl.names(role))
        };
        self.objects.values().any(names)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::item::Grantee;
    use crate::roles::Role;

    fn authority() -> Authority {
        let role = |superuser| Role {
            superuser,
            inherit: true,
        };
        let roles = BTreeMap::from([
            ("dba".to_owned(), role(true)),
            ("ann".to_owned(), role(false)),
            ("bob".to_owned(), role(false)),
        ]);
        Authority {
            roles: Roles::new(roles, Vec::new()),
            database: Some(Object {
                owner: Some("ann".to_owned()),
                acl: None,
            }),
            objects: Objects::new(),
        }
    }

    #[test]
    fn a_database_without_an_owner_is_everybodys() {
        let mut authority = authority();
        assert_eq!(authority.held("bob", Kind::Table, "t"), Privileges::NONE);
        assert!(!authority.owns("bob", Kind::Table, "t"));
        assert_eq!(authority.held("ann", Kind::Table, "t"), Kind::Table.all());
        authority.database = None;
        assert_eq!(authority.held("bob", Kind::Table, "t"), Kind::Table.all());
        assert!(authority.owns("bob", Kind::Table, "t"));
    }

    #[test]
    fn what_is_granted_on_a_database_holds_for_all_in_it() {
        let mut authority = authority();
        let mut acl = Acl::default_of(Kind::Database, "ann");
        let bob = Grantee::Role("bob".to_owned());
        let read = Privileges::SELECT.and(Privileges::CONNECT);
        acl.grant("ann", "ann", &bob, (read, false)).unwrap();
        authority.database = Some(Object {
            owner: Some("ann".to_owned()),
            acl: Some(acl),
        });
        assert_eq!(authority.held("bob", Kind::Database, ""), read);
        assert_eq!(authority.held("bob", Kind::Table, "t"), Privileges::SELECT);
        assert_eq!(
            authority.held("bob", Kind::Sequence, "s"),
            Privileges::SELECT
        );
        assert_eq!(
            authority.held("bob", Kind::Schema, "public"),
            Privileges::USAGE
        );
        assert_eq!(authority.options("bob", Kind::Table, "t"), Privileges::NONE);
    }
}
