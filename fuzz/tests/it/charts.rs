//! Templates that are made up, against Helm itself.
//!
//! `FAIRLEAD_DIFFERENTIAL_TEMPLATES` says how many templates there are, `FAIRLEAD_DIFFERENTIAL_SEED` the seed of the
//! first one. A template that differs is cut down and written to `target/differential/charts/<seed>/`, ready to become a
//! case of `manifests/helm/tests/cases`.

use std::{collections::BTreeMap, env, fs};

use base64::Engine;
use fairlead_fuzz::{
    Choices,
    helm::{self, Case, Helm, Made, Run, ours},
    templates::{self, Tree},
};
use fairlead_tools::Tool;

const TEMPLATES: u64 = 250;
/// How many templates are rendered by one run of Helm.
const BATCH: u64 = 50;
/// How many differences are cut down before the run ends.
const MOST_FINDINGS: usize = 12;

/// What Helm says differently from run to run, or of a Go that is not the one that our words come from.
const OWN_WORDS: &[&str] =
    &["yaml: ", "json: ", "toml: ", "invalid character", "error parsing regexp", "non-comparable type"];

/// Of so many templates one stays as it was made up. In the others mistakes are cut away: most have one, and what comes
/// behind it would never be compared.
const STAYS: u64 = 4;
/// How many mistakes are cut away.
const MOST_MISTAKES: usize = 40;

/// What ours says of a template that takes more than it may.
const LIMIT: &str = " more than ";

#[test]
fn made_up_templates_make_the_same_as_with_helm() {
    fairlead_tools::provide(&[Tool::Helm], |line| println!("{line}")).expect("helm");
    let oracle = Oracle { helm: Helm::new(Tool::Helm.path()) };
    let (first, count) = (number("SEED", 1), number("TEMPLATES", TEMPLATES));
    let (mut counts, mut findings) = (BTreeMap::<&str, usize>::new(), Vec::new());
    for start in (first..first + count).step_by(usize::try_from(BATCH).expect("a small number")) {
        let batch: Vec<Finding> =
            (start..(start + BATCH).min(first + count)).map(|seed| made_up(seed, start)).collect();
        for finding in oracle.differing(&batch, &mut counts) {
            if findings.len() < MOST_FINDINGS {
                findings.push(oracle.report(&finding));
            }
        }
        if findings.len() >= MOST_FINDINGS {
            break;
        }
    }
    println!("{counts:?}");
    assert!(findings.is_empty(), "{} differences:\n{}", findings.len(), findings.join("\n"));
}

