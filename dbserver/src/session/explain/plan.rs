//! SQLite's plan as a tree of PostgreSQL's nodes.
//!
//! SQLite tells steps, each below another one: the loops of a join stand beside each other, and sorts behind them.

/// A row of EXPLAIN QUERY PLAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) id: i64,
    pub(super) parent: i64,
    pub(super) detail: String,
}

/// A node of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Node {
    /// `Seq Scan`
    pub(super) name: String,
    /// The index that it reads.
    pub(super) index: Option<String>,
    /// The relation.
    pub(super) relation: Option<String>,
    /// What more is known: `Index Cond`, with its value.
    pub(super) facts: Vec<(&'static str, String)>,
    /// How it belongs to the node above: `SubPlan 1`.
    pub(super) label: Option<String>,
    /// Those that it reads.
    pub(super) below: Vec<Node>,
}

impl Node {
    fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    fn over(self, below: Vec<Self>) -> Self {
        Self { below, ..self }
    }
}

/// The tree of a statement. `change` and `target`: what it does to a table.
pub(super) fn tree(steps: &[Step], change: Option<&str>, target: Option<&str>) -> Node {
    let plan = query(steps, 0);
    match change {
        None => plan.unwrap_or_else(|| Node::named("Result")),
        Some(change) => Node {
            relation: target.map(str::to_owned),
            ..Node::named(change).over(vec![plan.unwrap_or_else(|| Node::named("Result"))])
        },
    }
}

/// The steps right below one.
fn below(steps: &[Step], parent: i64) -> impl Iterator<Item = &Step> {
    steps.iter().filter(move |step| step.parent == parent)
}

/// The node of all steps below one.
fn query(steps: &[Step], parent: i64) -> Option<Node> {
    let mut read: Option<Node> = None;
    let mut plans = Vec::new();
    for step in below(steps, parent) {
        let detail = step.detail.as_str();
        if let Some(sorted) = detail.strip_prefix("USE TEMP B-TREE FOR ") {
            read = Some(sort(sorted).over(read.into_iter().collect()));
        } else if let Some(plan) = sub_plan(steps, step) {
            plans.push(plan);
        } else if let Some(node) = source(steps, step) {
            read = Some(match read {
                None => node,
                Some(outer) => join(detail).over(vec![outer, node]),
            });
        }
    }
    match (read, plans.is_empty()) {
        (None, true) => None,
        (read, _) => {
            let mut node = read.unwrap_or_else(|| Node::named("Result"));
            node.below.extend(plans);
            Some(node)
        }
    }
}

fn join(detail: &str) -> Node {
    Node::named(if detail.ends_with("LEFT-JOIN") {
        "Nested Loop Left Join"
    } else {
        "Nested Loop"
    })
}

/// `ORDER BY`, `GROUP BY`, `DISTINCT`, `LAST TERM OF ORDER BY`
fn sort(what: &str) -> Node {
    let name = match what {
        "GROUP BY" => "GroupAggregate",
        "DISTINCT" | "count(DISTINCT)" => "Unique",
        _ if what.starts_with("LAST") => "Incremental Sort",
        _ => "Sort",
    };
    let mut node = Node::named(name);
    node.facts
        .push(("Sort Method", format!("temp b-tree for {what}")));
    node
}

/// A query that is an expression.
fn sub_plan(steps: &[Step], step: &Step) -> Option<Node> {
    let detail = step.detail.as_str();
    let number = detail.rsplit(' ').next().unwrap_or_default();
    let label = if detail.starts_with("CORRELATED ") || detail.starts_with("LIST SUBQUERY") {
        format!("SubPlan {number}")
    } else if detail.starts_with("SCALAR SUBQUERY") {
        format!("InitPlan {number}")
    } else {
        return None;
    };
    let plan = query(steps, step.id).unwrap_or_else(|| Node::named("Result"));
    Some(Node {
        label: Some(label),
        ..plan
    })
}

/// What gives rows: a loop over a relation, or a query in FROM.
fn source(steps: &[Step], step: &Step) -> Option<Node> {
    let detail = step.detail.trim_end_matches(" LEFT-JOIN");
    if let Some(rest) = detail.strip_prefix("SCAN ") {
        return Some(scan(rest));
    }
    if let Some(rest) = detail.strip_prefix("SEARCH ") {
        return Some(search(rest));
    }
    if detail == "MULTI-INDEX OR" {
        let parts = below(steps, step.id).filter_map(|part| query(steps, part.id));
        return Some(Node::named("BitmapOr").over(parts.collect()));
    }
    let queries = || {
        below(steps, step.id)
            .filter_map(|part| query(steps, part.id))
            .collect()
    };
    if detail == "COMPOUND QUERY" {
        let distinct = below(steps, step.id).any(|part| part.detail.contains("TEMP B-TREE"));
        let name = if distinct {
            "HashSetOp Union"
        } else {
            "Append"
        };
        return Some(Node::named(name).over(queries()));
    }
    if detail.starts_with("MERGE ") {
        return Some(Node::named("Merge Append").over(queries()));
    }
    for (begin, name) in [
        ("CO-ROUTINE ", "Subquery Scan"),
        ("MATERIALIZE ", "Materialize"),
        ("RECURSIVE STEP", "Recursive Union"),
        ("SETUP", "Append"),
    ] {
        if let Some(relation) = detail.strip_prefix(begin) {
            let mut node = Node::named(name).over(query(steps, step.id).into_iter().collect());
            node.relation = Some(relation.to_owned()).filter(|name| !name.is_empty());
            return Some(node);
        }
    }
    None
}

