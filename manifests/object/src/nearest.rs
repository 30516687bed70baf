//! "Did you mean …?"

/// The candidate that `written` was most likely meant to be; `None` if none is near enough to be a slip.
pub fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let slips = (written.chars().count() / 3).clamp(1, 4);
    let near = candidates.into_iter().map(|candidate| (distance(written, candidate), candidate));
    near.filter(|(edits, _)| *edits <= slips).min_by_key(|(edits, _)| *edits).map(|(_, candidate)| candidate)
}

/// How many letters must be put in, taken out, changed or swapped with their neighbour, case aside.
fn distance(a: &str, b: &str) -> usize {
    let letters = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<Vec<_>>();
    let (a, b) = (letters(a), letters(b));
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut edits = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                edits = edits.min(rows[i - 2][j - 2] + 1);
            }
            row.push(edits);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_what_was_meant_and_another_word_finds_nothing() {
        let known = ["resources", "replicas", "patches", "web", "worker"];
        let rows = [
            ("resource", Some("resources")),
            ("RESOURCES", Some("resources")),
            ("wbe", Some("web")),
            ("pathces", Some("patches")),
            ("zebra", None),
        ];
        for (written, expected) in rows {
            assert_eq!(nearest(written, known), expected, "{written}");
        }
    }
}
