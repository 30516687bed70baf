//! `build` of a chart: the bytes of `helm template`, or its objects in any other form.

use std::{
    collections::BTreeMap,
    fmt::Write,
    iter,
    path::{Path, PathBuf},
};

use fairlead_helm::{ChartCache, PrintOptions, RenderedManifest};
use fairlead_manifests::{ChartAttempt, ChartBuildError, RenderedChart};
use fairlead_object::{LocalTree, TreePath};

use super::{
    Args,
    destination::Destination,
    watch::{self, Attempt, Documents},
};
use crate::{
    charts::{LocalChart, explained, this_machine},
    local,
    output::{CommandError, print},
};

/// Prints what `chart` is rendered to.
pub(super) async fn build(chart: &LocalChart, args: &Args) -> Result<(), CommandError> {
    let options = args.print.options();
    let charts = ChartCache::default();
    if args.watch {
        return watch::watch(&chart.place.tree, || attempted(chart, &charts, args, &options)).await;
    }
    let told = |error| explained(error, &chart.place.shown);
    let world = this_machine();
    // Only an origin tells of values, and to note them takes time.
    let rendered = if args.origin { chart.attempt(&charts, &world).outcome } else { chart.render(&world) };
    let rendered = rendered.map_err(told)?;
    if let Some(folder) = &args.helm.output_dir {
        let folder = if args.helm.release_name { &folder.join(&chart.request.release.name) } else { folder };
        return write_templates(folder, rendered.rendered.printed(&options)?);
    }
    match Destination::of(args.output.as_deref()) {
        Destination::Documents(place) if !args.origin => {
            place.write(iter::once(rendered.text(&options).map_err(told)?.into()))
        }
        destination => {
            let manifests = rendered.manifests(&options).map_err(told)?;
            destination.write(&manifests, args.shown(&chart.place.shown))
        }
    }
}

/// Writes each manifest into the file below `folder` that has the name of its template, and tells of each.
///
/// # Follows Helm
/// What is there already is replaced, the first time that a file is written to.
fn write_templates(folder: &Path, manifests: Vec<&RenderedManifest>) -> Result<(), CommandError> {
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut told = String::new();
    for RenderedManifest { source, text, .. } in manifests {
        let path = TreePath::parse(&TreePath::root(), source)?;
        let file = folder.join(path.as_str());
        writeln!(told, "wrote {}", file.display()).expect("a text grows");
        writeln!(files.entry(file).or_default(), "---\n# Source: {source}\n{text}").expect("a text grows");
    }
    for (file, text) in files {
        if let Some(parent) = file.parent() {
            local::create_directory(parent)?;
        }
        local::write(&file, &text)?;
    }
    print(&told)
}

fn attempted(chart: &LocalChart, charts: &ChartCache, args: &Args, options: &PrintOptions) -> Attempt {
    let documents = |rendered: &RenderedChart| -> Result<Documents, ChartBuildError> {
        Ok(Documents::of(&rendered.manifests(options)?, args.shown(&chart.place.shown)))
    };
    let ChartAttempt { outcome, inputs } = chart.attempt(charts, &this_machine());
    let outcome = outcome.and_then(|rendered| documents(&rendered));
    let (request, reads) = (chart.request.clone(), inputs.reads().clone());
    let change = move |tree: &LocalTree| inputs.first_change(tree, &request).map(|change| change.to_string());
    let outcome = outcome.map_err(|error| explained(error, &chart.place.shown));
    Attempt { outcome, reads, change: Box::new(change) }
}
