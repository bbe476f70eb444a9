//! GRANT and REVOKE of privileges.

use acl::{Acl, Authority, Grantee, Kind, Object, Privileges, Refused, Revoked};
use dialect::{Grant, Granted, SchemaView, Who};
use pgtypes::SqlState;

use crate::error::EngineError;
use crate::failure::Failure;
use crate::session::Session;
use crate::session::rights::denied;
use crate::session::roles;
use crate::session::schema::View;
use crate::session::{relations, server_object};
use crate::system::ownership::Ownerships;
use crate::system::stored_rights;

/// Does it; the session has the permit to write, but for databases. What is granted on those holds from this moment on, in any transaction.
pub(super) fn grant(session: &mut Session, grant: &Grant) -> Result<(), Failure> {
    let grantees = grantees(session, &grant.grantees);
    match &grant.on {
        Granted::Databases(names) => names
            .iter()
            .try_for_each(|name| on_database(session, grant, (name, &grantees))),
        Granted::Future { kind, makers } => match own_if_open(session)? {
            Some(name) => in_open_database(session, grant.revokes, &name),
            None => on_future(session, grant, (*kind, makers), &grantees),
        },
        _ => match own_if_open(session)? {
            Some(name) => in_open_database(session, grant.revokes, &name),
            None => on_objects(session, grant, &grantees),
        },
    }
}

fn grantees(session: &Session, who: &[Who]) -> Vec<Grantee> {
    let each = who.iter().map(|who| match who {
        Who::Public => Grantee::Public,
        who => Grantee::Role(roles::name_of(session, who)),
    });
    each.collect()
}

/// A database without an owner is everybody's.
pub(super) fn open_database(name: &str) -> Failure {
    Failure::new(
        SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
        format!("database \"{name}\" has no owner: everybody may do everything in it"),
    )
    .hint(format!(
        "ALTER DATABASE \"{name}\" OWNER TO … first; from then on others need privileges."
    ))
}

/// The name of the session's database, where that has no owner.
fn own_if_open(session: &mut Session) -> Result<Option<String>, Failure> {
    let Session {
        backend,
        settings,
        rights,
        ..
    } = session;
    rights.refresh(backend, settings)?;
    let ownership = rights.known().ownership(backend.database().id());
    let is_open = ownership.owner.is_none();
    Ok(is_open.then(|| backend.entry().database.clone()))
}

/// Where everybody has everything, a grant is there already, and nothing can be taken away.
fn in_open_database(session: &mut Session, revokes: bool, name: &str) -> Result<(), Failure> {
    let refusal = open_database(name);
    if revokes {
        return Err(refusal);
    }
    let message = refusal.fields().message.clone();
    session.notices().notice(&message);
    Ok(())
}

fn on_objects(session: &mut Session, grant: &Grant, grantees: &[Grantee]) -> Result<(), Failure> {
    let Session {
        backend, rights, ..
    } = session;
    let inside = rights.inside(backend)?;
    let role = rights.role().to_owned();
    let sqlite = std::rc::Rc::clone(backend.sqlite());
    let mut warnings = Vec::new();
    for (kind, name) in objects(&View::new(&sqlite), &sqlite, &grant.on)? {
        let stored = inside.stored.objects.get(&(kind, name.clone()));
        let mut object: Object = stored.cloned().unwrap_or_default();
        let asked = Asked {
            grant,
            grantees,
            role: &role,
        };
        let mut acl = inside.authority.acl(kind, &name);
        let changed = asked.apply(&inside.authority, (kind, &name), &mut acl);
        warnings.extend(changed?);
        object.acl = Some(acl);
        sqlite.trusted(|c| stored_rights::store(c, (kind, &name), &object))?;
    }
    sqlite.trusted(stored_rights::outdate)?;
    sqlite.schema().clear();
    for (state, message) in warnings {
        session.notices().warn(state, &message);
    }
    Ok(())
}

