//! Who owns what is made, and OWNER TO.

use acl::{Acl, Kind, Object};
use dialect::{Access, Owned, SchemaView, SequenceInfo, Who};

use crate::failure::Failure;
use crate::session::Session;
use crate::session::prepared::Prepared;
use crate::session::rights::denied;
use crate::session::roles;
use crate::session::schema::View;
use crate::system::stored_rights;

/// What a statement has made is its role's, with the privileges that the role grants on what it makes.
pub(in crate::session) fn own_what_was_made(
    session: &mut Session,
    prepared: &Prepared,
) -> Result<(), Failure> {
    let made: Vec<(Kind, &str, Option<&Who>)> = prepared
        .statement
        .access
        .iter()
        .filter_map(|access| match access {
            Access::Create {
                relation,
                sequence: true,
            } => Some((Kind::Sequence, relation.as_str(), None)),
            Access::Create { relation, .. } => Some((Kind::Table, relation.as_str(), None)),
            Access::CreateType { name } => Some((Kind::Type, name.as_str(), None)),
            Access::CreateSchema { name, owner } => {
                Some((Kind::Schema, name.as_str(), owner.as_ref()))
            }
            _ => None,
        })
        .collect();
    if made.is_empty() {
        return Ok(());
    }
    let owners: Vec<Option<String>> = made
        .iter()
        .map(|(_, _, owner)| owner.map(|owner| roles::name_of(session, owner)))
        .collect();
    let Session {
        backend,
        settings,
        rights,
        ..
    } = session;
    rights.refresh(backend, settings)?;
    let known = rights.known().ownership(backend.database().id());
    // In a database without an owner everything is everybody's.
    let Some(database_owner) = known.owner else {
        return Ok(());
    };
    let inside = rights.inside(backend)?;
    let role = rights.role();
    let sqlite = backend.sqlite();
    let view = View::new(sqlite);
    for ((kind, name, _), said) in made.into_iter().zip(owners) {
        let role = said.as_deref().unwrap_or(role);
        let future = |kind: Kind| -> Option<Acl> {
            let mut own = inside.stored.future.iter();
            let found = own.find(|(maker, of, _)| maker == role && *of == kind);
            found.map(|(_, _, acl)| acl.clone())
        };
        let mut objects = vec![(kind, name.to_owned(), role != database_owner)];
        if kind == Kind::Table {
            let owned = view.owned_sequences(name).into_iter();
            objects.extend(owned.map(|(name, _)| (Kind::Sequence, name, false)));
        }
        for (kind, name, own) in objects {
            let object = Object {
                owner: own.then(|| role.to_owned()),
                acl: future(kind),
            };
            if object != Object::default() {
                sqlite.trusted(|c| stored_rights::store(c, (kind, &name), &object))?;
            }
        }
    }
    sqlite.schema().clear();
    Ok(())
}

/// OWNER TO: the new owner takes the place of the one before, also where that one has granted something, on the object and on
/// the sequences that belong to it.
///
/// Errors: 42501 for who is no member of the new owner; the caller has looked whether it is the present one. 0A000 for a
/// sequence that a column owns; 55000 in a database without an owner.
pub(super) fn change_owner(session: &mut Session, of: &Owned, to: &Who) -> Result<(), Failure> {
    let to = roles::name_of(session, to);
    let Session {
        backend,
        settings,
        rights,
        ..
    } = session;
    rights.refresh(backend, settings)?;
    let known = rights.known().ownership(backend.database().id());
    let Some(database_owner) = known.owner else {
        if to == backend.user() {
            return Ok(());
        }
        return Err(super::grant::open_database(&backend.entry().database));
    };
    let inside = rights.inside(backend)?;
    let sqlite = backend.sqlite();
    let view = View::new(sqlite);
    let (kind, name) = match of {
        Owned::Schema(name) => (Kind::Schema, name.as_str()),
        Owned::Type(name) => (Kind::Type, name.as_str()),
        Owned::Relation(name) => match view.sequence(name) {
            Some(sequence) => {
                refuse_owned(&sequence)?;
                (Kind::Sequence, name.as_str())
            }
            None => (Kind::Table, name.as_str()),
        },
    };
    let authority = &inside.authority;
    let from = authority.owner(kind, name).to_owned();
    if from == to {
        return Ok(());
    }
    if !authority.is_open_to(rights.role()) && !authority.roles.may_become(rights.role(), &to) {
        return Err(denied(format!("must be member of role \"{to}\"")));
    }
    let mut objects = vec![(kind, name.to_owned())];
    if kind == Kind::Table {
        let owned = view.owned_sequences(name).into_iter();
        objects.extend(owned.map(|(name, _)| (Kind::Sequence, name)));
    }
    for (at, (kind, name)) in objects.iter().enumerate() {
        let stored = inside.stored.objects.get(&(*kind, name.clone()));
        let mut object = stored.cloned().unwrap_or_default();
        if let Some(acl) = &mut object.acl {
            acl.change_owner(&from, &to);
        }
        if at == 0 {
            object.owner = (to != database_owner).then(|| to.clone());
        }
        sqlite.trusted(|c| stored_rights::store(c, (*kind, name), &object))?;
    }
    sqlite.trusted(stored_rights::outdate)?;
    sqlite.schema().clear();
    Ok(())
}

/// A sequence that a column owns has the owner of its table.
fn refuse_owned(sequence: &SequenceInfo) -> Result<(), Failure> {
    let Some((table, _)) = &sequence.owner else {
        return Ok(());
    };
    let (name, table) = (
        dialect::base_name(&sequence.name),
        dialect::base_name(table),
    );
    let message = format!("cannot change owner of sequence \"{name}\"");
    Err(
        Failure::new(pgtypes::SqlState::FEATURE_NOT_SUPPORTED, message).detail(format!(
            "Sequence \"{name}\" is linked to table \"{table}\"."
        )),
    )
}
