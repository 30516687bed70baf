//! What the benchmark runs on, since a time means nothing without it.

use std::{fs, thread};

const KIB_PER_GIB: u64 = 1 << 20;

/// Returns the machine in a few words: `2 cores, 24 GiB, Linux 6.12.8 x86_64`.
pub(crate) fn describe() -> String {
    let cores = thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let gib = total_kib(&memory).div_ceil(KIB_PER_GIB);
    format!("{cores} cores, {gib} GiB, Linux {} {}", kernel.trim(), std::env::consts::ARCH)
}

fn total_kib(memory: &str) -> u64 {
    let total = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    total.and_then(|total| total.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_memory_is_read_in_kibibytes() {
        assert_eq!(total_kib("MemTotal:       24586076 kB\nMemFree:         1000 kB\n"), 24_586_076);
    }
}
