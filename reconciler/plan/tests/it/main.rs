//! Plans as their readers see them, from worlds that are built in a few lines.

mod budgets;
mod documents;
mod drawing;
mod ignoring;
mod planning;
mod properties;
mod rendering;
mod scene;
mod secrets;
