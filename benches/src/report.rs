//! What a benchmark found: rows for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::machine;

/// The rows of one benchmark.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    bench: &'static str,
    machine: String,
    rows: Vec<Row>,
}

/// One quantity, for us and for what we are compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Row {
    case: String,
    unit: &'static str,
    ours: f64,
    theirs: Option<f64>,
    their_name: Option<&'static str>,
}

impl Report {
    /// Starts a report without rows.
    pub(crate) fn new(bench: &'static str) -> Self {
        Self { bench, machine: machine::describe(), rows: Vec::new() }
    }

    /// Adds a quantity that we are compared in.
    pub(crate) fn compare(
        &mut self,
        case: impl Into<String>,
        unit: &'static str,
        ours: f64,
        (their_name, theirs): (&'static str, f64),
    ) {
        let (theirs, their_name) = (Some(rounded(theirs)), Some(their_name));
        self.rows.push(Row { case: case.into(), unit, ours: rounded(ours), theirs, their_name });
    }

    /// Adds a quantity of our own.
    pub(crate) fn state(&mut self, case: impl Into<String>, unit: &'static str, ours: f64) {
        self.rows.push(Row { case: case.into(), unit, ours: rounded(ours), theirs: None, their_name: None });
    }

    /// Returns the report as one line of JSON.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("a report has only texts and numbers")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {}\n", self.bench, self.machine)?;
        let width = self.rows.iter().map(|row| row.case.chars().count()).max().unwrap_or(0);
        for row in &self.rows {
            write!(f, "{:<width$}  {:>10} {}", row.case, row.ours, row.unit)?;
            if let (Some(theirs), Some(name)) = (row.theirs, row.their_name) {
                write!(f, ", {name} {theirs} {}", row.unit)?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// Returns the value in the middle; of an even number the upper one.
///
/// # Panics
/// If there is none.
pub(crate) fn median(values: &[f64]) -> f64 {
    percentile(values, 50)
}

/// Returns the value that `percent` of all are below.
///
/// # Panics
/// If there is none.
pub(crate) fn percentile(values: &[f64], percent: usize) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let index = sorted.len() * percent / 100;
    *sorted.get(index).or(sorted.last()).expect("something was measured")
}

/// More digits than three behind the point are noise.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_line_of_json() {
        let mut report = Report { bench: "drift", machine: "2 cores".into(), rows: Vec::new() };
        report.state("edit one", "ms", 12.345_678);
        report.compare("edit two", "ms", 1.0, ("them", 2.0));
        assert_eq!(
            report.json(),
            concat!(
                r#"{"bench":"drift","machine":"2 cores","rows":["#,
                r#"{"case":"edit one","unit":"ms","ours":12.346,"theirs":null,"their_name":null},"#,
                r#"{"case":"edit two","unit":"ms","ours":1.0,"theirs":2.0,"their_name":"them"}]}"#,
            )
        );
    }

    #[test]
    fn a_percentile_is_a_value_that_was_measured() {
        let values: Vec<f64> = (1..=50).rev().map(f64::from).collect();
        let shown = [median(&values), percentile(&values, 99), median(&[3.0])].map(|value| value.to_string());
        assert_eq!(shown, ["26", "50", "3"]);
    }
}
