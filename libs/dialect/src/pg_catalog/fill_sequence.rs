//! Rows of the catalog about sequences.

use acl::Kind;
use pgtypes::{PgType, SqlValue as Value};

use crate::pg_catalog::fill::{Filler, int, text, truth};
use crate::sequence::SequenceInfo;
use crate::stored_name;

/// The number of `pg_class` in itself.
const PG_CLASS: u32 = 1259;

impl Filler<'_> {
    /// A sequence in `pg_class`, `pg_sequence`, and the views over them.
    pub(crate) fn sequence(&mut self, sequence: &SequenceInfo) {
        let known = self.tables.get(&sequence.name.to_ascii_lowercase());
        let oid = match known.copied() {
            Some(oid) => oid,
            None => self.oid("class", &sequence.name),
        };
        let [owner, acl] = self.sequence_rights(sequence);
        let more = [("relnatts", int(3)), owner, acl];
        let name = stored_name::base(&sequence.name);
        self.class(oid, name, "S", &more);
        self.object(oid, name, 'S', "");
        let ty = PgType::parse(&sequence.data_type).unwrap_or(PgType::Int8);
        self.push(
            "pg_sequence",
            &[
                ("seqrelid", int(oid)),
                ("seqtypid", int(ty.oid().get())),
                ("seqstart", int(sequence.start)),
                ("seqincrement", int(sequence.increment)),
                ("seqmax", int(sequence.max)),
                ("seqmin", int(sequence.min)),
                ("seqcache", int(sequence.cache)),
                ("seqcycle", truth(sequence.cycle)),
            ],
        );
        self.sequence_views(sequence, &ty);
        self.ownership(oid, sequence);
    }

    /// A sequence that a column owns has the owner of its table.
    fn sequence_owner(&self, sequence: &SequenceInfo) -> String {
        match &sequence.owner {
            Some((table, _)) => self.owner_of(Kind::Table, table),
            None => self.owner_of(Kind::Sequence, &sequence.name),
        }
    }

    fn sequence_rights(&self, sequence: &SequenceInfo) -> [(&'static str, Value); 2] {
        let [_, acl] = self.rights(Kind::Sequence, &sequence.name);
        let owner = self.role_oid(&self.sequence_owner(sequence));
        [("relowner", int(owner)), acl]
    }

    fn sequence_views(&mut self, sequence: &SequenceInfo, ty: &PgType) {
        let owner = self.sequence_owner(sequence);
        let database = self.input.database.clone();
        let last = if sequence.is_called {
            int(sequence.last_value)
        } else {
            Value::Null
        };
        self.push(
            "pg_sequences",
            &[
                ("schemaname", text(&self.place.name.clone())),
                ("sequencename", text(stored_name::base(&sequence.name))),
                ("sequenceowner", text(&owner)),
                ("data_type", int(ty.oid().get())),
                ("start_value", int(sequence.start)),
                ("min_value", int(sequence.min)),
                ("max_value", int(sequence.max)),
                ("increment_by", int(sequence.increment)),
                ("cycle", truth(sequence.cycle)),
                ("cache_size", int(sequence.cache)),
                ("last_value", last),
            ],
        );
        if sequence.identity {
            // Identity sequences are no objects of their own in the standard's eyes.
            return;
        }
        let bits = match ty {
            PgType::Int2 => 16,
            PgType::Int4 => 32,
            _ => 64,
        };
        self.push(
            "information_schema.sequences",
            &[
                ("sequence_catalog", text(&database)),
                ("sequence_schema", text(&self.place.name.clone())),
                ("sequence_name", text(stored_name::base(&sequence.name))),
                ("data_type", text(&sequence.data_type)),
                ("numeric_precision", int(bits)),
                ("numeric_precision_radix", int(2)),
                ("numeric_scale", int(0)),
                ("start_value", text(&sequence.start.to_string())),
                ("minimum_value", text(&sequence.min.to_string())),
                ("maximum_value", text(&sequence.max.to_string())),
                ("increment", text(&sequence.increment.to_string())),
                (
                    "cycle_option",
                    text(if sequence.cycle { "YES" } else { "NO" }),
                ),
            ],
        );
    }

    /// The column that owns a sequence.
    fn ownership(&mut self, oid: u32, sequence: &SequenceInfo) {
        let Some((table, column)) = &sequence.owner else {
            return;
        };
        let info = self.input.tables.iter().find(|info| info.name == *table);
        let place = info.and_then(|info| info.columns.iter().position(|own| own.name == *column));
        let known = self.tables.get(&table.to_ascii_lowercase()).copied();
        let (Some(place), Some(table)) = (place, known) else {
            return;
        };
        let number = i64::try_from(place + 1).unwrap_or(0);
        self.push(
            "pg_depend",
            &[
                ("classid", int(PG_CLASS)),
                ("objid", int(oid)),
                ("objsubid", int(0)),
                ("refclassid", int(PG_CLASS)),
                ("refobjid", int(table)),
                ("refobjsubid", int(number)),
                ("deptype", text(if sequence.identity { "i" } else { "a" })),
            ],
        );
    }
}
