//! Rows about enums and composite types, and about the types of tables' rows.

use pgtypes::SqlValue as Value;

use crate::pg_catalog::fill::{Filler, int, text, truth};
use crate::pg_catalog::fill_fixed::kept_as;
use crate::pg_catalog::support::TypeSupport;
use crate::stored_name;
use crate::user_type::UserType;

impl Filler<'_> {
    /// The type of the rows of a table or view; gives its number.
    pub(crate) fn row_type(&mut self, table: u32, name: &str, owner: Value) -> u32 {
        let place = self.place.oid;
        let oid = self.oid("row type", &format!("{place}.{name}"));
        let mut values = vec![
            ("oid", int(oid)),
            ("typname", text(name)),
            ("typnamespace", int(place)),
            ("typowner", owner),
            ("typtype", text("c")),
            ("typcategory", text("C")),
            ("typispreferred", truth(false)),
            ("typrelid", int(table)),
            ("typelem", int(0)),
            ("typarray", int(0)),
            ("typnotnull", truth(false)),
            ("typbasetype", int(0)),
            ("typtypmod", int(-1)),
            ("typndims", int(0)),
            ("typcollation", int(0)),
        ];
        values.extend(kept_as(TypeSupport::ROW));
        self.push("pg_type", &values);
        oid
    }

    /// The types that users have made, and the values of each.
    pub(crate) fn user_types(&mut self) {
        for ty in &self.input.types {
            if let Some(composite) = &ty.composite {
                let base = stored_name::base(&ty.name);
                let row = Row {
                    kind: "c",
                    category: "C",
                    array: composite.array,
                    support: TypeSupport::ROW,
                    ..Row::of(ty, base)
                };
                self.user_type(&ty.name, &row);
                let name = format!("_{base}");
                let row = Row {
                    oid: composite.array,
                    kind: "b",
                    category: "A",
                    element: ty.oid,
                    support: TypeSupport {
                        align: TypeSupport::ROW.align,
                        ..TypeSupport::ARRAY
                    },
                    ..Row::of(ty, &name)
                };
                self.user_type(&ty.name, &row);
                continue;
            }
            self.user_type(&ty.name, &Row::of(ty, stored_name::base(&ty.name)));
            for label in &ty.labels {
                let oid = self.oid("label", &format!("{}.{}", ty.name, label.text));
                self.push(
                    "pg_enum",
                    &[
                        ("oid", int(oid)),
                        ("enumtypid", int(ty.oid)),
                        ("enumsortorder", Value::Real(label.position)),
                        ("enumlabel", text(&label.text)),
                    ],
                );
            }
        }
    }

    /// A row of `pg_type`; `stored` is the name of the type that the user has made.
    fn user_type(&mut self, stored: &str, row: &Row<'_>) {
        let mut values = vec![
            ("oid", int(row.oid)),
            ("typname", text(row.name)),
            ("typnamespace", int(self.namespace_of(stored).oid)),
            self.type_owner(stored),
            ("typtype", text(row.kind)),
            ("typcategory", text(row.category)),
            ("typispreferred", truth(false)),
            ("typrelid", int(0)),
            ("typelem", int(row.element)),
            ("typarray", int(row.array)),
            ("typnotnull", truth(false)),
            ("typbasetype", int(0)),
            ("typtypmod", int(-1)),
            ("typndims", int(0)),
            ("typcollation", int(0)),
        ];
        values.extend(kept_as(row.support));
        self.push("pg_type", &values);
    }
}

/// What differs between the types of users.
struct Row<'a> {
    oid: u32,
    name: &'a str,
    kind: &'static str,
    category: &'static str,
    element: u32,
    array: u32,
    support: TypeSupport,
}

impl<'a> Row<'a> {
    /// That of an enum.
    fn of(ty: &UserType, name: &'a str) -> Self {
        Self {
            oid: ty.oid,
            name,
            kind: "e",
            category: "E",
            element: 0,
            array: 0,
            support: TypeSupport::ENUM,
        }
    }
}
