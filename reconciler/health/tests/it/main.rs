//! Verdicts on whole objects.

mod kinds;
