//! Values against the schemas of charts.

use super::advice;
use super::prepared::Prepared;
use super::{Instance, RenderError};
use crate::schema::{Problem, SchemaError};
use crate::value::Value;

/// Checks the values of a chart and of those inside of it against their schemas; all that is wrong is reported at once.
pub(super) fn check_schemas(prepared: &Prepared<'_>) -> Result<(), RenderError> {
    let mut unmet = Unmet::default();
    unmet.collect(&prepared.chart, &prepared.values.clone().into(), &[]);
    if unmet.problems.is_empty() {
        return Ok(());
    }
    let hint = advice::on_values(&unmet.paths, prepared);
    Err(RenderError::Schema { problems: unmet.problems, hint })
}

/// What does not meet the schemas of charts.
#[derive(Default)]
struct Unmet {
    /// Each problem, in Helm's words.
    problems: String,
    /// The values that they are about, by their paths from the outermost chart.
    paths: Vec<Vec<String>>,
}

impl Unmet {
    fn collect(&mut self, chart: &Instance<'_>, values: &Value, scope: &[String]) {
        if let Some(schema) = &chart.chart.schema {
            match schema.check(values) {
                Ok(()) => {}
                Err(SchemaError::Bad(problem)) => self.problems.push_str(&format!("{}:\n{problem}", chart.name)),
                Err(SchemaError::Unmet(problems)) => {
                    self.problems.push_str(&format!("{}:\n", chart.name));
                    for problem in &problems {
                        self.add(problem, scope);
                    }
                }
            }
        }
        let Value::Map(values) = values else { return };
        for inside in &chart.inside {
            if let Some(below) = values.get(inside.name.as_bytes()).filter(|below| !below.is_nil()) {
                let scope: Vec<String> = scope.iter().chain([&inside.name]).cloned().collect();
                self.collect(inside, &below, &scope);
            }
        }
    }

    fn add(&mut self, problem: &Problem, scope: &[String]) {
        problem.write(&mut self.problems, 0);
        for pointer in problem.pointers() {
            let keys = pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"));
            self.paths.push(scope.iter().cloned().chain(keys).collect());
        }
    }
}
