//! References from one object to another, as several kinds write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An object of a known kind in the namespace of the object that refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LocalReference {
    /// Name of the object that is referred to.
    pub name: String,
}

impl From<&str> for LocalReference {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned() }
    }
}

/// One key of a Secret in the namespace of the object that refers to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyReference {
    /// Name of the Secret.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in the Secret's data.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// An object of a known kind in any namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NamespacedName {
    /// Name of the object that is referred to.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}
