//! Cuts a tree down to what matters.

use crate::Source;

/// Leaves files and lines out of `source` as long as `still_fails` says that what was found is still there, which it is
/// for `source` itself.
pub fn shrink(source: &Source, mut still_fails: impl FnMut(&Source) -> bool) -> Source {
    let mut smallest = source.clone();
    loop {
        let before = size(&smallest);
        drop_files(&mut smallest, &mut still_fails);
        let paths: Vec<String> = smallest.files.keys().cloned().collect();
        for path in paths {
            drop_lines(&mut smallest, &path, &mut still_fails);
        }
        if size(&smallest) == before {
            return smallest;
        }
    }
}

fn size(source: &Source) -> usize {
    source.files.values().map(|text| 1 + text.len()).sum()
}

fn drop_files(smallest: &mut Source, still_fails: &mut impl FnMut(&Source) -> bool) {
    for path in smallest.files.keys().cloned().collect::<Vec<_>>() {
        let mut smaller = smallest.clone();
        smaller.files.remove(&path);
        if still_fails(&smaller) {
            *smallest = smaller;
        }
    }
}

/// Leaves out runs of lines, longer ones first.
fn drop_lines(smallest: &mut Source, path: &str, still_fails: &mut impl FnMut(&Source) -> bool) {
    let mut run = smallest.files.get(path).map_or(0, |text| text.lines().count());
    while run > 0 {
        let mut start = 0;
        while let Some(shorter) = smallest.files.get(path).and_then(|text| without(text, start, run)) {
            let mut smaller = smallest.clone();
            smaller.files.insert(path.to_owned(), shorter);
            if still_fails(&smaller) {
                *smallest = smaller;
            } else {
                start += run.div_ceil(2);
            }
        }
        run /= 2;
    }
}

/// `text` without `run` lines from line `start` on; `None` if there are no lines there.
fn without(text: &str, start: usize, run: usize) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if start >= lines.len() {
        return None;
    }
    let end = lines.len().min(start + run);
    Some(lines[..start].iter().chain(&lines[end..]).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_matters_is_left() {
        let files = [("a.yaml", "one\ntwo\nbad\nthree\n"), ("b.yaml", "four\n")];
        let files = files.into_iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        let source = Source { files, target: ".".to_owned() };
        let shrunk = shrink(&source, |source| source.files.values().any(|text| text.contains("bad")));
        assert_eq!(shrunk.files.into_iter().collect::<Vec<_>>(), [("a.yaml".to_owned(), "bad\n".to_owned())]);
    }
}
