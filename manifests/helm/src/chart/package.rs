//! Charts to packages: what is changed of a chart before it is packed, and the `.tgz` itself.
//!
//! # Follows Helm
//! Which files a package has and in which order, and what is left of `Chart.yaml` and of charts inside.
//! # Differs from Helm
//! Equal charts give equal bytes: nothing in a package has a time. A lock stays as it is written.

use std::io::Write;

use flate2::{Compression, GzBuilder, write::GzEncoder};
use serde_json::{Map, Value as Json, json};
use tar::{EntryType, Header};

use super::{Chart, Dependency, File, ImportValues, Maintainer, Metadata, load};
use crate::schema::Schema;
use crate::semver::Version;

/// A chart whose values cannot be replaced, because it has no file for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to locate values file: values.yaml")]
pub struct NoValuesFile;

/// All documents of a file of values, later ones merged over earlier ones; an error in Helm's words.
pub fn parse_values(text: &[u8]) -> Result<Map<String, Json>, String> {
    load::values(text)
}

/// `version` with `metadata` in place of the build metadata that it has; an error in the words of Masterminds semver.
pub fn version_with_metadata(version: &str, metadata: &str) -> Result<String, String> {
    let is_allowed = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !metadata.split('.').all(is_allowed) {
        return Err("invalid metadata string".to_owned());
    }
    Ok(Version { metadata: metadata.to_owned(), ..Version::parse(version)? }.to_string())
}

impl Chart {
    /// The content of a file that is neither a template nor the chart's own metadata, schema or values.
    pub fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|file| file.path == path).map(|file| &*file.content)
    }

    /// Replaces the default values by `files` of values, one merged over the other.
    pub fn replace_values(&mut self, files: impl IntoIterator<Item = Map<String, Json>>) -> Result<(), NoValuesFile> {
        let mut values = Map::new();
        files.into_iter().for_each(|file| load::merge(&mut values, file));
        let file = self.values_file.as_mut().ok_or(NoValuesFile)?;
        let text =
            if values.is_empty() { String::new() } else { fairlead_yaml::emit_json(&Json::Object(values.clone())) };
        *file = text.into();
        self.values = values;
        Ok(())
    }

    /// The charts that it asks for and does not carry along, as its lock has them, or else as it asks for them.
    ///
    /// # Follows Flux
    /// A chart that carries as many along as it asks for lacks none.
    pub fn missing_dependencies(&self) -> Vec<Dependency> {
        let asked = match &self.lock {
            Some(lock) => &lock.dependencies,
            None => self.metadata.dependencies.as_deref().unwrap_or_default(),
        };
        if asked.len() == self.dependencies.len() {
            return Vec::new();
        }
        let has = |wanted: &&Dependency| self.dependencies.iter().any(|inside| inside.metadata.name == wanted.name);
        asked.iter().filter(|wanted| !has(wanted)).cloned().collect()
    }

    /// Packs it as `.tgz`.
    pub fn package(&self) -> Vec<u8> {
        let mut package = Package::new();
        package.chart(self, "");
        package.finish()
    }
}

/// A package that is being written. Writing into memory cannot fail.
struct Package {
    to: GzEncoder<Vec<u8>>,
}

const FILE_MODE: u32 = 0o644;
/// The gzip header's byte for "made by no system that we name".
const UNKNOWN_SYSTEM: u8 = 255;
const BLOCK_BYTES: usize = 512;
/// Longest name in a header; of a longer one the beginning stands there, and all of it in an entry before.
const NAME_BYTES: usize = 100;
/// What an entry with a long name is called itself.
const LONG_NAME: &[u8] = b"././@LongLink";
const IN_MEMORY: &str = "memory takes every byte";

impl Package {
    fn new() -> Self {
        let header = GzBuilder::new().mtime(0).comment("Helm").operating_system(UNKNOWN_SYSTEM);
        Self { to: header.write(Vec::new(), Compression::new(6)) }
    }

    /// Adds `chart` in a folder of its own below `above`.
    fn chart(&mut self, chart: &Chart, above: &str) {
        let folder = format!("{above}{}/", chart.metadata.name);
        self.file(&folder, "Chart.yaml", fairlead_yaml::emit_json(&metadata(&chart.metadata)).as_bytes());
        if let Some(lock) = chart.lock.as_ref().filter(|_| chart.metadata.api_version != "v1") {
            self.file(&folder, "Chart.lock", &lock.content);
        }
        let schema = chart.schema.as_ref().map(Schema::text);
        for (name, content) in [("values.yaml", chart.values_file.as_ref()), ("values.schema.json", schema)] {
            if let Some(content) = content {
                self.file(&folder, name, content);
            }
        }
        for File { path, content, .. } in chart.templates.iter().chain(&chart.files) {
            self.file(&folder, path, content);
        }
        for inside in &chart.dependencies {
            self.chart(inside, &format!("{folder}charts/"));
        }
    }

