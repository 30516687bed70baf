//! Templates of charts made up at random: every function with fitting and with odd arguments, in statements of every
//! kind, over values of every type.
//!
//! What Helm itself makes of differently each time is left out: random numbers, the clock, keys, the order of `keys`, the
//! addresses of objects. So are two things of which ours is known to make something else: the number `-0.0` in YAML, and
//! the null of `fromJson` and `fromJsonArray`, which in Go is a nil map and a nil list.

mod functions;
mod leaf;
mod tree;

pub use tree::Tree;

use self::functions::{CALLS, Kind};
use self::tree::Role;
use crate::Choices;

/// Deepest nesting of calls, and of statements.
const DEPTH: usize = 3;

/// A template made up from `choices`, which calls what it defines `name` and a number.
pub fn template(choices: &mut Choices, name: &str) -> Tree {
    let mut writer =
        Writer { choices, name, variables: Vec::new(), defined: 0, blocks: 0, in_range: false, in_text: false };
    let definitions = writer.choices.below(3);
    let mut file = Tree::new(Role::Frame);
    for number in 0..definitions {
        file.push(writer.definition(number));
        writer.defined = number + 1;
    }
    let mut body = Tree::new(Role::Frame);
    body.text(format!("{{{{ define \"{name}\" }}}}"));
    let count = writer.choices.between(1, 5);
    writer.statements(&mut body, count, DEPTH);
    body.text("{{ end }}");
    file.push(body);
    file
}

/// What `.Files` holds.
pub const FILES: &[(&str, &str)] = &[
    ("files/a.txt", "one\ntwo\n"),
    ("files/b.yaml", "a: 1\nb: [x]\n"),
    ("files/sub/c.txt", "no end of line"),
    ("d.bin", "\u{0}\u{85}\u{1F600} x \n"),
];

/// A values file made up from `choices`, with the keys that templates ask for.
pub fn values(choices: &mut Choices) -> String {
    leaf::values(choices)
}

struct Writer<'c> {
    choices: &'c mut Choices,
    name: &'c str,
    /// The variables that can be seen, and what is in them.
    variables: Vec<(String, Kind)>,
    /// How many templates are defined by now.
    defined: usize,
    /// How many blocks there are by now.
    blocks: usize,
    in_range: bool,
    /// Whether this is a text that `tpl` takes.
    in_text: bool,
}

