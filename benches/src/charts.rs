//! Charts: whole processes against `helm template`, and renderings of a chart that is loaded.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use fairlead_helm::{Chart, Limits, Release, Rendered, World, load, render};
use fairlead_object::{LocalTree, TreePath};
use fairlead_tests::binary::fairlead;
use fairlead_tools::{Tool, command, repository};
use tempfile::TempDir;

use crate::{
    Extent, Outcome,
    processes::Cost,
    report::{Report, median},
    say,
};

/// The charts of other people, beside the repository.
const CORPUS: &str = "../shared/corpus/helm/charts";

const HELM: &str = "helm template";

/// A chart to render.
struct Case {
    name: String,
    chart: PathBuf,
    values: Option<PathBuf>,
}

impl Case {
    fn ours(&self) -> Command {
        let mut ours = command(fairlead());
        ours.arg("build").arg(&self.chart).arg("release-name");
        self.with_values(ours)
    }

    fn theirs(&self) -> Command {
        let mut theirs = command(Tool::Helm.path());
        theirs.args(["template", "release-name"]).arg(&self.chart);
        self.with_values(theirs)
    }

    fn with_values(&self, mut command: Command) -> Command {
        if let Some(values) = &self.values {
            command.arg("--values").arg(values);
        }
        command
    }
}

pub(crate) async fn run(extent: Extent) -> Outcome<Report> {
    fairlead_tools::provide(&[Tool::Helm], say)?;
    let (rounds, largest, objects, renders) = match extent {
        Extent::Quick => (3, 2, 100, 200),
        Extent::Full => (11, 10, 2000, 20_000),
    };
    let folder = tempfile::tempdir()?;
    let mut cases = vec![trivial(&folder)?, many_objects(&folder, objects)?];
    cases.extend(largest_of_corpus(largest)?);
    let mut report = Report::new("charts");
    for case in &cases {
        let ours = Cost::of("fairlead build", || case.ours(), rounds).await?;
        let theirs = Cost::of(HELM, || case.theirs(), rounds).await?;
        ours.compare(&case.name, (HELM, theirs), &mut report);
        if case.values.is_none() {
            report.state(format!("{}: in process", case.name), "ms", in_process(&case.chart, rounds)?);
        }
    }
    report.state("a small chart that is loaded", "renders/s", renders_per_second(&cases[0].chart, renders)?);
    Ok(report)
}

/// A chart of one object.
fn trivial(folder: &TempDir) -> Outcome<Case> {
    let files = [
        ("Chart.yaml", "apiVersion: v2\nname: trivial\nversion: 1.0.0\n"),
        ("values.yaml", "colour: blue\n"),
        (
            "templates/settings.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  colour: {{ .Values.colour | quote }}\n",
        ),
    ];
    let chart = written(folder, "trivial", &files)?;
    Ok(Case { name: "a chart of one object".to_owned(), chart, values: None })
}