    fn file(&mut self, folder: &str, name: &str, content: &[u8]) {
        let path = format!("{folder}{name}");
        if path.len() > NAME_BYTES {
            self.entry(LONG_NAME, EntryType::GNULongName, &[path.as_bytes(), &[0]].concat());
        }
        self.entry(&path.as_bytes()[..path.len().min(NAME_BYTES)], EntryType::Regular, content);
    }

    fn entry(&mut self, name: &[u8], kind: EntryType, content: &[u8]) {
        let mut header = Header::new_gnu();
        header.as_gnu_mut().expect("made as GNU").name[..name.len()].copy_from_slice(name);
        header.set_entry_type(kind);
        header.set_mode(FILE_MODE);
        header.set_size(content.len() as u64);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        header.set_cksum();
        self.write(header.as_bytes());
        self.write(content);
        self.write(&[0; BLOCK_BYTES][..content.len().next_multiple_of(BLOCK_BYTES) - content.len()]);
    }

    fn write(&mut self, bytes: &[u8]) {
        self.to.write_all(bytes).expect(IN_MEMORY);
    }

    fn finish(mut self) -> Vec<u8> {
        self.write(&[0; 2 * BLOCK_BYTES]);
        self.to.finish().expect(IN_MEMORY)
    }
}

/// What `Chart.yaml` says, without what is not set.
pub(super) fn metadata(metadata: &Metadata) -> Json {
    let Metadata {
        api_version,
        name,
        version,
        description,
        chart_type,
        app_version,
        kube_version,
        home,
        sources,
        keywords,
        maintainers,
        icon,
        condition,
        tags,
        deprecated,
        annotations,
        dependencies,
    } = metadata;
    // Old charts have theirs in a file of their own.
    let dependencies = dependencies.as_deref().filter(|_| api_version != "v1").unwrap_or_default();
    set_only(json!({
        "annotations": annotations,
        "apiVersion": api_version,
        "appVersion": app_version,
        "condition": condition,
        "dependencies": dependencies.iter().map(dependency).collect::<Vec<_>>(),
        "deprecated": deprecated,
        "description": description,
        "home": home,
        "icon": icon,
        "keywords": keywords,
        "kubeVersion": kube_version,
        "maintainers": maintainers.iter().map(maintainer).collect::<Vec<_>>(),
        "name": name,
        "sources": sources,
        "tags": tags,
        "type": chart_type.as_str(),
        "version": version,
    }))
}

fn maintainer(Maintainer { name, email, url }: &Maintainer) -> Json {
    set_only(json!({"email": email, "name": name, "url": url}))
}

fn dependency(dependency: &Dependency) -> Json {
    let Dependency { name, version, repository, condition, tags, import_values, alias } = dependency;
    let mut written = set_only(json!({
        "alias": alias,
        "condition": condition,
        "import-values": import_values.iter().map(import).collect::<Vec<_>>(),
        "name": name,
        "tags": tags,
        "version": version,
    }));
    written["repository"] = repository.as_str().into();
    written
}

fn import(import: &ImportValues) -> Json {
    match import {
        ImportValues::Export(name) => name.as_str().into(),
        ImportValues::Path { child, parent } => json!({"child": child, "parent": parent}),
    }
}

