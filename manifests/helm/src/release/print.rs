//! The text that `helm template` prints.

use super::manifests::documents;
use super::{Hook, HookEvent, Rendered, RenderedManifest};
use crate::chart::matches_glob;

/// What is printed.
#[derive(Clone, Debug, Default)]
pub struct PrintOptions {
    /// Whether definitions come first.
    pub include_crds: bool,
    /// Which hooks are printed.
    pub hooks: HookOutput,
    /// Patterns of the templates that are printed, below the folder of the chart; all if there is none.
    pub show_only: Vec<String>,
}

/// Which hooks are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HookOutput {
    /// All.
    #[default]
    All,
    /// All but tests.
    NoTests,
    /// None.
    None,
}

/// A template that should be printed is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not find template {0} in chart")]
pub struct PrintError(String);

impl Rendered {
    /// What of it is printed, in that order.
    pub fn printed(&self, options: &PrintOptions) -> Result<Vec<&RenderedManifest>, PrintError> {
        let crds = self.crds.iter().filter(|_| options.include_crds);
        let hooks = self.hooks.iter().filter(|hook| options.hooks.includes(hook)).map(|hook| &hook.manifest);
        let all: Vec<_> = crds.chain(&self.manifests).chain(hooks).collect();
        if options.show_only.is_empty() {
            return Ok(all);
        }
        let mut shown = Vec::new();
        for pattern in &options.show_only {
            let before = shown.len();
            let matches = |manifest: &&&RenderedManifest| {
                manifest.source.split_once('/').is_some_and(|(_, path)| matches_glob(pattern, path))
            };
            shown.extend(all.iter().filter(matches));
            if shown.len() == before {
                return Err(PrintError(pattern.clone()));
            }
        }
        Ok(shown)
    }

    /// What `helm template` prints.
    pub fn print(&self, options: &PrintOptions) -> Result<String, PrintError> {
        let mut text = String::new();
        let crds = self.crds.iter().filter(|_| options.include_crds);
        crds.chain(&self.manifests).for_each(|manifest| write(&mut text, manifest));
        let mut text = format!("{}\n", text.trim());
        for hook in self.hooks.iter().filter(|hook| options.hooks.includes(hook)) {
            write(&mut text, &hook.manifest);
        }
        if options.show_only.is_empty() { Ok(text) } else { only(&text, &options.show_only) }
    }
}

impl HookOutput {
    fn includes(self, hook: &Hook) -> bool {
        match self {
            Self::All => true,
            Self::NoTests => !hook.events.contains(&HookEvent::Test),
            Self::None => false,
        }
    }
}

fn write(text: &mut String, manifest: &RenderedManifest) {
    text.push_str("---\n# Source: ");
    text.push_str(&manifest.source);
    text.push('\n');
    text.push_str(&manifest.text);
    text.push('\n');
}

/// The documents of `text` that come from templates of the given names, in the order of those.
fn only(text: &str, patterns: &[String]) -> Result<String, PrintError> {
    let mut shown = String::new();
    let documents = documents(text);
    for pattern in patterns {
        let texts = documents.iter().map(|document| document.text);
        let matching = texts.filter(|document| source(document).is_some_and(|name| matches_glob(pattern, name)));
        let before = shown.len();
        matching.for_each(|document| shown.push_str(&format!("---\n{document}\n")));
        if shown.len() == before {
            return Err(PrintError(pattern.clone()));
        }
    }
    Ok(shown)
}

/// The path below the chart's folder that a document says it comes from.
fn source(document: &str) -> Option<&str> {
    let (_, rest) = document.split_once("# Source: ")?;
    let (_, path) = rest.lines().next()?.split_once('/')?;
    Some(path)
}
