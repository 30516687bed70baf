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
        let (text, _) = self.print_all(options);
        if options.show_only.is_empty() { Ok(text) } else { only(&text, &options.show_only) }
    }

    /// What `helm template` prints of all templates, and what makes it: with each manifest the line of the text (from 1)
    /// on which it begins.
    pub fn print_all(&self, options: &PrintOptions) -> (String, Vec<(u32, &RenderedManifest)>) {
        let crds = self.crds.iter().filter(|_| options.include_crds);
        let mut printer = Printer::default();
        crds.chain(&self.manifests).for_each(|manifest| printer.print(manifest));
        printer.text.truncate(printer.text.trim_end().len());
        printer.text.push('\n');
        for hook in self.hooks.iter().filter(|hook| options.hooks.includes(hook)) {
            printer.print(&hook.manifest);
        }
        (printer.text, printer.begins)
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

/// A text that grows.
#[derive(Default)]
struct Printer<'r> {
    text: String,
    /// The manifests in it, each with the line on which it begins.
    begins: Vec<(u32, &'r RenderedManifest)>,
    /// How much of the text has been counted, and its lines.
    counted: (usize, u32),
}

impl<'r> Printer<'r> {
    fn print(&mut self, manifest: &'r RenderedManifest) {
        self.text.push_str("---\n# Source: ");
        self.text.push_str(&manifest.source);
        self.text.push('\n');
        let line = self.next_line();
        self.begins.push((line, manifest));
        self.text.push_str(&manifest.text);
        self.text.push('\n');
    }

    /// The number of the line that comes next.
    fn next_line(&mut self) -> u32 {
        let (counted, lines) = self.counted;
        let more = self.text[counted..].matches('\n').count();
        self.counted = (self.text.len(), lines + u32::try_from(more).unwrap_or(u32::MAX - lines));
        self.counted.1 + 1
    }
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
