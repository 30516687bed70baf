//! `.helmignore`.
//!
//! # Differs from `.gitignore`
//! A pattern without a slash matches names at any depth, one with a slash the whole path, and `!` ignores whatever
//! does *not* match.

/// The files of a chart that are not part of it.
#[derive(Default)]
pub(super) struct Ignore(Vec<Rule>);

struct Rule {
    pattern: Vec<Item>,
    negated: bool,
    directories_only: bool,
    matches: Matches,
}

#[derive(Clone, Copy)]
enum Matches {
    Name,
    Path,
}

/// What a path is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PathKind {
    File,
    Directory,
}

impl Ignore {
    /// Reads the rules of a `.helmignore`, after which one of Helm's own comes; an error in Helm's words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for line in text.lines().chain(["templates/.?*"]) {
            rules.extend(Rule::parse(line.trim())?);
        }
        Ok(Self(rules))
    }

    pub(super) fn is_ignored(&self, path: &str, kind: PathKind) -> bool {
        self.0.iter().any(|rule| rule.ignores(path, kind))
    }
}

impl Rule {
    fn parse(line: &str) -> Result<Option<Self>, String> {
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        items_of(line).ok_or("syntax error in pattern")?;
        let (negated, rest) = line.strip_prefix('!').map_or((false, line), |rest| (true, rest));
        let (directories_only, rest) = rest.strip_suffix('/').map_or((false, rest), |rest| (true, rest));
        let (matches, pattern) = match rest.strip_prefix('/') {
            Some(anchored) => (Matches::Path, anchored),
            None if rest.contains('/') => (Matches::Path, rest),
            None => (Matches::Name, rest),
        };
        // What is a pattern with what stands around it may be none without.
        let pattern = items_of(pattern).unwrap_or_default();
        Ok(Some(Self { pattern, negated, directories_only, matches }))
    }

    fn ignores(&self, path: &str, kind: PathKind) -> bool {
        if self.directories_only && kind != PathKind::Directory {
            return self.negated;
        }
        let subject = match self.matches {
            Matches::Path => path,
            Matches::Name => path.rsplit('/').next().unwrap_or(path),
        };
        matches(&self.pattern, &subject.chars().collect::<Vec<_>>()) != self.negated
    }
}

/// Whether `text` matches a pattern of Go's `filepath.Match`; nothing matches one that is none.
pub(crate) fn matches_glob(pattern: &str, text: &str) -> bool {
    items_of(pattern).is_some_and(|items| matches(&items, &text.chars().collect::<Vec<_>>()))
}

/// The parts of a pattern of Go's `filepath.Match`; `None` for a pattern that is none.
fn items_of(pattern: &str) -> Option<Vec<Item>> {
    items(&pattern.chars().collect::<Vec<_>>())
}

enum Item {
    /// Any characters but `/`.
    Star,
    /// One character.
    One(Vec<(char, char)>, bool),
}

fn items(pattern: &[char]) -> Option<Vec<Item>> {
    let (mut items, mut rest) = (Vec::new(), pattern);
    while let Some((char, after)) = rest.split_first() {
        rest = match char {
            '*' => {
                items.push(Item::Star);
                after
            }
            '?' => {
                items.push(Item::One(vec![('/', '/')], true));
                after
            }
            '[' => class(after, &mut items)?,
            '\\' => {
                let (char, after) = after.split_first()?;
                items.push(Item::One(vec![(*char, *char)], false));
                after
            }
            char => {
                items.push(Item::One(vec![(*char, *char)], false));
                after
            }
        };
    }
    Some(items)
}

fn class<'p>(mut rest: &'p [char], items: &mut Vec<Item>) -> Option<&'p [char]> {
    let negated = rest.first() == Some(&'^');
    if negated {
        rest = &rest[1..];
    }
    let mut ranges = Vec::new();
    loop {
        if rest.first()? == &']' && !ranges.is_empty() {
            if negated {
                ranges.push(('/', '/'));
            }
            items.push(Item::One(ranges, negated));
            return Some(&rest[1..]);
        }
        let (low, after) = member(rest)?;
        let (high, after) = match after.split_first() {
            Some(('-', after)) => member(after)?,
            _ => (low, after),
        };
        ranges.push((low, high));
        rest = after;
    }
}

fn member(rest: &[char]) -> Option<(char, &[char])> {
    match rest.split_first()? {
        ('-' | ']', _) => None,
        ('\\', after) => after.split_first().map(|(char, after)| (*char, after)),
        (char, after) => Some((*char, after)),
    }
}

fn matches(items: &[Item], text: &[char]) -> bool {
    // The last star, and how much of the text it has taken; it takes one more where the rest does not match.
    let (mut item, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        match items.get(item) {
            Some(Item::Star) => {
                star = Some((item + 1, at));
                item += 1;
                continue;
            }
            Some(Item::One(ranges, negated)) if text.get(at).is_some_and(|char| is_in(*char, ranges) != *negated) => {
                item += 1;
                at += 1;
                continue;
            }
            None if at == text.len() => return true,
            Some(Item::One(..)) | None => {}
        }
        match star {
            Some((after, taken)) if text.get(taken).is_some_and(|char| *char != '/') => {
                star = Some((after, taken + 1));
                (item, at) = (after, taken + 1);
            }
            _ => return false,
        }
    }
}

fn is_in(char: char, ranges: &[(char, char)]) -> bool {
    ranges.iter().any(|(low, high)| (*low..=*high).contains(&char))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_or_paths_and_a_negated_one_ignores_all_others() {
        for (rules, path, kind, ignored) in [
            ("*.txt", "a/b.txt", PathKind::File, true),
            ("/*.txt", "a/b.txt", PathKind::File, false),
            ("a/*.txt", "a/b.txt", PathKind::File, true),
            ("a/", "a", PathKind::Directory, true),
            ("a/", "a", PathKind::File, false),
            ("!keep", "other", PathKind::File, true),
            ("!keep", "keep", PathKind::File, false),
            ("", "templates/.hidden", PathKind::File, true),
            ("[a-c]?", "bx", PathKind::File, true),
        ] {
            let ignore = Ignore::parse(rules).expect("rules");
            assert_eq!(ignore.is_ignored(path, kind), ignored, "{rules} on {path}");
        }
    }
}
