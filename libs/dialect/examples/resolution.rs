//! Answers which operator, function, cast or common type is chosen, a line of tab-separated fields each; types are
//! numbers, of an operand that is not there 0. `tests/oracle/resolution.py` compares the answers with PostgreSQL's.

use std::io::{BufRead, Write};

use dialect::catalog::TypeId;
use dialect::catalog::coerce::{Context, Pathway, common_type, pathway};
use dialect::catalog::polymorphism::consistent_polymorphism;
use dialect::catalog::resolve::{FunctionMatch, OperatorMatch, function, operator};

fn main() -> std::io::Result<()> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let fields: Vec<&str> = line.split('\t').collect();
        let answer = answer(&fields).unwrap_or_else(|| format!("not a question: {line}"));
        writeln!(output, "{answer}")?;
    }
    output.flush()
}

fn answer(fields: &[&str]) -> Option<String> {
    Some(match *fields {
        ["operator", sign, left, right] => of_operator(sign, number(left)?, number(right)?),
        ["function", name, arguments, names, variadic] => {
            let names: Vec<_> = names
                .split(',')
                .map(|name| Some(name).filter(|name| !name.is_empty()))
                .collect();
            of_function(name, &types(arguments)?, &names, variadic == "variadic")
        }
        ["common", list] => match common_type(&types(list)?) {
            Ok(ty) => format!("type {}", ty.get()),
            Err((left, right)) => format!("apart {left} {right}"),
        },
        ["cast", source, target] => of_cast(&pathway(
            number(source)?,
            number(target)?,
            Context::Explicit,
        )),
        ["assign", source, target] => of_cast(&pathway(
            number(source)?,
            number(target)?,
            Context::Assignment,
        )),
        _ => return None,
    })
}

fn number(text: &str) -> Option<TypeId> {
    text.parse().ok().map(TypeId::new)
}

fn types(list: &str) -> Option<Vec<TypeId>> {
    list.split_terminator(',').map(number).collect()
}

fn of_operator(sign: &str, left: TypeId, right: TypeId) -> String {
    let left = Some(left).filter(|left| left.get() != 0);
    let found = match operator(sign, left, right) {
        OperatorMatch::Found(found) => found,
        OperatorMatch::None => return "none".to_owned(),
        OperatorMatch::Ambiguous => return "ambiguous".to_owned(),
    };
    let declared: Vec<_> = found.left.into_iter().chain([found.right]).collect();
    let actual: Vec<_> = left.into_iter().chain([right]).collect();
    match consistent_polymorphism(&declared, &actual, found.result) {
        Ok((declared, result)) => call(found.oid, result, &declared),
        Err(error) => format!("error {} {}", error.sqlstate, error.message),
    }
}

fn of_function(name: &str, actual: &[TypeId], names: &[Option<&str>], variadic: bool) -> String {
    match function(name, actual, names, variadic) {
        FunctionMatch::Found(found) => call(found.function.oid, found.result, &found.declared),
        FunctionMatch::Coercion(target) => format!("coercion {}", target.get()),
        FunctionMatch::None => "none".to_owned(),
        FunctionMatch::Ambiguous => "ambiguous".to_owned(),
        FunctionMatch::Undetermined(error) => {
            format!("error {} {}", error.sqlstate, error.message)
        }
    }
}

fn call(oid: u32, result: TypeId, declared: &[TypeId]) -> String {
    let declared: Vec<_> = declared.iter().map(|ty| ty.get().to_string()).collect();
    format!("found {oid} {} {}", result.get(), declared.join(","))
}

fn of_cast(pathway: &Pathway) -> String {
    match pathway {
        Pathway::None => "none".to_owned(),
        Pathway::Relabel => "relabel".to_owned(),
        Pathway::Function(function) => format!("function {}", function.oid),
        Pathway::ViaIo => "text".to_owned(),
        Pathway::ArrayElements(_) => "elements".to_owned(),
    }
}
