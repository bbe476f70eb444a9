//! `pg_catalog` and `information_schema`: temp tables of the session's connection, filled when a
//! statement reads them and the schema has moved since.

use acl::Authority;
use dialect::pg_catalog::{CatalogDefaults, CatalogInput, CatalogRole, CatalogRows, Owned};
use dialect::{Comment, Domain, SchemaView, SequenceInfo, UserType};
use rusqlite::Connection;

use crate::databases::functions::Answer;
use crate::failure::Failure;
use crate::session::backend::Backend;
use crate::session::rights::Inside;
use crate::session::search_path;
use crate::session::settings::Settings;
use crate::session::{relations, schema, user_types};
use crate::system::authority::Known;
use crate::system::defaults::Defaults;
use crate::system::users::Privilege;

/// What the catalog tables hold.
#[derive(Debug, Default)]
pub struct Catalog {
    /// The generation of the schema that they show.
    generation: Option<u64>,
    databases: Vec<(String, Owned)>,
    user: String,
    roles: Vec<CatalogRole>,
    authority: Authority,
    sequences: Vec<SequenceInfo>,
    comments: Vec<Comment>,
    types: Vec<UserType>,
    domains: Vec<Domain>,
    defaults: Vec<CatalogDefaults>,
}

impl Catalog {
    /// The rows may be out of date: a setting has changed.
    pub fn outdate(&mut self) {
        self.generation = None;
    }

    /// Brings the tables up to date. `rights`: what is known of roles, the session's, and what is within its database.
    pub(super) fn refresh(
        &mut self,
        backend: &Backend,
        settings: &Settings,
        (known, user, inside): (&Known, &str, &Inside),
    ) -> Result<(), Failure> {
        let sqlite = backend.sqlite();
        sqlite.schema().refresh(sqlite.schema_version()?);
        let generation = Some(sqlite.schema().generation());
        let databases = databases(backend, known);
        let roles = roles(known);
        let sequences = schema::all_sequences(sqlite)?;
        let comments = schema::all_comments(sqlite)?;
        let types = user_types::all_types(sqlite)?;
        let domains = user_types::all_domains(sqlite)?;
        let defaults = defaults(backend)?;
        if self.generation == generation
            && self.databases == databases
            && self.user == user
            && self.roles == roles
            && self.authority == *inside.authority
            && self.sequences == sequences
            && self.comments == comments
            && self.types == types
            && self.domains == domains
            && self.defaults == defaults
        {
            return Ok(());
        }
        let made = schema::View::new(sqlite).schemas();
        let contents = dialect::pg_catalog::contents(&CatalogInput {
            database: backend.entry().database.clone(),
            databases: databases.clone(),
            user: user.to_owned(),
            roles: roles.clone(),
            authority: (*inside.authority).clone(),
            future: inside.stored.future.clone(),
            tables: relations::all(sqlite)?,
            sequences: sequences.clone(),
            comments: comments.clone(),
            types: types.clone(),
            domains: domains.clone(),
            search_path: search_path::schemas(
                settings.get("search_path").unwrap_or_default(),
                user,
                &made,
                true,
            ),
            schemas: made.to_vec(),
            settings: settings.of_catalog(),
            defaults: defaults.clone(),
        });
        sqlite.trusted(|connection| {
            connection.execute_batch("SAVEPOINT catalog")?;
            let filled = fill(connection, &contents.rows);
            if filled.is_err() {
                connection.execute_batch("ROLLBACK TO catalog")?;
            }
            connection.execute_batch("RELEASE catalog")?;
            filled
        })?;
        backend.set_objects(contents.objects);
        *self = Self {
            generation,
            databases,
            user: user.to_owned(),
            roles,
            authority: (*inside.authority).clone(),
            sequences,
            comments,
            types,
            domains,
            defaults,
        };
        Ok(())
    }
}

/// The databases, with who owns and may use them.
fn databases(backend: &Backend, known: &Known) -> Vec<(String, Owned)> {
    let all = backend.env().databases().into_iter();
    all.map(|database| {
        let own = known.ownership(database.id());
        let owned = Owned {
            owner: own.owner,
            acl: own.acl,
            connection_limit: own.connection_limit,
        };
        (backend.env().name_of(&database), owned)
    })
    .collect()
}

fn roles(known: &Known) -> Vec<CatalogRole> {
    let all = known.attributes.iter();
    all.map(|(name, (privilege, own))| CatalogRole {
        name: name.clone(),
        superuser: *privilege == Privilege::Dba,
        inherit: own.inherit,
        create_databases: own.create_databases,
        login: own.login,
        replication: own.replication || *privilege == Privilege::Operator,
        connection_limit: own.connection_limit,
        valid_until: own.valid_until,
    })
    .collect()
}

/// What sessions begin with, by database and role. Those of a database that is gone are left out.
fn defaults(backend: &Backend) -> Result<Vec<CatalogDefaults>, Failure> {
    let databases = backend.env().databases();
    let mut places: Vec<CatalogDefaults> = Vec::new();
    for default in Defaults::of(backend.env()).all()? {
        let database = match default.place.database {
            None => None,
            Some(id) => match databases.iter().find(|database| database.id() == id) {
                Some(database) => Some(backend.env().name_of(database)),
                None => continue,
            },
        };
        let setting = format!("{}={}", default.name, default.value);
        let role = default.place.role;
        match places.last_mut() {
            Some(last) if last.database == database && last.role == role => {
                last.settings.push(setting);
            }
            _ => places.push(CatalogDefaults {
                database,
                role,
                settings: vec![setting],
            }),
        }
    }
    Ok(places)
}

/// Makes the tables where they are not there, with the rows that stay, and puts new rows in the place of the others.
fn fill(connection: &Connection, changing: &[CatalogRows]) -> rusqlite::Result<()> {
    let fixed = dialect::pg_catalog::fixed_rows();
    let present: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM temp.sqlite_schema WHERE name = 'pg_class')",
        [],
        |row| row.get(0),
    )?;
    if !present {
        for table in dialect::pg_catalog::tables() {
            connection.execute_batch(&table.create())?;
        }
        for table in fixed {
            insert(connection, table)?;
        }
    }
    for table in dialect::pg_catalog::tables() {
        let stays = fixed.iter().find(|rows| rows.table == table.name);
        let stays = stays.map_or(0, |rows| rows.rows.len());
        let sql = format!("DELETE FROM temp.\"{}\" WHERE rowid > {stays}", table.name);
        connection.execute(&sql, [])?;
    }
    for table in changing {
        insert(connection, table)?;
    }
    Ok(())
}

fn insert(connection: &Connection, table: &CatalogRows) -> rusqlite::Result<()> {
    let Some(first) = table.rows.first() else {
        return Ok(());
    };
    let places = vec!["?"; first.len()].join(", ");
    let sql = format!("INSERT INTO temp.\"{}\" VALUES ({places})", table.table);
    let mut insert = connection.prepare(&sql)?;
    for row in &table.rows {
        insert.execute(rusqlite::params_from_iter(row.iter().cloned().map(Answer)))?;
    }
    Ok(())
}