/// The objects that a statement names.
fn objects(
    view: &View<'_>,
    sqlite: &crate::session::sqlite::Sqlite,
    on: &Granted,
) -> Result<Vec<(Kind, String)>, Failure> {
    let all = || -> Result<Vec<(Kind, String)>, Failure> {
        let own = relations::all(sqlite)?.into_iter();
        let own = own.filter(|info| !info.temporary && !dialect::is_own_table(&info.name));
        let own = own.map(|info| {
            let kind = match view.sequence(&info.name) {
                Some(_) => Kind::Sequence,
                None => Kind::Table,
            };
            (kind, info.name)
        });
        Ok(own.collect())
    };
    let of = |wanted: Kind, schemas: &[String]| -> Result<Vec<(Kind, String)>, Failure> {
        let within = |name: &str| {
            schemas
                .iter()
                .any(|known| known == dialect::schema_name(name))
        };
        let mut found = all()?;
        found.retain(|(kind, name)| *kind == wanted && within(name));
        Ok(found)
    };
    match on {
        Granted::AllTables(schemas) => of(Kind::Table, schemas),
        Granted::AllSequences(schemas) => of(Kind::Sequence, schemas),
        Granted::Schemas(names) => {
            let each = names.iter().map(|name| (Kind::Schema, name.clone()));
            Ok(each.collect())
        }
        Granted::Relations(names) => {
            let each = names.iter().map(|name| {
                let kind = match view.sequence(name) {
                    Some(_) => Kind::Sequence,
                    None => Kind::Table,
                };
                (kind, name.clone())
            });
            Ok(each.collect())
        }
        Granted::Databases(_) | Granted::Future { .. } => Ok(Vec::new()),
    }
}

/// A GRANT or REVOKE by a role.
struct Asked<'a> {
    grant: &'a Grant,
    grantees: &'a [Grantee],
    role: &'a str,
}

impl Asked<'_> {
    /// What it makes of the list of one object; gives what is to be warned of.
    ///
    /// Errors: 42501 for who has nothing to do with the object, 0LP01, 2BP01.
    fn apply(
        &self,
        authority: &Authority,
        (kind, name): (Kind, &str),
        acl: &mut Acl,
    ) -> Result<Vec<(SqlState, String)>, Failure> {
        let owner = authority.owner(kind, name).to_owned();
        let wanted = self
            .grant
            .privileges
            .unwrap_or(kind.all())
            .common(kind.all());
        // Who may do everything does so in the name of the owner.
        let roles = if authority.owns(self.role, kind, name) {
            vec![owner.as_str()]
        } else {
            authority.roles.rights_of(self.role)
        };
        let (grantor, may) = acl.grantor(&owner, &roles, wanted);
        let (grantor, mut warnings) = (grantor.to_owned(), Vec::new());
        if may.is_empty()
            && authority.options(self.role, kind, name).is_empty()
            && authority.held(self.role, kind, name).is_empty()
        {
            return Err(denied(format!(
                "permission denied for {} {}",
                kind.name(),
                dialect::base_name(name)
            )));
        }
        if may != wanted && (may.is_empty() || self.grant.privileges.is_some()) {
            warnings.push(self.warning(may, dialect::base_name(name)));
        }
        if may.is_empty() {
            return Ok(warnings);
        }
        for grantee in self.grantees {
            self.one(
                acl,
                (&owner, &grantor),
                grantee,
                with_connect(self.grant, kind, may),
            )
            .map_err(refusal)?;
        }
        Ok(warnings)
    }

    fn one(
        &self,
        acl: &mut Acl,
        (owner, grantor): (&str, &str),
        grantee: &Grantee,
        privileges: Privileges,
    ) -> Result<(), Refused> {
        if self.grant.revokes {
            let revoked = Revoked {
                privileges,
                option_only: self.grant.option,
                cascade: self.grant.cascade,
            };
            return acl.revoke(owner, grantor, grantee, revoked);
        }
        acl.grant(owner, grantor, grantee, (privileges, self.grant.option))
    }

    fn warning(&self, may: Privileges, name: &str) -> (SqlState, String) {
        match (self.grant.revokes, may.is_empty()) {
            (false, true) => (
                SqlState::WARNING_PRIVILEGE_NOT_GRANTED,
                format!("no privileges were granted for \"{name}\""),
            ),
            (false, false) => (
                SqlState::WARNING_PRIVILEGE_NOT_GRANTED,
                format!("not all privileges were granted for \"{name}\""),
            ),
            (true, true) => (
                SqlState::WARNING_PRIVILEGE_NOT_REVOKED,
                format!("no privileges could be revoked for \"{name}\""),
            ),
            (true, false) => (
                SqlState::WARNING_PRIVILEGE_NOT_REVOKED,
                format!("not all privileges could be revoked for \"{name}\""),
            ),
        }
    }
}

