//! A chart as Helm records it with a release.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value as Json, json};

use super::package::metadata;
use super::{Chart, File};
use crate::schema::Schema;

/// When a file was changed that does not say it, as Go writes it.
const NEVER: &str = "0001-01-01T00:00:00Z";

impl Chart {
    /// The chart as Helm records it with a release.
    ///
    /// # Follows Helm
    /// The charts inside of it are not recorded.
    pub fn record(&self) -> Json {
        let files = |files: &[File]| files.iter().map(file).collect::<Vec<_>>();
        json!({
            "metadata": metadata(&self.metadata),
            "lock": null,
            "templates": files(&self.templates),
            "values": self.values,
            "schema": self.schema.as_ref().map(|schema| STANDARD.encode(Schema::text(schema))),
            "schemamodtime": NEVER,
            "files": files(&self.files),
        })
    }
}

fn file(File { path, content, .. }: &File) -> Json {
    json!({ "name": path, "data": STANDARD.encode(content) })
}
