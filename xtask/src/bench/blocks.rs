//! The part of recommendation blocks: Chromium measures, `tests/bench/blocks.js` asks it; and what an answer
//! costs the Worker.

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use super::{
    edge::{count, plan, processor_time},
    load::Connection,
    relay::spread,
};
use crate::{process, project, stack::Stack, tools::Toolbox};

/// Answers of one round.
const ANSWERS: usize = 300;

const ROUNDS: usize = 5;

/// How long until the first card is there, beside a page by hand; what an answer takes of the processor.
pub(super) fn measure(toolbox: &Toolbox, runs: u32) -> Result<Value> {
    let mut node = toolbox.script(&project::root().join("tests/bench/blocks.js"));
    node.current_dir(project::root()).env("KIT_CHROMIUM", toolbox.chromium()?);
    let answer = process::stdout(node.arg(json!({ "runs": runs }).to_string()))?;
    let mut found: Value = serde_json::from_str(&answer).context("blocks.js answers JSON")?;
    found["answer"] = answers()?;
    Ok(json!({ "blocks": found }))
}

/// The processor's time of an answer: the products as data and as a block, of visitors for whom there is an
/// answer already and of new ones.
fn answers() -> Result<Value> {
    let stack = Stack::start(&plan(json!({
        "currency": "UAH",
        "recommendations": {
            "budget": 5000,
            "blocks": { "r1v1": { "source": "contact", "data_source": 1, "size": 12 } },
        },
    }))?)?;
    let mut report = json!({});
    for (name, path) in [("data", "recommendations/r1v1?all_fields=1"), ("block", "blocks/r1v1?")] {
        for known in [true, false] {
            let mut costs = Vec::new();
            // The first round warms up.
            for round in 0..=ROUNDS {
                let cost = cost(&stack, |turn| {
                    let visitor = if known { turn % 10 } else { round * ANSWERS + turn };
                    format!("/k/{path}&sc={name}-{known}-{visitor}")
                })?;
                costs.push(cost);
            }
            costs.remove(0);
            report[name][if known { "warm_cpu_us" } else { "cold_cpu_us" }] = spread(costs);
        }
    }
    Ok(report)
}

fn cost(stack: &Stack, address: impl Fn(usize) -> String) -> Result<f64> {
    let mut kit = Connection::open(&stack.shop)?;
    let before = processor_time().context("this system does not tell the processor's time")?;
    for turn in 0..ANSWERS {
        let (status, answer) = kit.send("GET", &address(turn), &stack.shop, "")?;
        if status != 200 || !answer.contains(r#""source":"platform""#) {
            bail!("the Worker answered {status}: {answer}");
        }
    }
    Ok((processor_time().context("workerd has ended")? - before) / count(ANSWERS))
}
