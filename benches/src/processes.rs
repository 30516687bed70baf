//! What whole processes take, from their start to their end.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tokio::time::sleep;

use crate::{
    Outcome,
    report::{Report, median},
    say,
    usage::{has_ended, peak_mib, user_seconds},
};

/// Processes that take longer are measured less often.
const LONG: Duration = Duration::from_secs(5);

/// How often a process that takes long is measured.
const ROUNDS_IF_LONG: usize = 3;

/// How often a running process is looked at while its memory is watched.
const LOOK: Duration = Duration::from_millis(1);

/// What one process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// The median of all rounds.
    pub(crate) milliseconds: f64,
    /// Processor time outside of the kernel.
    pub(crate) user_seconds: f64,
    pub(crate) peak_mib: f64,
}

impl Cost {
    /// Runs `command` several times for the time, and once more for the rest, since looking on takes time too.
    pub(crate) async fn of(name: &str, command: impl Fn() -> Command, rounds: usize) -> Outcome<Self> {
        let silent = || {
            let mut command = command();
            command.stdin(Stdio::null()).stdout(Stdio::null());
            command
        };
        let mut times = Vec::new();
        let mut wanted = rounds;
        while times.len() < wanted {
            let began = Instant::now();
            let status = silent().status()?;
            let took = began.elapsed();
            times.push(took.as_secs_f64() * 1e3);
            if took > LONG {
                wanted = ROUNDS_IF_LONG.min(rounds);
            }
            if !status.success() {
                return Err(format!("`{name}` failed, its message is above").into());
            }
        }
        let (user_seconds, peak_mib) = look_on(silent().spawn()?).await?;
        let cost = Self { milliseconds: median(&times), user_seconds, peak_mib };
        say(&format!("{name}: {cost:?}"));
        Ok(cost)
    }

    /// Reports it beside what `theirs` took.
    pub(crate) fn compare(self, case: &str, (their_name, theirs): (&'static str, Self), report: &mut Report) {
        let mut compare = |what: &str, unit, ours, theirs| {
            report.compare(format!("{case}: {what}"), unit, ours, (their_name, theirs));
        };
        compare("time", "ms", self.milliseconds, theirs.milliseconds);
        compare("user time", "s", self.user_seconds, theirs.user_seconds);
        compare("peak memory", "MiB", self.peak_mib, theirs.peak_mib);
    }

    /// Reports it alone.
    pub(crate) fn state(self, case: &str, report: &mut Report) {
        report.state(format!("{case}: time"), "ms", self.milliseconds);
        report.state(format!("{case}: user time"), "s", self.user_seconds);
        report.state(format!("{case}: peak memory"), "MiB", self.peak_mib);
    }
}

/// Returns user seconds and peak memory of a process.
async fn look_on(mut process: Child) -> Outcome<(f64, f64)> {
    let mut peak = 0.0;
    while !has_ended(process.id())? {
        peak = peak_mib(process.id()).unwrap_or(peak);
        sleep(LOOK).await;
    }
    let user = user_seconds(process.id())?;
    process.wait()?;
    Ok((user, peak))
}
