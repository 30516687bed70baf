//! `Chart.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::decode::{Fields, as_text};
use crate::semver::{Range, Version};
use crate::unicode;

/// What `Chart.yaml` says, and `requirements.yaml` in old charts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// `v1` or `v2`.
    pub api_version: String,
    /// The name of the chart.
    pub name: String,
    /// The version of the chart.
    pub version: String,
    /// What the chart installs, in a sentence.
    pub description: String,
    /// Application or library.
    pub chart_type: ChartType,
    /// The version of what it installs.
    pub app_version: String,
    /// The Kubernetes versions that it works with.
    pub kube_version: String,
    /// A page about it.
    pub home: String,
    /// Pages with its source.
    pub sources: Vec<String>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// Who maintains it.
    pub maintainers: Vec<Maintainer>,
    /// A picture.
    pub icon: String,
    /// Read and never used by Helm.
    pub condition: String,
    /// Read and never used by Helm.
    pub tags: String,
    /// Whether nobody should use it any more.
    pub deprecated: bool,
    /// Anything else.
    pub annotations: BTreeMap<String, String>,
    /// The charts that it asks for; `None` if it says nothing of them.
    pub dependencies: Option<Vec<Dependency>>,
}

/// What a chart is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChartType {
    /// To install something; the chart does not say so.
    #[default]
    Unstated,
    /// To install something.
    Application,
    /// To be used by other charts.
    Library,
}

impl ChartType {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unstated => "",
            Self::Application => "application",
            Self::Library => "library",
        }
    }
}

/// Who maintains a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// A page.
    pub url: String,
}

/// A chart that another one asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// The versions that will do.
    pub version: String,
    /// Where it is found.
    pub repository: String,
    /// Paths of values, of which the first that is a boolean says whether it is used.
    pub condition: String,
    /// Names of values below `tags`, of which one that is true is enough.
    pub tags: Vec<String>,
    /// What to take over from its values.
    pub import_values: Vec<ImportValues>,
    /// The name that it has in this chart.
    pub alias: String,
}

/// Values that a chart takes over from one inside of it.
#[derive(Clone, Debug, PartialEq)]
pub enum ImportValues {
    /// What stands below `exports` and this name becomes the chart's own.
    Export(String),
    /// What stands at one path becomes the chart's own at another.
    Path {
        /// The path in the values of the chart inside.
        child: String,
        /// The path in the chart's own values; `.` is their root.
        parent: String,
    },
}

impl Metadata {
    /// Reads what `object` says over what is there already; an error in Go's words.
    pub(super) fn read(&mut self, object: &Map<String, Json>) -> Result<(), String> {
        let fields = Fields { name: "Metadata", object };
        for (name, target) in [
            ("apiVersion", &mut self.api_version),
            ("name", &mut self.name),
            ("version", &mut self.version),
            ("description", &mut self.description),
            ("appVersion", &mut self.app_version),
            ("kubeVersion", &mut self.kube_version),
            ("home", &mut self.home),
            ("icon", &mut self.icon),
            ("condition", &mut self.condition),
            ("tags", &mut self.tags),
        ] {
            if fields.get(name).is_some() {
                *target = fields.text(name)?;
            }
        }
        if fields.get("sources").is_some() {
            self.sources = fields.texts("sources")?;
        }
        if fields.get("keywords").is_some() {
            self.keywords = fields.texts("keywords")?;
        }
        self.deprecated |= fields.bool("deprecated")?;
        self.read_type(&fields)?;
        self.read_annotations(&fields);
        self.maintainers.extend(structs(&fields, "maintainers", "v2.Maintainer", maintainer)?);
        if fields.get("dependencies").is_some() {
            self.dependencies = Some(dependencies(&fields)?);
        }
        Ok(())
    }

    fn read_type(&mut self, fields: &Fields<'_>) -> Result<(), String> {
        self.chart_type = match fields.text("type")?.as_str() {
            "" => self.chart_type,
            "application" => ChartType::Application,
            "library" => ChartType::Library,
            _ => return Err(BAD_TYPE.to_owned()),
        };
        Ok(())
    }

    fn read_annotations(&mut self, fields: &Fields<'_>) {
        let Some(Json::Object(annotations)) = fields.get("annotations") else { return };
        for (key, value) in annotations {
            self.annotations.insert(key.clone(), as_text(value).unwrap_or_default());
        }
    }

