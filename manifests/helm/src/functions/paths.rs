//! Paths with `/` between their parts. Those of the operating system are the same on Linux.

use super::{Call, Function, Returned, Type};

const TEXT: &[Type] = &[Type::Text];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("base", TEXT, base, "The last part of a path (Sprig)."),
    Function::new("dir", TEXT, dir, "A path without its last part (Sprig)."),
    Function::new("clean", TEXT, clean, "The shortest path to the same place (Sprig)."),
    Function::new("ext", TEXT, ext, "The end of a path from its last dot on (Sprig)."),
    Function::new("isAbs", TEXT, is_absolute, "Whether a path starts at the root (Sprig)."),
    Function::new("osBase", TEXT, base, "The last part of a path (Sprig)."),
    Function::new("osDir", TEXT, dir, "A path without its last part (Sprig)."),
    Function::new("osClean", TEXT, clean, "The shortest path to the same place (Sprig)."),
    Function::new("osExt", TEXT, ext, "The end of a path from its last dot on (Sprig)."),
    Function::new("osIsAbs", TEXT, is_absolute, "Whether a path starts at the root (Sprig)."),
];

/// Go's `path.Base`.
pub(crate) fn base_of(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let trimmed = path.trim_end_matches('/');
    if trimmed.is_empty() { "/" } else { trimmed.rsplit('/').next().unwrap_or_default() }
}

/// Go's `path.Clean`.
pub(crate) fn cleaned(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    match (is_absolute, parts.join("/")) {
        (true, path) => format!("/{path}"),
        (false, path) if path.is_empty() => ".".to_owned(),
        (false, path) => path,
    }
}

fn base(call: &mut Call<'_, '_>) -> Returned {
    Ok(base_of(&call.text(0).to_str()).into())
}

fn dir(call: &mut Call<'_, '_>) -> Returned {
    let path = call.text(0).to_str();
    let end = path.rfind('/').map_or(0, |at| at + 1);
    Ok(cleaned(&path[..end]).into())
}

fn clean(call: &mut Call<'_, '_>) -> Returned {
    Ok(cleaned(&call.text(0).to_str()).into())
}

fn ext(call: &mut Call<'_, '_>) -> Returned {
    let path = call.text(0).to_str();
    let name = path.rsplit('/').next().unwrap_or_default();
    Ok(name.rfind('.').map_or("", |at| &name[at..]).into())
}

fn is_absolute(call: &mut Call<'_, '_>) -> Returned {
    Ok(call.text(0).starts_with(b"/").into())
}
