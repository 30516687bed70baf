//! Helm itself, and what it makes of templates.
//!
//! A run of `helm` renders many templates at once: each is in a file of its own, and another file calls it and prints
//! what it makes in base64, so that any bytes pass. One that fails ends the whole run, so those that ours refuses have a
//! run of their own.

use std::{fs, io, panic, path::PathBuf, process::Stdio};

use fairlead_helm::{Limits, Release, UserValues, load, render_files};
use fairlead_object::{MemoryTree, TreePath};

use crate::charts::Nowhere;

const METADATA: &str = "apiVersion: v2\nname: c\nversion: 1.2.3\n";

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

impl Case {
    /// The files of a chart that render it.
    fn files(&self) -> [(String, String); 2] {
        let Self { name, template } = self;
        let dot = "(dict \"Values\" (deepCopy .Values) \"Chart\" .Chart \"Release\" .Release \"Capabilities\" .Capabilities \"Files\" .Files \"Template\" .Template)";
        let calls = format!("{MADE}{name}: \"{{{{ include \"{name}\" {dot} | b64enc }}}}\"\n");
        [(format!("templates/_{name}.tpl"), template.clone()), (format!("templates/{name}.yaml"), calls)]
    }
}

impl Helm {
    /// The program at a path.
    pub fn new(program: PathBuf) -> Self {
        Self { program }
    }

    /// What it makes of `cases`, in their order, with `values`; an error if one of them is refused.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn render(&self, cases: &[Case], values: &str) -> io::Result<Result<Vec<String>, String>> {
        let folder = tempfile::tempdir()?;
        let write = |path: &str, text: &str| fs::write(folder.path().join(path), text);
        fs::create_dir(folder.path().join("templates"))?;
        write("Chart.yaml", METADATA)?;
        write("values.yaml", values)?;
        for (path, text) in cases.iter().flat_map(Case::files) {
            write(&path, &text)?;
        }
        let mut command = fairlead_tools::command(&self.program);
        command.args(["template", "release-name"]).arg(folder.path()).env("TZ", "UTC").stdin(Stdio::null());
        let output = command.output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if !output.status.success() {
            return Ok(Err(without_log(&text(output.stderr))));
        }
        let printed = text(output.stdout);
        Ok(Ok(cases.iter().map(|case| made(&printed, &case.name)).collect()))
    }
}

/// What ours makes of `case` with `values`.
pub fn ours(case: &Case, values: &str) -> Made {
    match panic::catch_unwind(|| rendered(case, values)) {
        Ok(made) => made,
        Err(payload) => Err(format!("panicked: {:?}", payload.downcast_ref::<String>())),
    }
}

fn rendered(case: &Case, values: &str) -> Made {
    let files = [("Chart.yaml".to_owned(), METADATA.to_owned()), ("values.yaml".to_owned(), values.to_owned())];
    let files: Vec<_> = files.into_iter().chain(case.files()).collect();
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
