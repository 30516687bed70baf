//! A template that can be cut down.

use std::fmt;

/// A part of a template, with the parts that it is made of.
#[derive(Clone, Debug)]
pub struct Tree {
    role: Role,
    pieces: Vec<Piece>,
}

/// What may stand in place of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing else.
    Frame,
    /// Nothing at all.
    Statement,
    /// A part of it that is an operand too, or a constant such as this one.
    Operand(&'static str),
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Tree(Tree),
}

impl Tree {
    pub(super) fn new(role: Role) -> Self {
        Self { role, pieces: Vec::new() }
    }

    pub(super) fn text(&mut self, text: impl Into<String>) {
        self.pieces.push(Piece::Text(text.into()));
    }

    pub(super) fn push(&mut self, tree: Self) {
        self.pieces.push(Piece::Tree(tree));
    }

    /// This template with one part cut down, in every way, those first that cut most.
    pub fn smaller(&self) -> Vec<Self> {
        let mut smaller = match self.role {
            Role::Frame => Vec::new(),
            Role::Statement => self.without_statement(),
            Role::Operand(plain) => self.without_call(plain),
        };
        for (index, piece) in self.pieces.iter().enumerate() {
            let Piece::Tree(tree) = piece else { continue };
            smaller.extend(tree.smaller().into_iter().map(|cut| self.with(index, cut)));
        }
        smaller
    }

    /// This template with a constant in place of the innermost part around the byte at `offset`, or without that part;
    /// `None` if nothing there can be cut.
    pub fn mended(&self, offset: usize) -> Option<Self> {
        let mut start = 0;
        for (index, piece) in self.pieces.iter().enumerate() {
            let end = start + piece.to_string().len();
            if let Piece::Tree(tree) = piece
                && (start..end).contains(&offset)
                && let Some(mended) = tree.mended(offset - start)
            {
                return Some(self.with(index, mended));
            }
            start = end;
        }
        match self.role {
            Role::Frame => None,
            Role::Statement => self.without_statement().pop(),
            Role::Operand(plain) => Some(constant(plain)).filter(|constant| constant.to_string() != self.to_string()),
        }
    }

    fn with(&self, index: usize, part: Self) -> Self {
        let mut whole = self.clone();
        whole.pieces[index] = Piece::Tree(part);
        whole
    }

    fn without_statement(&self) -> Vec<Self> {
        if self.pieces.is_empty() { Vec::new() } else { vec![Self::new(Role::Statement)] }
    }

    fn without_call(&self, plain: &'static str) -> Vec<Self> {
        if let [Piece::Text(_)] = self.pieces.as_slice() {
            return Vec::new();
        }
        let constants = [plain, "1", "\"a\"", "nil"].map(constant);
        let parts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Tree(tree) => Some(tree.clone()),
            Piece::Text(_) => None,
        });
        constants.into_iter().chain(parts).collect()
    }
}

fn constant(text: &'static str) -> Tree {
    let mut constant = Tree::new(Role::Operand(text));
    constant.text(text);
    constant
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| piece.fmt(f))
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Tree(tree) => tree.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_part_around_a_mistake_is_cut_away() {
        let mut call = Tree::new(Role::Operand("1"));
        call.text("(add ");
        call.push(constant("2"));
        call.text(")");
        let mut statement = Tree::new(Role::Statement);
        statement.text("{{ ");
        statement.push(call);
        statement.text(" }}");
        let mended = |offset| statement.mended(offset).map(|tree| tree.to_string());
        assert_eq!(mended(4).as_deref(), Some("{{ 1 }}"), "the call");
        assert_eq!(mended(8).as_deref(), Some("{{ 1 }}"), "a constant cannot be cut, what it is in can");
        assert_eq!(mended(0).as_deref(), Some(""), "the statement");
    }
}
