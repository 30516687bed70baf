//! What every kind of golden case shares: how a chart is rendered as `helm template` is asked to, and what is compared.

use fairlead_helm::{Chart, HookOutput, Limits, PrintOptions, Release, RenderError, UserValues, render};
use serde_json::Value as Json;

use crate::scene::StillWorld;

/// What the flags of a case ask for, as its JSON says it.
pub(crate) struct Options {
    pub(crate) release: Release,
    pub(crate) print: PrintOptions,
    /// Values that come over those of a file.
    values: Vec<UserValues>,
}

impl Options {
    pub(crate) fn read(options: &Json) -> Self {
        let default = Release::default();
        let text = |key: &str| options[key].as_str().map(str::to_owned);
        let is_set = |key: &str| options[key].as_bool().unwrap_or_default();
        let release = Release {
            name: text("name").unwrap_or(default.name),
            namespace: text("namespace").unwrap_or(default.namespace),
            kube_version: text("kube_version"),
            api_versions: texts(options, "api_versions"),
            is_upgrade: is_set("is_upgrade"),
            ..Release::default()
        };
        let hooks = match (is_set("no_hooks"), is_set("skip_tests")) {
            (true, _) => HookOutput::None,
            (false, true) => HookOutput::NoTests,
            (false, false) => HookOutput::All,
        };
        let print =
            PrintOptions { include_crds: is_set("include_crds"), hooks, show_only: texts(options, "show_only") };
        let given = |key: &str, flag: fn(String) -> UserValues| texts(options, key).into_iter().map(flag);
        let values = given("set_json", UserValues::Json)
            .chain(given("set", UserValues::Set))
            .chain(given("set_string", UserValues::SetString))
            .chain(given("set_literal", UserValues::SetLiteral));
        Self { release, print, values: values.collect() }
    }

    /// What is printed for `chart` with the values of a file, or the words of the error.
    pub(crate) fn printed(&self, chart: &Chart, values: Option<Vec<u8>>) -> Result<String, String> {
        let file = values.map(|content| UserValues::File { name: "values.yaml".to_owned(), content });
        let values: Vec<_> = file.into_iter().chain(self.values.iter().cloned()).collect();
        let rendered = render(chart, &self.release, &values, &StillWorld::default(), Limits::default());
        let rendered = rendered.map_err(|error| words(&error))?;
        rendered.print(&self.print).map_err(|error| format!("Error: {error}\n"))
    }
}

fn texts(options: &Json, key: &str) -> Vec<String> {
    let items = options[key].as_array().into_iter().flatten();
    items.filter_map(Json::as_str).map(str::to_owned).collect()
}

/// The error as the command `helm` prints it.
pub(crate) fn words(error: &RenderError) -> String {
    let hint = if error.is_of_templates() { "\n\nUse --debug flag to render out invalid YAML" } else { "" };
    format!("Error: {error}{hint}\n")
}
