//! Whose signatures a trust policy lets count.

use std::collections::BTreeMap;

use der::Tagged;
use x509_cert::{Certificate, name::Name};

/// Those whose signatures count.
#[derive(Clone, Debug)]
pub(super) enum TrustedIdentities {
    /// Everyone with a certificate that is trusted.
    Everyone,
    /// Those whose subject has all attributes of one of these.
    Subjects(Vec<BTreeMap<String, String>>),
}

/// How the entries of a trust policy start that name the subject of a certificate.
const SUBJECT: &str = "x509.subject:";

/// What every subject that is trusted has to name: country, state and organisation.
const REQUIRED: [&str; 3] = ["C", "ST", "O"];

impl TrustedIdentities {
    /// Reads the entries of a trust policy.
    pub(super) fn parse(entries: &[String]) -> Result<Self, &'static str> {
        if let [one] = entries
            && one == "*"
        {
            return Ok(Self::Everyone);
        }
        let subjects: Vec<_> = entries.iter().map(|entry| subject(entry)).collect::<Result<_, _>>()?;
        if subjects.is_empty() { Err("names no trusted identity") } else { Ok(Self::Subjects(subjects)) }
    }

    /// Whether the one that `certificate` is for is among them.
    pub(super) fn include(&self, certificate: &Certificate) -> bool {
        match self {
            Self::Everyone => true,
            Self::Subjects(subjects) => {
                let own = attributes(certificate.tbs_certificate().subject());
                subjects.iter().any(|subject| subject.iter().all(|(name, value)| own.get(name) == Some(value)))
            }
        }
    }
}

fn subject(entry: &str) -> Result<BTreeMap<String, String>, &'static str> {
    let written = entry.strip_prefix(SUBJECT).ok_or("has a trusted identity that is no `x509.subject`")?;
    let mut attributes = BTreeMap::new();
    for part in written.split(',') {
        let (name, value) = part.split_once('=').ok_or("has a subject that is not `name=value, …`")?;
        let name = name.trim().to_ascii_uppercase();
        if attributes.insert(if name == "S" { "ST".to_owned() } else { name }, value.trim().to_owned()).is_some() {
            return Err("has a subject that names an attribute twice");
        }
    }
    let has_all = REQUIRED.iter().all(|name| attributes.contains_key(*name));
    if has_all { Ok(attributes) } else { Err("has a subject without `C`, `ST` or `O`") }
}

/// The attributes of a name by their short names.
fn attributes(name: &Name) -> BTreeMap<String, String> {
    const NAMES: [(&str, &str); 7] = [
        ("2.5.4.3", "CN"),
        ("2.5.4.6", "C"),
        ("2.5.4.7", "L"),
        ("2.5.4.8", "ST"),
        ("2.5.4.9", "STREET"),
        ("2.5.4.10", "O"),
        ("2.5.4.11", "OU"),
    ];
    let texts = name.iter().filter_map(|attribute| {
        let id = attribute.oid.to_string();
        let (_, name) = NAMES.iter().find(|(known, _)| *known == id)?;
        let is_text = matches!(attribute.value.tag(), der::Tag::Utf8String | der::Tag::PrintableString);
        let text = std::str::from_utf8(attribute.value.value()).ok().filter(|_| is_text)?;
        Some(((*name).to_owned(), text.to_owned()))
    });
    texts.collect()
}
