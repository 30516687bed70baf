//! Charts rendered as a whole.

mod archive;
mod certificates;
mod codecs;
mod corpus;
mod limits;
mod reads;
mod scene;
mod values;
