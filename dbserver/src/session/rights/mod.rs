//! What a session's role may do.
//!
//! The server's own database says who the roles are, and who owns the databases; the session's database says who owns
//! and may use what is in it. Each GRANT there moves the schema's version, so that what was judged stays judged as long
//! as that and the server's own database do. Who may do everything is asked nothing.

mod check;
mod grant;
mod made;
mod session;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use acl::{Authority, Kind};
use dialect::{Granted, Sequences, Statement, StatementKind};

use crate::failure::Failure;
use crate::session::backend::Backend;
use crate::session::prepared::Prepared;
use crate::session::settings::Settings;
use crate::session::{Session, relations, roles, schema};
use crate::system::authority::{self, Known, Moment};
use crate::system::stored_rights::{self, StoredRights};

pub(super) use made::own_what_was_made;

/// What a session knows of rights.
#[derive(Default)]
pub(super) struct Rights {
    /// The moment that `known` is of.
    moment: Option<Moment>,
    known: Rc<Known>,
    /// The role that the session acts as.
    role: String,
    /// It may do everything in the database.
    free: bool,
    /// The settings may say another role.
    outdated: bool,
    /// Another number for each change of the above.
    stamp: u64,
    /// By the version of the schema, and the number above.
    inside: Option<(Mark, Rc<Inside>)>,
    judges: Cell<bool>,
}

/// The version of the schema, and that of roles and databases.
pub(super) type Mark = (u64, u64);

/// Who may do what in the session's database.
pub(super) struct Inside {
    pub(super) authority: Arc<Authority>,
    pub(super) stored: StoredRights,
}

impl Rights {
    /// The settings have changed.
    pub(super) fn outdate(&mut self) {
        self.outdated = true;
    }

    /// The role that the session acts as.
    pub(super) fn role(&self) -> &str {
        &self.role
    }

    /// What is known of roles and databases.
    pub(super) fn known(&self) -> &Rc<Known> {
        &self.known
    }

    /// Looks whether anything has changed; whether the role may do everything.
    pub(super) fn refresh(
        &mut self,
        backend: &Backend,
        settings: &Settings,
    ) -> Result<bool, Failure> {
        let now = authority::now(backend.env());
        if !self.outdated && now.is_some() && now == self.moment {
            return Ok(self.free);
        }
        let (known, moment) = authority::known(backend.env())?;
        let user = backend.user();
        let role = match settings.get("role") {
            // Who was let go since he has said so acts for himself.
            Some(role) if known.roles.has(role) && known.roles.may_become(user, role) => role,
            _ => user,
        };
        if self.stamp == 0 || known != *self.known || role != self.role {
            self.stamp += 1;
            role.clone_into(&mut self.role);
            backend.set_role(role);
            let database = known.authority(backend.database().id());
            self.free = backend.is_system() || database.is_open_to(role);
            self.known = Rc::new(known);
        }
        self.moment = moment;
        self.outdated = false;
        Ok(self.free)
    }

    /// Who may do what in the database as it is now.
    pub(super) fn inside(&mut self, backend: &Backend) -> Result<Rc<Inside>, Failure> {
        let sqlite = backend.sqlite();
        sqlite.refresh_schema()?;
        let mark = (sqlite.schema().generation(), self.stamp);
        if let Some((known, inside)) = &self.inside
            && *known == mark
        {
            return Ok(Rc::clone(inside));
        }
        #[cfg(test)]
        authority::READS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let stored = sqlite.trusted(stored_rights::read)?;
        let mut authority = self.known.authority(backend.database().id());
        authority.objects.clone_from(&stored.objects);
        // A sequence that a column owns has the owner of its table.
        for sequence in schema::all_sequences(sqlite)? {
            if let Some((table, _)) = sequence.owner {
                let owner = authority.object(Kind::Table, &table);
                let owner = owner.and_then(|table| table.owner.clone());
                let key = (Kind::Sequence, sequence.name);
                authority.objects.entry(key).or_default().owner = owner;
            }
        }
        if !self.free {
            self.deny(backend, &authority)?;
        }
        let inside = Rc::new(Inside {
            authority: Arc::new(authority),
            stored,
        });
        self.inside = Some((mark, Rc::clone(&inside)));
        Ok(inside)
    }

