//! Random values of a wanted type.

use dialect::catalog::{FunctionKind, TypeId};
use disk::testing::Random;

use crate::node::{Node, Sort};
use crate::signatures::{Signature, Signatures};
use crate::special::special;
use crate::values::{TYPES, values_of};

/// A column that can be named.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    pub(crate) sql: String,
    pub(crate) ty: TypeId,
}

/// Makes statements from a series of numbers.
pub(crate) struct Generator<'a> {
    pub(crate) random: Random,
    pub(crate) signatures: &'a Signatures,
    /// The columns that can be named, those of outer queries among them.
    pub(crate) columns: Vec<Column>,
    /// How many names were given.
    pub(crate) names: u32,
    /// How many queries stand around.
    pub(crate) nested: u32,
}

/// The types of which values are made most often.
const USUAL: &[TypeId] = &[
    TypeId::BOOL,
    TypeId::INT4,
    TypeId::INT4,
    TypeId::INT8,
    TypeId::NUMERIC,
    TypeId::NUMERIC,
    TypeId::FLOAT8,
    TypeId::TEXT,
    TypeId::TEXT,
    TypeId::DATE,
    TypeId::TIMESTAMP,
    TypeId::TIMESTAMPTZ,
    TypeId::INTERVAL,
    TypeId::JSONB,
];