/// A chart that makes many objects of one template, as charts of operators and of dashboards do.
fn many_objects(folder: &TempDir, objects: usize) -> Outcome<Case> {
    let template = "\
{{- range $index := until (int .Values.count) }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ printf \"%s-%d\" $.Release.Name $index }}
  labels: {{- include \"many.labels\" $ | nindent 4 }}
spec:
  replicas: {{ $.Values.replicas }}
  selector:
    matchLabels: {{- include \"many.labels\" $ | nindent 6 }}
  template:
    metadata:
      labels: {{- include \"many.labels\" $ | nindent 8 }}
    spec:
      containers:
      - name: web
        image: {{ $.Values.image | quote }}
        resources: {{- toYaml $.Values.resources | nindent 10 }}
{{- end }}
";
    let labels =
        "{{- define \"many.labels\" -}}\napp: {{ .Chart.Name }}\nrelease: {{ .Release.Name | quote }}\n{{- end }}\n";
    let values = format!(
        "count: {objects}\nreplicas: 1\nimage: registry.example.com/web:1.0.0\nresources:\n  limits: {{memory: 128Mi, cpu: 100m}}\n"
    );
    let files = [
        ("Chart.yaml", "apiVersion: v2\nname: many\nversion: 1.0.0\n"),
        ("values.yaml", values.as_str()),
        ("templates/_labels.tpl", labels),
        ("templates/all.yaml", template),
    ];
    let chart = written(folder, "many", &files)?;
    Ok(Case { name: format!("a chart of {objects} objects"), chart, values: None })
}

fn written(folder: &TempDir, name: &str, files: &[(&str, &str)]) -> Outcome<PathBuf> {
    let chart = folder.path().join(name);
    fs::create_dir_all(chart.join("templates"))?;
    for (path, text) in files {
        fs::write(chart.join(path), text)?;
    }
    Ok(chart)
}

/// The charts beside the repository with the most bytes of templates, each with the values of a case that renders.
fn largest_of_corpus(count: usize) -> Outcome<Vec<Case>> {
    let corpus = repository().join(CORPUS);
    if !corpus.is_dir() {
        say(&format!("{CORPUS} is not here: charts of other people are left out"));
        return Ok(Vec::new());
    }
    let mut sized = Vec::new();
    for chart in folders(&corpus)?.iter().map(|owner| folders(owner)).collect::<Outcome<Vec<_>>>()?.concat() {
        if let Some(values) = values_that_render(&chart)? {
            sized.push((bytes_of_templates(&chart.join("chart"))?, chart, values));
        }
    }
    sized.sort_by(|a, b| b.cmp(a));
    let cases = sized.into_iter().take(count).map(|(_, chart, values)| Case {
        name: chart.strip_prefix(&corpus).unwrap_or(&chart).display().to_string(),
        chart: chart.join("chart"),
        values: Some(values),
    });
    Ok(cases.collect())
}

fn folders(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Outcome<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

/// The values of the first case of `chart` that does not fail and asks for nothing but the defaults of a release.
fn values_that_render(chart: &Path) -> Outcome<Option<PathBuf>> {
    let mut cases = folders(&chart.join("cases"))?;
    cases.sort();
    let is_plain = |case: &PathBuf| case.join("expected.yaml").is_file() && case.join("values.yaml").is_file();
    Ok(cases.into_iter().find(is_plain).map(|case| case.join("values.yaml")))
}

fn bytes_of_templates(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            bytes += bytes_of_templates(&path)?;
        } else if path.ancestors().any(|above| above.ends_with("templates")) {
            bytes += fs::metadata(&path)?.len();
        }
    }
    Ok(bytes)
}

/// Loads and renders a chart in this process, as often as it takes, and returns milliseconds.
fn in_process(chart: &Path, rounds: usize) -> Outcome<f64> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        let rendered = rendered(&loaded(chart)?)?;
        times.push(began.elapsed().as_secs_f64() * 1e3);
        drop(rendered);
    }
    Ok(median(&times))
}

/// Renders a chart that is loaded, as each further release of it does, and returns how often in a second.
#[expect(clippy::cast_precision_loss, reason = "a count of renderings is small")]
fn renders_per_second(chart: &Path, renders: usize) -> Outcome<f64> {
    let chart = loaded(chart)?;
    let began = Instant::now();
    for _ in 0..renders {
        drop(rendered(&chart)?);
    }
    Ok(renders as f64 / began.elapsed().as_secs_f64())
}

fn loaded(chart: &Path) -> Outcome<Chart> {
    Ok(load(&LocalTree::open(chart)?, &TreePath::root())?)
}

fn rendered(chart: &Chart) -> Outcome<Rendered> {
    Ok(render(chart, &Release::default(), &[], &NoWorld, Limits::default())?)
}

/// A world in which nothing happens.
struct NoWorld;

impl World for NoWorld {
    fn now(&self) -> jiff::Zoned {
        jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }

    fn lookup(&self, _: &str, _: &str, _: &str, _: &str) -> Option<serde_json::Value> {
        None
    }
}
