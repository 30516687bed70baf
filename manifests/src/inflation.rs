//! Charts that a kustomization names.
//!
//! # Differs from kustomize
//! A build has no clock, no random numbers and no cluster, since the same source must give the same objects. A chart
//! that asks for the time or for random numbers is an error; a lookup finds nothing, as with `helm template`.

use std::{
    error::Error,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fairlead_helm::{
    HookOutput, Limits, PrintOptions, Release, RenderedManifest, UserValues, World, load, release_name, render,
};
use fairlead_kustomize::{ChartOutput, ChartPart, ChartRelease, ValuesFile};
use fairlead_object::Tree;
use fastrand::Rng;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use serde_json::Value;

/// A chart asks for what would be different every time.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum ImpureChart {
    #[error("its templates ask for the time, and a build gives the same objects whenever it is done")]
    Time,
    #[error(
        "its templates ask for random numbers, and a build gives the same objects every time: give the values that they \
         are to stand in for, such as passwords and keys"
    )]
    Random,
}

/// What `helm template` prints for `asked`.
pub(crate) fn inflate(tree: &dyn Tree, asked: &ChartRelease) -> Result<ChartOutput, Box<dyn Error + Send + Sync>> {
    let chart = load(tree, &asked.chart)?;
    let world = Nowhere::default();
    let values: Vec<_> = asked.values.iter().map(user_values).collect();
    let rendered = render(&chart, &release(asked, &world)?, &values, &world, Limits::default());
    world.check()?;
    let rendered = rendered?;
    let (text, made) = rendered.print_all(&options(asked));
    Ok(ChartOutput { text, parts: made.into_iter().map(|(begins, manifest)| part(begins, manifest)).collect() })
}

fn part(begins: u32, manifest: &RenderedManifest) -> ChartPart {
    let lines = (1..).zip(manifest.text.lines()).map(|(line, _)| manifest.line_in_file(line));
    ChartPart { begins, file: manifest.file.clone(), lines: lines.collect() }
}

fn user_values(file: &ValuesFile) -> UserValues {
    UserValues::File { name: file.name.clone(), content: file.content.to_vec() }
}

/// # Follows Helm
/// A release that is given no name is called `release-name`.
fn release(asked: &ChartRelease, world: &Nowhere) -> Result<Release, Box<dyn Error + Send + Sync>> {
    let default = Release::default();
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let name = match (given(&asked.name), given(&asked.name_template)) {
        (Some(_), Some(_)) => return Err("cannot set --name-template and also specify a name".into()),
        (name, None) => name.unwrap_or(default.name),
        (None, Some(template)) => release_name(&template, world, Limits::default())?,
    };
    Ok(Release {
        name,
        namespace: given(&asked.namespace).unwrap_or(default.namespace),
        kube_version: given(&asked.kube_version),
        api_versions: asked.api_versions.clone(),
        ..Release::default()
    })
}

fn options(asked: &ChartRelease) -> PrintOptions {
    let hooks = match (asked.skip_hooks, asked.skip_tests) {
        (true, _) => HookOutput::None,
        (false, true) => HookOutput::NoTests,
        (false, false) => HookOutput::All,
    };
    PrintOptions { include_crds: asked.include_crds, hooks, ..PrintOptions::default() }
}

/// A world in which there is nothing, and which notes who looks for it.
struct Nowhere {
    was_asked_for_time: AtomicBool,
    was_asked_for_random: AtomicBool,
    /// Numbers that are random enough for whoever looks for primes; no object is made of them.
    numbers: Mutex<Rng>,
}

impl Default for Nowhere {
    fn default() -> Self {
        Self {
            was_asked_for_time: AtomicBool::new(false),
            was_asked_for_random: AtomicBool::new(false),
            numbers: Mutex::new(Rng::with_seed(0)),
        }
    }
}

impl Nowhere {
    fn check(&self) -> Result<(), ImpureChart> {
        if self.was_asked_for_random.load(Ordering::Relaxed) {
            return Err(ImpureChart::Random);
        }
        if self.was_asked_for_time.load(Ordering::Relaxed) {
            return Err(ImpureChart::Time);
        }
        Ok(())
    }
}

impl World for Nowhere {
    fn now(&self) -> Zoned {
        self.was_asked_for_time.store(true, Ordering::Relaxed);
        Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.was_asked_for_random.store(true, Ordering::Relaxed);
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner).fill(bytes);
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Option<Value> {
        None
    }
}