/// `t`, `t USING INDEX i`, `t USING COVERING INDEX i`, `CONSTANT ROW`, `f VIRTUAL TABLE INDEX 0:`
fn scan(rest: &str) -> Node {
    if rest == "CONSTANT ROW" {
        return Node::named("Result");
    }
    if rest.ends_with("CONSTANT ROWS") {
        return Node::named("Values Scan");
    }
    if let Some((relation, _)) = rest.split_once(" VIRTUAL TABLE ") {
        return of(relation, "Function Scan");
    }
    match rest.split_once(" USING ") {
        None => of(rest, "Seq Scan"),
        Some((relation, how)) => by_index(relation, how),
    }
}

/// `t USING INDEX i (a=? AND b>?)`, `t USING INTEGER PRIMARY KEY (rowid=?)`, `t USING AUTOMATIC COVERING INDEX (a=?)`
fn search(rest: &str) -> Node {
    match rest.split_once(" USING ") {
        Some((relation, how)) => by_index(relation, how),
        None => of(rest, "Seq Scan"),
    }
}

fn of(relation: &str, name: &str) -> Node {
    Node {
        relation: Some(relation.to_owned()),
        ..Node::named(name)
    }
}

fn by_index(relation: &str, how: &str) -> Node {
    let (what, condition) = match how.split_once(" (") {
        Some((what, condition)) => (what, Some(condition.trim_end_matches(')'))),
        None => (how, None),
    };
    let mut node = of(relation, "Index Scan");
    if let Some(index) = what.strip_prefix("COVERING INDEX ") {
        "Index Only Scan".clone_into(&mut node.name);
        node.index = Some(index.to_owned());
    } else if let Some(index) = what.strip_prefix("INDEX ") {
        node.index = Some(index.to_owned());
    } else if what.starts_with("AUTOMATIC ") {
        // Made for this statement alone, as PostgreSQL makes a table of hashes.
        node.index = Some("automatic index".to_owned());
    } else {
        node.index = Some("primary key".to_owned());
    }
    if let Some(condition) = condition {
        let shown = condition.replace("rowid=?", "key = ?");
        node.facts.push(("Index Cond", format!("({shown})")));
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(rows: &[(i64, i64, &str)]) -> Vec<Step> {
        let step = |(id, parent, detail): &(i64, i64, &str)| Step {
            id: *id,
            parent: *parent,
            detail: (*detail).to_owned(),
        };
        rows.iter().map(step).collect()
    }

    fn names(node: &Node) -> String {
        let below: Vec<String> = node.below.iter().map(names).collect();
        if below.is_empty() {
            return node.name.clone();
        }
        format!("{}({})", node.name, below.join(", "))
    }

    #[test]
    fn loops_are_joined_and_sorts_stand_above() {
        let plan = steps(&[
            (2, 0, "SCAN i"),
            (
                4,
                0,
                "SEARCH s USING INTEGER PRIMARY KEY (rowid=?) LEFT-JOIN",
            ),
            (9, 0, "USE TEMP B-TREE FOR ORDER BY"),
        ]);
        let tree = tree(&plan, None, None);
        assert_eq!(
            names(&tree),
            "Sort(Nested Loop Left Join(Seq Scan, Index Scan))"
        );
    }

    #[test]
    fn queries_in_queries_stand_below() {
        let plan = steps(&[
            (1, 0, "COMPOUND QUERY"),
            (2, 1, "LEFT-MOST SUBQUERY"),
            (3, 2, "SCAN t USING COVERING INDEX t_a"),
            (4, 1, "UNION ALL"),
            (5, 4, "SCAN CONSTANT ROW"),
            (6, 0, "CORRELATED SCALAR SUBQUERY 2"),
            (7, 6, "SEARCH u USING INDEX u_b (b=?)"),
        ]);
        let tree = tree(&plan, None, None);
        assert_eq!(names(&tree), "Append(Index Only Scan, Result, Index Scan)");
        assert_eq!(tree.below[2].label.as_deref(), Some("SubPlan 2"));
        assert_eq!(tree.below[0].index.as_deref(), Some("t_a"));
    }

    #[test]
    fn a_change_stands_above_what_it_reads() {
        let tree = tree(&[], Some("Insert"), Some("t"));
        assert_eq!(
            (names(&tree), tree.relation.as_deref()),
            ("Insert(Result)".to_owned(), Some("t"))
        );
    }
}
