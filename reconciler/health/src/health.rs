//! The verdict.

use std::fmt;

/// What an object's own status says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It is what it was asked to be.
    Current,
    /// It is on its way, and what it waits for.
    InProgress(String),
    /// It will not get there by itself, and why.
    Failed(String),
    /// It is being deleted.
    Terminating,
    /// Its status cannot be read, and why.
    Unknown(String),
}

impl Health {
    /// The verdict in kstatus' word, as health check messages quote it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress(_) => "InProgress",
            Self::Failed(_) => "Failed",
            Self::Terminating => "Terminating",
            Self::Unknown(_) => "Unknown",
        }
    }

    /// What it waits for or what is wrong with it; nothing if the name says it all.
    pub fn message(&self) -> Option<&str> {
        match self {
            Self::InProgress(message) | Self::Failed(message) | Self::Unknown(message) => Some(message),
            Self::Current | Self::Terminating => None,
        }
    }

    /// Whether the object is what it was asked to be.
    pub fn is_current(&self) -> bool {
        *self == Self::Current
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.message().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}
