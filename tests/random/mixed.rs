//! Random lists and set operations of values whose types differ.

use dialect::catalog::TypeId;

use crate::expressions::Generator;
use crate::node::{Node, Sort};
use crate::queries::Statement;

/// Types that one list can mix.
const FAMILIES: &[&[TypeId]] = &[
    &[
        TypeId::INT2,
        TypeId::INT4,
        TypeId::INT8,
        TypeId::NUMERIC,
        TypeId::FLOAT4,
        TypeId::FLOAT8,
    ],
    &[TypeId::TEXT, TypeId::VARCHAR, TypeId::NAME],
    &[TypeId::DATE, TypeId::TIMESTAMP, TypeId::TIMESTAMPTZ],
    &[TypeId::INET, TypeId::CIDR],
    &[TypeId::TIME, TypeId::TIMETZ],
    &[TypeId::JSONB],
    &[TypeId::INT4_ARRAY],
];

impl Generator<'_> {
    /// A value of one of a family's types, or a literal without a type.
    fn mixed(&mut self, family: &[TypeId]) -> Node {
        match self.below(8) {
            0 => Node::leaf(Sort::Fixed, "NULL"),
            1 => {
                let ty = *self.pick(family);
                let text = self.made_text(ty).unwrap_or_else(|| "1".to_owned());
                Node::leaf(Sort::Fixed, format!("'{text}'"))
            }
            _ => {
                let ty = *self.pick(family);
                self.value(ty, 1)
            }
        }
    }

    /// Lists of values that have to find one type.
    pub(crate) fn mixed_rows(&mut self) -> Statement {
        let family = *self.pick(FAMILIES);
        let mut list: Vec<Node> = (0..2 + self.below(3)).map(|_| self.mixed(family)).collect();
        let places = vec!["{}"; list.len()].join(", ");
        let rows = vec!["({})"; list.len()].join(", ");
        let condition = self.condition(1).whole(Sort::Fixed);
        let template = match self.below(9) {
            0 => format!("SELECT COALESCE({places})"),
            1 => format!("SELECT GREATEST({places}), 1"),
            2 => format!("SELECT LEAST({places})"),
            3 => format!("SELECT ARRAY[{places}]"),
            4 => format!("VALUES {rows}"),
            5 => format!("SELECT * FROM (VALUES {rows}) AS v1 (a)"),
            6 => format!(
                "SELECT {}",
                vec!["{}"; list.len()].join(" IN (NULL, ") + &")".repeat(list.len() - 1)
            ),
            7 => {
                let ends = vec!["WHEN false THEN {}"; list.len() - 1].join(" ");
                format!("SELECT CASE {ends} ELSE {{}} END")
            }
            _ => {
                let ends = vec!["WHEN {} THEN {}"; list.len() - 1].join(" ");
                // The last value has no condition.
                let last = list.split_off(list.len() - 1);
                list = list
                    .into_iter()
                    .flat_map(|value| [condition.clone(), value])
                    .chain(last)
                    .collect();
                format!("SELECT CASE {ends} ELSE {{}} END")
            }
        };
        Statement::query(Node::fixed(&template, list), false)
    }

    /// UNION and its kin of sides whose types differ.
    pub(crate) fn mixed_sets(&mut self) -> Statement {
        let family = FAMILIES[self.below(3)];
        let sides: Vec<Node> = (0..2 + self.below(2))
            .map(|_| {
                if self.once_in(3) {
                    let value = self.mixed(family);
                    return Node::fixed("SELECT {}", [value]);
                }
                let alias = self.name("x");
                let table = *self.pick(&["t", "u", "w"]);
                self.columns = Self::table_columns(table, &alias);
                let value = self.mixed(family);
                let condition = self.filter();
                self.columns.clear();
                Node::fixed(
                    &format!("SELECT {{}} FROM {table} AS {alias}{{}}"),
                    [value, condition],
                )
            })
            .collect();
        let signs = ["UNION ALL", "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL"];
        let mut template = "{}".to_owned();
        for _ in 1..sides.len() {
            let sign = *self.pick(&signs);
            template = match self.below(3) {
                0 => format!("({template}) {sign} ({{}})"),
                _ => format!("{template} {sign} {{}}"),
            };
        }
        if self.once_in(4) {
            template = format!("SELECT count(*), count(v1.a) FROM ({template}) AS v1 (a)");
        }
        Statement::query(Node::fixed(&template, sides), false)
    }
}
