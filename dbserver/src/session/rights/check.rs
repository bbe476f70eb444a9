//! Whether a role may run a statement, in PostgreSQL's words where it may not.

use acl::{Authority, Kind, Privileges};
use dialect::{Access, LockMode, Reindex, SchemaView, Statement, StatementKind, Who, is_own_table};

use crate::failure::Failure;
use crate::session::backend::Backend;
use crate::session::rights::denied;
use crate::session::schema::View;

/// More is a circle of views.
const MAX_DEPTH: usize = 100;

struct Judge<'a> {
    backend: &'a Backend,
    authority: &'a Authority,
    role: &'a str,
}

/// Refuses what the role has no right to (42501).
pub(super) fn statement(
    backend: &Backend,
    (authority, role): (&Authority, &str),
    statement: &Statement,
) -> Result<(), Failure> {
    let judge = Judge {
        backend,
        authority,
        role,
    };
    statement
        .access
        .iter()
        .try_for_each(|access| judge.access(access))?;
    match &statement.kind {
        StatementKind::Analyze { tables } | StatementKind::Vacuum { tables, .. } => {
            if tables.is_empty() {
                return judge.own_database(None);
            }
            tables
                .iter()
                .filter(|table| !dialect::pg_catalog::is_catalog_table(table))
                .try_for_each(|table| judge.own(("table", table), table, false))
        }
        StatementKind::Reindex(what) => judge.reindex(what),
        StatementKind::LockTable { tables, mode, .. } => {
            tables.iter().try_for_each(|table| judge.lock(table, *mode))
        }
        _ => Ok(()),
    }
}

