//! Calls: which function a name and its arguments stand for.

use pgtypes::SqlState;

use crate::analysis::Analyzer;
use crate::analysis::scope::{Clause, dotted};
use crate::analysis::tree::{Call, Expr, ExprKind};
use crate::catalog::resolve::{self, FunctionMatch, Resolved};
use crate::catalog::{FunctionKind, Type, TypeId, Volatility, functions_named};
use crate::error::DialectError;
use crate::stored_name::PUBLIC;
use crate::syntax::ast::{self, Path, Position};

/// PostgreSQL's limit.
const MAX_ARGUMENTS: usize = 100;

impl Analyzer<'_> {
    /// A call as it was written.
    pub(crate) fn call(&mut self, call: &ast::Call, at: Position) -> Result<Expr, DialectError> {
        let name = self.function_name(&call.name, at)?;
        let aggregate = functions_named(&name)
            .iter()
            .any(|function| matches!(function.kind, FunctionKind::Aggregate { .. }));
        if aggregate && call.over.is_none() {
            return self.aggregate(&name, call, at);
        }
        let arguments = self.arguments(call)?;
        if call.over.is_some() {
            return self.window_call(&name, call, arguments, at);
        }
        let mut resolved = match self.resolve(&name, &arguments, call, at)? {
            Match::Function(resolved) => resolved,
            Match::Cast(target) => return self.cast_of(arguments.values, target, at),
        };
        self.check_plain(call, &resolved, at)?;
        if call.variadic && matches!(name.as_str(), "concat" | "concat_ws") {
            return self.joined_array(arguments.values, at);
        }
        let array = arguments
            .values
            .last()
            .is_some_and(|last| last.ty.id.is_array() && !matches!(last.kind, ExprKind::Array(_)));
        if call.variadic && name == "format" && array {
            let mut formatted = self.build(&resolved, arguments.values, at)?;
            if let ExprKind::Call(call) = &mut formatted.kind {
                call.variadic = Some(TypeId::ANY);
            }
            return Ok(formatted);
        }
        let values = self.spread(call, &mut resolved, arguments.values, at)?;
        self.build(&resolved, values, at)
    }

    /// `concat` or `concat_ws` of an array's elements.
    fn joined_array(
        &mut self,
        mut arguments: Vec<Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let array = arguments.pop();
        let separator = arguments.pop().unwrap_or_else(|| {
            let nothing = pgtypes::SqlValue::Text(String::new());
            Expr::new(Type::new(TypeId::TEXT), ExprKind::Constant(nothing), at)
        });
        match array {
            Some(array) if array.ty.id.is_array() => {
                self.call_named("array_to_string", vec![array, separator], at)
            }
            _ => Err(self.error(
                at,
                SqlState::INVALID_PARAMETER_VALUE,
                "VARIADIC argument must be an array",
            )),
        }
    }

    /// The arguments of a call that may take any, where VARIADIC stands before an array: its elements.
    pub(crate) fn spread(
        &self,
        call: &ast::Call,
        resolved: &mut Resolved,
        mut arguments: Vec<Expr>,
        at: Position,
    ) -> Result<Vec<Expr>, DialectError> {
        if !call.variadic || resolved.function.variadic.is_none() {
            return Ok(arguments);
        }
        match arguments.pop().map(|last| last.kind) {
            Some(ExprKind::Array(elements)) if resolved.function.variadic == Some(TypeId::ANY) => {
                arguments.extend(elements);
                resolved.declared.resize(arguments.len(), TypeId::ANY);
                Ok(arguments)
            }
            _ => Err(self.unsupported(at, "VARIADIC before this argument")),
        }
    }

    /// The name in `pg_catalog`, where all functions are.
    fn function_name(&self, path: &Path, at: Position) -> Result<String, DialectError> {
        match path.0.as_slice() {
            [name] => Ok(name.text.clone()),
            [schema, name] if schema.text == "pg_catalog" => Ok(name.text.clone()),
            [schema, name] if schema.text == "information_schema" => Ok(name.text.clone()),
            [schema, ..] if schema.text == PUBLIC || self.schema.has_schema(&schema.text) => {
                Err(self.error(
                    at,
                    SqlState::UNDEFINED_FUNCTION,
                    format!("function {} does not exist", dotted(path)),
                ))
            }
            [schema, ..] => Err(self.error(
                at,
                SqlState::INVALID_SCHEMA_NAME,
                format!("schema \"{}\" does not exist", schema.text),
            )),
            [] => Err(self.error(at, SqlState::SYNTAX_ERROR, "a function without a name")),
        }
    }

    /// The arguments and their names.
    pub(crate) fn arguments(&mut self, call: &ast::Call) -> Result<Arguments, DialectError> {
        let mut values = Vec::with_capacity(call.arguments.len());
        let mut names = Vec::with_capacity(call.arguments.len());
        for argument in &call.arguments {
            let value = match &argument.value.kind {
                // A table's name with a star is its row.
                ast::ExprKind::Star(table) if !table.is_empty() => {
                    let at = argument.value.at;
                    let item = self.starred(table, at)?;
                    self.row_of(item, at)
                }
                _ => self.expr(&argument.value)?,
            };
            // A parameter of type void holds the place of a result: JDBC's `{? = call f(?)}`.
            if value.ty.id == TypeId::VOID && matches!(value.kind, ExprKind::Parameter(_)) {
                continue;
            }
            values.push(value);
            names.push(argument.name.as_ref().map(|name| name.text.clone()));
        }
        Ok(Arguments { values, names })
    }

    /// What the name stands for with these arguments.
    fn resolve(
        &self,
        name: &str,
        Arguments { values, names }: &Arguments,
        call: &ast::Call,
        at: Position,
    ) -> Result<Match, DialectError> {
        if values.len() > MAX_ARGUMENTS {
            return Err(self.error(
                at,
                SqlState::TOO_MANY_ARGUMENTS,
                format!("cannot pass more than {MAX_ARGUMENTS} arguments to a function"),
            ));
        }
        let types: Vec<TypeId> = values.iter().map(|value| value.ty.id).collect();
        let names: Vec<Option<&str>> = names.iter().map(|name| name.as_deref()).collect();
        let shown = || {
            let list: Vec<String> = types
                .iter()
                .zip(&names)
                .map(|(ty, name)| match name {
                    Some(name) => format!("{name} => {}", ty.name()),
                    None => ty.name(),
                })
                .collect();
            format!("{}({})", dotted(&call.name), list.join(", "))
        };
        match resolve::function(name, &types, &names, call.variadic) {
            FunctionMatch::Found(resolved) => Ok(Match::Function(resolved)),
            FunctionMatch::Coercion(target) => Ok(Match::Cast(target)),
            FunctionMatch::None => Err(self
                .error(
                    at,
                    SqlState::UNDEFINED_FUNCTION,
                    format!("function {} does not exist", shown()),
                )
                .hint("No function matches the given name and argument types. You might need to add explicit type casts.")),
            FunctionMatch::Undetermined(error) => Err(error.at(self.sql, at.0 as usize)),
            FunctionMatch::Ambiguous => Err(self
                .error(
                    at,
                    SqlState::AMBIGUOUS_FUNCTION,
                    format!("function {} is not unique", shown()),
                )
                .hint("Could not choose a best candidate function. You might need to add explicit type casts.")),
        }
    }

    /// The function that the name stands for, where a cast may not stand.
    pub(crate) fn resolve_function(
        &self,
        name: &str,
        arguments: &Arguments,
        call: &ast::Call,
        at: Position,
    ) -> Result<Resolved, DialectError> {
        match self.resolve(name, arguments, call, at)? {
            Match::Function(resolved) => Ok(resolved),
            Match::Cast(_) => Err(self.unsupported(at, name)),
        }
    }

    /// `float8(x)` and the like, which are casts.
    fn cast_of(
        &mut self,
        mut arguments: Vec<Expr>,
        target: TypeId,
        at: Position,
    ) -> Result<Expr, DialectError> {
        match arguments.pop() {
            Some(value) => self.cast_by_name(value, target, at),
            None => Err(self.unsupported(at, "a cast of nothing")),
        }
    }

    /// A plain function takes none of the clauses of aggregates.
    pub(crate) fn check_plain(
        &self,
        call: &ast::Call,
        resolved: &Resolved,
        at: Position,
    ) -> Result<(), DialectError> {
        let name = resolved.function.name;
        let clause = if call.star {
            Some(format!(
                "{name}(*) specified, but {name} is not an aggregate function"
            ))
        } else if call.distinct {
            Some(format!(
                "DISTINCT specified, but {name} is not an aggregate function"
            ))
        } else if call.within_group {
            Some(format!(
                "WITHIN GROUP specified, but {name} is not an aggregate function"
            ))
        } else if !call.order_by.is_empty() {
            Some(format!(
                "ORDER BY specified, but {name} is not an aggregate function"
            ))
        } else if call.filter.is_some() {
            Some(format!(
                "FILTER specified, but {name} is not an aggregate function"
            ))
        } else {
            None
        };
        if let Some(message) = clause {
            return Err(self.error(at, SqlState::WRONG_OBJECT_TYPE, message));
        }
        match resolved.function.kind {
            FunctionKind::Window => Err(self.error(
                at,
                SqlState::WRONG_OBJECT_TYPE,
                format!("window function {name} requires an OVER clause"),
            )),
            FunctionKind::Procedure => Err(self
                .error(
                    at,
                    SqlState::WRONG_OBJECT_TYPE,
                    format!("{name} is a procedure"),
                )
                .hint("To call a procedure, use CALL.")),
            FunctionKind::Scalar | FunctionKind::Aggregate { .. } => Ok(()),
        }
    }

    /// The call with its arguments in the order of the parameters, converted.
    pub(crate) fn build(
        &mut self,
        resolved: &Resolved,
        arguments: Vec<Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let function = resolved.function;
        if function.returns_set && !matches!(self.clause, Clause::From | Clause::Select) {
            return Err(self.error(
                at,
                SqlState::FEATURE_NOT_SUPPORTED,
                format!(
                    "set-returning functions are not allowed in {}",
                    self.clause.name()
                ),
            ));
        }
        self.volatile |= function.volatility == Volatility::Volatile;
        let (mut arguments, variadic) = self.in_order(resolved, arguments, at)?;
        if let Some(sequence) = arguments.first_mut() {
            self.name_sequence(function, sequence)?;
        }
        if let Some(element) = variadic.filter(|element| *element != TypeId::ANY) {
            collect(&mut arguments, function.arguments.len(), element, at);
        }
        let call = Call {
            function,
            arguments,
            variadic: None,
        };
        Ok(Expr::new(
            Type::new(resolved.result),
            ExprKind::Call(call),
            at,
        ))
    }

    /// Arguments in the order of the parameters, converted; those of a variadic call are the last ones.
    pub(crate) fn in_order(
        &mut self,
        resolved: &Resolved,
        arguments: Vec<Expr>,
        at: Position,
    ) -> Result<(Vec<Expr>, Option<TypeId>), DialectError> {
        let mut given = arguments
            .into_iter()
            .zip(&resolved.declared)
            .map(|(argument, wanted)| self.argument(argument, *wanted).map(Some))
            .collect::<Result<Vec<Option<Expr>>, DialectError>>()?;
        let function = resolved.function;
        let mut ordered = Vec::with_capacity(given.len());
        for (parameter, place) in resolved.order.iter().enumerate() {
            let argument = match place {
                Some(index) => given.get_mut(*index).and_then(Option::take),
                None => Some(self.default_of(function, parameter, at)?),
            };
            ordered.extend(argument);
        }
        // What a variadic parameter collects stands behind it.
        ordered.extend(given.into_iter().flatten());
        let element = resolved
            .variadic_from
            .and_then(|from| resolved.declared.get(from))
            .copied();
        Ok((ordered, element))
    }

    /// The default of a parameter.
    fn default_of(
        &mut self,
        function: &crate::catalog::Function,
        parameter: usize,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let with = function.arguments.len() - function.default_values.len();
        let text = parameter
            .checked_sub(with)
            .and_then(|index| function.default_values.get(index));
        let (Some(text), Some(ty)) = (text, function.arguments.get(parameter)) else {
            return Err(self.unsupported(at, format!("function {}", function.name)));
        };
        let text = text.split("::").next().unwrap_or(text).trim_matches('\'');
        if text.eq_ignore_ascii_case("NULL") {
            let null = ExprKind::Constant(pgtypes::SqlValue::Null);
            return Ok(Expr::new(Type::new(*ty), null, at));
        }
        self.input(text, Type::new(*ty), at)
    }

    /// A value of the type that a parameter wants; what takes anything takes a literal as text.
    fn argument(&mut self, argument: Expr, wanted: TypeId) -> Result<Expr, DialectError> {
        // What only asks for the type takes a literal as it is.
        let literal = matches!(
            argument.kind,
            ExprKind::Unknown(_) | ExprKind::Constant(pgtypes::SqlValue::Null)
        );
        if wanted == TypeId::ANY && literal {
            return Ok(argument);
        }
        if wanted == TypeId::ANY {
            return self.of_any_type(argument);
        }
        if wanted.is_pseudo() {
            return self.known(argument);
        }
        self.coerce(argument, wanted)
    }

    /// A function that is called because of another form of SQL.
    pub(crate) fn call_named(
        &mut self,
        name: &str,
        arguments: Vec<Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        self.call_of(name, arguments, false, at)
    }

    /// The same of a function that collects its last arguments, given as an array here.
    pub(crate) fn call_with_array(
        &mut self,
        name: &str,
        arguments: Vec<Expr>,
        at: Position,
    ) -> Result<Expr, DialectError> {
        self.call_of(name, arguments, true, at)
    }

    fn call_of(
        &mut self,
        name: &str,
        arguments: Vec<Expr>,
        variadic: bool,
        at: Position,
    ) -> Result<Expr, DialectError> {
        let types: Vec<TypeId> = arguments.iter().map(|argument| argument.ty.id).collect();
        let names = vec![None; types.len()];
        if let FunctionMatch::Found(resolved) = resolve::function(name, &types, &names, variadic) {
            return self.build(&resolved, arguments, at);
        }
        let list: Vec<String> = types.iter().map(|ty| ty.name()).collect();
        Err(self.error(
            at,
            SqlState::UNDEFINED_FUNCTION,
            format!(
                "function pg_catalog.{name}({}) does not exist",
                list.join(", ")
            ),
        ))
    }
}

/// The arguments from the last parameter's place on become an array.
fn collect(arguments: &mut Vec<Expr>, parameters: usize, element: TypeId, at: Position) {
    let Some(array) = element.array() else { return };
    let first = parameters.saturating_sub(1).min(arguments.len());
    let collected = arguments.split_off(first);
    arguments.push(Expr::new(Type::new(array), ExprKind::Array(collected), at));
}

/// What a call is given.
pub(crate) struct Arguments {
    pub(crate) values: Vec<Expr>,
    /// One a value, where it was written `name => value`.
    pub(crate) names: Vec<Option<String>>,
}

/// What a name stands for.
enum Match {
    /// A function.
    Function(Resolved),
    /// A cast.
    Cast(TypeId),
}
