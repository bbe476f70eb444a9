//! An access-control list, and what GRANT and REVOKE make of it.

use std::fmt;

use crate::item::{Grantee, Item};
use crate::privileges::{Kind, Privileges};

/// Who was granted what on one object, in the order of the grants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl(Vec<Item>);

/// Why a list can't be changed so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A right to grant for everybody.
    OptionToPublic,
    /// The right to grant would come back to whom it comes from.
    Circle,
    /// Others have what is taken away by way of the one that it is taken from.
    Dependent,
}

/// What is taken away.
#[derive(Debug, Clone, Copy)]
pub struct Revoked {
    /// The privileges.
    pub privileges: Privileges,
    /// Only the right to grant them.
    pub option_only: bool,
    /// What was granted on goes with it.
    pub cascade: bool,
}

impl Acl {
    /// That of an object for which nothing was ever granted: its owner has all, and everybody may use a type.
    pub fn default_of(kind: Kind, owner: &str) -> Self {
        let mut items = vec![Item {
            grantee: Grantee::Role(owner.to_owned()),
            grantor: owner.to_owned(),
            granted: kind.all(),
            options: Privileges::NONE,
        }];
        if kind == Kind::Type {
            items.push(Item {
                grantee: Grantee::Public,
                grantor: owner.to_owned(),
                granted: Privileges::USAGE,
                options: Privileges::NONE,
            });
        }
        Self(items)
    }

    /// That of the schema `public`, which everybody may use.
    pub fn default_of_public(owner: &str) -> Self {
        let mut acl = Self::default_of(Kind::Schema, owner);
        acl.0.push(Item {
            grantee: Grantee::Public,
            grantor: owner.to_owned(),
            granted: Privileges::USAGE,
            options: Privileges::NONE,
        });
        acl
    }

    /// Reads what [`fmt::Display`] has written.
    pub fn read(text: &str) -> Option<Self> {
        text.lines()
            .map(Item::read)
            .collect::<Option<_>>()
            .map(Self)
    }

    /// The items.
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// What those have that `is` says yes to, and everybody.
    pub fn held(&self, is: impl Fn(&str) -> bool) -> Privileges {
        let own = self
            .0
            .iter()
            .filter(|item| item.grantee.role().is_none_or(&is));
        own.fold(Privileges::NONE, |held, item| held.and(item.granted))
    }

    /// What one role may grant, not counting what it is a member of. Who owns the object may grant everything.
    pub fn options(&self, owner: &str, role: &str) -> Privileges {
        if role == owner {
            return Privileges::NONE.and(ALL);
        }
        let own = self
            .0
            .iter()
            .filter(|item| item.grantee.role() == Some(role));
        own.fold(Privileges::NONE, |held, item| held.and(item.options))
    }

    /// In whose name something is granted or revoked: the owner where the one who asks has his rights, else the one of
    /// `roles` that may grant most of it; the first of them is the one who asks.
    pub fn grantor<'a>(
        &self,
        owner: &'a str,
        roles: &[&'a str],
        wanted: Privileges,
    ) -> (&'a str, Privileges) {
        if roles.contains(&owner) {
            return (owner, wanted);
        }
        let mut best = (roles.first().copied().unwrap_or(owner), Privileges::NONE);
        for role in roles {
            let options = self.options(owner, role).common(wanted);
            if options.count() > best.1.count() {
                best = (role, options);
            }
        }
        best
    }

    /// GRANT, in the name of `grantor`, who may do so.
    pub fn grant(
        &mut self,
        owner: &str,
        grantor: &str,
        grantee: &Grantee,
        (privileges, with_option): (Privileges, bool),
    ) -> Result<(), Refused> {
        let options = if with_option {
            privileges
        } else {
            Privileges::NONE
        };
        if with_option {
            if *grantee == Grantee::Public {
                return Err(Refused::OptionToPublic);
            }
            self.check_circle(owner, grantor, grantee, options)?;
        }
        match self.0.iter_mut().find(|item| item.is_of(grantor, grantee)) {
            Some(item) => {
                item.granted = item.granted.and(privileges);
                item.options = item.options.and(options);
            }
            None => self.0.push(Item {
                grantee: grantee.clone(),
                grantor: grantor.to_owned(),
                granted: privileges,
                options,
            }),
        }
        Ok(())
    }

