//! Where the fields of an object were written.

use std::{fmt, sync::Arc};

use crate::Origin;

/// A place in a file, or a field of the object that asks for a build.
///
/// Printed as `file:line`, or as the field's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or the field.
    pub file: Arc<str>,
    /// The line, from 1; 0 for a field.
    pub line: u32,
}

impl Place {
    /// The field `path` of the object that asks for a build, as `spec.commonMetadata`.
    pub fn field(path: &str) -> Self {
        Self { file: path.into(), line: 0 }
    }
}

impl From<&Origin> for Place {
    fn from(origin: &Origin) -> Self {
        Self { file: origin.file.as_str().into(), line: origin.line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// The JSON pointer to the field `name` of what is at the JSON pointer `parent`.
pub fn pointer_to(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Where the fields of an object were written, each with what has changed it since.
///
/// A field costs sixteen bytes, so it is there for every object. A field is known by the hash of its JSON pointer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldPlaces {
    fields: Vec<Field>,
    /// Who has changed fields since they were read, last one first.
    changes: Vec<Vec<Place>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    path: PathHash,
    /// The line of the object's own file, from 1; 0 if it was not written there.
    line: u32,
    /// The entry in `changes`, from 1; 0 for none.
    changes: u32,
}

/// The hash of a JSON pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathHash(u64);

impl PathHash {
    /// The object itself.
    pub const ROOT: Self = Self(0xcbf2_9ce4_8422_2325);

    /// The field `name` below, or the item at the index `name`.
    #[must_use]
    pub fn child(self, name: &str) -> Self {
        let Self(hash) = self.with(b'/');
        name.bytes().fold(Self(hash), |hash, byte| match byte {
            b'~' => hash.with(b'~').with(b'0'),
            b'/' => hash.with(b'~').with(b'1'),
            byte => hash.with(byte),
        })
    }

    fn of(pointer: &str) -> Self {
        pointer.bytes().fold(Self::ROOT, Self::with)
    }

    /// One step of FNV-1a.
    fn with(self, byte: u8) -> Self {
        Self((self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

impl FieldPlaces {
    /// Adds the field at `path`: its `line` in the object's own file, 0 if it is not from there, and who has changed it
    /// since, last one first.
    pub fn add(&mut self, path: PathHash, line: u32, changes: impl IntoIterator<Item = Place>) {
        let changes: Vec<Place> = changes.into_iter().collect();
        let changes = if changes.is_empty() { 0 } else { self.keep(changes) };
        self.fields.push(Field { path, line, changes });
    }

    /// Notes that the field at `pointer` has been changed by `place`.
    pub(crate) fn change(&mut self, pointer: &str, place: Place) {
        let path = PathHash::of(pointer);
        let found = self.fields.iter().position(|field| field.path == path);
        let index = found.unwrap_or_else(|| {
            self.add(path, 0, []);
            self.fields.len() - 1
        });
        let mut changes = self.changes_of(self.fields[index]).to_vec();
        changes.insert(0, place);
        self.fields[index].changes = self.keep(changes);
    }

    /// The line in the object's own file and the changes since of the field at `pointer`.
    pub(crate) fn get(&self, pointer: &str) -> Option<(u32, &[Place])> {
        let path = PathHash::of(pointer);
        let field = self.fields.iter().find(|field| field.path == path)?;
        Some((field.line, self.changes_of(*field)))
    }

    fn keep(&mut self, changes: Vec<Place>) -> u32 {
        self.changes.push(changes);
        u32::try_from(self.changes.len()).expect("an object has fewer fields")
    }

    fn changes_of(&self, field: Field) -> &[Place] {
        let index = usize::try_from(field.changes).expect("an index in memory").checked_sub(1);
        index.map_or(&[], |index| &self.changes[index])
    }
}
