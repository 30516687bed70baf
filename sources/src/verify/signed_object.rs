//! Git's signed objects: what of a commit or tag is the signature, and what it signs.

/// The first lines of the signatures that Git knows.
pub(super) const MARKS: [&str; 4] = [
    "-----BEGIN PGP SIGNATURE-----",
    "-----BEGIN PGP MESSAGE-----",
    "-----BEGIN SSH SIGNATURE-----",
    "-----BEGIN SIGNED MESSAGE-----",
];

/// How the header of a commit that holds its signature starts.
const SIGNATURE_HEADER: &[u8] = b"gpgsig";

/// A commit or tag, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SignedObject {
    /// The signature, armored; empty where there is none.
    pub(super) signature: String,
    /// What it signs.
    pub(super) payload: Vec<u8>,
}

impl SignedObject {
    /// Takes a commit apart: the signature is a header, and what is signed is the commit without it. The header for ids
    /// of another kind than SHA-1 is left out too, as Git does.
    pub(super) fn commit(content: &[u8]) -> Self {
        let (mut signature, mut payload) = (Vec::new(), Vec::with_capacity(content.len()));
        let mut place = Place::Header;
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            place = place.of(line);
            match place {
                Place::Signature => {
                    let text = line.strip_prefix(SIGNATURE_HEADER).unwrap_or(line);
                    signature.extend_from_slice(text.strip_prefix(b" ").unwrap_or(text));
                }
                Place::OtherSignature => {}
                Place::Header | Place::Message => payload.extend_from_slice(line),
            }
        }
        Self { signature: String::from_utf8_lossy(&signature).into_owned(), payload }
    }

    /// Takes a tag apart: the signature is the end of it, from the last line that a signature starts with.
    pub(super) fn tag(content: &[u8]) -> Self {
        let (mut at, mut start) = (0, content.len());
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            if MARKS.iter().any(|mark| line.starts_with(mark.as_bytes())) {
                start = at;
            }
            at += line.len();
        }
        let (payload, signature) = content.split_at(start);
        Self { signature: String::from_utf8_lossy(signature).into_owned(), payload: payload.to_vec() }
    }
}

/// The name that a tag gives itself.
pub(super) fn tag_name(content: &[u8]) -> Option<&str> {
    let headers = content.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    headers.filter_map(|line| line.strip_prefix(b"tag ")).find_map(|name| std::str::from_utf8(name).ok())
}

/// Where a line of a commit stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Header,
    Signature,
    /// A signature for ids of another kind.
    OtherSignature,
    Message,
}

impl Place {
    /// The place of `line`, which follows one of this place.
    fn of(self, line: &[u8]) -> Self {
        match self {
            Self::Message => Self::Message,
            Self::Signature | Self::OtherSignature if line.starts_with(b" ") => self,
            Self::Header | Self::Signature | Self::OtherSignature => match line.strip_prefix(SIGNATURE_HEADER) {
                Some(rest) if rest.starts_with(b" ") => Self::Signature,
                Some(_) => Self::OtherSignature,
                None if line == b"\n" => Self::Message,
                None => Self::Header,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(object: &SignedObject) -> String {
        format!("{}|{}", object.signature, String::from_utf8_lossy(&object.payload)).replace('\n', "~")
    }

    #[test]
    fn a_commit_is_signed_without_its_signature() {
        let rows = [
            ("tree 1\n\nHello\n", "|tree 1~~Hello~"),
            ("tree 1\ngpgsig A\n B\n \n C\n\nHello\n", "A~B~~C~|tree 1~~Hello~"),
            ("tree 1\ngpgsig A\n B\nencoding x\n y\n\nHello\n", "A~B~|tree 1~encoding x~ y~~Hello~"),
            ("tree 1\ngpgsig-sha256 A\n B\ngpgsig C\n\nHello\n", "C~|tree 1~~Hello~"),
            ("tree 1\n\ngpgsig A\n B\n", "|tree 1~~gpgsig A~ B~"),
            ("", "|"),
        ];
        for (content, expected) in rows {
            assert_eq!(shown(&SignedObject::commit(content.as_bytes())), expected, "{content:?}");
        }
    }

    #[test]
    fn a_tag_is_signed_up_to_the_last_signature() {
        let rows = [
            ("object 1\n\nHello\n", "|object 1~~Hello~"),
            ("tag v1\n\nHello\n-----BEGIN SSH SIGNATURE-----\nx\n", "-----BEGIN SSH SIGNATURE-----~x~|tag v1~~Hello~"),
            (
                "tag v1\n\n-----BEGIN PGP SIGNATURE-----\nx\n-----BEGIN PGP SIGNATURE-----\ny\n",
                "-----BEGIN PGP SIGNATURE-----~y~|tag v1~~-----BEGIN PGP SIGNATURE-----~x~",
            ),
            ("tag v1\n\nsee -----BEGIN PGP SIGNATURE-----\n", "|tag v1~~see -----BEGIN PGP SIGNATURE-----~"),
        ];
        for (content, expected) in rows {
            assert_eq!(shown(&SignedObject::tag(content.as_bytes())), expected, "{content:?}");
        }
        assert_eq!(tag_name(b"object 1\ntype commit\ntag v1\n\ntag v2\n"), Some("v1"));
        assert_eq!(tag_name(b"object 1\n\ntag v2\n"), None);
    }

    proptest::proptest! {
        #[test]
        fn nothing_of_an_object_is_lost(text in "(tree 1\n|gpgsig[a-z-]{0,3} ?x\n| y\n|\n|-----BEGIN SSH SIGNATURE-----\n){0,9}") {
            let tag = SignedObject::tag(text.as_bytes());
            proptest::prop_assert_eq!([tag.payload, tag.signature.into_bytes()].concat(), text.as_bytes());
            let commit = SignedObject::commit(text.as_bytes());
            proptest::prop_assert!(commit.payload.len() + commit.signature.len() <= text.len());
        }
    }
}
