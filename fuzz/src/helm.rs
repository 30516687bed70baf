//! Helm itself, and what it makes of templates.
//!
//! A run of `helm` renders many templates at once: each is in a file of its own, and another file calls it and prints
//! what it makes in base64, so that any bytes pass. One that fails ends the whole run, so those that ours refuses have a
//! run of their own.

use std::{
    fs,
    io::{self, Read},
    panic,
    path::{Path, PathBuf},
    process::Stdio,
    sync::mpsc,
    thread,
    time::Duration,
};

use fairlead_helm::{Limits, Release, UserValues, load, render_files};
use fairlead_object::{MemoryTree, TreePath};
use serde_json::Value as Json;

use crate::{charts::Nowhere, templates::FILES};

const METADATA: &str = "apiVersion: v2\nname: c\nversion: 1.2.3\n";

/// How long a run of Helm may take. A value that contains itself keeps it busy until its memory ends.
const DEADLINE: Duration = Duration::from_mins(1);

/// What stands before the bytes that a template makes.
const MADE: &str = "made-";

/// `helm`.
pub struct Helm {
    program: PathBuf,
}

/// A template to render, under a name that no other of its run has. The template defines that name.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name.
    pub name: String,
    /// The template.
    pub template: String,
}

/// The bytes that a template makes, or the words with which it is refused.
pub type Made = Result<String, String>;

/// What Helm makes of a golden case, and in which file that is kept.
pub struct Golden {
    /// The name of the file.
    pub file: &'static str,
    /// What it holds.
    pub text: String,
}

/// What came of a run of Helm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// The bytes that each template makes.
    Made(Vec<String>),
    /// The words with which one of them is refused.
    Refused(String),
    /// It took too long, and was stopped.
    Stopped,
}

impl Case {
    /// The files of a chart that render it.
    fn files(&self) -> [(String, String); 2] {
        let Self { name, template } = self;
        let dot = "(dict \"Values\" (deepCopy .Values) \"Chart\" .Chart \"Release\" .Release \"Capabilities\" (dict \"APIVersions\" .Capabilities.APIVersions) \"Files\" .Files \"Template\" .Template)";
        let calls = format!("{MADE}{name}: \"{{{{ include \"{name}\" {dot} | b64enc }}}}\"\n");
        [(format!("templates/_{name}.tpl"), template.clone()), (format!("templates/{name}.yaml"), calls)]
    }
}

impl Helm {
    /// The program at a path.
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// What it makes of `cases`, in their order, with `values`.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn render(&self, cases: &[Case], values: &str) -> io::Result<Run> {
        let folder = tempfile::tempdir()?;
        for (path, text) in files(cases, values) {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().unwrap_or(folder.path()))?;
            fs::write(file, text)?;
        }
        let arguments = ["template".to_owned(), "release-name".to_owned(), ".".to_owned()];
        let output = self.output(folder.path(), &arguments)?;
        let Some(Output { is_success, printed, told }) = output else { return Ok(Run::Stopped) };
        if !is_success {
            return Ok(Run::Refused(without_log(&told)));
        }
        Ok(Run::Made(cases.iter().map(|case| made(&printed, &case.name)).collect()))
    }

    /// What it makes of the golden case in `folder`, whose chart is `input` and whose flags are in `options.json`.
    ///
    /// # Errors
    /// If the program cannot be run, if it takes too long, or if the options cannot be read.
    pub fn golden(&self, folder: &Path) -> io::Result<Golden> {
        let options = folder.join("options.json");
        let options = if options.is_file() { serde_json::from_slice(&fs::read(options)?)? } else { Json::Null };
        let mut arguments = arguments(&options);
        if folder.join("values.yaml").is_file() {
            arguments.push("--values=values.yaml".to_owned());
        }
        let output = self.output(folder, &arguments)?;
        let Output { is_success, printed, told } = output.ok_or(io::ErrorKind::TimedOut)?;
        Ok(if is_success {
            Golden { file: "expected.yaml", text: printed }
        } else {
            Golden { file: "expected-error", text: without_log(&told) }
        })
    }

    /// What it writes when it is run in `folder`; `None` if it took too long.
    fn output(&self, folder: &Path, arguments: &[String]) -> io::Result<Option<Output>> {
        let mut command = fairlead_tools::command(&self.program);
        command.args(arguments).current_dir(folder).env("TZ", "UTC").stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let (printed, told) = (read(child.stdout.take()), read(child.stderr.take()));
        let (Ok(printed), Ok(told)) = (printed.recv_timeout(DEADLINE), told.recv_timeout(DEADLINE)) else {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        };
        Ok(Some(Output { is_success: child.wait()?.success(), printed, told }))
    }
}

