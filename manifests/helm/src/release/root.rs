//! What templates see as `.`.

use std::sync::Arc;

use super::files::files_object;
use super::{Instance, Release, RenderError};
use crate::chart::{ChartType, Dependency, File, ImportValues, Metadata};
use crate::codec::yaml;
use crate::functions::{Call, Function, Returned, Type};
use crate::template::Template;
use crate::value::{Entries, Map, MapType, Named, Text, Value};
use crate::values::coalesce::leaf;

/// A template, and where it is written.
pub(super) struct TemplateFile<'i> {
    /// What Helm calls it, as `shop/charts/cache/templates/web.yaml`: charts by their names.
    pub(super) path: String,
    /// The file below the folder of the outermost chart.
    pub(super) file: String,
    template: &'i File,
}

impl TemplateFile<'_> {
    /// The templates in it.
    pub(super) fn parse(&self) -> Result<Vec<Arc<Template>>, RenderError> {
        let templates = self.template.templates(&self.path);
        templates.map_err(|error| RenderError::Parse { file: self.path.clone(), error })
    }

    /// Whether it is there for others only.
    pub(super) fn is_partial(&self) -> bool {
        self.path.rsplit('/').next().is_some_and(|name| name.starts_with('_'))
    }
}

/// What the templates of one chart see, and the templates.
pub(super) struct Root<'i> {
    instance: &'i Instance<'i>,
    /// The path of the chart in the names of its templates.
    path: String,
    /// Where the chart is below the outermost one, with a slash at the end.
    folder: String,
    object: Map,
}

impl<'i> Root<'i> {
    /// The templates of the chart with their names. A library has only those that others use.
    pub(super) fn templates(&self) -> impl Iterator<Item = TemplateFile<'i>> {
        let is_library = self.instance.chart.metadata.chart_type == ChartType::Library;
        let is_partial = |path: &str| path.rsplit('/').next().is_some_and(|name| name.starts_with('_'));
        let templates = self.instance.chart.templates.iter().filter(move |file| !is_library || is_partial(&file.path));
        templates.map(|file| TemplateFile {
            path: format!("{}/{}", self.path, file.path),
            file: format!("{}{}", self.folder, file.path),
            template: file,
        })
    }

    /// The root object, which says that the template `name` is executed.
    pub(super) fn for_template(&self, name: &str) -> Value {
        let about: Entries =
            [("Name".into(), name.into()), ("BasePath".into(), format!("{}/templates", self.path).into())].into();
        self.object.insert("Template".into(), Map::of_type(about, MapType::Named(&VALUES)).into());
        self.object.with_type(MapType::Named(&VALUES)).into()
    }
}

/// What the templates of `chart` and of the charts inside of it see.
pub(super) fn roots<'i>(
    chart: &'i Instance<'i>,
    release: &Release,
    capabilities: Value,
    values: &Map,
) -> Vec<Root<'i>> {
    let shared = Shared { release: release_object(release), capabilities };
    let mut roots = Vec::new();
    let place = Place { path: chart.name.clone(), folder: String::new(), is_root: IsRoot::Yes };
    shared.collect(chart, place, values.with_type(MapType::Named(&VALUES)), &mut roots);
    roots
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum IsRoot {
    Yes,
    No,
}

/// Where a chart is among the others, by their names and by their folders.
struct Place {
    path: String,
    folder: String,
    is_root: IsRoot,
}

impl Place {
    fn inside(&self, below: &Instance<'_>) -> Self {
        Self {
            path: format!("{}/charts/{}", self.path, below.name),
            folder: format!("{}{}/", self.folder, below.chart.folder),
            is_root: IsRoot::No,
        }
    }
}

/// What all charts see alike.
struct Shared {
    release: Map,
    capabilities: Value,
}

impl Shared {
    fn collect<'i>(&self, instance: &'i Instance<'i>, place: Place, values: Map, roots: &mut Vec<Root<'i>>) -> Map {
        let inside = Map::default();
        for below in &instance.inside {
            let their_values = match values.get(below.name.as_bytes()) {
                Some(Value::Map(map)) => map.with_type(MapType::Named(&VALUES)),
                _ => Map::of_type(Entries::new(), MapType::Named(&VALUES)),
            };
            let object = self.collect(below, place.inside(below), their_values, roots);
            inside.insert(below.name.as_str().into(), object.into());
        }
        let object: Map = [
            ("Chart".into(), chart_object(instance, place.is_root).into()),
            ("Files".into(), files_object(&instance.chart.files).into()),
            ("Release".into(), self.release.clone().into()),
            ("Capabilities".into(), self.capabilities.clone()),
            ("Values".into(), values.into()),
            ("Subcharts".into(), inside.into()),
        ]
        .into_iter()
        .collect();
        let Place { path, folder, is_root: _ } = place;
        roots.push(Root { instance, path, folder, object: object.clone() });
        object
    }
}

