//! Source trees made up at random: objects of many kinds under nested overlays, written in unusual ways.
//!
//! Names are few, so that objects refer to each other, patches find their targets and ids collide; most trees build.

mod field;
mod layout;
mod object;
mod patch;
mod plugin;
mod scalar;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use self::{
    field::{FIELDS, TOP_FIELDS},
    layout::document,
    object::{Object, object},
    yaml::{Yaml, list, map},
};
use crate::{Choices, Source};

/// One object and one patch for it.
pub fn patched(choices: &mut Choices) -> Source {
    let mut scene = Scene::new(choices);
    let object = object(scene.choices);
    let resources = scene.yaml_file(&object.body);
    scene.objects.push(object);
    scene.end_kustomization(map! { "resources": list![resources] }, &["patches"]);
    scene.into_source()
}

/// One or two bases, an overlay over them, one more over that, and maybe a component.
pub fn tree(choices: &mut Choices) -> Source {
    let mut scene = Scene::new(choices);
    let bases = scene.choices.between(1, 2);
    let mut entries = Vec::new();
    for number in 0..bases {
        scene.enter(&format!("base{number}"));
        let count = scene.choices.between(1, 6);
        let file = scene.objects_file(count);
        scene.kustomization(vec![file.into()], &[]);
        entries.push(Yaml::from(format!("../base{number}")));
    }
    scene.enter("middle");
    scene.kustomization(entries, &[]);
    scene.enter("top");
    let mut entries = vec!["../middle".into()];
    if scene.choices.chance(60) {
        let file = scene.objects_file(1);
        entries.push(file.into());
    }
    let components: &[&str] = if scene.choices.chance(20) { &["../component"] } else { &[] };
    if !components.is_empty() {
        scene.enter("component");
        scene.component();
        scene.enter("top");
    }
    scene.kustomization(entries, components);
    scene.into_source()
}

/// A tree that is being made.
struct Scene<'a> {
    choices: &'a mut Choices,
    files: BTreeMap<String, String>,
    /// The directory whose files are being made.
    directory: String,
    objects: Vec<Object>,
    var_names: BTreeSet<&'static str>,
    /// The names of generated objects.
    generated: Vec<String>,
    /// How many names and files have been made up.
    made_up: usize,
    /// Whether texts are written in unusual ways.
    wild: bool,
}

impl<'a> Scene<'a> {
    fn new(choices: &'a mut Choices) -> Self {
        let wild = choices.chance(40);
        Self {
            choices,
            files: BTreeMap::new(),
            directory: "top".to_owned(),
            objects: Vec::new(),
            var_names: BTreeSet::new(),
            generated: Vec::new(),
            made_up: 0,
            wild,
        }
    }

    fn into_source(self) -> Source {
        Source { files: self.files, target: "top".to_owned() }
    }

    /// Goes on in `directory`.
    fn enter(&mut self, directory: &str) {
        directory.clone_into(&mut self.directory);
    }

    /// A name that nothing else has.
    fn fresh(&mut self, stem: &str) -> String {
        self.made_up += 1;
        format!("{stem}{}", self.made_up)
    }

    /// Writes a file of its own below the current directory, and returns its name.
    fn file(&mut self, extension: &str, text: String) -> String {
        let name = format!("{}.{extension}", self.fresh("file"));
        self.files.insert(format!("{}/{name}", self.directory), text);
        name
    }

    fn yaml_file(&mut self, value: &Yaml) -> String {
        let text = document(value, self.choices, self.wild);
        self.file("yaml", text)
    }

    /// Writes new objects into one file: in documents, sometimes in a list.
    fn objects_file(&mut self, count: usize) -> String {
        let new = self.new_objects(count);
        let text = if self.choices.chance(5) {
            let items: Vec<Yaml> = new.iter().map(|object| object.body.clone()).collect();
            document(&map! { "apiVersion": "v1", "kind": "List", "items": items }, self.choices, self.wild)
        } else {
            let documents: Vec<_> = new.iter().map(|object| document(&object.body, self.choices, self.wild)).collect();
            let separator =
                self.choices.pick(&["---\n", "---\n", "--- # next\n", "---\n# a note\n---\n", "...\n---\n"]);
            let begin = self.choices.pick(&["", "", "---\n", "# a note\n", "\n"]);
            format!("{begin}{}", documents.join(separator))
        };
        let text = if self.choices.chance(2) { text.replace('\n', "\r\n") } else { text };
        self.objects.extend(new);
        self.file("yaml", text)
    }

    fn new_objects(&mut self, count: usize) -> Vec<Object> {
        let mut new: Vec<Object> = Vec::new();
        for _ in 0..count {
            let object = object(self.choices);
            let namespace = |object: &Object| object.namespace.replace("default", "");
            let is_same = |other: &&Object| {
                (other.kind, other.api_version, other.name, namespace(other))
                    == (object.kind, object.api_version, object.name, namespace(&object))
            };
            if !self.objects.iter().chain(&new).any(|other| is_same(&other)) {
                new.push(object);
            }
        }
        new
    }

    fn some_object(&mut self) -> Option<Object> {
        let position = self.choices.below(self.objects.len());
        self.objects.get(position).cloned()
    }

    /// `value` as a text inside another, or the name of a file that holds it.
    fn text_or_file(&mut self, value: &Yaml) -> Yaml {
        if self.choices.chance(40) {
            return self.yaml_file(value).into();
        }
        let text = document(value, self.choices, false);
        Yaml::Quoted(text)
    }

    /// Puts `value` into `entry`: as a text at `inline`, or as the name of a file at `by_path`.
    fn put_text(&mut self, entry: &mut Yaml, value: &Yaml, inline: &str, by_path: &str) {
        match self.text_or_file(value) {
            path @ Yaml::Text(_) => entry.put(by_path, path),
            text => entry.put(inline, text),
        }
    }

    fn target_of(&mut self, object: &Object) -> Yaml {
        field::selector(object, self)
    }

    fn kustomization(&mut self, resources: Vec<Yaml>, components: &[&str]) {
        let mut body = map! {};
        if self.choices.chance(50) {
            body = map! { "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization" };
        }
        body.put("resources", resources);
        if !components.is_empty() {
            body.put("components", components.iter().map(|path| Yaml::from(*path)).collect::<Vec<_>>());
        }
        let fields = self.some_fields();
        self.end_kustomization(body, &fields);
    }

    fn component(&mut self) {
        let mut body = map! { "apiVersion": "kustomize.config.k8s.io/v1alpha1", "kind": "Component" };
        if self.choices.chance(30) {
            let file = self.objects_file(1);
            body.put("resources", list![file]);
        }
        let fields = self.some_fields();
        self.end_kustomization(body, &fields);
    }

    /// The names of the fields that a kustomization has.
    fn some_fields(&mut self) -> Vec<&'static str> {
        let top: &[_] = if self.directory == "top" { TOP_FIELDS } else { &[] };
        let all = FIELDS.iter().chain(top);
        all.filter(|(_, percent, _)| self.choices.chance(*percent)).map(|(name, ..)| *name).collect()
    }

    /// Adds `fields` to `body` and writes it as the kustomization of the current directory.
    fn end_kustomization(&mut self, mut body: Yaml, fields: &[&str]) {
        for (name, _, make) in FIELDS.iter().chain(TOP_FIELDS) {
            if fields.contains(name)
                && let Some(value) = make(self)
            {
                body.put(name, value);
            }
        }
        let text = document(&body, self.choices, self.wild);
        self.files.insert(format!("{}/kustomization.yaml", self.directory), text);
    }
}
