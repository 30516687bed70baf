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
    /// A part of it that is an operand too, or a constant.
    Operand,
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
            Role::Operand => self.without_call(),
        };
        for (index, piece) in self.pieces.iter().enumerate() {
            let Piece::Tree(tree) = piece else { continue };
            smaller.extend(tree.smaller().into_iter().map(|cut| {
                let mut whole = self.clone();
                whole.pieces[index] = Piece::Tree(cut);
                whole
            }));
        }
        smaller
    }

    fn without_statement(&self) -> Vec<Self> {
        if self.pieces.is_empty() { Vec::new() } else { vec![Self::new(Role::Statement)] }
    }

    fn without_call(&self) -> Vec<Self> {
        if let [Piece::Text(_)] = self.pieces.as_slice() {
            return Vec::new();
        }
        let constants = ["1", "\"a\"", "nil"].map(|text| {
            let mut constant = Self::new(Role::Operand);
            constant.text(text);
            constant
        });
        let parts = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Tree(tree) => Some(tree.clone()),
            Piece::Text(_) => None,
        });
        constants.into_iter().chain(parts).collect()
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Text(text) => f.write_str(text),
            Piece::Tree(tree) => tree.fmt(f),
        })
    }
}
