//! What an index lists, kept so that one chart is found without reading the others.
//!
//! An index is read once, when a new one is fetched. What it lists is written down on pages of some kilobytes, and a table
//! says on which pages a chart is. A page has a JSON value on each line: a text is the name of the chart whose versions
//! follow.

use std::collections::BTreeSet;

use fairlead_object::{Digest, Tree, TreeError, TreePath};
use serde::{Deserialize, Serialize};

use super::{
    HelmError,
    index::{self, ChartVersion, Choice, IndexError, Listed},
    layout::{self, Stopped},
};
use crate::store::{Mode, StoreError, StoredFile, StoredTree, TreeWriter};

/// A page is full when it has so many bytes.
const PAGE_BYTES: usize = 64 << 10;

/// Most charts that an index may list.
const CHARTS_LIMIT: usize = 250_000;

/// The file with the table.
const TABLE: &str = "table";

/// A line of a page.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    /// The versions that follow are this chart's.
    Chart(String),
    /// An alias stands for a version of the chart, or for a part of one, at this line of the index.
    Alias {
        alias: usize,
    },
    Version(ChartVersion),
}

/// Why a chart was not found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The index has no such chart, or not in such a version.
    #[error(transparent)]
    NotListed(#[from] IndexError),
    /// What is kept of the index cannot be read.
    #[error(transparent)]
    Unread(#[from] TreeError),
}

/// Finds the version of `chart` that is `wanted`, exactly that one or the highest within a range, in what is kept of an
/// index.
pub fn find(index: &StoredTree, chart: &str, wanted: &str) -> Result<ChartVersion, FindError> {
    let mut choice = Choice::new(chart, wanted);
    let pages = pages_of(chart, &index.read(&path(TABLE))?);
    let mut is_listed = false;
    for page in pages {
        let page = path(&page_name(page));
        let content = index.read(&page)?;
        let mut is_meant = false;
        for line in content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line = serde_json::from_slice(line);
            match line.map_err(|error| TreeError::Io { path: page.clone(), source: error.into() })? {
                Line::Chart(name) => is_meant = name == chart,
                Line::Alias { alias } if is_meant => return Err(IndexError::Alias(alias).into()),
                Line::Version(version) if is_meant => choice.look(version),
                Line::Alias { .. } | Line::Version(_) => {}
            }
            is_listed |= is_meant;
        }
    }
    if is_listed { Ok(choice.end()?) } else { Err(IndexError::NoChart.into()) }
}

/// Whether `tree` is what is kept of an index; older versions kept it in another form.
pub fn is_kept_index(tree: &StoredTree) -> bool {
    tree.entry(&path(TABLE)).is_ok_and(|table| table.is_some())
}

/// Reads `index`, and writes down what it lists.
pub(super) fn write(index: &StoredFile, writer: &mut TreeWriter) -> Result<(), HelmError> {
    let mut pages = Pages::new(writer);
    match layout::read(index.open()?, |listed| pages.add(listed)) {
        Ok(()) => return Ok(pages.end()?),
        Err(Stopped::Refused(error)) => return Err(error),
        Err(Stopped::Unusual) => {}
    }
    let mut pages = Pages::new(writer);
    index::read(index.open()?, |listed| pages.add(listed))?;
    Ok(pages.end()?)
}

/// A catalogue that is being written. Its pages have names only when it is complete.
struct Pages<'a> {
    writer: &'a mut TreeWriter,
    page: Vec<u8>,
    full: Vec<Digest>,
    /// The chart whose versions come.
    chart: String,
    table: String,
    charts: usize,
}

impl<'a> Pages<'a> {
    fn new(writer: &'a mut TreeWriter) -> Self {
        Self { writer, page: Vec::new(), full: Vec::new(), chart: String::new(), table: String::new(), charts: 0 }
    }

    fn add(&mut self, listed: Listed) -> Result<(), HelmError> {
        match listed {
            Listed::Chart(chart) => self.begin(chart)?,
            Listed::Version(version) => self.write(&Line::Version(version)),
            Listed::Alias { chart, line } => {
                if chart != self.chart {
                    self.begin(chart)?;
                }
                self.write(&Line::Alias { alias: line });
            }
        }
        if self.page.len() >= PAGE_BYTES {
            self.turn()?;
            self.note_chart();
        }
        Ok(())
    }

