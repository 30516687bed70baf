//! Charts rendered as a whole.

mod archive;
mod cases;
mod certificates;
mod codecs;
mod corpus;
mod golden;
mod limits;
mod reads;
mod scene;
mod values;
