//! Rows of `pg_description` and `pg_shdescription`.

use crate::ddl::comment::Comment;
use crate::pg_catalog::fill::{Filler, int, text};
use crate::stored_name;

/// The numbers of catalog tables, which say what an object is.
mod class {
    pub(super) const RELATION: u32 = 1259;
    pub(super) const CONSTRAINT: u32 = 2606;
    pub(super) const NAMESPACE: u32 = 2615;
    pub(super) const EXTENSION: u32 = 3079;
    pub(super) const DATABASE: u32 = 1262;
}

impl Filler<'_> {
    /// The comments, once the rows of what they are about are there.
    pub(crate) fn comments(&mut self) {
        let public = Comment {
            kind: "schema".to_owned(),
            object: stored_name::PUBLIC.to_owned(),
            part: String::new(),
            text: "standard public schema".to_owned(),
        };
        let said =
            |comment: &&Comment| comment.kind == public.kind && comment.object == public.object;
        let usual = (!self.input.comments.iter().any(|one| said(&one))).then_some(&public);
        for comment in self.input.comments.iter().chain(usual) {
            if let Some((class, object, column)) = self.place(comment) {
                let shared = class == class::DATABASE;
                let mut values = vec![
                    ("objoid", int(object)),
                    ("classoid", int(class)),
                    ("description", text(&comment.text)),
                ];
                if shared {
                    self.push("pg_shdescription", &values);
                } else {
                    values.push(("objsubid", int(column)));
                    self.push("pg_description", &values);
                }
                if let Ok(object) = u32::try_from(object) {
                    let place = (class, object, column);
                    self.objects.add_comment(place, &comment.text);
                }
            }
        }
    }

    /// The catalog table, the object, and the column that a comment is about.
    fn place(&self, comment: &Comment) -> Option<(u32, i64, i64)> {
        let relation = |stored: &str| {
            let namespace = self.namespace_of(stored).oid;
            let name = text(stored_name::base(stored));
            let wanted = [("relname", name), ("relnamespace", int(namespace))];
            self.find("pg_class", "oid", &wanted)
        };
        Some(match comment.kind.as_str() {
            "relation" => {
                let oid = relation(&comment.object)?;
                let column = if comment.part.is_empty() {
                    0
                } else {
                    let wanted = [("attrelid", int(oid)), ("attname", text(&comment.part))];
                    self.find("pg_attribute", "attnum", &wanted)?
                };
                (class::RELATION, oid, column)
            }
            "constraint" => {
                let table = relation(&comment.object)?;
                let wanted = [("conrelid", int(table)), ("conname", text(&comment.part))];
                let oid = self.find("pg_constraint", "oid", &wanted)?;
                (class::CONSTRAINT, oid, 0)
            }
            "schema" => {
                let wanted = [("nspname", text(&comment.object))];
                let oid = self.find("pg_namespace", "oid", &wanted)?;
                (class::NAMESPACE, oid, 0)
            }
            "extension" => {
                let wanted = [("extname", text(&comment.object))];
                let oid = self.find("pg_extension", "oid", &wanted)?;
                (class::EXTENSION, oid, 0)
            }
            "database" => {
                let wanted = [("datname", text(&comment.object))];
                let oid = self.find("pg_database", "oid", &wanted)?;
                (class::DATABASE, oid, 0)
            }
            _ => return None,
        })
    }
}