    /// Cleans texts and refuses what Helm refuses; an error in Helm's words.
    pub(super) fn validate(&mut self) -> Result<(), String> {
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            *text = sanitised(text);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(|text| *text = sanitised(text));
        self.validate_name()?;
        if self.version.is_empty() {
            return Err("chart.metadata.version is required".to_owned());
        }
        if Version::parse(&self.version).is_err() {
            let version = crate::fmt::quote(self.version.as_bytes());
            return Err(format!("chart.metadata.version {version} is invalid"));
        }
        for maintainer in &mut self.maintainers {
            maintainer.name = sanitised(&maintainer.name);
            maintainer.email = sanitised(&maintainer.email);
            maintainer.url = sanitised(&maintainer.url);
        }
        self.validate_dependencies()
    }

    fn validate_name(&self) -> Result<(), String> {
        let name = crate::fmt::quote(self.name.as_bytes());
        match self.name.as_str() {
            "" => Err("chart.metadata.name is required".to_owned()),
            "." | ".." => Err(format!("chart.metadata.name {name} is not allowed")),
            written if written.contains('/') => Err(format!("chart.metadata.name {name} is invalid")),
            _ => Ok(()),
        }
    }

    fn validate_dependencies(&mut self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            for text in
                [&mut dependency.name, &mut dependency.version, &mut dependency.repository, &mut dependency.condition]
            {
                *text = sanitised(text);
            }
            dependency.tags.iter_mut().for_each(|tag| *tag = sanitised(tag));
            let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
            if !dependency.alias.chars().all(is_plain) {
                let name = crate::fmt::quote(dependency.name.as_bytes());
                return Err(format!("dependency {name} has disallowed characters in the alias"));
            }
            let name = dependency.effective_name();
            if !names.insert(name.to_owned()) {
                let name = crate::fmt::quote(name.as_bytes());
                return Err(format!("more than one dependency with name or alias {name}"));
            }
        }
        Ok(())
    }
}

impl Dependency {
    /// The alias, or the name without one.
    pub(crate) fn effective_name(&self) -> &str {
        if self.alias.is_empty() { &self.name } else { &self.alias }
    }

    /// Whether a chart of `version` will do; an error in Helm's words.
    pub fn takes(&self, version: &str) -> Result<bool, String> {
        Ok(Range::parse(&self.version)?.contains(&Version::parse(version)?))
    }
}

/// What Helm says of a type that it does not know.
pub(super) const BAD_TYPE: &str = "chart.metadata.type must be application or library";

/// A text in one line, without what cannot be printed.
fn sanitised(text: &str) -> String {
    let kept = text.chars().filter(|char| unicode::is_space(*char) || unicode::is_printable(*char));
    kept.map(|char| if unicode::is_space(char) { ' ' } else { char }).collect()
}

/// What `read` makes of each item of the list `name`, which are Go structs of a type.
fn structs<T>(
    fields: &Fields<'_>,
    name: &str,
    go_type: &str,
    read: fn(&Map<String, Json>) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let items = fields.list_of(name, &format!("[]*{go_type}"))?.iter();
    let read = items.map(|item| match item {
        Json::Object(object) => read(object),
        Json::Null => Err(format!("validation: {name} must not contain empty or null nodes")),
        other => Err(fields.mismatch(other, name, go_type)),
    });
    read.collect()
}

fn dependencies(fields: &Fields<'_>) -> Result<Vec<Dependency>, String> {
    structs(fields, "dependencies", "v2.Dependency", dependency)
}

fn maintainer(object: &Map<String, Json>) -> Result<Maintainer, String> {
    let fields = Fields { name: "Maintainer.maintainers", object };
    Ok(Maintainer { name: fields.text("name")?, email: fields.text("email")?, url: fields.text("url")? })
}

fn dependency(object: &Map<String, Json>) -> Result<Dependency, String> {
    let fields = Fields { name: "Dependency.dependencies", object };
    Ok(Dependency {
        name: fields.text("name")?,
        version: fields.text("version")?,
        repository: fields.text("repository")?,
        condition: fields.text("condition")?,
        tags: fields.texts("tags")?,
        import_values: fields.list_of("import-values", "[]interface {}")?.iter().filter_map(import_values).collect(),
        alias: fields.text("alias")?,
    })
}

/// The charts that a lock names; an error in Go's words.
pub(super) fn locked(object: &Map<String, Json>) -> Result<Vec<Dependency>, String> {
    dependencies(&Fields { name: "Lock", object })
}

/// One entry of `import-values`; Helm overlooks what it does not understand.
fn import_values(item: &Json) -> Option<ImportValues> {
    match item {
        Json::String(name) => Some(ImportValues::Export(name.clone())),
        Json::Object(object) => {
            let path = |key: &str| object.get(key).and_then(as_text).unwrap_or_else(|| "<nil>".to_owned());
            Some(ImportValues::Path { child: path("child"), parent: path("parent") })
        }
        _ => None,
    }
}
