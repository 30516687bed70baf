//! The flags of `helm template`: those about the release, which every command has that takes a chart, and those about
//! what is printed.

use std::{
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Args as Flags;
use fairlead_helm::{Definitions, HookOutput, PrintOptions, Release, Schemas, UserValues};
use fairlead_manifests::{ChartRequest, ValuesSource};

use crate::{
    local::{LocalError, LocalPlace},
    output::CommandError,
};

/// The file name that means standard input.
const STANDARD_INPUT: &str = "-";

/// What a chart is rendered for.
#[derive(Flags)]
#[command(next_help_heading = "Flags of charts")]
pub(crate) struct ReleaseFlags {
    /// A file with values, or `-` for standard input; later files win.
    #[arg(short = 'f', long, value_name = "FILE", value_delimiter = ',')]
    values: Vec<PathBuf>,
    /// Set values, as `a.b=1,c[0]=x`.
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
    /// Set values, all of which are texts.
    #[arg(long, value_name = "PATH=TEXT")]
    set_string: Vec<String>,
    /// Set values to the texts of files.
    #[arg(long, value_name = "PATH=FILE")]
    set_file: Vec<String>,
    /// Set values as JSON: `a.b={"c":1}`, or one object.
    #[arg(long, value_name = "PATH=JSON")]
    set_json: Vec<String>,
    /// Set one value to a text that is taken as it is.
    #[arg(long, value_name = "PATH=TEXT")]
    set_literal: Vec<String>,
    /// The version of Kubernetes that the chart sees.
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,
    /// What the cluster serves besides what all do, as `group/version` or `group/version/Kind`.
    #[arg(short, long, value_name = "VERSION", value_delimiter = ',')]
    api_versions: Vec<String>,
    /// Tell the chart that it replaces an earlier release.
    #[arg(long)]
    is_upgrade: bool,
    /// Take values that do not meet the schemas of the chart.
    #[arg(long)]
    skip_schema_validation: bool,
}

impl ReleaseFlags {
    /// The files that are named.
    pub(super) fn files(&self) -> Vec<&Path> {
        let values = self.values.iter().map(PathBuf::as_path).filter(|file| *file != Path::new(STANDARD_INPUT));
        let texts = self.set_file.iter().flat_map(|text| assignments(text)).map(|(_, file)| Path::new(file));
        values.chain(texts).collect()
    }

    /// The first flag that is given.
    pub(super) fn first_given(&self) -> Option<&'static str> {
        let flags = [
            ("--values", !self.values.is_empty()),
            ("--set", !self.set.is_empty()),
            ("--set-string", !self.set_string.is_empty()),
            ("--set-file", !self.set_file.is_empty()),
            ("--set-json", !self.set_json.is_empty()),
            ("--set-literal", !self.set_literal.is_empty()),
            ("--kube-version", self.kube_version.is_some()),
            ("--api-versions", !self.api_versions.is_empty()),
            ("--is-upgrade", self.is_upgrade),
            ("--skip-schema-validation", self.skip_schema_validation),
        ];
        flags.into_iter().find(|(_, is_given)| *is_given).map(|(flag, _)| flag)
    }

    /// What they ask of the chart in `place`.
    pub(super) fn request(
        &self,
        place: &LocalPlace,
        name: Option<&str>,
        namespace: Option<&str>,
    ) -> Result<ChartRequest, CommandError> {
        let default = Release::default();
        let release = Release {
            name: name.map_or(default.name, str::to_owned),
            namespace: namespace.map_or(default.namespace, str::to_owned),
            is_upgrade: self.is_upgrade,
            kube_version: self.kube_version.clone(),
            api_versions: self.api_versions.clone(),
            schemas: if self.skip_schema_validation { Schemas::Skipped } else { Schemas::Checked },
            ..Release::default()
        };
        Ok(ChartRequest { path: place.path.clone(), release, values: self.sources(place)? })
    }

    fn sources(&self, place: &LocalPlace) -> Result<Vec<ValuesSource>, CommandError> {
        let mut sources = Vec::new();
        for file in &self.values {
            sources.push(if file == Path::new(STANDARD_INPUT) {
                ValuesSource::Given(standard_input()?)
            } else {
                ValuesSource::File(place.path_of(file)?)
            });
        }
        for (path, file) in self.set_file.iter().flat_map(|text| assignments(text)) {
            sources.push(ValuesSource::TextOfFile { path: path.to_owned(), file: place.path_of(Path::new(file))? });
        }
        let given = [
            (&self.set_json, UserValues::Json as fn(String) -> UserValues),
            (&self.set, UserValues::Set),
            (&self.set_string, UserValues::SetString),
            (&self.set_literal, UserValues::SetLiteral),
        ];
        for (texts, kind) in given {
            sources.extend(texts.iter().map(|text| ValuesSource::Given(kind(text.clone()))));
        }
        Ok(sources)
    }
}

fn standard_input() -> Result<UserValues, LocalError> {
    let mut content = Vec::new();
    let failed = |source| LocalError::Read { path: STANDARD_INPUT.into(), source };
    io::stdin().read_to_end(&mut content).map_err(failed)?;
    Ok(UserValues::File { name: STANDARD_INPUT.to_owned(), content })
}

/// The paths and files of a `--set-file`; a backslash takes the meaning of a comma.
fn assignments(text: &str) -> Vec<(&str, &str)> {
    let (mut parts, mut start, mut is_escaped) = (Vec::new(), 0, false);
    for (at, char) in text.char_indices() {
        if char == ',' && !is_escaped {
            parts.push(&text[start..at]);
            start = at + 1;
        }
        is_escaped = char == '\\' && !is_escaped;
    }
    parts.push(&text[start..]);
    parts.into_iter().filter_map(|part| part.split_once('=')).collect()
}

/// What of a chart is printed.
#[derive(Flags)]
#[command(next_help_heading = "Flags of charts")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct PrintFlags {
    /// Print the definitions of the chart too.
    #[arg(long, conflicts_with = "skip_crds")]
    include_crds: bool,
    /// Print no definitions, as is the default.
    #[arg(long)]
    skip_crds: bool,
    /// Print no hooks that are tests.
    #[arg(long)]
    skip_tests: bool,
    /// Print no hooks.
    #[arg(long)]
    no_hooks: bool,
    /// Print only what comes from these templates, as `templates/web.yaml`.
    #[arg(short, long, value_name = "TEMPLATE")]
    show_only: Vec<String>,
}

impl PrintFlags {
    /// Whether definitions are rendered at all.
    pub(crate) fn definitions(&self) -> Definitions {
        if self.include_crds { Definitions::Included } else { Definitions::LeftOut }
    }

    /// What they ask for.
    pub(crate) fn options(&self) -> PrintOptions {
        PrintOptions {
            include_crds: self.include_crds,
            hooks: match (self.no_hooks, self.skip_tests) {
                (true, _) => HookOutput::None,
                (false, true) => HookOutput::NoTests,
                (false, false) => HookOutput::All,
            },
            show_only: self.show_only.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::assignments;

    #[test]
    fn a_comma_separates_files_unless_a_backslash_is_before_it() {
        assert_eq!(assignments("a.b=one.txt,c=two.txt"), [("a.b", "one.txt"), ("c", "two.txt")]);
        assert_eq!(assignments(r"a\,b=one.txt"), [(r"a\,b", "one.txt")]);
    }
}