    fn begin(&mut self, chart: String) -> Result<(), IndexError> {
        self.charts += 1;
        if self.charts > CHARTS_LIMIT {
            return Err(IndexError::TooManyCharts(CHARTS_LIMIT));
        }
        self.chart = chart;
        self.note_chart();
        Ok(())
    }

    /// Notes that what follows on this page is of the chart.
    fn note_chart(&mut self) {
        self.table.push_str(&table_line(&self.chart, self.full.len()));
        self.write(&Line::Chart(self.chart.clone()));
    }

    fn write(&mut self, line: &Line) {
        serde_json::to_writer(&mut self.page, line).expect("a line serialises into memory");
        self.page.push(b'\n');
    }

    /// Keeps the page, and begins the next one.
    fn turn(&mut self) -> Result<(), StoreError> {
        self.full.push(self.writer.put(&self.page)?);
        self.page.clear();
        Ok(())
    }

    fn end(mut self) -> Result<(), StoreError> {
        self.turn()?;
        for (page, digest) in self.full.iter().enumerate() {
            self.writer.add(&path(&page_name(page)), Mode::Regular, *digest)?;
        }
        let table = self.writer.put(self.table.as_bytes())?;
        self.writer.add(&path(TABLE), Mode::Regular, table)
    }
}

/// The line of the table that says that `chart` is on `page`.
fn table_line(chart: &str, page: usize) -> String {
    format!("{}{page}\n", short_digest(chart))
}

/// The pages on which `chart` may be.
fn pages_of(chart: &str, table: &[u8]) -> BTreeSet<usize> {
    let digest = short_digest(chart);
    let pages = table.split(|byte| *byte == b'\n').filter_map(|line| line.strip_prefix(digest.as_bytes()));
    pages.filter_map(|page| std::str::from_utf8(page).ok()?.parse().ok()).collect()
}

/// What stands for a chart in the table, where names may be long. Pages have the whole name.
fn short_digest(chart: &str) -> String {
    format!("{:.16} ", Digest::of(chart.as_bytes()).hex())
}

fn page_name(page: usize) -> String {
    page.to_string()
}