/// What a program that has ended wrote.
struct Output {
    is_success: bool,
    printed: String,
    told: String,
}

/// The flags of a golden case.
fn arguments(options: &Json) -> Vec<String> {
    let name = options["name"].as_str().unwrap_or("release-name");
    let mut arguments: Vec<String> = ["template", name, "input"].map(str::to_owned).into();
    for (key, value) in options.as_object().into_iter().flatten().filter(|(key, _)| *key != "name") {
        let flag = key.replace('_', "-");
        match value {
            Json::Array(items) => {
                arguments.extend(items.iter().filter_map(Json::as_str).map(|item| format!("--{flag}={item}")));
            }
            Json::String(text) => arguments.push(format!("--{flag}={text}")),
            Json::Bool(_) | Json::Null | Json::Number(_) | Json::Object(_) => arguments.push(format!("--{flag}")),
        }
    }
    arguments
}

/// The files of a chart that renders `cases` with `values`.
pub fn files(cases: &[Case], values: &str) -> Vec<(String, String)> {
    let fixed = [("Chart.yaml", METADATA), ("values.yaml", values)].into_iter().chain(FILES.iter().copied());
    let fixed = fixed.map(|(path, text)| (path.to_owned(), text.to_owned()));
    fixed.chain(cases.iter().flat_map(Case::files)).collect()
}

/// The whole text of a stream, once it has ended.
fn read(stream: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let ended = stream.map_or(Ok(0), |mut stream| stream.read_to_end(&mut bytes));
        // Nobody waits any longer for what comes after the deadline.
        ended.ok().and_then(|_| sender.send(String::from_utf8_lossy(&bytes).into_owned()).ok())
    });
    receiver
}

/// What ours makes of `case` with `values`.
pub fn ours(case: &Case, values: &str) -> Made {
    match panic::catch_unwind(|| rendered(case, values)) {
        Ok(made) => made,
        Err(payload) => Err(format!("panicked: {:?}", payload.downcast_ref::<String>())),
    }
}

fn rendered(case: &Case, values: &str) -> Made {
    let files = files(std::slice::from_ref(case), values);
    let tree = MemoryTree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let chart = load(&tree.map_err(|error| error.to_string())?, &TreePath::root());
    let chart = chart.map_err(|error| format!("Error: {error}\n"))?;
    let rendered =
        render_files(&chart, &Release::default(), &[] as &[UserValues], &Nowhere::default(), Limits::default());
    let rendered = rendered.map_err(|error| {
        let hint = if error.is_of_templates() { "\n\nUse --debug flag to render out invalid YAML" } else { "" };
        format!("Error: {error}{hint}\n")
    })?;
    let text: String = rendered.iter().map(|file| String::from_utf8_lossy(&file.content)).collect();
    Ok(made(&text, &case.name))
}

/// What is printed for the template `name`.
fn made(printed: &str, name: &str) -> String {
    let before = format!("{MADE}{name}: ");
    let line = printed.lines().find_map(|line| line.strip_prefix(&before));
    line.unwrap_or("nothing").trim_matches('"').to_owned()
}

/// What Helm says, without what it logs.
fn without_log(text: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.starts_with("level=")).collect()
}