    /// SQLite itself refuses what the role has no right on at all. Tables with foreign keys are left out: what goes on
    /// there with the rows that they refer to is nobody's statement.
    fn deny(&self, backend: &Backend, authority: &Authority) -> Result<(), Failure> {
        let sqlite = backend.sqlite();
        let mut denied = Vec::new();
        let all = relations::all(sqlite)?;
        let hidden = |name: &str| {
            let mut own = all.iter().filter(|table| table.temporary);
            own.any(|own| own.name.eq_ignore_ascii_case(name))
        };
        for table in &all {
            let refers = table
                .constraints
                .iter()
                .any(|key| matches!(key.kind, dialect::ConstraintKind::ForeignKey { .. }));
            let of_server = dialect::is_own_table(&table.name);
            let held = || {
                authority
                    .held(&self.role, Kind::Table, &table.name)
                    .and(authority.held(&self.role, Kind::Sequence, &table.name))
            };
            if !table.temporary
                && !hidden(&table.name)
                && !of_server
                && !refers
                && held().is_empty()
            {
                denied.push(table.name.to_ascii_lowercase());
            }
        }
        sqlite.denied().set(denied);
        Ok(())
    }
}

/// Before SQLite prepares a statement: it knows which tables are not for the session's role. Definitions are judged
/// by other rules than their rows.
pub(super) fn prepare(session: &mut Session, statement: &Statement) -> Result<(), Failure> {
    let Session {
        backend,
        settings,
        rights,
        ..
    } = session;
    if rights.refresh(backend, settings)? || !is_judged(statement) {
        return Ok(());
    }
    rights.inside(backend)?;
    rights.judges.set(true);
    let defines = statement.kind == StatementKind::Ddl;
    backend.sqlite().denied().pause(defines);
    Ok(())
}

/// Refuses a statement that the session's role may not run.
///
/// Errors: 42501.
pub fn check(session: &mut Session, prepared: &Prepared) -> Result<(), Failure> {
    session.follow_set_config()?;
    let Session {
        backend,
        settings,
        rights,
        ..
    } = session;
    let statement = &prepared.statement;
    let sequences = statement.sequences != Sequences::None;
    if rights.refresh(backend, settings)? {
        if rights.judges.replace(false) {
            backend.sqlite().sequences().judge(None);
            backend.sqlite().denied().set(Vec::new());
        }
        return Ok(());
    }
    if !sequences && !is_judged(statement) {
        return Ok(());
    }
    let inside = rights.inside(backend)?;
    rights.judges.set(true);
    let defines = statement.kind == StatementKind::Ddl;
    backend.sqlite().denied().pause(defines);
    if sequences {
        let judge = (Arc::clone(&inside.authority), rights.role.clone());
        backend.sqlite().sequences().judge(Some(judge));
    }
    let mark = (backend.sqlite().schema().generation(), rights.stamp);
    if prepared.judged.get() == Some(mark) {
        return Ok(());
    }
    check::statement(backend, (&inside.authority, &rights.role), statement)?;
    prepared.judged.set(Some(mark));
    Ok(())
}

/// GRANT, REVOKE and OWNER TO. What they name may be somebody else's once nobody else defines anything any more, so they
/// are judged again then.
pub(super) fn change(session: &mut Session, prepared: &Rc<Prepared>) -> Result<(), Failure> {
    let of_databases = |kind: &StatementKind| matches!(kind, StatementKind::Grant(grant) if matches!(grant.on, Granted::Databases(_)));
    let settled = if of_databases(&prepared.statement.kind) {
        Rc::clone(prepared)
    } else {
        session.before_write(prepared.command())?;
        let settled = session.refreshed(Rc::clone(prepared))?;
        roles::check(session, &settled.statement.roles)?;
        check(session, &settled)?;
        settled
    };
    match &settled.statement.kind {
        StatementKind::Grant(given) => grant::grant(session, given),
        StatementKind::ChangeOwner { of, to } => made::change_owner(session, of, to),
        // IF EXISTS, of what has gone meanwhile.
        _ => {
            session.notices().extend(&settled.statement.notices);
            Ok(())
        }
    }
}

/// Whether a statement asks for a right within the database.
fn is_judged(statement: &Statement) -> bool {
    !statement.access.is_empty()
        || matches!(
            statement.kind,
            StatementKind::Analyze { .. }
                | StatementKind::Reindex(_)
                | StatementKind::Vacuum { .. }
                | StatementKind::LockTable { .. }
        )
}

/// A refusal for want of a privilege.
pub(super) fn denied(message: impl Into<String>) -> Failure {
    Failure::new(pgtypes::SqlState::INSUFFICIENT_PRIVILEGE, message)
}