fn number(name: &str, default: u64) -> u64 {
    env::var(format!("FAIRLEAD_DIFFERENTIAL_{name}")).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A template with its values, and what ours makes of it.
#[derive(Clone)]
struct Finding {
    seed: u64,
    name: String,
    tree: Tree,
    values: String,
    made: Made,
}

impl Finding {
    fn new(seed: u64, tree: Tree, values: String) -> Self {
        let name = format!("case{seed:06}");
        let made = ours(&Case { name: name.clone(), template: tree.to_string() }, &values);
        Self { seed, name, tree, values, made }
    }

    /// The template without the mistakes that ours finds in it, as far as it says where they are.
    fn without_mistakes(mut self) -> Self {
        for _ in 0..MOST_MISTAKES {
            let Some(tree) = self.mistake().and_then(|offset| self.tree.mended(offset)) else { break };
            self = Self::new(self.seed, tree, self.values);
        }
        self
    }

    /// Where in the template ours finds a mistake: the last place that it names is the innermost.
    fn mistake(&self) -> Option<usize> {
        let words = self.made.as_ref().err()?;
        let (_, place) = words.rsplit_once(&format!("_{}.tpl:", self.name))?;
        let mut numbers = place.split(|char: char| !char.is_ascii_digit()).map(str::parse::<usize>);
        let (line, column) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        let text = self.tree.to_string();
        let above: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        Some(above + column)
    }

    fn case(&self) -> Case {
        Case { name: self.name.clone(), template: self.tree.to_string() }
    }
}

/// The template of a seed, with the values of its batch.
fn made_up(seed: u64, batch: u64) -> Finding {
    let values = templates::values(&mut Choices::seeded(batch));
    let tree = templates::template(&mut Choices::seeded(seed), &format!("case{seed:06}"));
    let finding = Finding::new(seed, tree, values);
    if seed.is_multiple_of(STAYS) { finding } else { finding.without_mistakes() }
}

struct Oracle {
    helm: Helm,
}

impl Oracle {
    /// Those of `batch` of which Helm makes something else.
    fn differing(&self, batch: &[Finding], counts: &mut BTreeMap<&str, usize>) -> Vec<Finding> {
        let (mut made, refused): (Vec<_>, Vec<_>) = batch.iter().cloned().partition(|finding| finding.made.is_ok());
        *counts.entry("refused").or_default() += refused.len();
        let mut differing: Vec<Finding> = refused.iter().filter(|finding| self.differs(finding)).cloned().collect();
        loop {
            let cases: Vec<Case> = made.iter().map(Finding::case).collect();
            match self.helm.render(&cases, &batch[0].values).expect("helm runs") {
                Run::Made(theirs) => {
                    *counts.entry("made").or_default() += made.len();
                    let pairs = made.into_iter().zip(theirs);
                    differing
                        .extend(pairs.filter(|(ours, theirs)| ours.made.as_ref() != Ok(theirs)).map(|(ours, _)| ours));
                    return differing;
                }
                Run::Stopped => {
                    println!("skipped: Helm takes too long for the batch of seed {}", batch[0].seed);
                    *counts.entry("skipped").or_default() += made.len();
                    return differing;
                }
                Run::Refused(words) => {
                    let at = made.iter().position(|finding| words.contains(&finding.name));
                    differing.push(made.remove(at.unwrap_or_else(|| panic!("of which template is this? {words}"))));
                }
            }
        }
    }

    /// What Helm makes of it; `None` if that takes too long.
    fn theirs(&self, finding: &Finding) -> Option<Made> {
        match self.helm.render(&[finding.case()], &finding.values).expect("helm runs") {
            Run::Made(mut all) => Some(Ok(all.pop().unwrap_or_default())),
            Run::Refused(words) => Some(Err(words)),
            Run::Stopped => None,
        }
    }

    /// Whether Helm makes something else. It has no limits, so where ours stops it might not come to an end.
    fn differs(&self, finding: &Finding) -> bool {
        let ends = finding.made.as_ref().map_or_else(|words| !words.contains(LIMIT), |_| true);
        ends && self.theirs(finding).is_some_and(|theirs| !is_same(&finding.made, &theirs))
    }

    /// Cuts a difference down, writes it out and shows it.
    fn report(&self, finding: &Finding) -> String {
        let finding = self.shrunk(finding);
        let theirs = self.theirs(&finding);
        let folder = fairlead_tools::target_directory().join("differential/charts").join(finding.seed.to_string());
        let shown = |made: &Made| match made {
            Ok(base64) => {
                let bytes = base64::engine::general_purpose::STANDARD.decode(base64).unwrap_or_default();
                format!("{:?}", String::from_utf8_lossy(&bytes))
            }
            Err(words) => format!("error {words}"),
        };
        let text = format!(
            "seed {}\n{}\n  helm: {}\n  ours: {}\n",
            finding.seed,
            finding.tree,
            theirs.as_ref().map_or_else(String::new, shown),
            shown(&finding.made)
        );
        for (path, content) in helm::files(&[finding.case()], &finding.values) {
            let file = folder.join("input").join(path);
            drop(file.parent().map(fs::create_dir_all));
            drop(fs::write(file, content));
        }
        text
    }

    fn shrunk(&self, finding: &Finding) -> Finding {
        let mut smallest = finding.clone();
        let is_refused = |finding: &Finding| finding.made.is_err();
        'smaller: loop {
            for tree in smallest.tree.smaller() {
                let smaller = Finding::new(finding.seed, tree, finding.values.clone());
                if is_refused(&smaller) == is_refused(finding) && self.differs(&smaller) {
                    smallest = smaller;
                    continue 'smaller;
                }
            }
            return smallest;
        }
    }
}

/// Whether both make the same, or refuse it with the same words as far as the words are Helm's own.
fn is_same(ours: &Made, theirs: &Made) -> bool {
    match (ours, theirs) {
        (Err(ours), Err(theirs)) => {
            ours == theirs || OWN_WORDS.iter().any(|word| ours.contains(word) && theirs.contains(word))
        }
        (ours, theirs) => ours == theirs,
    }
}
