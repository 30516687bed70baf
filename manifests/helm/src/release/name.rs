//! Names of releases that templates make.

use super::{RenderError, error, on_deep_stack};
use crate::template::{Limits, Machine, World, parse};
use crate::value::{Text, Value};

/// What errors call the template.
const FILE: &str = "name-template";

/// The name that `template` makes: what Helm's `--name-template` gives a release.
pub fn release_name(template: &str, world: &(dyn World + Sync), limits: Limits) -> Result<String, RenderError> {
    on_deep_stack(|| {
        let parsed = parse(FILE, &Text::from(template));
        let parsed = parsed.map_err(|error| RenderError::Parse { file: FILE.to_owned(), error })?;
        let made = Machine::new(&parsed, world, limits).render(FILE, Value::Nil);
        let made = made.map_err(|cause| RenderError::Execute {
            file: FILE.to_owned(),
            problem: error::explained(&cause),
            hint: None,
            lacks_template: cause.lacks_template(),
        });
        Ok(String::from_utf8_lossy(&made?.text).into_owned())
    })
}