fn path(name: &str) -> TreePath {
    name.parse().expect("a relative path")
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::store::{Store, StoreSettings};

    const INDEX: &str = r#"
apiVersion: v1
generated: "2026-01-01T00:00:00Z"
entries:
  other:
  - version: 9.0.0
    urls: [other-9.0.0.tgz]
  shop:
  - version: 1.0.0
    name: shop
    created: "2026-01-01T00:00:00Z"
    urls: ["https://charts.example.com/shop-1.0.0.tgz", backup/shop-1.0.0.tgz]
    digest: aa
  - version: 1.10.0
    created: "2026-01-02T00:00:00Z"
    dependencies:
    - name: base
      version: 7.0.0
      urls: [no]
    urls:
    - shop-1.10.0.tgz
  - version: v1.10.0
    created: "2026-01-03T00:00:00Z"
    urls: [shop-v1.10.0.tgz]
  - null
  - version: 2.0.0-rc.1
    urls: [shop-2.0.0-rc.1.tgz]
  - version: latest
    urls: [shop-latest.tgz]
  empty: []
"#;

    fn kept(index: &[u8]) -> Result<(tempfile::TempDir, StoredTree), HelmError> {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), StoreSettings::default()).expect("an empty store");
        let file = store.file(&mut &*index, u64::MAX).expect("it is stored");
        let mut writer = store.writer();
        write(&file, &mut writer)?;
        Ok((folder, writer.finish().expect("it is stored")))
    }

    fn found(index: &str, chart: &str, version: &str) -> String {
        let found = kept(index.as_bytes()).map(|(_folder, tree)| find(&tree, chart, version));
        match found {
            Ok(Ok(ChartVersion { version, urls, digest, .. })) => {
                format!("{version} {} {}", urls.join(" "), digest.unwrap_or_default()).trim_end().to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(HelmError::Malformed(error)) => error.to_string(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn an_exact_version_counts_before_the_highest_in_a_range_and_the_youngest_of_equal_ones() {
        let rows = [
            ("shop", "1.0.0", "1.0.0 https://charts.example.com/shop-1.0.0.tgz backup/shop-1.0.0.tgz aa"),
            ("shop", "1.10.0", "1.10.0 shop-1.10.0.tgz"),
            ("shop", "", "v1.10.0 shop-v1.10.0.tgz"),
            ("shop", "*", "v1.10.0 shop-v1.10.0.tgz"),
            ("shop", "1.x", "v1.10.0 shop-v1.10.0.tgz"),
            ("shop", "<1.10", "1.0.0 https://charts.example.com/shop-1.0.0.tgz backup/shop-1.0.0.tgz aa"),
            ("shop", ">=1.0.0-0", "2.0.0-rc.1 shop-2.0.0-rc.1.tgz"),
            ("shop", "latest", "latest shop-latest.tgz"),
            ("shop", "7.0.0", "no 'shop' chart with version matching '7.0.0' found"),
            ("shop", "a b", "malformed version range `a b`"),
            ("none", "*", "no chart name found"),
            ("empty", "*", "no 'empty' chart with version matching '*' found"),
        ];
        for (chart, version, expected) in rows {
            assert_eq!(found(INDEX, chart, version), expected, "{chart} {version}");
        }
    }

    #[test]
    fn json_is_read_too() {
        let json = r#"{"apiVersion":"v1","entries":{"shop":[{"version":"1.0.0","urls":["a.tgz"]}]}}"#;
        assert_eq!(found(json, "shop", "1"), "1.0.0 a.tgz");
    }

    #[test]
    fn what_is_no_index_is_refused() {
        let rows = [
            ("", "empty index.yaml file"),
            ("# nothing\n", "empty index.yaml file"),
            ("entries: {}", "no API version specified"),
            ("<html>", "empty index.yaml file"),
            ("apiVersion: v1\nentries:\n  shop: [\n", "line 3: "),
            ("apiVersion: v1\na: &a {}\nentries: *a\n", "line 3: an alias stands for a value"),
            ("apiVersion: v1\na: &a [1]\nentries:\n  shop: *a\n", "line 4: an alias stands for a value"),
            (
                "apiVersion: v1\na: &a b\nentries:\n  shop:\n  - {version: 1.0.0, urls: [*a]}\n",
                "line 5: an alias stands for a value",
            ),
        ];
        for (index, expected) in rows {
            let outcome = found(index, "shop", "*");
            assert!(outcome.starts_with(expected), "{index:?}: {outcome}");
        }
    }

    #[test]
    fn an_alias_concerns_its_own_chart_only() {
        let index = "apiVersion: v1\na: &a [1]\nentries:\n  shop:\n  - version: 1.0.0\n  other: *a\n  last: []\n";
        assert_eq!(found(index, "shop", "*"), "1.0.0");
        assert_eq!(found(index, "other", "*"), "line 6: an alias stands for a value");
        assert_eq!(found(index, "last", "*"), "no 'last' chart with version matching '*' found");
    }

    #[test]
    fn a_chart_may_fill_many_pages_and_a_page_may_have_many_charts() {
        let mut index = "apiVersion: v1\nentries:\n".to_owned();
        for chart in 0..1000 {
            let _ = writeln!(index, "  chart-{chart}:\n  - version: 1.{chart}.0");
        }
        let _ = writeln!(index, "  large:");
        for version in 0..5000 {
            let _ = writeln!(index, "  - version: {version}.0.0\n    urls: [large-{version}.tgz]");
        }
        let _ = writeln!(index, "  small:\n  - version: 1.0.0");
        let (_folder, tree) = kept(index.as_bytes()).expect("an index");
        let version = |chart: &str, wanted: &str| find(&tree, chart, wanted).expect("it is listed").version;
        assert_eq!(version("chart-0", "*"), "1.0.0");
        assert_eq!(version("chart-999", "1.x"), "1.999.0");
        assert_eq!(version("large", "*"), "4999.0.0");
        assert_eq!(version("large", "7"), "7.0.0");
        assert_eq!(version("small", "*"), "1.0.0");
    }
}
