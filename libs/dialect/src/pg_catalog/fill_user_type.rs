//! Rows about enums.

use crate::pg_catalog::fill::{Filler, OWNER, PUBLIC, int, text, truth};

impl Filler<'_> {
    /// The types that users have made, and the values of each.
    pub(crate) fn user_types(&mut self) {
        for ty in &self.input.types {
            self.push(
                "pg_type",
                &[
                    ("oid", int(ty.oid)),
                    ("typname", text(&ty.name)),
                    ("typnamespace", int(PUBLIC)),
                    ("typowner", int(OWNER)),
                    ("typlen", int(4)),
                    ("typbyval", truth(true)),
                    ("typtype", text("e")),
                    ("typcategory", text("E")),
                    ("typispreferred", truth(false)),
                    ("typisdefined", truth(true)),
                    ("typdelim", text(",")),
                    ("typrelid", int(0)),
                    ("typsubscript", int(0)),
                    ("typelem", int(0)),
                    ("typarray", int(0)),
                    // enum_in and enum_out
                    ("typinput", int(3506)),
                    ("typoutput", int(3507)),
                    ("typreceive", int(0)),
                    ("typsend", int(0)),
                    ("typmodin", int(0)),
                    ("typmodout", int(0)),
                    ("typanalyze", int(0)),
                    ("typalign", text("i")),
                    ("typstorage", text("p")),
                    ("typnotnull", truth(false)),
                    ("typbasetype", int(0)),
                    ("typtypmod", int(-1)),
                    ("typndims", int(0)),
                    ("typcollation", int(0)),
                ],
            );
            for label in &ty.labels {
                let oid = self.oid("label", &format!("{}.{}", ty.name, label.text));
                self.push(
                    "pg_enum",
                    &[
                        ("oid", int(oid)),
                        ("enumtypid", int(ty.oid)),
                        ("enumsortorder", pgtypes::SqlValue::Real(label.position)),
                        ("enumlabel", text(&label.text)),
                    ],
                );
            }
        }
    }
}
