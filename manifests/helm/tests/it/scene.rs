//! Charts of a few lines, and a world in which it is always the same day.

use std::sync::atomic::{AtomicU64, Ordering};

use fairlead_helm::{Chart, Limits, Release, RenderError, UserValues, World, load, render_files};
use fairlead_object::{MemoryTree, TreePath};

/// A world whose random numbers are the same in every test.
#[derive(Default)]
pub(crate) struct StillWorld {
    drawn: AtomicU64,
}

impl World for StillWorld {
    fn now(&self) -> jiff::Zoned {
        let time: jiff::Timestamp = "2026-11-21T12:00:00Z".parse().expect("a time");
        time.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        // SplitMix64, which is random enough to find primes.
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.drawn.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            let mut number = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let number = (number ^ (number >> 31)).to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Option<serde_json::Value> {
        None
    }
}

/// A chart of the given files beside its `Chart.yaml`.
pub(crate) fn chart(files: &[(&str, &str)]) -> Chart {
    let metadata = ("Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    let tree = MemoryTree::new(std::iter::once(metadata).chain(files.iter().copied())).expect("paths");
    load(&tree, &TreePath::root()).expect("a chart")
}

/// What the template `t.yaml` of a chart makes of values.
pub(crate) fn rendered(chart: &Chart, values: &[UserValues], limits: Limits) -> Result<String, RenderError> {
    let files = render_files(chart, &Release::default(), values, &StillWorld::default(), limits)?;
    let file = files.into_iter().find(|file| file.path == "shop/templates/t.yaml").expect("the template");
    Ok(String::from_utf8(file.content).expect("text"))
}

/// What one template makes without values.
pub(crate) fn template(text: &str) -> String {
    match rendered(&chart(&[("templates/t.yaml", text)]), &[], Limits::default()) {
        Ok(text) => text,
        Err(error) => format!("error: {error}"),
    }
}
