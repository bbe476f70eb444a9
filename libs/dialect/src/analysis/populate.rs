//! `json_populate_record` and its kin in FROM: the query over `json_to_record` that gives the same.
//!
//! `json_populate_record(base, json) AS q` is
//! `(SELECT q.a::type AS a, … FROM json_to_record(json) AS q (a type, …)) AS q`; where the base is a row, a member that is
//! not there has its value: `CASE WHEN (json -> 'a') IS NULL THEN base.a ELSE q.a END`.

use crate::analysis::Analyzer;
use crate::analysis::composite::{Field, type_of_text};
use crate::analysis::tree::FromItem;
use crate::catalog::Type;
use crate::error::DialectError;
use crate::syntax::ast::{
    self, Alias, Argument, Arm, Call, ColumnDefinition, Distinct, Expr, ExprKind, IsTest, Literal,
    Name, Operator, Path, Position, Query, QueryBody, Select, Target,
};

/// What the query calls the rows that it reads, and the elements of an array of rows: as nobody calls a table.
const ROWS: &str = "populated rows";
const ELEMENTS: &str = "each element";

/// A call of one of the functions, with a base of a composite type.
struct Populate<'a> {
    call: &'a Call,
    /// `jsonb_populate_record` is made of `jsonb_to_record`.
    binary: bool,
    set: bool,
    base: Option<&'a [Expr]>,
    json: &'a Expr,
    at: Position,
}

impl Analyzer<'_> {
    /// The item of FROM; `None` where it is another function, or the base is not of a composite type.
    pub(crate) fn populated(
        &mut self,
        call: &Expr,
        alias: Option<&Alias>,
    ) -> Result<Option<FromItem>, DialectError> {
        let at = call.at;
        let ExprKind::Call(call) = &call.kind else {
            return Ok(None);
        };
        let name = call.name.0.last().map_or("", |name| name.text.as_str());
        let (binary, set) = match name {
            "json_populate_record" => (false, false),
            "json_populate_recordset" => (false, true),
            "jsonb_populate_record" => (true, false),
            "jsonb_populate_recordset" => (true, true),
            _ => return Ok(None),
        };
        let [base, json] = call.arguments.as_slice() else {
            return Ok(None);
        };
        let ExprKind::Cast { operand, to } = &base.value.kind else {
            return Ok(None);
        };
        let Ok(ty) = self.named_type(to) else {
            return Ok(None);
        };
        let base = match &operand.kind {
            _ if !ty.id.is_composite() => return Ok(None),
            ExprKind::Literal(Literal::Null) => None,
            ExprKind::Row { fields, .. } => Some(fields.as_slice()),
            _ => return Ok(None),
        };
        let fields = self.fields_of_type(ty.id, at)?;
        if base.is_some_and(|base| base.len() != fields.len()) {
            // The cast says why not.
            return self.resolved(&call.arguments[0].value).map(|_| None);
        }
        // The members of a row within a row come from the base's row, too.
        let of_rows = base.unwrap_or_default().iter().zip(&fields);
        let is_null = |value: &Expr| matches!(value.kind, ExprKind::Literal(Literal::Null));
        for (value, field) in of_rows {
            if field.ty.id.is_composite() && !is_null(value) {
                return Err(self.unsupported(value.at, format!("a row within the base of {name}")));
            }
        }
        let populate = Populate {
            call,
            binary,
            set,
            base,
            json: &json.value,
            at,
        };
        let query = populate.query(&fields)?;
        let name = Name {
            text: name.to_owned(),
            at,
        };
        let unnamed = Alias {
            name: Some(name),
            columns: Vec::new(),
            definitions: Vec::new(),
        };
        let item = ast::FromItem::Query {
            query: Box::new(query),
            lateral: true,
            alias: Some(alias.cloned().unwrap_or(unnamed)),
        };
        self.item_of_from(&item).map(Some)
    }
}