/// `object` without fields that are empty or false.
fn set_only(mut object: Json) -> Json {
    let is_set = |value: &Json| match value {
        Json::Null => false,
        Json::Bool(bool) => *bool,
        Json::Number(_) => true,
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(fields) => !fields.is_empty(),
    };
    object.as_object_mut().expect("it is made as an object").retain(|_, value| is_set(value));
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load_archive;

    fn chart(files: &[(&str, &str)]) -> Chart {
        let files = files.iter().map(|(path, content)| File::new((*path).to_owned(), (*content).into())).collect();
        load::from_files(files, 0).expect("a chart")
    }

    /// The files of a package and their contents, in its order.
    fn shown(package: &[u8]) -> String {
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(package));
        let entries = archive.entries().expect("an archive").map(|entry| {
            let mut entry = entry.expect("an entry");
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let content = std::io::read_to_string(&mut entry).expect("text");
            format!("{path}: {}\n", content.trim_end().replace('\n', "; "))
        });
        entries.collect()
    }

    #[test]
    fn a_package_has_what_helm_puts_into_it() {
        let long = format!("files/{}.txt", "n".repeat(200));
        let chart = chart(&[
            (
                "Chart.yaml",
                "apiVersion: v2\nversion: v1.0.0\nname: web\nunknown: 1\ntype: application\nmaintainers: [{name: Me}]\ndependencies:\n- {name: base, version: 1.x, import-values: [data]}",
            ),
            ("Chart.lock", "dependencies: [{name: base, version: 1.2.0, repository: file://../base}]"),
            ("values.yaml", "a: 1"),
            ("templates/a.yaml", "a"),
            (long.as_str(), "long"),
            ("charts/base/Chart.yaml", "name: base\nversion: 1.2.0"),
            ("charts/base/requirements.yaml", "dependencies: [{name: deep, version: 1.0.0}]"),
        ]);
        let package = chart.package();
        assert_eq!(shown(&package).replace(&long, "LONG"), "\
web/Chart.yaml: apiVersion: v2; dependencies:; - import-values:;   - data;   name: base;   repository: \"\";   version: 1.x; maintainers:; - name: Me; name: web; type: application; version: v1.0.0
web/Chart.lock: dependencies: [{name: base, version: 1.2.0, repository: file://../base}]
web/values.yaml: a: 1
web/templates/a.yaml: a
web/LONG: long
web/charts/base/Chart.yaml: apiVersion: v1; name: base; version: 1.2.0
web/charts/base/requirements.yaml: dependencies: [{name: deep, version: 1.0.0}]
");
        let again = load_archive(&package).expect("a chart");
        assert_eq!(again.package(), package);
    }

    #[test]
    fn values_are_replaced_by_files_one_over_the_other() {
        let values = |text: &str| parse_values(text.as_bytes()).expect("values");
        let mut web = chart(&[("Chart.yaml", "name: web\nversion: 1.0.0"), ("values.yaml", "b: 1\n")]);
        let files = ["b: {x: 1, z: [1, 2]}", "a: c\nb: {z: [3]}"].map(values);
        assert_eq!(web.replace_values(files), Ok(()));
        assert!(shown(&web.package()).ends_with("web/values.yaml: a: c; b:;   x: 1;   z:;   - 3\n"));
        assert_eq!(web.replace_values([]), Ok(()));
        assert!(shown(&web.package()).ends_with("web/values.yaml: \n"));
        let mut bare = chart(&[("Chart.yaml", "name: web\nversion: 1.0.0")]);
        assert_eq!(bare.replace_values([]), Err(NoValuesFile));
    }

    #[test]
    fn what_the_lock_names_counts_before_what_the_chart_asks_for() {
        let asked = "name: web\nversion: 1.0.0\napiVersion: v2\ndependencies: [{name: a, version: 1.x}, {name: b, version: '*'}]";
        let missing = |files: &[(&str, &str)]| {
            let missing = chart(&[&[("Chart.yaml", asked)], files].concat()).missing_dependencies();
            missing.iter().map(|dependency| format!("{} {}", dependency.name, dependency.version)).collect::<Vec<_>>()
        };
        let (a, other) = ("name: a\nversion: 1.0.0", "name: other\nversion: 1.0.0");
        assert_eq!(missing(&[]), ["a 1.x", "b *"]);
        assert_eq!(missing(&[("charts/a/Chart.yaml", a)]), ["b *"]);
        assert_eq!(missing(&[("charts/a/Chart.yaml", a), ("charts/o/Chart.yaml", other)]), [] as [&str; 0]);
        assert_eq!(missing(&[("Chart.lock", "dependencies: [{name: b, version: 2.0.0}]")]), ["b 2.0.0"]);
    }

    #[test]
    fn metadata_takes_the_place_of_what_a_version_has() {
        let rows = [
            ("1.2.3", "4", Ok("1.2.3+4")),
            ("v1.2.3-rc.1+old", "abc.1", Ok("1.2.3-rc.1+abc.1")),
            ("1.2", "4", Ok("1.2.0+4")),
            ("latest", "4", Err("invalid semantic version")),
            ("1.2.3", "a b", Err("invalid metadata string")),
        ];
        for (version, metadata, expected) in rows {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(version_with_metadata(version, metadata), expected, "{version} {metadata}");
        }
    }
}
