//! What must hold for charts: whatever is in them, they are rendered or refused, within their limits and twice the same.

use std::sync::atomic::{AtomicU64, Ordering};

use fairlead_helm::{Chart, Limits, Release, RenderError, UserValues, World, load, load_archive, render_files};
use fairlead_object::{MemoryTree, TreePath};

/// What one input may use.
const LIMITS: Limits = Limits { steps: 100_000, bytes: 1 << 22, depth: 400 };

const METADATA: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: c\nversion: 1.0.0\n");

/// Values of every type that YAML has.
const VALUES: (&str, &str) = (
    "values.yaml",
    "text: a,b\nnumber: 1\nfloat: 1.5\nyes: true\nnothing: null\nlist: [1, b, {c: d}]\nmap: {a: 1, b: {c: [2]}}\n",
);

/// Any text is a template or is refused, and any template is executed or stops.
pub(crate) fn template(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    renders(&chart(&[METADATA, VALUES, ("templates/t.yaml", &text)]), &[]);
}

/// `printf` takes any format and any values.
pub(crate) fn format(bytes: &[u8]) {
    let format =
        UserValues::SetFile { path: "format".to_owned(), content: String::from_utf8_lossy(bytes).into_owned() };
    let template = "{{ with .Values }}\
        {{ printf .format .text .number .float .yes .nothing .list .map }}\
        {{ printf .format .map .list .nothing .yes .float .number .text }}\
        {{ printf .format (int .number) (int64 .number) (.number | toString) (list .format) (dict .format .format) }}\
        {{ end }}";
    renders(&chart(&[METADATA, VALUES, ("templates/t.yaml", template)]), &[format]);
}

/// Any bytes are a packed chart or are refused.
pub(crate) fn archive(bytes: &[u8]) {
    if let Ok(chart) = load_archive(bytes) {
        renders(&chart, &[]);
    }
}

/// Any text of a flag sets values or is refused.
pub(crate) fn set(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let chart = chart(&[METADATA, VALUES, ("templates/t.yaml", "{{ toJson .Values }}{{ toYaml .Values }}")]);
    for flag in [UserValues::Set, UserValues::SetString, UserValues::Json, UserValues::SetLiteral] {
        renders(&chart, &[flag(text.clone().into_owned())]);
    }
    renders(&chart, &[UserValues::File { name: "values.yaml".to_owned(), content: bytes.to_vec() }]);
}

fn chart(files: &[(&str, &str)]) -> Chart {
    let tree = MemoryTree::new(files.iter().copied()).expect("paths of a chart");
    load(&tree, &TreePath::root()).expect("a chart")
}

fn renders(chart: &Chart, values: &[UserValues]) {
    let render = || {
        let files = render_files(chart, &Release::default(), values, &Nowhere::default(), LIMITS);
        files.map_err(|error| {
            assert!(!matches!(error, RenderError::Stopped), "the thread ended without a word");
            error.to_string()
        })
    };
    assert_eq!(render(), render(), "rendered again");
}

/// A world in which it is always the same day, and which draws the same numbers each time.
#[derive(Default)]
pub(crate) struct Nowhere {
    drawn: AtomicU64,
}

impl World for Nowhere {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let mut numbers = fastrand::Rng::with_seed(self.drawn.fetch_add(1, Ordering::Relaxed));
        numbers.fill(bytes);
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Option<serde_json::Value> {
        None
    }
}
