//! A conversation whose server has its answers ready, so that any can be tried.

use std::io::Read;

use super::{
    CloneError,
    reference::{GitReference, Selected, select},
    refs::ObjectId,
    upload_pack::{Wire, fetch, list},
};

/// A server that gives its answers one after the other, whatever it is asked, and then nothing.
struct Rehearsal<'a> {
    answers: std::slice::Iter<'a, &'a [u8]>,
}

impl Rehearsal<'_> {
    fn answer(&mut self) -> Box<dyn Read + '_> {
        Box::new(self.answers.next().copied().unwrap_or_default())
    }
}

impl Wire for Rehearsal<'_> {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, CloneError> {
        Ok(self.answer())
    }

    fn ask(&mut self, _: Vec<u8>) -> Result<Box<dyn Read + '_>, CloneError> {
        Ok(self.answer())
    }
}

/// Asks a server that has `answers` what `reference` stands for, and for the pack of that commit. Returns the pack, unless
/// the conversation fails.
pub(crate) fn rehearse(answers: &[&[u8]], reference: &GitReference) -> Result<Vec<u8>, CloneError> {
    let rehearsal = || Rehearsal { answers: answers.iter() };
    let listing = list(&mut rehearsal(), &reference.prefixes())?;
    let targets: Vec<ObjectId> = match select(reference, &listing.refs)? {
        Selected::One(resolved) => vec![resolved.target],
        Selected::Tied(tied) => tied.iter().map(|resolved| resolved.target).collect(),
    };
    let mut pack = Vec::new();
    fetch(&mut rehearsal(), &targets, &mut |piece| {
        pack.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(pack)
}
