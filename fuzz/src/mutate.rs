//! Spoils trees, as hands and editors do.

use crate::{Choices, Source};

const TOKENS: &[&str] = &[
    "null",
    "[]",
    "{}",
    "- ",
    "$patch: delete",
    "&a ",
    "*a",
    "<<: *a",
    "|",
    ">",
    "'",
    "\"",
    "\t",
    "---",
    "- - -",
    "? x",
    "!!int ",
    "!!str ",
    "!!binary ",
    "!!null",
    "!x ",
    "0x",
    "~",
    "%",
    "a: b: c",
    "../..",
    "*",
    "[a=",
    "[=",
    "-1",
    "99999999999",
    "$(",
    "@",
    ":",
    "\\",
    "/",
    "é",
    "\u{0}",
    "kind: List",
    "items: 3",
    "items: []",
    "name: ''",
    "target: {}",
    "[name=(]",
    "{a: , b}",
    "[a, , b]",
    "\r",
    "#",
    " #",
    "<<",
    "1",
    "true",
    "2020-01-01",
    "key: {a: b}",
    "...",
    "namespace: x",
];

/// Changes one line of one file.
pub fn spoil(source: &mut Source, choices: &mut Choices) {
    let position = choices.below(source.files.len());
    let Some(text) = source.files.values_mut().nth(position) else { return };
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let (here, there) = (choices.below(lines.len()), choices.below(lines.len()));
    match choices.below(8) {
        0 => insert_token(&mut lines[here], choices),
        1 => drop(lines.remove(here)),
        2 => {
            let copied = lines[there].clone();
            lines.insert(here, copied);
        }
        3 => set_value(&mut lines[here], choices),
        4 => lines[here].insert_str(0, "  "),
        5 => {
            let indent = lines[here].len() - lines[here].trim_start_matches(' ').len();
            lines[here].drain(..indent.min(2));
        }
        6 => lines.swap(here, there),
        _ => {
            let end = lines[here].char_indices().map(|(offset, _)| offset).nth(choices.below(20));
            if let Some(end) = end {
                lines[here].truncate(end);
            }
        }
    }
    *text = lines.join("\n");
}

fn insert_token(line: &mut String, choices: &mut Choices) {
    let places: Vec<usize> = line.char_indices().map(|(offset, _)| offset).chain([line.len()]).collect();
    line.insert_str(choices.pick(&places), choices.pick(TOKENS));
}

fn set_value(line: &mut String, choices: &mut Choices) {
    let key = line.find(':').map_or(line.len(), |colon| colon + 1);
    line.truncate(key);
    line.push(' ');
    line.push_str(choices.pick(TOKENS));
}