impl Populate<'_> {
    fn expr(&self, kind: ExprKind) -> Expr {
        Expr {
            kind,
            at: self.at,
            from: self.json.from,
            to: self.json.to,
        }
    }

    fn name(&self, text: &str) -> Name {
        Name {
            text: text.to_owned(),
            at: self.at,
        }
    }

    fn query(&self, fields: &[Field]) -> Result<Query, DialectError> {
        let mut targets = Vec::with_capacity(fields.len());
        let mut definitions = Vec::with_capacity(fields.len());
        for (index, field) in fields.iter().enumerate() {
            let ty = match &field.domain {
                Some(domain) => {
                    let base = Type::from(domain.base).to_string();
                    type_of_text(&base)?.unwrap_or_else(|| field.written.clone())
                }
                None => field.written.clone(),
            };
            definitions.push(ColumnDefinition {
                name: self.name(&field.name),
                ty,
            });
            targets.push(Target {
                value: self.target(index, field),
                alias: Some(self.name(&field.name)),
            });
        }
        let select = Select {
            distinct: Distinct::No,
            targets,
            into: None,
            from: self.from(definitions),
            filter: None,
            group_by: Vec::new(),
            group_distinct: false,
            having: None,
            windows: Vec::new(),
            at: self.at,
        };
        Ok(Query {
            with: None,
            body: QueryBody::Select(Box::new(select)),
            order_by: Vec::new(),
            limit: None,
            with_ties: false,
            offset: None,
            locking: Vec::new(),
            at: self.at,
            to: self.at,
        })
    }

    /// A field's value: of the JSON, else of the base.
    fn target(&self, index: usize, field: &Field) -> Expr {
        let path = Path(vec![self.name(ROWS), self.name(&field.name)]);
        let mut value = self.expr(ExprKind::Column(path));
        if let Some(default) = self.base.and_then(|base| base.get(index)) {
            let cast = ExprKind::Cast {
                operand: Box::new(default.clone()),
                to: field.written.clone(),
            };
            let arm = Arm {
                at: self.at,
                condition: self.is_missing(&field.name),
                result: self.expr(cast),
            };
            value = self.expr(ExprKind::Case {
                operand: None,
                arms: vec![arm],
                otherwise: Some(Box::new(value)),
            });
        }
        if !field.is_checked() {
            return value;
        }
        self.expr(ExprKind::Cast {
            operand: Box::new(value),
            to: field.written.clone(),
        })
    }

    /// Whether the object has no member of that name.
    fn is_missing(&self, name: &str) -> Expr {
        let operator = Operator {
            schema: None,
            sign: "->".to_owned(),
            at: self.at,
        };
        let name = self.expr(ExprKind::Literal(Literal::String(name.to_owned())));
        // Nothing else says what a literal is.
        let kind = if self.binary { "jsonb" } else { "json" };
        let object = self.expr(ExprKind::Cast {
            operand: Box::new(self.object()),
            to: ast::TypeName {
                name: Path(vec![self.name(kind)]),
                modifiers: Vec::new(),
                interval: None,
                dimensions: 0,
                set_of: false,
                at: self.at,
            },
        });
        let member = self.expr(ExprKind::Infix {
            operator,
            operands: Box::new([object, name]),
        });
        self.expr(ExprKind::Is {
            operand: Box::new(member),
            test: IsTest::Null,
            negated: false,
        })
    }

    /// What is read: the argument, or an element of it where each has a base.
    fn object(&self) -> Expr {
        if self.by_element() {
            let path = Path(vec![self.name(ELEMENTS), self.name("value")]);
            return self.expr(ExprKind::Column(path));
        }
        self.json.clone()
    }

    fn by_element(&self) -> bool {
        self.set && self.base.is_some()
    }

    fn from(&self, definitions: Vec<ColumnDefinition>) -> Vec<ast::FromItem> {
        let kind = if self.binary { "jsonb" } else { "json" };
        let mut items = Vec::new();
        if self.by_element() {
            let name = format!("{kind}_array_elements");
            items.push(self.function(&name, self.json.clone(), (ELEMENTS, Vec::new())));
        }
        let set = if self.set && !self.by_element() {
            "set"
        } else {
            ""
        };
        let name = format!("{kind}_to_record{set}");
        items.push(self.function(&name, self.object(), (ROWS, definitions)));
        items
    }

    fn function(
        &self,
        name: &str,
        argument: Expr,
        (alias, definitions): (&str, Vec<ColumnDefinition>),
    ) -> ast::FromItem {
        let call = Call {
            name: Path(vec![self.name("pg_catalog"), self.name(name)]),
            arguments: vec![Argument {
                name: None,
                value: argument,
            }],
            ..self.call.clone()
        };
        ast::FromItem::Function {
            calls: vec![(self.expr(ExprKind::Call(Box::new(call))), Vec::new())],
            rows_from: false,
            ordinality: false,
            lateral: true,
            alias: Some(Alias {
                name: Some(self.name(alias)),
                columns: Vec::new(),
                definitions,
            }),
            at: self.at,
        }
    }
}
