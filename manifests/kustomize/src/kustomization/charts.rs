//! The fields of a kustomization file that are about charts.

use serde_json::Value as Json;

use super::Fields;
use crate::{at::Located, decode::record};

record! {
    /// What holds for all charts of a file.
    pub struct HelmGlobals {
        /// The folder of the charts' folders.
        pub chart_home: String = "chartHome",
        /// Accepted and not used: no `helm` is started.
        pub config_home: String = "configHome",
    }
}

record! {
    /// One entry of `helmCharts`.
    pub struct HelmChart {
        /// The name of the chart, which is that of its folder.
        pub name: String = "name",
        /// Its version, which is part of the folder's path if there is a `repo`.
        pub version: String = "version",
        /// Where kustomize would fetch it from.
        pub repo: String = "repo",
        /// The name of the release.
        pub release_name: String = "releaseName",
        /// The namespace of the release; that of the kustomization if there is none.
        pub namespace: String = "namespace",
        /// A template for the name of the release.
        pub name_template: String = "nameTemplate",
        /// A file in place of the chart's own values.
        pub values_file: String = "valuesFile",
        /// Files of values over all others.
        pub additional_values_files: Vec<String> = "additionalValuesFiles",
        /// Values.
        pub values_inline: Option<Json> = "valuesInline",
        /// `override`, `merge` or `replace`: which of the two wins.
        pub values_merge: String = "valuesMerge",
        /// Whether the definitions that the chart brings along come with it.
        pub include_crds: bool = "includeCRDs",
        /// Whether hooks are left out.
        pub skip_hooks: bool = "skipHooks",
        /// Whether tests are left out.
        pub skip_tests: bool = "skipTests",
        /// What the cluster serves besides.
        pub api_versions: Vec<String> = "apiVersions",
        /// The version of the cluster.
        pub kube_version: String = "kubeVersion",
        /// Accepted and not used.
        pub debug: bool = "debug",
        /// Accepted and not used: nothing is fetched.
        pub devel: bool = "devel",
    }
}

record! {
    /// One entry of `helmChartInflationGenerator`.
    pub struct HelmChartArgs {
        /// `name` of a chart.
        pub chart_name: String = "chartName",
        /// `version` of a chart.
        pub chart_version: String = "chartVersion",
        /// `repo` of a chart.
        pub chart_repo_url: String = "chartRepoUrl",
        /// `chartHome` of all charts.
        pub chart_home: String = "chartHome",
        /// Accepted and not used.
        pub chart_repo_name: String = "chartRepoName",
        /// Accepted and not used.
        pub helm_bin: String = "helmBin",
        /// `configHome` of all charts.
        pub helm_home: String = "helmHome",
        /// `valuesFile` of a chart.
        pub values: String = "values",
        /// `valuesInline` of a chart.
        pub values_local: Option<Json> = "valuesLocal",
        /// `valuesMerge` of a chart.
        pub values_merge: String = "valuesMerge",
        /// `releaseName` of a chart.
        pub release_name: String = "releaseName",
        /// Accepted and not used, as in kustomize.
        pub release_namespace: String = "releaseNamespace",
        /// Accepted and not used, as in kustomize.
        pub extra_args: Vec<String> = "extraArgs",
    }
}

impl Fields {
    /// Moves what stands under the old name of charts to where it is read; of its globals the last ones count.
    pub(super) fn rewrite_old_charts(&mut self) {
        let mut globals = HelmGlobals::default();
        for Located { at, value: args } in self.helm_chart_inflation_generator.drain(..) {
            for (global, given) in
                [(&mut globals.chart_home, args.chart_home), (&mut globals.config_home, args.helm_home)]
            {
                if !given.is_empty() {
                    *global = given;
                }
            }
            let chart = HelmChart {
                name: args.chart_name,
                version: args.chart_version,
                repo: args.chart_repo_url,
                values_file: args.values,
                values_inline: args.values_local,
                values_merge: args.values_merge,
                release_name: args.release_name,
                ..HelmChart::default()
            };
            self.helm_charts.push(Located::new(at, chart));
        }
        self.helm_globals.get_or_insert(globals);
    }
}
