//! What `Chart.yaml` and the folders of a chart should have.

use super::Finding;
use crate::chart::{Chart, ChartType, Dependency};
use crate::semver::Version;

const CHART_FILE: &str = "Chart.yaml";

/// The extensions that a template may have.
const EXTENSIONS: [&str; 4] = ["yaml", "yml", "tpl", "txt"];

pub(super) fn findings(chart: &Chart) -> Vec<Finding> {
    let mut findings = of_metadata(chart);
    findings.extend(chart.metadata.dependencies.iter().flatten().filter_map(of_dependency));
    findings.extend(of_folders(chart));
    findings
}

fn of_metadata(chart: &Chart) -> Vec<Finding> {
    let metadata = &chart.metadata;
    let mut findings = Vec::new();
    if metadata.icon.is_empty() {
        findings.push(Finding::info(CHART_FILE, "icon is recommended"));
    } else if !is_url(&metadata.icon) {
        findings.push(Finding::error(CHART_FILE, format!("invalid icon URL {:?}", metadata.icon)));
    }
    if !is_strict(&metadata.version) {
        let message = format!("version {:?} is not a valid SemVerV2", metadata.version);
        findings.push(Finding::error(CHART_FILE, message));
    }
    for maintainer in &metadata.maintainers {
        if maintainer.name.is_empty() {
            findings.push(Finding::error(CHART_FILE, "each maintainer requires a name"));
        } else if !maintainer.email.is_empty() && !is_email(&maintainer.email) {
            let (email, name) = (&maintainer.email, &maintainer.name);
            findings.push(Finding::error(CHART_FILE, format!("invalid email {email:?} for maintainer {name:?}")));
        }
    }
    for source in metadata.sources.iter().filter(|source| !is_url(source)) {
        findings.push(Finding::error(CHART_FILE, format!("invalid source URL {source:?}")));
    }
    if metadata.api_version == "v1" && metadata.chart_type == ChartType::Library {
        let message = "chart type is not valid in apiVersion \"v1\": it is valid in apiVersion \"v2\"";
        findings.push(Finding::error(CHART_FILE, message));
    }
    findings
}

fn of_dependency(dependency: &Dependency) -> Option<Finding> {
    let name = &dependency.name;
    dependency.version.is_empty().then(|| Finding::warning(CHART_FILE, format!("dependency {name:?} has no version")))
}

fn of_folders(chart: &Chart) -> Vec<Finding> {
    let mut findings = Vec::new();
    if chart.values_file.as_ref().is_none_or(|file| file.is_empty()) {
        findings.push(Finding::info("values.yaml", "file does not exist"));
    }
    if chart.templates.is_empty() {
        findings.push(Finding::warning("templates/", "directory does not exist"));
    }
    for template in &chart.templates {
        let extension = template.path.rsplit_once('.').map_or("", |(_, extension)| extension);
        if !EXTENSIONS.contains(&extension) {
            let message = format!(
                "file extension {:?} not valid. Valid extensions are .yaml, .yml, .tpl, or .txt",
                format!(".{extension}")
            );
            findings.push(Finding::error(&template.path, message));
        }
    }
    findings
}

fn is_url(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty())
}

fn is_email(text: &str) -> bool {
    text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !text.contains(' '))
}

/// Whether a version has all three numbers and no `v` before them.
fn is_strict(version: &str) -> bool {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    Version::parse(version).is_ok() && numbers.split('.').count() == 3 && !version.starts_with('v')
}