impl Judge<'_> {
    fn access(&self, access: &Access) -> Result<(), Failure> {
        let database = Kind::Database;
        match access {
            Access::Use {
                relation,
                privileges,
            } => {
                self.schema(relation)?;
                self.usage(self.role, relation, *privileges, 0)
            }
            Access::ReadTemporary { relation } => self.temporary(relation, 0),
            Access::UseSomehow {
                relation,
                privileges,
            } => self.use_somehow(relation, *privileges),
            Access::Own {
                what,
                name,
                relation,
                drops,
            } => self.own((what, name), relation, *drops),
            Access::OwnType { name, drops } => self.own_type(name, *drops),
            Access::Create { relation: name, .. } | Access::CreateType { name } => {
                self.of_schema(dialect::schema_name(name), Privileges::CREATE)
            }
            Access::CreateIn { schema } => self.of_schema(schema, Privileges::CREATE),
            Access::CreateSchema { owner, .. } => self.create_schema(owner.as_ref()),
            Access::OwnSchema { name } => {
                if self.authority.owns(self.role, Kind::Schema, name) {
                    return Ok(());
                }
                Err(denied(format!("must be owner of schema {name}")))
            }
            Access::CreateTemporary => {
                let held = self.authority.held(self.role, database, "");
                if held.has(Privileges::TEMPORARY) {
                    return Ok(());
                }
                Err(denied(format!(
                    "permission denied to create temporary tables in database \"{}\"",
                    self.backend.entry().database
                )))
            }
            Access::OwnDatabase { name } => self.own_database(name.as_deref()),
        }
    }

    /// USAGE of the schema that a relation is in.
    fn schema(&self, relation: &str) -> Result<(), Failure> {
        self.of_schema(dialect::schema_name(relation), Privileges::USAGE)
    }

    fn of_schema(&self, schema: &str, wanted: Privileges) -> Result<(), Failure> {
        if self
            .authority
            .held(self.role, Kind::Schema, schema)
            .has(wanted)
        {
            return Ok(());
        }
        Err(denied(format!("permission denied for schema {schema}")))
    }

    fn create_schema(&self, owner: Option<&Who>) -> Result<(), Failure> {
        let held = self.authority.held(self.role, Kind::Database, "");
        if !held.has(Privileges::CREATE) {
            let database = &self.backend.entry().database;
            return Err(denied(format!("permission denied for database {database}")));
        }
        match owner {
            Some(Who::Named(owner))
                if !self.authority.is_open_to(self.role)
                    && !self.authority.roles.may_become(self.role, owner) =>
            {
                Err(denied(format!("must be member of role \"{owner}\"")))
            }
            _ => Ok(()),
        }
    }

    /// What a relation is, as messages call it.
    fn kind_of(&self, relation: &str) -> (Kind, &'static str) {
        let view = View::new(self.backend.sqlite());
        if view.sequence(relation).is_some() {
            return (Kind::Sequence, "sequence");
        }
        let stored = view.stored(relation);
        if stored.is_some_and(|info| info.view.is_some()) {
            (Kind::Table, "view")
        } else {
            (Kind::Table, "table")
        }
    }

    /// Whether a role may use a relation in all of these ways. What a view reads is judged as its owner's.
    fn usage(
        &self,
        role: &str,
        relation: &str,
        privileges: Privileges,
        depth: usize,
    ) -> Result<(), Failure> {
        let (kind, what) = self.kind_of(relation);
        let held = self.authority.held(role, kind, relation);
        if !held.has(privileges) || is_own_table(relation) || depth > MAX_DEPTH {
            let relation = dialect::base_name(relation);
            return Err(denied(format!("permission denied for {what} {relation}")));
        }
        if what != "view" {
            return Ok(());
        }
        let owner = self.authority.owner(kind, relation).to_owned();
        if self.authority.is_open_to(&owner) {
            return Ok(());
        }
        for read in self.reads("main", relation)? {
            self.usage(&owner, &read, Privileges::SELECT, depth + 1)?;
        }
        Ok(())
    }

    /// What a view of the session's own reads.
    fn temporary(&self, relation: &str, depth: usize) -> Result<(), Failure> {
        let view = View::new(self.backend.sqlite());
        let own = view.table(relation);
        if own.is_none_or(|own| own.view.is_none()) || depth > MAX_DEPTH {
            return Ok(());
        }
        for read in self.reads("temp", relation)? {
            if view.is_temporary(&read) {
                self.temporary(&read, depth + 1)?;
            } else {
                self.usage(self.role, &read, Privileges::SELECT, depth + 1)?;
            }
        }
        Ok(())
    }

    /// The relations in the text of a view; those of the catalog are everybody's.
    fn reads(&self, place: &str, view: &str) -> Result<Vec<String>, Failure> {
        let quoted = view.replace('"', "\"\"");
        let sqlite = self.backend.sqlite();
        let reads = sqlite.reads_of(&format!("SELECT * FROM {place}.\"{quoted}\""))?;
        let own = |by: &Option<String>| {
            by.as_deref()
                .is_some_and(|by| by.eq_ignore_ascii_case(view))
        };
        let mut found: Vec<String> = reads
            .into_iter()
            .filter(|read| own(&read.view) && !read.relation.eq_ignore_ascii_case(view))
            .map(|read| read.relation)
            .filter(|read| !dialect::pg_catalog::tables().any(|table| table.name == *read))
            .collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn use_somehow(&self, relation: &str, privileges: Privileges) -> Result<(), Failure> {
        self.schema(relation)?;
        let (kind, what) = self.kind_of(relation);
        let held = self.authority.held(self.role, kind, relation);
        if held.has_some(privileges) {
            return Ok(());
        }
        let relation = dialect::base_name(relation);
        Err(denied(format!("permission denied for {what} {relation}")))
    }

    fn own(&self, (what, name): (&str, &str), relation: &str, drops: bool) -> Result<(), Failure> {
        if is_own_table(relation) {
            return Err(denied(format!("must be owner of {what} {name}")));
        }
        let (kind, _) = self.kind_of(relation);
        let name = dialect::base_name(name);
        let owns = |kind, name| self.authority.owns(self.role, kind, name);
        if owns(kind, relation) || (drops && owns(Kind::Schema, dialect::schema_name(relation))) {
            return Ok(());
        }
        Err(denied(format!("must be owner of {what} {name}")))
    }

    fn own_type(&self, name: &str, drops: bool) -> Result<(), Failure> {
        let owns = |kind, name| self.authority.owns(self.role, kind, name);
        if owns(Kind::Type, name) || (drops && owns(Kind::Schema, dialect::schema_name(name))) {
            return Ok(());
        }
        let name = dialect::base_name(name);
        Err(denied(format!("must be owner of type {name}")))
    }

    fn own_database(&self, name: Option<&str>) -> Result<(), Failure> {
        if self.authority.owns(self.role, Kind::Database, "") {
            return Ok(());
        }
        let own = self.backend.entry().database.as_str();
        Err(denied(format!(
            "must be owner of database {}",
            name.unwrap_or(own)
        )))
    }

    fn reindex(&self, what: &Reindex) -> Result<(), Failure> {
        let view = View::new(self.backend.sqlite());
        match what {
            Reindex::All | Reindex::Database(_) | Reindex::Schema(_) => self.own_database(None),
            Reindex::Table(table) => self.own(("table", table), table, false),
            Reindex::Index(name) | Reindex::Any(name) => match view.index_table(name) {
                Some(table) => self.own(("index", name), &table, false),
                None => self.own(("table", name), name, false),
            },
        }
    }

    fn lock(&self, table: &str, mode: LockMode) -> Result<(), Failure> {
        let view = View::new(self.backend.sqlite());
        // What is not there is told by whoever looks for it.
        if view.is_temporary(table) || view.table(table).is_none() {
            return Ok(());
        }
        let writes = Privileges::UPDATE
            .and(Privileges::DELETE)
            .and(Privileges::TRUNCATE);
        let wanted = match mode {
            LockMode::AccessShare => Privileges::SELECT,
            LockMode::RowExclusive => writes.and(Privileges::INSERT),
            _ => writes,
        };
        self.use_somehow(table, wanted)
    }
}