impl<'a> Generator<'a> {
    pub(crate) fn new(seed: u64, signatures: &'a Signatures) -> Self {
        let mut random = Random::new(seed);
        // Seeds beside each other begin alike.
        for _ in 0..8 {
            random.next();
        }
        Self {
            random,
            signatures,
            columns: Vec::new(),
            names: 0,
            nested: 0,
        }
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.random.below(bound.max(1) as u64)).expect("small")
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<'b, T>(&mut self, of: &'b [T]) -> &'b T {
        &of[self.below(of.len())]
    }

    /// A new name.
    pub(crate) fn name(&mut self, start: &str) -> String {
        self.names += 1;
        format!("{start}{}", self.names)
    }

    /// A type of columns.
    pub(crate) fn any_type(&mut self) -> TypeId {
        let ty = self.pick(TYPES).0;
        if self.once_in(3) && ty != TypeId::BPCHAR {
            ty
        } else {
            *self.pick(USUAL)
        }
    }

    /// A type whose values are ordered.
    pub(crate) fn sortable_type(&mut self) -> TypeId {
        loop {
            let ty = self.any_type();
            if ty != TypeId::JSON {
                return ty;
            }
        }
    }

    /// A type whose equal values have one text.
    pub(crate) fn key_type(&mut self) -> TypeId {
        loop {
            let ty = self.sortable_type();
            if !matches!(ty, TypeId::INTERVAL | TypeId::JSONB | TypeId::NUMERIC) {
                return ty;
            }
        }
    }

    /// A value of a type; deeper ones are made of more parts.
    pub(crate) fn value(&mut self, ty: TypeId, depth: u32) -> Node {
        if depth == 0 {
            return self.leaf(ty);
        }
        match self.below(22) {
            0..=3 => self.leaf(ty),
            4 => self.case(ty, depth - 1),
            5 => self.one_of(ty, depth - 1),
            6 if self.nested < 2 => self.scalar_query(ty, depth - 1),
            7..=10 if ty == TypeId::BOOL => self.condition(depth),
            _ => match self.call_giving(ty) {
                Some(signature) => self.call(signature, depth - 1),
                None => self.leaf(ty),
            },
        }
    }

    fn call_giving(&mut self, ty: TypeId) -> Option<&'a Signature> {
        let signatures = self.signatures;
        let those = signatures.giving(ty);
        if those.is_empty() {
            return None;
        }
        let at = *self.pick(those);
        signatures.calls.get(at)
    }

    /// A call with random arguments.
    pub(crate) fn call(&mut self, signature: &Signature, depth: u32) -> Node {
        let arguments: Vec<Node> = (0..signature.arguments.len())
            .map(|index| self.argument(signature, index, depth))
            .collect();
        let call = Node::value(signature.result, &signature.template, arguments);
        if matches!(signature.kind, FunctionKind::Scalar) && signature.template.contains("::") {
            return Node::value(signature.result, "({})", [call]);
        }
        call
    }

    /// An argument: what means something to the function, where it is known.
    pub(crate) fn argument(&mut self, signature: &Signature, index: usize, depth: u32) -> Node {
        let ty = signature.arguments[index];
        if let Some(texts) = special(signature.name, index, ty, signature.arguments[0])
            && (matches!(
                signature.name,
                "make_interval"
                    | "width_bucket"
                    | "date_trunc"
                    | "make_date"
                    | "make_timestamptz"
                    | "trunc"
                    | "round"
                    | "timezone"
                    | "convert_from"
                    | "convert"
                    | "convert_to"
                    | "length"
                    | "age"
                    | "to_number"
                    | "to_char"
            ) || !self.once_in(12))
        {
            let text = *self.pick(texts);
            return self.literal_of(ty, text);
        }
        if signature.name == "cast" && is_text(ty) && !self.once_in(8) {
            // What is no value at all is refused in many ways.
            let texts = values_of(signature.result).map_or(&[][..], |(_, _, texts)| texts);
            if !texts.is_empty() {
                let text = *self.pick(texts);
                return self.literal_of(ty, text);
            }
        }
        let depth = if signature.name == "cast" && is_text(ty) {
            0
        } else {
            depth
        };
        let node = self.value(ty, depth);
        // A cast binds stronger than a sign.
        if signature.template.starts_with("{}::") {
            return Node::value(ty, "({})", [node]);
        }
        node
    }

    /// A column, if there is one, or a literal.
    pub(crate) fn leaf(&mut self, ty: TypeId) -> Node {
        let those: Vec<usize> = (0..self.columns.len())
            .filter(|at| self.columns[*at].ty == ty)
            .collect();
        if !those.is_empty() && !self.once_in(3) {
            let at = *self.pick(&those);
            return Node::leaf(Sort::Value(ty), self.columns[at].sql.clone());
        }
        self.literal(ty)
    }

    /// A literal, NULL among them.
    pub(crate) fn literal(&mut self, ty: TypeId) -> Node {
        let Some((_, name, texts)) = values_of(ty) else {
            return Node::leaf(Sort::Value(ty), format!("NULL::{}", ty.name()));
        };
        if self.once_in(15) {
            return Node::leaf(Sort::Value(ty), format!("NULL::{name}"));
        }
        if self.once_in(4)
            && let Some(text) = self.made_text(ty)
        {
            return self.literal_of(ty, &text);
        }
        let text = *self.pick(texts);
        self.literal_of(ty, text)
    }

    fn literal_of(&mut self, ty: TypeId, text: &str) -> Node {
        let name = values_of(ty).map_or_else(|| ty.name(), |(_, name, _)| (*name).to_owned());
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
        let sql = match ty {
            TypeId::BOOL => text.to_owned(),
            TypeId::INT4 if is_plain => text.to_owned(),
            TypeId::INT8 if is_plain && text.len() > 10 => text.to_owned(),
            TypeId::NUMERIC if text.contains('.') && !text.contains(['-', 'e']) => text.to_owned(),
            TypeId::TEXT if self.once_in(8) => format!("'{text}'"),
            _ => format!("'{text}'::{name}"),
        };
        Node::leaf(Sort::Value(ty), sql)
    }

    fn case(&mut self, ty: TypeId, depth: u32) -> Node {
        let (first, last) = (self.value(ty, depth), self.value(ty, depth));
        if self.once_in(3) {
            let key = self.sortable_type();
            let (of, is) = (self.value(key, depth), self.leaf(key));
            return Node::value(
                ty,
                "CASE {} WHEN {} THEN {} ELSE {} END",
                [of, is, first, last],
            );
        }
        let condition = self.condition(depth);
        let otherwise = if self.once_in(4) {
            Node::none()
        } else {
            Node::clause(" ELSE {}", [last])
        };
        Node::value(
            ty,
            "CASE WHEN {} THEN {}{} END",
            [condition, first, otherwise],
        )
    }

    fn one_of(&mut self, ty: TypeId, depth: u32) -> Node {
        let both = [self.value(ty, depth), self.value(ty, depth)];
        let kinds: &[&str] = if ty == TypeId::JSON {
            &["COALESCE({}, {})"]
        } else {
            &[
                "COALESCE({}, {})",
                "NULLIF({}, {})",
                "GREATEST({}, {})",
                "LEAST({}, {})",
            ]
        };
        let template = *self.pick(kinds);
        Node::value(ty, template, both)
    }

    /// A truth that is made of others.
    pub(crate) fn condition(&mut self, depth: u32) -> Node {
        let ty = TypeId::BOOL;
        let depth = depth.saturating_sub(1);
        match self.below(16) {
            0 | 1 => {
                let template = *self.pick(&["({} AND {})", "({} OR {})"]);
                let both = [self.value(ty, depth), self.value(ty, depth)];
                Node::value(ty, template, both)
            }
            2 => {
                let template = *self.pick(&[
                    "(NOT {})",
                    "({} IS TRUE)",
                    "({} IS NOT FALSE)",
                    "({} IS UNKNOWN)",
                ]);
                let one = self.value(ty, depth);
                Node::value(ty, template, [one])
            }
            3 | 4 => {
                let of = self.any_type();
                let one = self.value(of, depth);
                let template = *self.pick(&["({} IS NULL)", "({} IS NOT NULL)"]);
                Node::value(ty, template, [one])
            }
            5 => self.compared(
                &["({} IS DISTINCT FROM {})", "({} IS NOT DISTINCT FROM {})"],
                depth,
            ),
            6 => self.listed(depth),
            7 => {
                let of = self.sortable_type();
                let three = [self.value(of, depth), self.leaf(of), self.leaf(of)];
                let template = *self.pick(&[
                    "({} BETWEEN {} AND {})",
                    "({} NOT BETWEEN {} AND {})",
                    "({} BETWEEN SYMMETRIC {} AND {})",
                ]);
                Node::value(ty, template, three)
            }
            8 => self.like(depth),
            9 => self.any_of(depth),
            10 => self.rows_compared(depth),
            11 if self.nested < 2 => self.exists(depth),
            12 if self.nested < 2 => self.in_query(depth),
            _ => self.compared(
                &[
                    "({} = {})",
                    "({} <> {})",
                    "({} < {})",
                    "({} <= {})",
                    "({} > {})",
                    "({} >= {})",
                ],
                depth,
            ),
        }
    }

    fn compared(&mut self, templates: &[&'static str], depth: u32) -> Node {
        let of = self.sortable_type();
        let both = [self.value(of, depth), self.leaf(of)];
        let template = *self.pick(templates);
        Node::value(TypeId::BOOL, template, both)
    }

    fn listed(&mut self, depth: u32) -> Node {
        let of = self.sortable_type();
        let one = self.value(of, depth);
        let list = (0..=self.below(3)).map(|_| self.leaf(of)).collect();
        let template = *self.pick(&["({} IN ({}))", "({} NOT IN ({}))"]);
        Node::value(TypeId::BOOL, template, [one, Node::list(", ", list)])
    }

    fn like(&mut self, depth: u32) -> Node {
        let one = self.value(TypeId::TEXT, depth);
        let pattern = *self.pick(&[
            "%", "a%", "%b%", "_bc", "A\\%", "", "%_%", "(a|b)%", "%e%l%", "ab_",
        ]);
        let template = *self.pick(&[
            "({} LIKE {})",
            "({} NOT LIKE {})",
            "({} ILIKE {})",
            "({} SIMILAR TO {})",
            "({} LIKE {} ESCAPE '#')",
        ]);
        Node::value(
            TypeId::BOOL,
            template,
            [one, Node::leaf(Sort::Fixed, format!("'{pattern}'"))],
        )
    }

    fn any_of(&mut self, depth: u32) -> Node {
        let (element, array) = *self.pick(&[
            (TypeId::INT4, TypeId::INT4_ARRAY),
            (TypeId::TEXT, TypeId::TEXT_ARRAY),
            (TypeId::NUMERIC, TypeId::NUMERIC_ARRAY),
            (TypeId::FLOAT8, TypeId::FLOAT8_ARRAY),
            (TypeId::INT8, TypeId::INT8_ARRAY),
        ]);
        let one = self.value(element, depth);
        let template = *self.pick(&[
            "({} = ANY ({}))",
            "({} <> ALL ({}))",
            "({} < ANY ({}))",
            "({} >= ALL ({}))",
            "({} > ANY ({}))",
        ]);
        let array = if self.once_in(2) {
            let list = (0..=self.below(3)).map(|_| self.leaf(element)).collect();
            Node::value(array, "ARRAY[{}]", [Node::list(", ", list)])
        } else {
            self.value(array, depth)
        };
        Node::value(TypeId::BOOL, template, [one, array])
    }

    fn rows_compared(&mut self, depth: u32) -> Node {
        let (a, b) = (self.sortable_type(), self.sortable_type());
        let four = [
            self.value(a, depth),
            self.leaf(b),
            self.leaf(a),
            self.leaf(b),
        ];
        let template = *self.pick(&[
            "(({}, {}) = ({}, {}))",
            "(({}, {}) < ({}, {}))",
            "(({}, {}) <> ({}, {}))",
            "(({}, {}) >= ({}, {}))",
        ]);
        Node::value(TypeId::BOOL, template, four)
    }
}

fn is_text(ty: TypeId) -> bool {
    matches!(
        ty,
        TypeId::TEXT | TypeId::VARCHAR | TypeId::NAME | TypeId::BPCHAR
    )
}
