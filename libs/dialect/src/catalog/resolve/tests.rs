use super::*;

const UNKNOWN: TypeId = TypeId::UNKNOWN;

/// The operands and the result of the operator that is chosen.
fn chosen(left: TypeId, sign: &str, right: TypeId) -> String {
    match operator(sign, Some(left), right) {
        OperatorMatch::Found(operator) => {
            let left = operator.left.map_or_else(String::new, TypeId::name);
            format!("{left} {sign} {}", operator.right.name())
        }
        OperatorMatch::None => "none".to_owned(),
        OperatorMatch::Ambiguous => "ambiguous".to_owned(),
    }
}

fn prefix(sign: &str, operand: TypeId) -> String {
    match operator(sign, None, operand) {
        OperatorMatch::Found(operator) => operator.right.name(),
        OperatorMatch::None => "none".to_owned(),
        OperatorMatch::Ambiguous => "ambiguous".to_owned(),
    }
}

/// The types of the arguments, and the result, of the function that is chosen.
fn called(name: &str, arguments: &[TypeId]) -> String {
    with_names(name, arguments, &[], false)
}

fn with_names(name: &str, arguments: &[TypeId], names: &[Option<&str>], variadic: bool) -> String {
    match function(name, arguments, names, variadic) {
        FunctionMatch::Found(resolved) => {
            let declared: Vec<_> = resolved.declared.iter().map(|ty| ty.name()).collect();
            format!("({}) {}", declared.join(", "), resolved.result.name())
        }
        FunctionMatch::Coercion(target) => format!("cast to {}", target.name()),
        FunctionMatch::None => "none".to_owned(),
        FunctionMatch::Ambiguous => "ambiguous".to_owned(),
        FunctionMatch::Undetermined(error) => error.message,
    }
}

#[test]
fn an_operator_of_just_these_types_wins() {
    let found = chosen(TypeId::INT4, "+", TypeId::INT8);
    assert_eq!(found, "integer + bigint");
    assert_eq!(chosen(TypeId::DATE, "-", TypeId::DATE), "date - date");
}

#[test]
fn an_untyped_operand_is_taken_for_the_others_type() {
    assert_eq!(chosen(UNKNOWN, "+", TypeId::INT4), "integer + integer");
    assert_eq!(chosen(TypeId::DATE, "-", UNKNOWN), "date - date");
    assert_eq!(chosen(TypeId::JSONB, "=", UNKNOWN), "jsonb = jsonb");
}

#[test]
fn operands_are_widened() {
    let double = "double precision + double precision";
    assert_eq!(chosen(TypeId::INT4, "+", TypeId::FLOAT8), double);
    let found = chosen(TypeId::NUMERIC, "+", TypeId::FLOAT4);
    assert_eq!(found, "double precision + real");
    assert_eq!(
        chosen(TypeId::INT2, "*", TypeId::NUMERIC),
        "numeric * numeric"
    );
    assert_eq!(chosen(TypeId::VARCHAR, "=", TypeId::VARCHAR), "text = text");
    assert_eq!(
        chosen(TypeId::VARCHAR, "=", TypeId::BPCHAR),
        "character = character"
    );
}

#[test]
fn two_untyped_operands_are_text_where_that_will_do() {
    assert_eq!(chosen(UNKNOWN, "||", UNKNOWN), "text || text");
    assert_eq!(chosen(UNKNOWN, "=", UNKNOWN), "text = text");
    assert_eq!(chosen(UNKNOWN, "+", UNKNOWN), "ambiguous");
}

#[test]
fn operands_that_do_not_go_together_have_no_operator() {
    assert_eq!(chosen(TypeId::INT4, "=", TypeId::TEXT), "none");
    assert_eq!(chosen(TypeId::INT4, "<=>", TypeId::INT4), "none");
    assert_eq!(chosen(TypeId::JSON, "=", UNKNOWN), "none");
}

#[test]
fn text_is_joined_with_anything_but_an_array() {
    assert_eq!(chosen(TypeId::INT4, "||", UNKNOWN), "anynonarray || text");
    assert_eq!(
        chosen(TypeId::INT4, "||", TypeId::TEXT),
        "anynonarray || text"
    );
    assert_eq!(chosen(UNKNOWN, "||", TypeId::VARCHAR), "text || text");
    let found = chosen(TypeId::INT4_ARRAY, "||", TypeId::INT4);
    assert_eq!(found, "anycompatiblearray || anycompatible");
}

#[test]
fn json_is_taken_apart_by_a_key_or_a_place() {
    assert_eq!(chosen(TypeId::JSONB, "->", UNKNOWN), "jsonb -> text");
    assert_eq!(
        chosen(TypeId::JSONB, "->>", TypeId::INT4),
        "jsonb ->> integer"
    );
    assert_eq!(chosen(TypeId::JSONB, "->", TypeId::INT8), "none");
}

