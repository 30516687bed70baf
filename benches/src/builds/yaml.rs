//! How fast YAML is read and written, without anything in between.

use std::time::Instant;

use fairlead_yaml::{Node, Schema, documents, emit_json};
use serde_json::Value;

use super::trees::manifests;
use crate::{Outcome, report::median};

const BYTES_PER_MEGABYTE: f64 = 1e6;

/// Returns how many megabytes of manifests become trees in a second.
pub(super) fn reading(megabytes: usize, rounds: usize) -> Outcome<f64> {
    let text = manifests(megabytes);
    rate(rounds, || Ok((text.len(), read(&text)?)))
}

/// Returns how many megabytes of manifests are written in a second.
pub(super) fn writing(megabytes: usize, rounds: usize) -> Outcome<f64> {
    let nodes = read(&manifests(megabytes))?;
    let values: Vec<Value> = nodes.iter().map(|node| node.to_json(Schema::Kyaml)).collect::<Result<_, _>>()?;
    rate(rounds, || {
        let texts: Vec<String> = values.iter().map(emit_json).collect();
        Ok((texts.iter().map(String::len).sum(), texts))
    })
}

fn read(text: &str) -> Outcome<Vec<Node>> {
    let mut nodes = Vec::new();
    for document in documents(text)? {
        nodes.extend(document.parse()?);
    }
    Ok(nodes)
}

/// Returns the median rate of `work`, which says how many bytes it was about. To let go of what it made does not count.
#[expect(clippy::cast_precision_loss, reason = "a text is far smaller than the limit")]
fn rate<T>(rounds: usize, work: impl Fn() -> Outcome<(usize, T)>) -> Outcome<f64> {
    let mut rates = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        let (bytes, made) = work()?;
        rates.push(bytes as f64 / BYTES_PER_MEGABYTE / began.elapsed().as_secs_f64());
        drop(made);
    }
    Ok(median(&rates))
}