impl Writer<'_> {
    fn definition(&mut self, number: usize) -> Tree {
        let mut definition = Tree::new(Role::Frame);
        definition.text(format!("{{{{{} define \"{}.{number}\" }}}}", self.left(), self.name));
        self.statements(&mut definition, 2, 1);
        definition.text(format!("{{{{ end {}}}}}\n", self.right()));
        definition
    }

    fn statements(&mut self, into: &mut Tree, count: usize, depth: usize) {
        let variables = self.variables.len();
        for _ in 0..count {
            let statement = self.statement(depth);
            into.push(statement);
        }
        self.variables.truncate(variables);
    }

    fn statement(&mut self, depth: usize) -> Tree {
        let mut statement = Tree::new(Role::Statement);
        let kinds = if depth == 0 { 5 } else { 14 };
        match self.choices.below(kinds) {
            0 => statement.text(leaf::text_between(self.choices)),
            1 | 2 => self.print(&mut statement),
            3 => self.declare(&mut statement),
            4 => statement.text(self.choices.pick(&[
                "{{/* a note */}}",
                " {{- /* a\nnote */ -}}\n ",
                "{{- /**/}}",
                "\n",
            ])),
            5 | 6 => self.branch(&mut statement, "if", depth),
            7 => self.branch(&mut statement, "with", depth),
            8 | 9 => self.range(&mut statement, depth),
            10 => self.block(&mut statement, depth),
            11 => self.text_as_template(&mut statement, depth),
            _ => self.include(&mut statement),
        }
        statement
    }

    fn left(&mut self) -> &'static str {
        self.choices.pick(&["", "", "-"])
    }

    fn right(&mut self) -> &'static str {
        self.choices.pick(&["", "", "-"])
    }

    /// `{{ word`, with or without a trim marker.
    fn open(&mut self, into: &mut Tree, word: &str) {
        let left = self.left();
        into.text(format!("{{{{{left} {word} "));
    }

    fn close(&mut self, into: &mut Tree) {
        let right = self.right();
        into.text(format!(" {right}}}}}"));
    }

    fn print(&mut self, into: &mut Tree) {
        self.open(into, "");
        let kind = self.choices.pick(&Kind::PRINTED);
        self.operand(into, kind, DEPTH);
        let more = ["", "", " | quote", " | toYaml | nindent 2", " | toJson", " | toString | len", " | default \"d\""];
        let of_texts = ["", " | trim | upper", " | b64enc", " | trunc 5 | quote", " | splitList \",\" | join \"-\""];
        into.text(self.choices.pick(if kind == Kind::Text { &of_texts[..] } else { &more[..] }));
        self.close(into);
    }

    fn declare(&mut self, into: &mut Tree) {
        let kind = self.choices.pick(&Kind::PRINTED);
        let again = self.variables.iter().rev().find(|(_, held)| *held == kind).map(|(name, _)| name.clone());
        if let Some(name) = again.filter(|_| self.choices.chance(40)) {
            self.open(into, &format!("{name} ="));
            self.operand(into, kind, 2);
        } else {
            let name = format!("$v{}", self.variables.len());
            self.open(into, &format!("{name} :="));
            self.operand(into, kind, 2);
            self.variables.push((name, kind));
        }
        self.close(into);
    }

    fn branch(&mut self, into: &mut Tree, word: &str, depth: usize) {
        self.open(into, word);
        self.operand(into, Kind::Any, 2);
        self.close(into);
        self.body(into, depth);
        if self.choices.chance(30) {
            self.open(into, &format!("else {word}"));
            self.operand(into, Kind::Bool, 1);
            self.close(into);
            self.body(into, depth);
        }
        self.otherwise(into, depth);
    }

    fn otherwise(&mut self, into: &mut Tree, depth: usize) {
        if self.choices.chance(40) {
            self.open(into, "else");
            self.close(into);
            self.body(into, depth);
        }
        self.open(into, "end");
        self.close(into);
    }

    fn body(&mut self, into: &mut Tree, depth: usize) {
        let count = self.choices.between(1, 2);
        self.statements(into, count, depth - 1);
    }

    fn range(&mut self, into: &mut Tree, depth: usize) {
        let variables = self.variables.len();
        let names = self.choices.pick(&["", "", "$e := ", "$i, $e := "]);
        self.open(into, &format!("range {names}"));
        let kind = self.choices.pick(&[Kind::List, Kind::List, Kind::Map, Kind::Count]);
        self.operand(into, if names.contains(',') && kind == Kind::Count { Kind::List } else { kind }, 2);
        self.close(into);
        self.variables.extend(
            names.split([',', ' ']).filter(|name| name.starts_with('$')).map(|name| (name.to_owned(), Kind::Any)),
        );
        let outside = std::mem::replace(&mut self.in_range, true);
        self.body(into, depth);
        if self.choices.chance(15) {
            let jump = self.choices.pick(&["{{ break }}", "{{ continue -}}", "{{ if . }}{{ break }}{{ end }}"]);
            into.text(jump);
        }
        self.in_range = outside;
        self.variables.truncate(variables);
        self.otherwise(into, depth);
    }

    fn block(&mut self, into: &mut Tree, depth: usize) {
        if self.in_text {
            return self.print(into);
        }
        self.open(into, &format!("block \"{}.block{}\"", self.name, self.blocks));
        self.blocks += 1;
        into.text(self.choices.pick(&["$", ".", "$.Values.deep"]));
        self.close(into);
        self.apart(into, depth);
        self.open(into, "end");
        self.close(into);
    }

    /// A text that is a template.
    fn text_as_template(&mut self, into: &mut Tree, depth: usize) {
        if self.in_text {
            return self.print(into);
        }
        self.open(into, "tpl `");
        self.in_text = true;
        self.apart(into, depth);
        self.in_text = false;
        into.text("` ");
        into.text(self.choices.pick(&["$", ".", "(dict \"Values\" $.Values \"Template\" $.Template)"]));
        into.text(self.choices.pick(&["", " | quote", " | len"]));
        self.close(into);
    }

    /// A body that sees nothing of what is around it.
    fn apart(&mut self, into: &mut Tree, depth: usize) {
        let (variables, in_range) = (std::mem::take(&mut self.variables), std::mem::replace(&mut self.in_range, false));
        self.body(into, depth);
        (self.variables, self.in_range) = (variables, in_range);
    }

    fn include(&mut self, into: &mut Tree) {
        if self.defined == 0 {
            return self.print(into);
        }
        let number = self.choices.below(self.defined);
        let word = self.choices.pick(&["template", "include"]);
        self.open(into, &format!("{word} \"{}.{number}\"", self.name));
        let dot = self.choices.pick(&["$", ".", "dict", "\"text\"", "(list 1 2)", "$.Values.map"]);
        into.text(dot);
        if word == "include" {
            into.text(self.choices.pick(&["", " | nindent 2", " | trim", " | quote", " | fromYaml | toJson"]));
        }
        self.close(into);
    }

    /// An operand of `kind`, or, rarely, of another one.
    fn operand(&mut self, into: &mut Tree, kind: Kind, depth: usize) {
        // Anything else would be taken for the time that it is now.
        let kind = if kind != Kind::Time && self.choices.chance(3) { self.choices.pick(&Kind::PRINTED) } else { kind };
        let mut operand = Tree::new(Role::Operand(kind.plain()));
        let variable = self.variables.iter().rev().find(|(_, held)| *held == kind).map(|(name, _)| name.clone());
        match variable {
            Some(name) if self.choices.chance(30) => operand.text(name),
            _ if depth == 0 || self.choices.chance(20) => operand.text(leaf::leaf(kind, self.choices)),
            _ => self.call(&mut operand, kind, depth - 1),
        }
        into.push(operand);
    }

    fn call(&mut self, into: &mut Tree, kind: Kind, depth: usize) {
        let fitting: Vec<&str> =
            CALLS.iter().filter(|(made, _)| *made == kind || kind == Kind::Any).map(|(_, call)| *call).collect();
        if fitting.is_empty() {
            return into.text(leaf::leaf(kind, self.choices));
        }
        let call = self.choices.pick(&fitting);
        into.text("(");
        let mut rest = call;
        while let Some((before, after)) = rest.split_once('@') {
            into.text(before);
            let (letter, after) = after.split_at(1);
            self.operand(into, Kind::of(letter), depth);
            rest = after;
        }
        into.text(rest);
        into.text(")");
    }
}
