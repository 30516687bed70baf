//! What a process takes of the machine, as the kernel counts it.

use std::{fs, io, path::Path, process};

/// The kernel's unit for the time of processes, on every Linux: a hundredth of a second.
const TICKS_PER_SECOND: f64 = 100.0;

const KIB_PER_MIB: f64 = 1024.0;

/// Processes that this one started, directly or by another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Processes(Vec<u32>);

/// One process as `/proc/<id>/stat` shows it.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    state: char,
    parent: u32,
    user_ticks: u64,
    system_ticks: u64,
}

impl Processes {
    /// Finds those that run one of `programs`.
    pub(crate) fn running(programs: &[&str]) -> io::Result<Self> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc")? {
            let id = entry?.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(id) = id.filter(|id| runs_one_of(*id, programs) && is_ours(*id)) {
                found.push(id);
            }
        }
        Ok(Self(found))
    }

    /// Returns the processor seconds that they have used so far.
    pub(crate) fn cpu_seconds(&self) -> io::Result<f64> {
        self.0.iter().map(|id| cpu_seconds(*id)).sum()
    }

    /// Counts the most memory that each has had from now on.
    pub(crate) fn forget_peaks(&self) -> io::Result<()> {
        self.0.iter().try_for_each(|id| fs::write(format!("/proc/{id}/clear_refs"), "5"))
    }

    /// Returns the sum of the most memory that each has had at once.
    pub(crate) fn peak_mib(&self) -> io::Result<f64> {
        self.0.iter().map(|id| peak_mib(*id)).sum()
    }
}

/// Returns the processor seconds that a process has used, which stays known until its parent has waited for it.
pub(crate) fn cpu_seconds(id: u32) -> io::Result<f64> {
    let stat = stat(id)?;
    Ok(seconds(stat.user_ticks + stat.system_ticks))
}

/// Returns the processor seconds of a process outside of the kernel.
pub(crate) fn user_seconds(id: u32) -> io::Result<f64> {
    Ok(seconds(stat(id)?.user_ticks))
}

/// Returns the most memory that a running process has had at once.
pub(crate) fn peak_mib(id: u32) -> io::Result<f64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok());
    let kib: f64 = peak.ok_or_else(|| io::Error::other("a process that has ended has no memory"))?;
    Ok(kib / KIB_PER_MIB)
}

/// Returns whether a process has ended and waits to be waited for.
pub(crate) fn has_ended(id: u32) -> io::Result<bool> {
    Ok(stat(id)?.state == 'Z')
}

fn runs_one_of(id: u32, programs: &[&str]) -> bool {
    let program = fs::read_link(format!("/proc/{id}/exe")).unwrap_or_default();
    let name = program.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| programs.contains(&name))
}

fn is_ours(id: u32) -> bool {
    let parents = std::iter::successors(Some(id), |id| stat(*id).ok().map(|stat| stat.parent));
    parents.into_iter().any(|id| id == process::id())
}

fn stat(id: u32) -> io::Result<Stat> {
    let text = fs::read_to_string(Path::new("/proc").join(id.to_string()).join("stat"))?;
    parse(&text).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Reads a line of which the second field, the program's name, may hold anything.
fn parse(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: u32::try_from(number(1)?).ok()?,
        user_ticks: number(11)?,
        system_ticks: number(12)?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a process does not run for a million years")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_read_whatever_its_name_is() {
        let text = "17 (a) b (c) S 5 17 17 0 -1 4194560 2613 0 1 0 250 40 0 0 20 0 9 0 1234 99 7";
        assert_eq!(parse(text), Some(Stat { state: 'S', parent: 5, user_ticks: 250, system_ticks: 40 }));
        assert_eq!(parse("17 (a"), None);
    }

    #[test]
    fn this_process_is_found_by_the_name_of_its_program() {
        let program = std::env::current_exe().unwrap();
        let name = program.file_name().unwrap().to_str().unwrap().to_owned();
        let found = Processes::running(&[&name]).unwrap();
        assert_eq!(found, Processes(vec![process::id()]));
        assert!(found.peak_mib().unwrap() > 0.0);
        assert!(!has_ended(process::id()).unwrap());
    }
}