#[test]
fn prefix_operators_have_their_own_candidates() {
    assert_eq!(prefix("-", TypeId::INT4), "integer");
    assert_eq!(prefix("-", UNKNOWN), "ambiguous");
    assert_eq!(prefix("-", TypeId::TEXT), "none");
    assert_eq!(prefix("@", UNKNOWN), "double precision");
}

#[test]
fn an_interval_is_added_to_what_has_time() {
    let found = chosen(TypeId::TIMESTAMPTZ, "+", TypeId::INTERVAL);
    assert_eq!(found, "timestamp with time zone + interval");
    assert_eq!(chosen(TypeId::DATE, "+", UNKNOWN), "ambiguous");
}

#[test]
fn a_function_of_just_these_types_wins() {
    assert_eq!(called("abs", &[TypeId::INT4]), "(integer) integer");
    assert_eq!(called("now", &[]), "() timestamp with time zone");
    assert_eq!(called("sum", &[TypeId::INT4]), "(integer) bigint");
}

#[test]
fn arguments_are_brought_to_the_preferred_type() {
    assert_eq!(
        called("sqrt", &[TypeId::INT4]),
        "(double precision) double precision"
    );
    assert_eq!(
        called("round", &[UNKNOWN]),
        "(double precision) double precision"
    );
    assert_eq!(called("length", &[UNKNOWN]), "(text) integer");
    assert_eq!(called("upper", &[TypeId::VARCHAR]), "(text) text");
    assert_eq!(called("round", &[TypeId::FLOAT8, TypeId::INT4]), "none");
}

#[test]
fn a_function_named_as_a_type_is_a_cast_unless_a_function_does_it() {
    assert_eq!(called("text", &[TypeId::INT4]), "cast to text");
    assert_eq!(called("date", &[UNKNOWN]), "cast to date");
    assert_eq!(called("int4", &[TypeId::INT8]), "(bigint) integer");
    assert_eq!(called("int4", &[TypeId::TEXT]), "cast to integer");
    assert_eq!(called("text", &[TypeId::RECORD]), "none");
}

#[test]
fn polymorphic_results_follow_the_arguments() {
    let arguments = [TypeId::INT4_ARRAY, UNKNOWN];
    assert_eq!(
        called("array_append", &arguments),
        "(integer[], integer) integer[]"
    );
    assert_eq!(
        called("max", &[TypeId::INT4_ARRAY]),
        "(integer[]) integer[]"
    );
    assert_eq!(called("array_agg", &[TypeId::UUID]), "(uuid) uuid[]");
    assert_eq!(
        called("lag", &[TypeId::INT4, TypeId::INT4, TypeId::NUMERIC]),
        "(numeric, integer, numeric) numeric"
    );
    let message = "could not determine polymorphic type because input has type unknown";
    assert_eq!(called("cardinality", &[UNKNOWN]), message);
    assert_eq!(called("array_agg", &[UNKNOWN]), "ambiguous");
}

#[test]
fn any_number_of_arguments_is_collected() {
    let arguments = [TypeId::INT4, UNKNOWN, TypeId::DATE];
    assert_eq!(
        called("concat", &arguments),
        "(\"any\", \"any\", \"any\") text"
    );
    let arguments = [TypeId::JSONB, UNKNOWN, UNKNOWN];
    assert_eq!(
        called("jsonb_extract_path", &arguments),
        "(jsonb, text, text) jsonb"
    );
    assert_eq!(called("concat", &[]), "none");
}

#[test]
fn a_marked_array_is_not_collected() {
    let arguments = [TypeId::JSONB, TypeId::TEXT_ARRAY];
    let found = with_names("jsonb_extract_path", &arguments, &[], true);
    assert_eq!(found, "(jsonb, text[]) jsonb");
}

#[test]
fn named_arguments_are_taken_in_any_order() {
    let names = [Some("secs"), Some("years")];
    let found = with_names("make_interval", &[UNKNOWN, TypeId::INT4], &names, false);
    assert_eq!(found, "(double precision, integer) interval");
    let names = [Some("seconds")];
    let found = with_names("make_interval", &[TypeId::INT4], &names, false);
    assert_eq!(found, "none");
}

#[test]
fn a_function_that_does_not_exist_is_none() {
    assert_eq!(called("no_such_function", &[TypeId::INT4]), "none");
    assert_eq!(called("abs", &[TypeId::TEXT]), "none");
    assert_eq!(called("generate_series", &[UNKNOWN, UNKNOWN]), "ambiguous");
}
