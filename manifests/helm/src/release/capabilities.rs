//! What templates know of the cluster: `.Capabilities`.

#![expect(clippy::unnecessary_wraps, reason = "methods have the signature of all functions")]

use std::{any::Any, rc::Rc};

use super::{Release, RenderError};
use crate::functions::{Call, Function, Returned, Type};
use crate::value::{Kind, List, ListType, Named, Object, Value};

/// The version of Kubernetes that charts see if none is given.
pub const DEFAULT_KUBE_VERSION: &str = "v1.37.0";

/// The version of Helm that charts see.
pub const HELM_VERSION: &str = "v4.3.1";

/// What a cluster serves that nobody has asked.
pub const DEFAULT_API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// `.Capabilities`
#[derive(Debug)]
pub(super) struct Capabilities {
    kube_version: Rc<KubeVersion>,
    api_versions: List,
}

impl Capabilities {
    /// Those of the cluster that `release` goes to.
    pub(super) fn new(release: &Release) -> Result<Self, RenderError> {
        let kube_version = KubeVersion::parse(release.kube_version.as_deref().unwrap_or(DEFAULT_KUBE_VERSION))?;
        let served: Vec<&str> = match &release.served_versions {
            Some(served) => served.iter().map(String::as_str).collect(),
            None => DEFAULT_API_VERSIONS.to_vec(),
        };
        let besides = release.api_versions.iter().map(String::as_str);
        let all = served.into_iter().chain(besides).map(Value::from).collect();
        Ok(Self {
            kube_version: Rc::new(kube_version),
            api_versions: List::of_type(all, ListType::Named(&VERSION_SET)),
        })
    }

    pub(super) fn kube_version(&self) -> &KubeVersion {
        &self.kube_version
    }
}

impl Object for Capabilities {
    fn type_name(&self) -> &'static str {
        "*common.Capabilities"
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "KubeVersion" => Some(Value::Object(Rc::<KubeVersion>::clone(&self.kube_version))),
            "APIVersions" => Some(Value::List(self.api_versions.clone())),
            "HelmVersion" => Some(Value::Object(Rc::new(HelmVersion))),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let versions = crate::fmt::display(&Value::List(self.api_versions.clone()));
        format!("{{{} {versions} {}}}", self.kube_version.verb_text(), HelmVersion.text())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

static VERSION_SET: Named = Named {
    name: "common.VersionSet",
    zero: || "".into(),
    methods: &[Function::new("Has", &[Type::Text], has, "Whether the cluster serves a version, or a kind of it.")],
};

fn has(call: &mut Call<'_, '_>) -> Returned {
    let Value::List(versions) = call.receiver() else { return Ok(false.into()) };
    Ok(versions.iter().any(|version| matches!(version, Value::Text(version) if version == call.text(0))).into())
}

/// `.Capabilities.KubeVersion`
#[derive(Debug)]
pub(super) struct KubeVersion {
    version: String,
    normalized: String,
    major: String,
    minor: String,
}

impl KubeVersion {
    /// Reads a version such as `1.28.3-gke.1`, of which at least two numbers must be there.
    fn parse(given: &str) -> Result<Self, RenderError> {
        let bad = |problem: String| RenderError::BadKubeVersion { version: given.to_owned(), problem };
        let illegal = || bad(format!("could not parse {} as version", crate::fmt::quote(given.as_bytes())));
        let trimmed = given.trim().trim_start_matches('v');
        let end = trimmed.find(|char: char| !(char.is_ascii_digit() || char == '.')).unwrap_or(trimmed.len());
        let numbers: Vec<&str> = trimmed[..end].trim_end_matches('.').split('.').collect();
        if numbers.len() < 2 {
            return Err(illegal());
        }
        for number in &numbers {
            number.parse::<u32>().map_err(|_| illegal())?;
        }
        Ok(Self {
            version: if given.starts_with('v') { given.to_owned() } else { format!("v{given}") },
            normalized: format!("v{}", numbers.join(".")),
            major: numbers[0].to_owned(),
            minor: numbers[1].to_owned(),
        })
    }

    /// The version without what providers add to it.
    pub(super) fn normalized(&self) -> &str {
        &self.normalized
    }
}

const KUBE_VERSION_METHODS: &[Function] = &[
    Function::new("GitVersion", &[], git_version, "The version as it was given."),
    Function::new("String", &[], string, "The version without what providers add to it."),
];

fn git_version(call: &mut Call<'_, '_>) -> Returned {
    let Value::Object(object) = call.receiver() else { return Ok("".into()) };
    Ok(object.field("Version").unwrap_or(Value::Nil))
}

fn string(call: &mut Call<'_, '_>) -> Returned {
    let Value::Object(object) = call.receiver() else { return Ok("".into()) };
    Ok(object.text().into())
}

impl Object for KubeVersion {
    fn type_name(&self) -> &'static str {
        "common.KubeVersion"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(self.version.as_str().into()),
            "Major" => Some(self.major.as_str().into()),
            "Minor" => Some(self.minor.as_str().into()),
            _ => None,
        }
    }

    fn methods(&self) -> &'static [Function] {
        KUBE_VERSION_METHODS
    }

    fn text(&self) -> String {
        self.normalized.clone()
    }

    fn verb_text(&self) -> String {
        format!("{{{} {} {} {}}}", self.version, self.normalized, self.major, self.minor)
    }

    fn written_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        let fields = ["Version", "Major", "Minor"];
        Some(fields.into_iter().filter_map(|name| Some((name, self.field(name)?))).collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `.Capabilities.HelmVersion`
#[derive(Debug)]
struct HelmVersion;

impl Object for HelmVersion {
    fn type_name(&self) -> &'static str {
        "common.BuildInfo"
    }

    fn field(&self, name: &str) -> Option<Value> {
        match name {
            "Version" => Some(HELM_VERSION.into()),
            "GitCommit" | "GitTreeState" => Some("".into()),
            "GoVersion" => Some("go1.26.8".into()),
            "KubeClientVersion" => Some("v1.37".into()),
            _ => None,
        }
    }

    fn text(&self) -> String {
        format!("{{{HELM_VERSION}   go1.26.8 v1.37}}")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
