//! `build` of a chart: the bytes of `helm template`, or its objects in any other form.

use std::{
    collections::BTreeMap,
    fmt::Write,
    iter,
    path::{Path, PathBuf},
    ptr,
};

use fairlead_helm::{ChartCache, PrintOptions, Rendered, RenderedManifest};
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
        let release = args.helm.release_name.then_some(chart.request.release.name.as_str());
        return write_templates(folder, release, &rendered.rendered, &options);
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

/// Writes each manifest into the file below `folder`, and there below the name of the release if that is asked for, that
/// has the name of its template, and tells of each.
///
/// # Follows Helm
/// What is there already is replaced, the first time that a file is written to. Definitions are not put below the name of
/// the release.
fn write_templates(
    folder: &Path,
    release: Option<&str>,
    rendered: &Rendered,
    options: &PrintOptions,
) -> Result<(), CommandError> {
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut told = String::new();
    for manifest in rendered.printed(options)? {
        let RenderedManifest { source, text, .. } = manifest;
        let path = TreePath::parse(&TreePath::root(), source)?;
        let is_definition = rendered.crds.iter().any(|definition| ptr::eq(definition, manifest));
        let release = release.filter(|_| !is_definition).unwrap_or_default();
        let file = folder.join(release).join(path.as_str());
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