fn release_object(release: &Release) -> Map {
    let fields: [(Text, Value); 6] = [
        ("Name".into(), release.name.as_str().into()),
        ("Namespace".into(), release.namespace.as_str().into()),
        ("IsUpgrade".into(), release.is_upgrade.into()),
        ("IsInstall".into(), (!release.is_upgrade).into()),
        ("Revision".into(), Value::int(release.revision)),
        ("Service".into(), "Helm".into()),
    ];
    fields.into_iter().collect()
}

fn chart_object(instance: &Instance<'_>, is_root: IsRoot) -> Map {
    let Metadata {
        api_version,
        name: _,
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
        dependencies: _,
    } = &instance.chart.metadata;
    let texts = |texts: &[String]| Value::list(texts.iter().map(|text| text.as_str().into()).collect());
    let annotations_type = if annotations.is_empty() { MapType::NilTexts } else { MapType::Texts };
    let annotations: Entries =
        annotations.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into())).collect();
    let maintainers = maintainers.iter().map(|maintainer| {
        fields([("Name", &maintainer.name), ("Email", &maintainer.email), ("URL", &maintainer.url)]).into()
    });
    let object = fields([
        ("Name", &instance.name),
        ("Home", home),
        ("Version", version),
        ("Description", description),
        ("Icon", icon),
        ("APIVersion", api_version),
        ("Condition", condition),
        ("Tags", tags),
        ("AppVersion", app_version),
        ("KubeVersion", kube_version),
    ]);
    object.insert("Type".into(), chart_type.as_str().into());
    object.insert("Sources".into(), texts(sources));
    object.insert("Keywords".into(), texts(keywords));
    object.insert("Maintainers".into(), Value::list(maintainers.collect()));
    object.insert("Deprecated".into(), (*deprecated).into());
    object.insert("Annotations".into(), Map::of_type(annotations, annotations_type).into());
    let dependencies = instance.dependencies.iter().flatten().map(dependency_object);
    object.insert("Dependencies".into(), Value::list(dependencies.collect()));
    object.insert("IsRoot".into(), (is_root == IsRoot::Yes).into());
    object
}

fn fields<const N: usize>(fields: [(&str, &String); N]) -> Map {
    fields.into_iter().map(|(name, text)| (Text::from(name), Value::from(text.as_str()))).collect()
}

fn dependency_object(dependency: &Dependency) -> Value {
    let name = dependency.effective_name().to_owned();
    let object = fields([
        ("Name", &name),
        ("Version", &dependency.version),
        ("Repository", &dependency.repository),
        ("Condition", &dependency.condition),
        ("Alias", &dependency.alias),
    ]);
    let tags = dependency.tags.iter().map(|tag| tag.as_str().into()).collect();
    let imports = dependency.import_values.iter().map(import_object).collect();
    object.insert("Tags".into(), Value::list(tags));
    object.insert("Enabled".into(), true.into());
    object.insert("ImportValues".into(), Value::list(imports));
    object.into()
}

fn import_object(import: &ImportValues) -> Value {
    let (child, parent) = match import {
        ImportValues::Export(name) => (format!("exports.{name}"), ".".to_owned()),
        ImportValues::Path { child, parent } => (child.clone(), parent.clone()),
    };
    let entries: Entries = [("child".into(), child.into()), ("parent".into(), parent.into())].into();
    Map::of_type(entries, MapType::Texts).into()
}

/// The type of `.Values`, whose methods hide values of the same name.
pub(super) static VALUES: Named = Named {
    name: "common.Values",
    zero: || Value::Nil,
    methods: &[
        Function::new("AsMap", &[], as_map, "The values as a map."),
        Function::new("YAML", &[], to_yaml, "The values as YAML."),
        Function::new("Table", &[Type::Text], table_at, "The map at a path."),
        Function::new("PathValue", &[Type::Text], value_at, "The value at a path that is no map."),
    ],
};

fn receiver(call: &Call<'_, '_>) -> Map {
    if let Value::Map(map) = call.receiver() { map.clone() } else { Map::default() }
}

#[expect(clippy::unnecessary_wraps, reason = "methods have the signature of all functions")]
fn as_map(call: &mut Call<'_, '_>) -> Returned {
    Ok(receiver(call).with_type(MapType::Any).into())
}

fn to_yaml(call: &mut Call<'_, '_>) -> Returned {
    Ok(format!("{}\n", yaml::encode(call.receiver())?).into())
}

fn table_at(call: &mut Call<'_, '_>) -> Returned {
    let below = |values: Map, key: &str| match values.get(key.as_bytes()) {
        Some(Value::Map(below)) => Ok(below),
        _ => Err(format!("{} is not a table", crate::fmt::quote(key.as_bytes()))),
    };
    let table = call.text(0).to_str().split('.').try_fold(receiver(call), below)?;
    Ok(table.with_type(MapType::Named(&VALUES)).into())
}

fn value_at(call: &mut Call<'_, '_>) -> Returned {
    let path = call.text(0).to_str();
    leaf(&receiver(call), &path).ok_or_else(|| format!("{} is not a value", crate::fmt::quote(path.as_bytes())).into())
}