    /// Whether the grantor would still have the right if all that the grantee has granted were gone.
    fn check_circle(
        &self,
        owner: &str,
        grantor: &str,
        grantee: &Grantee,
        options: Privileges,
    ) -> Result<(), Refused> {
        let Some(role) = grantee.role().filter(|_| grantor != owner) else {
            return Ok(());
        };
        let mut without = self.clone();
        let theirs: Vec<Item> = self.of_grantee(role);
        for item in theirs {
            let revoked = Revoked {
                privileges: item.options,
                option_only: true,
                cascade: true,
            };
            without.revoke(owner, &item.grantor, grantee, revoked)?;
        }
        if without.options(owner, grantor).has(options) {
            Ok(())
        } else {
            Err(Refused::Circle)
        }
    }

    fn of_grantee(&self, role: &str) -> Vec<Item> {
        let own = self
            .0
            .iter()
            .filter(|item| item.grantee.role() == Some(role));
        own.cloned().collect()
    }

    /// REVOKE, in the name of `grantor`.
    ///
    /// Errors: [`Refused::Dependent`]; the list is to be thrown away.
    pub fn revoke(
        &mut self,
        owner: &str,
        grantor: &str,
        grantee: &Grantee,
        revoked: Revoked,
    ) -> Result<(), Refused> {
        let Some(item) = self.0.iter_mut().find(|item| item.is_of(grantor, grantee)) else {
            return Ok(());
        };
        let lost = item.options.common(revoked.privileges);
        item.options = item.options.without(revoked.privileges);
        if !revoked.option_only {
            item.granted = item.granted.without(revoked.privileges);
        }
        self.0.retain(|item| !item.granted.is_empty());
        let Some(role) = grantee.role() else {
            return Ok(());
        };
        let lost = lost.without(self.options(owner, role));
        self.follow(owner, role, (lost, revoked.cascade))
    }

    /// What a role has granted goes with its right to grant it.
    fn follow(
        &mut self,
        owner: &str,
        role: &str,
        (lost, cascade): (Privileges, bool),
    ) -> Result<(), Refused> {
        while let Some(item) = self
            .0
            .iter()
            .find(|item| item.grantor == role && item.granted.has_some(lost))
        {
            if !cascade {
                return Err(Refused::Dependent);
            }
            let grantee = item.grantee.clone();
            let revoked = Revoked {
                privileges: lost,
                option_only: false,
                cascade,
            };
            self.revoke(owner, role, &grantee, revoked)?;
        }
        Ok(())
    }

    /// The object has another owner, who takes the place of the one before.
    pub fn change_owner(&mut self, from: &str, to: &str) {
        let mut changed: Vec<Item> = Vec::with_capacity(self.0.len());
        for mut item in std::mem::take(&mut self.0) {
            if item.grantor == from {
                to.clone_into(&mut item.grantor);
            }
            if item.grantee.role() == Some(from) {
                item.grantee = Grantee::Role(to.to_owned());
            }
            match changed
                .iter_mut()
                .find(|known| known.is_of(&item.grantor, &item.grantee))
            {
                Some(known) => {
                    known.granted = known.granted.and(item.granted);
                    known.options = known.options.and(item.options);
                }
                None => changed.push(item),
            }
        }
        self.0 = changed;
    }

    /// Whether a role has something by the list, or has granted something.
    pub fn names(&self, role: &str) -> bool {
        self.0
            .iter()
            .any(|item| item.grantor == role || item.grantee.role() == Some(role))
    }
}

const ALL: Privileges = Kind::Database.all();

/// One item a line.
impl fmt::Display for Acl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, item) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
