//! A plan as text, and as JSON.

use std::time::Duration;

use dialect::Explain;
use serde_json::{Map, Value, json};

use crate::session::explain::Ran;
use crate::session::explain::plan::Node;

/// Milliseconds as PostgreSQL writes them.
fn millis(spent: Duration) -> String {
    format!("{:.3}", spent.as_secs_f64() * 1000.0)
}

/// The lines of a plan.
pub(super) fn lines(
    tree: &Node,
    explain: &Explain,
    ran: Option<Ran>,
    planning: Duration,
) -> Vec<String> {
    let mut lines = Vec::new();
    write(tree, 0, &mut lines, &actual(explain, ran));
    if explain.summary {
        lines.push(format!("Planning Time: {} ms", millis(planning)));
        if let Some(ran) = ran {
            lines.push(format!("Execution Time: {} ms", millis(ran.all)));
        }
    }
    lines
}

/// What is known of the whole statement stands behind its first node.
fn actual(explain: &Explain, ran: Option<Ran>) -> String {
    match ran {
        None => String::new(),
        Some(ran) if explain.timing => {
            let (first, all) = (millis(ran.first), millis(ran.all));
            format!("  (actual time={first}..{all} rows={} loops=1)", ran.rows)
        }
        Some(ran) => format!("  (actual rows={} loops=1)", ran.rows),
    }
}

fn write(node: &Node, depth: usize, lines: &mut Vec<String>, actual: &str) {
    let arrow = if depth == 0 {
        String::new()
    } else {
        format!("{}->  ", " ".repeat(depth * 6 - 4))
    };
    let index = node.index.as_ref().map(|index| format!(" using {index}"));
    let relation = node.relation.as_ref().map(|name| format!(" on {name}"));
    lines.push(format!(
        "{arrow}{}{}{}{actual}",
        node.name,
        index.unwrap_or_default(),
        relation.unwrap_or_default()
    ));
    let inside = " ".repeat(depth * 6 + 2);
    for (name, value) in &node.facts {
        lines.push(format!("{inside}{name}: {value}"));
    }
    for part in &node.below {
        if let Some(label) = &part.label {
            lines.push(format!("{inside}{label}"));
        }
        write(part, depth + 1, lines, "");
    }
}

/// The plan as PostgreSQL's JSON.
pub(super) fn json(tree: &Node, explain: &Explain, ran: Option<Ran>, planning: Duration) -> String {
    let mut plan = object(tree);
    let number = |spent: Duration| millis(spent).parse::<f64>().unwrap_or_default();
    if let Some(ran) = ran {
        if explain.timing {
            plan.insert("Actual Startup Time".to_owned(), json!(number(ran.first)));
            plan.insert("Actual Total Time".to_owned(), json!(number(ran.all)));
        }
        plan.insert("Actual Rows".to_owned(), json!(ran.rows));
        plan.insert("Actual Loops".to_owned(), json!(1));
    }
    let mut whole = Map::new();
    whole.insert("Plan".to_owned(), Value::Object(plan));
    if explain.summary {
        whole.insert("Planning Time".to_owned(), json!(number(planning)));
    }
    if let Some(ran) = ran {
        whole.insert("Triggers".to_owned(), json!([]));
        if explain.summary {
            whole.insert("Execution Time".to_owned(), json!(number(ran.all)));
        }
    }
    let plans = Value::Array(vec![Value::Object(whole)]);
    format!("{plans:#}")
}

fn object(node: &Node) -> Map<String, Value> {
    let mut plan = Map::new();
    let changes = matches!(node.name.as_str(), "Insert" | "Update" | "Delete");
    let name = if changes { "ModifyTable" } else { &node.name };
    plan.insert("Node Type".to_owned(), json!(name));
    if changes {
        plan.insert("Operation".to_owned(), json!(node.name));
    }
    if let Some(label) = &node.label {
        let kind = label.split(' ').next().unwrap_or_default();
        plan.insert("Parent Relationship".to_owned(), json!(kind));
        plan.insert("Subplan Name".to_owned(), json!(label));
    }
    plan.insert("Parallel Aware".to_owned(), json!(false));
    plan.insert("Async Capable".to_owned(), json!(false));
    if let Some(index) = &node.index {
        plan.insert("Index Name".to_owned(), json!(index));
    }
    if let Some(relation) = &node.relation {
        plan.insert("Relation Name".to_owned(), json!(relation));
        plan.insert("Alias".to_owned(), json!(relation));
    }
    for (name, value) in &node.facts {
        plan.insert((*name).to_owned(), json!(value));
    }
    if !node.below.is_empty() {
        let below = node.below.iter().map(|node| Value::Object(object(node)));
        plan.insert("Plans".to_owned(), below.collect());
    }
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Node {
        let scan = |name: &str, relation: &str| Node {
            name: name.to_owned(),
            relation: Some(relation.to_owned()),
            ..Node::default()
        };
        Node {
            name: "Nested Loop".to_owned(),
            below: vec![
                scan("Seq Scan", "a"),
                Node {
                    index: Some("b_pkey".to_owned()),
                    facts: vec![("Index Cond", "(id=?)".to_owned())],
                    ..scan("Index Scan", "b")
                },
            ],
            ..Node::default()
        }
    }

    #[test]
    fn nodes_stand_below_each_other() {
        let explain = Explain {
            analyze: true,
            summary: true,
            ..Explain::default()
        };
        let ran = Ran {
            rows: 7,
            first: Duration::from_micros(10),
            all: Duration::from_micros(1500),
        };
        let lines = lines(&plan(), &explain, Some(ran), Duration::from_micros(20));
        assert_eq!(
            lines,
            [
                "Nested Loop  (actual rows=7 loops=1)",
                "  ->  Seq Scan on a",
                "  ->  Index Scan using b_pkey on b",
                "        Index Cond: (id=?)",
                "Planning Time: 0.020 ms",
                "Execution Time: 1.500 ms",
            ]
        );
    }

    #[test]
    fn json_has_the_same_nodes() {
        let text = json(&plan(), &Explain::default(), None, Duration::ZERO);
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(told[0]["Plan"]["Node Type"], "Nested Loop");
        assert_eq!(told[0]["Plan"]["Plans"][1]["Index Name"], "b_pkey");
        assert!(told[0].get("Execution Time").is_none());
    }
}