/// Who may use what is in a database may come in.
fn with_connect(grant: &Grant, kind: Kind, privileges: Privileges) -> Privileges {
    let inside = Kind::Table.all().and(Privileges::USAGE);
    if kind == Kind::Database && !grant.revokes && privileges.has_some(inside) {
        return privileges.and(Privileges::CONNECT);
    }
    privileges
}

fn refusal(refused: Refused) -> Failure {
    match refused {
        Refused::OptionToPublic => {
            EngineError::Grant("grant options can only be granted to roles".into())
        }
        Refused::Circle => {
            EngineError::Grant("grant options cannot be granted back to your own grantor".into())
        }
        Refused::Dependent => EngineError::DependentPrivileges,
    }
    .into()
}

fn on_database(
    session: &mut Session,
    grant: &Grant,
    (name, grantees): (&str, &[Grantee]),
) -> Result<(), Failure> {
    let Session {
        backend,
        settings,
        rights,
        ..
    } = session;
    rights.refresh(backend, settings)?;
    let database = backend.env().database(name)?;
    if rights.known().ownership(database.id()).owner.is_none() {
        return in_open_database(session, grant.revokes, name);
    }
    let role = rights.role().to_owned();
    let authority = rights.known().authority(database.id());
    let mut failed = None;
    let mut warnings = Vec::new();
    let changed = Ownerships::of(backend.env()).change(database.id(), |_, known| {
        let asked = Asked {
            grant,
            grantees,
            role: &role,
        };
        let authority = Authority {
            database: Some(Object {
                owner: known.owner.clone(),
                acl: known.acl.clone(),
            }),
            ..authority
        };
        let mut acl = authority.acl(Kind::Database, name);
        match asked.apply(&authority, (Kind::Database, name), &mut acl) {
            Ok(told) => warnings = told,
            Err(failure) => {
                failed = Some(failure);
                return Err(EngineError::Forbidden("nothing was granted".into()));
            }
        }
        known.acl = Some(acl);
        Ok(())
    });
    let changed = match failed {
        Some(failure) => Err(failure),
        None => changed.map_err(Failure::from),
    };
    server_object::done(backend, &changed, || {
        format!("who may use database {name} is changed")
    });
    for (state, message) in warnings {
        session.notices().warn(state, &message);
    }
    changed
}

fn on_future(
    session: &mut Session,
    grant: &Grant,
    (kind, makers): (Kind, &[Who]),
    grantees: &[Grantee],
) -> Result<(), Failure> {
    let named: Vec<String> = makers
        .iter()
        .map(|who| roles::name_of(session, who))
        .collect();
    let Session {
        backend, rights, ..
    } = session;
    let inside = rights.inside(backend)?;
    let role = rights.role();
    let makers = if named.is_empty() {
        vec![role.to_owned()]
    } else {
        named
    };
    for maker in makers {
        if !inside.authority.roles.may_become(role, &maker) {
            return Err(denied(format!("must be member of role \"{maker}\"")));
        }
        let usual = Acl::default_of(kind, &maker);
        let own = inside.stored.future.iter();
        let known = own
            .clone()
            .find(|(of, what, _)| *of == maker && *what == kind);
        let mut acl = known.map_or_else(|| usual.clone(), |(_, _, acl)| acl.clone());
        let asked = Asked {
            grant,
            grantees,
            role: &maker,
        };
        let wanted = grant.privileges.unwrap_or(kind.all()).common(kind.all());
        for grantee in grantees {
            asked
                .one(&mut acl, (&maker, &maker), grantee, wanted)
                .map_err(refusal)?;
        }
        let kept = (acl != usual).then_some(acl);
        let sqlite = backend.sqlite();
        sqlite.trusted(|c| stored_rights::store_future(c, (kind, &maker), kept))?;
    }
    backend.sqlite().trusted(stored_rights::outdate)?;
    backend.sqlite().schema().clear();
    Ok(())
}
