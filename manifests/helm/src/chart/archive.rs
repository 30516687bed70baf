//! Charts packed as `.tgz`.

use std::io::Read;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::{ChartError, File, MAX_CHART_BYTES, MAX_FILE_BYTES};
use crate::functions::cleaned_path;

/// Most entries of one archive.
const MAX_ENTRIES: usize = 100_000;

/// The files of an archive, without the folder that holds them all.
///
/// # Follows Helm
/// Names may have backslashes in place of slashes. What is no regular file is left out.
pub(super) fn unpack(archive: &[u8]) -> Result<Vec<File>, ChartError> {
    let broken = |error: std::io::Error| ChartError::Archive(error.to_string());
    let mut archive = Archive::new(GzDecoder::new(archive));
    let (mut files, mut left) = (Vec::new(), MAX_CHART_BYTES);
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        if !matches!(entry.header().entry_type(), EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse) {
            continue;
        }
        let written = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path_in_chart(&written)?;
        let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
        if size > left || files.len() >= MAX_ENTRIES {
            let message = format!("decompressed chart is larger than the maximum size {MAX_CHART_BYTES}");
            return Err(ChartError::TooLarge(message));
        }
        if size > MAX_FILE_BYTES {
            let name = crate::fmt::quote(written.as_bytes());
            return Err(ChartError::TooLarge(format!(
                "decompressed chart file {name} is larger than the maximum file size {MAX_FILE_BYTES}"
            )));
        }
        let mut content = Vec::with_capacity(size);
        entry.by_ref().take(MAX_FILE_BYTES as u64).read_to_end(&mut content).map_err(broken)?;
        left = left.saturating_sub(content.len());
        files.push(File::new(path, super::load::without_byte_order_mark(&content).into()));
    }
    if files.is_empty() { Err(ChartError::Archive("no files in chart archive".to_owned())) } else { Ok(files) }
}

fn path_in_chart(written: &str) -> Result<String, ChartError> {
    let refuse = |message: &str| Err(ChartError::Archive(message.to_owned()));
    let slashed = written.replace('\\', "/");
    let Some((first, rest)) = slashed.split_once('/') else {
        if slashed == "Chart.yaml" {
            return refuse("chart yaml not in base directory");
        }
        let name = crate::fmt::quote(written.as_bytes());
        return refuse(&format!("chart illegally contains content outside the base directory: {name}"));
    };
    if rest.starts_with('/') {
        return refuse("chart illegally contains absolute paths");
    }
    let path = cleaned_path(rest);
    if path == "." {
        let name = crate::fmt::quote(written.as_bytes());
        return refuse(&format!("chart illegally contains content outside the base directory: {name}"));
    }
    if path.starts_with("..") {
        return refuse("chart illegally references parent directory");
    }
    if matches!(path.as_bytes(), [letter, b':', b'/', ..] if letter.is_ascii_alphabetic()) {
        return refuse("chart contains illegally named files");
    }
    if first == "Chart.yaml" {
        return refuse("chart yaml not in base directory");
    }
    Ok(path)
}
