//! `.gitmodules`, in the form of Git's configuration files, as far as it says where submodules are.

use std::collections::HashMap;

/// The URL of each submodule by its path. What has no path or no URL, and what cannot be read, is left out.
///
/// Values stand on one line, with or without quotes; see `git-config(1)`.
pub(super) fn submodule_urls(text: &str) -> HashMap<String, String> {
    let mut urls = HashMap::new();
    let mut section = Section::default();
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            section.end(&mut urls);
            section.is_submodule = line.starts_with("[submodule \"");
        } else if let Some((key, value)) = line.split_once('=').filter(|_| section.is_submodule) {
            match key.trim().to_ascii_lowercase().as_str() {
                "path" => section.path = Some(unquoted(value)),
                "url" => section.url = Some(unquoted(value)),
                _ => {}
            }
        }
    }
    section.end(&mut urls);
    urls
}

/// What was read of one section.
#[derive(Default)]
struct Section {
    is_submodule: bool,
    path: Option<String>,
    url: Option<String>,
}

impl Section {
    fn end(&mut self, urls: &mut HashMap<String, String>) {
        let Self { path, url, .. } = std::mem::take(self);
        urls.extend(path.zip(url));
    }
}

/// A value without its quotes, and without the comment after it.
fn unquoted(value: &str) -> String {
    let (mut plain, mut is_quoted, mut chars) = (String::new(), false, value.trim().chars());
    while let Some(char) = chars.next() {
        match char {
            '"' => is_quoted = !is_quoted,
            '\\' => plain.extend(chars.next()),
            '#' | ';' if !is_quoted => break,
            char => plain.push(char),
        }
    }
    plain.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_found_by_path() {
        let text = r#"
# comment
[core]
    path = no
    url = no
[submodule "base"]
    path = vendor/base
    url = ../base.git ; here
    branch = main
[submodule "odd # name"]
	url = "https://example.org/a#b"
	path = "vendor/a b"
[submodule "half"]
    path = half
"#;
        let mut urls: Vec<_> = submodule_urls(text).into_iter().collect();
        urls.sort();
        let shown: Vec<_> = urls.iter().map(|(path, url)| format!("{path} {url}")).collect();
        assert_eq!(shown, ["vendor/a b https://example.org/a#b", "vendor/base ../base.git"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*|(\\[submodule \"|path|url|[=\"\\\\#;\\] \n]){0,30}") {
            let _ = submodule_urls(&text);
        }
    }
}
