//! The schema as the analysis asks for it, from the texts that SQLite keeps.

use std::rc::Rc;

use pgtypes::PgType;

use crate::analysis::schema::{Column, Generated, Key, Relation, RelationKind, Schema};
use crate::catalog::{Type, TypeId};
use crate::domain::{self, Domain};
use crate::own_tables::is_own_table;
use crate::pg_catalog;
use crate::qualify;
use crate::schema::SchemaView;
use crate::stored_name;
use crate::table_info::{ConstraintKind, Identity, TableColumn, TableInfo, parse_create_table};
use crate::user_type::UserType;

/// A view of the schema through its texts.
pub(crate) struct KnownSchema<'a>(pub(crate) &'a dyn SchemaView);

impl Schema for KnownSchema<'_> {
    fn context(&self) -> pgtypes::Context {
        self.0.context()
    }

    fn relation(&self, schema: Option<&str>, name: &str) -> Option<Rc<Relation>> {
        match schema {
            Some("pg_catalog" | "information_schema") => catalog_table(schema, name),
            Some("public") => match self.stored(name) {
                Some(own) if own.schema == "temp" => self
                    .0
                    .hidden_table(name)
                    .and_then(|info| stored(&info, name)),
                found => found,
            },
            Some("pg_temp" | pg_catalog::TEMPORARY) => {
                self.stored(name).filter(|found| found.schema == "temp")
            }
            Some(_) => None,
            // PostgreSQL's own tables come first on every search path.
            None => catalog_table(None, name).or_else(|| {
                let own = self.stored(name).filter(|found| found.schema == "temp");
                own.or_else(|| {
                    let path = self.0.search_path();
                    let mut places = path.iter();
                    places.find_map(|place| self.stored(&stored_name::join(place, name)))
                })
            }),
        }
        .map(Rc::new)
    }

    fn index_conditions(&self, table: &Relation) -> Vec<String> {
        let indexes = self.0.dependents_in(table.schema, &table.name);
        let conditions = indexes.iter();
        conditions
            .filter_map(|sql| pg_catalog::index_condition(sql))
            .collect()
    }

    fn user_types(&self) -> Vec<UserType> {
        self.0.user_types()
    }

    fn domain(&self, schema: Option<&str>, name: &str) -> Option<Domain> {
        let stored = self.user_type(schema, name)?;
        domain::find(self.0, &stored)
    }

    fn sequence(&self, schema: Option<&str>, name: &str) -> Option<String> {
        let is_one = |stored: &String| self.0.sequence(stored).is_some();
        if let Some(schema) = schema {
            return Some(stored_name::join(schema, name)).filter(is_one);
        }
        let path = self.0.search_path();
        let mut names = path.iter().map(|place| stored_name::join(place, name));
        names.find(is_one)
    }

    fn user_type(&self, schema: Option<&str>, name: &str) -> Option<String> {
        match schema {
            Some(schema) => Some(stored_name::join(schema, name)),
            None => qualify::type_found(self.0, name),
        }
    }

    fn has_schema(&self, name: &str) -> bool {
        self.0.schemas().iter().any(|known| known == name)
    }
}

impl KnownSchema<'_> {
    fn stored(&self, name: &str) -> Option<Relation> {
        if is_own_table(name) {
            return None;
        }
        let info = self.0.table_info(name).or_else(|| self.read(name))?;
        let is_enum = |column: &TableColumn| matches!(column.type_name, Some(PgType::Enum(_)));
        if info.columns.iter().any(is_enum) {
            // Reading them makes their names known.
            self.0.user_types();
        }
        stored(&info, name)
    }

    /// What the columns and the text of a table tell.
    fn read(&self, name: &str) -> Option<Rc<TableInfo>> {
        let columns = self.0.columns(name)?;
        let info = self
            .0
            .create_sql(name)
            .and_then(|sql| parse_create_table(&sql));
        let mut info = info.unwrap_or_else(|| TableInfo {
            name: name.to_owned(),
            view: Some(String::new()),
            ..TableInfo::default()
        });
        let computed = |name: &str| info.columns.iter().any(|c| c.computed && c.name == name);
        let rowid = |name: &str| info.columns.iter().any(|c| c.rowid_alias && c.name == name);
        info.columns = columns
            .into_iter()
            .map(|column| TableColumn {
                type_name: column.type_name,
                not_null: column.not_null,
                default: column.default,
                identity: column.identity,
                rowid_alias: rowid(&column.name),
                computed: computed(&column.name),
                domain: None,
                written: None,
                name: column.name,
            })
            .collect();
        Some(Rc::new(info))
    }
}

pub(crate) fn stored(info: &TableInfo, name: &str) -> Option<Relation> {
    // SQLite finds a name in any case, PostgreSQL in its own.
    if info.name != name {
        return None;
    }
    let columns: Vec<Column> = info.columns.iter().map(column).collect();
    Some(Relation {
        schema: if info.temporary { "temp" } else { "main" },
        name: info.name.clone(),
        kind: if info.view.is_some() {
            RelationKind::View
        } else {
            RelationKind::Table
        },
        keys: keys(info, &columns),
        columns,
        without_rowid: false,
    })
}

fn column(column: &TableColumn) -> Column {
    let ty = column.type_name.map(PgType::sent_as);
    Column {
        name: column.name.clone(),
        ty: ty.map_or(Type::new(TypeId::TEXT), Type::from),
        not_null: column.not_null,
        default: column.default.clone(),
        rowid: column.rowid_alias,
        generated: if column.computed {
            Generated::Computed
        } else {
            match column.identity {
                Some(Identity::Always) => Generated::Always,
                Some(Identity::ByDefault) => Generated::ByDefault,
                None => Generated::No,
            }
        },
    }
}

fn keys(info: &TableInfo, columns: &[Column]) -> Vec<Key> {
    info.constraints
        .iter()
        .filter_map(|constraint| {
            let primary = match constraint.kind {
                ConstraintKind::PrimaryKey => true,
                ConstraintKind::Unique => false,
                ConstraintKind::ForeignKey { .. } | ConstraintKind::Check { .. } => return None,
            };
            let places = constraint
                .columns
                .iter()
                .map(|name| columns.iter().position(|column| column.name == *name))
                .collect::<Option<Vec<usize>>>()?;
            Some(Key {
                name: constraint.name.clone(),
                columns: places,
                primary,
            })
        })
        .collect()
}

fn catalog_table(schema: Option<&str>, name: &str) -> Option<Relation> {
    let table = pg_catalog::find_table(schema, name)?;
    let columns = table.columns.iter().map(|column| Column {
        name: column.name.to_owned(),
        ty: Type::new(column.ty),
        not_null: column.not_null,
        default: None,
        rowid: false,
        generated: Generated::No,
    });
    Some(Relation {
        schema: "temp",
        name: name.to_owned(),
        kind: RelationKind::Catalog {
            oid: table.oid,
            stored: (table.filled || pg_catalog::is_computed(table.name)).then_some(table.name),
        },
        columns: columns.collect(),
        keys: Vec::new(),
        without_rowid: false,
    })
}
