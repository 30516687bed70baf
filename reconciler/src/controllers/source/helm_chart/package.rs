//! How a chart becomes a package: which values it gets, and which version it calls itself. All calls block.

use fairlead_helm::{Chart, Metadata, load, load_archive, load_metadata, parse_values, version_with_metadata};
use fairlead_object::{EntryKind, Tree, TreePath};
use fairlead_sources::{
    fetch::Content,
    helm::FetchedChart,
    store::{Store, StoredTree},
    verify::Verified,
};
use serde_json::{Map, Value};

use super::error::ChartError;

/// What is changed of a chart before it is packed.
#[derive(Clone, Debug)]
pub(super) struct Packing {
    /// The files whose values replace those of the chart.
    pub(super) values_files: Vec<String>,
    /// What it means that one of them is not there.
    pub(super) missing: Missing,
    /// The build metadata of the version; empty for that of the chart.
    pub(super) version_metadata: String,
    /// Largest package.
    pub(super) limit_bytes: u64,
}

/// What a missing file of values means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Refuse,
    PassBy,
}

/// How a chart lies in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Folder,
    Package,
}

/// What a chart in a source says of itself.
pub(super) struct About {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) form: Form,
}

/// A chart that is being made into a package.
pub(super) struct Draft {
    pub(super) chart: Chart,
    pub(super) form: Form,
    /// The package as it lies in its source, where nothing of it is changed.
    as_it_is: Option<Vec<u8>>,
    values_files: Vec<String>,
    /// That what it is made of is signed, where that was demanded.
    verified: Option<Verified>,
    limit_bytes: u64,
}

/// The chart's own file of values.
const OWN_VALUES: &str = "values.yaml";

impl Packing {
    pub(super) fn changes_something(&self) -> bool {
        !(self.values_files.is_empty() && self.version_metadata.is_empty())
    }

    /// The version of the package of a chart that has `version`.
    pub(super) fn version(&self, version: &str) -> Result<String, ChartError> {
        if self.version_metadata.is_empty() {
            return Ok(version.to_owned());
        }
        version_with_metadata(version, &self.version_metadata).map_err(ChartError::Version)
    }

    /// Puts the files of values that `read` finds into `chart`, and returns those that are there.
    pub(super) fn replace_values(
        &self,
        chart: &mut Chart,
        read: impl Fn(&Chart, &str) -> Result<Option<Map<String, Value>>, ChartError>,
    ) -> Result<Vec<String>, ChartError> {
        let (mut used, mut values) = (Vec::new(), Vec::new());
        for path in &self.values_files {
            match (read(chart, path)?, self.missing) {
                (Some(found), _) => {
                    used.push(path.clone());
                    values.push(found);
                }
                (None, Missing::PassBy) => {}
                (None, Missing::Refuse) => return Err(ChartError::NoValues(path.clone())),
            }
        }
        if !self.values_files.is_empty() {
            chart.replace_values(values)?;
        }
        Ok(used)
    }
}

/// What the chart at `path` says of itself.
pub(super) fn describe(tree: &StoredTree, path: &TreePath) -> Result<About, ChartError> {
    let form = form(tree, path)?;
    let metadata = match form {
        Form::Folder => load_metadata(tree, path),
        Form::Package => load_archive(&tree.read(path)?).map(|chart| chart.metadata),
    };
    let Metadata { name, version, .. } = metadata.map_err(ChartError::NoChart)?;
    Ok(About { name, version, form })
}

fn form(tree: &StoredTree, path: &TreePath) -> Result<Form, ChartError> {
    match tree.entry(path)?.map(|entry| entry.kind) {
        Some(EntryKind::Directory) => Ok(Form::Folder),
        Some(EntryKind::File) => Ok(Form::Package),
        None => Err(ChartError::Reference(format!("no chart found at '{path}'"))),
    }
}

/// Loads the chart at `path`, and changes it as `packing` says; it lacks the charts that it does not carry along.
pub(super) fn draft(tree: &StoredTree, path: &TreePath, packing: &Packing, version: &str) -> Result<Draft, ChartError> {
    let form = form(tree, path)?;
    let (mut chart, package) = match form {
        Form::Folder => (load(tree, path).map_err(ChartError::Load)?, None),
        Form::Package => {
            let package = tree.read(path)?;
            (load_archive(&package).map_err(ChartError::Load)?, Some(package.to_vec()))
        }
    };
    let values_files = packing.replace_values(&mut chart, |_, written| values_at(tree, written))?;
    version.clone_into(&mut chart.metadata.version);
    let as_it_is = package.filter(|_| !packing.changes_something());
    Ok(Draft { chart, form, as_it_is, values_files, verified: None, limit_bytes: packing.limit_bytes })
}

/// The values in a file of the source; `None` if there is no such file.
fn values_at(tree: &StoredTree, written: &str) -> Result<Option<Map<String, Value>>, ChartError> {
    let malformed = |problem| ChartError::MalformedValues { path: written.to_owned(), problem };
    // Flux joins it below the root of the source.
    let path: TreePath = written.trim_start_matches('/').parse().map_err(|error| malformed(format!("{error}")))?;
    match tree.entry(&path)?.map(|entry| entry.kind) {
        Some(EntryKind::File) => parse_values(&tree.read(&path)?).map(Some).map_err(malformed),
        Some(EntryKind::Directory) | None => Ok(None),
    }
}

impl Draft {
    /// Packs it as the chart `name` in `version`.
    pub(super) fn keep(self, (name, version): (&str, &str), store: &Store) -> Result<Content, ChartError> {
        let package = self.as_it_is.unwrap_or_else(|| self.chart.package());
        let kept = FetchedChart::keep(&package, self.limit_bytes, store).map_err(ChartError::Package)?;
        let kept = FetchedChart { verified: self.verified, ..kept };
        Ok(Content { values_files: self.values_files, ..kept.into_content(name, version) })
    }
}

/// Checks a package that came, and packs it again if something of it is changed.
pub(super) fn repack(
    fetched: FetchedChart,
    packing: &Packing,
    (name, version): (&str, &str),
    store: &Store,
) -> Result<Content, ChartError> {
    let package = fetched.read()?;
    let mut chart = load_archive(&package).map_err(ChartError::Load)?;
    if !packing.changes_something() {
        return Ok(fetched.into_content(name, version));
    }
    let values_files = packing.replace_values(&mut chart, values_inside)?;
    version.clone_into(&mut chart.metadata.version);
    let verified = fetched.verified;
    let limit_bytes = packing.limit_bytes;
    let draft = Draft { chart, form: Form::Package, as_it_is: None, values_files, verified, limit_bytes };
    draft.keep((name, version), store)
}

/// The values in a file of the chart itself; `None` if there is no such file.
pub(super) fn values_inside(chart: &Chart, written: &str) -> Result<Option<Map<String, Value>>, ChartError> {
    let malformed = |problem| ChartError::MalformedValues { path: written.to_owned(), problem };
    let path: TreePath = written.parse().map_err(|error| malformed(format!("{error}")))?;
    if path.as_str() == OWN_VALUES {
        return Ok(Some(chart.values.clone()));
    }
    chart.file(path.as_str()).map(|content| parse_values(content).map_err(malformed)).transpose()
}
