//! What people read on stderr: progress with Flux's symbols, errors with their causes.

use std::{
    error::Error,
    fmt,
    io::{self, BufRead, BufWriter, Write},
    iter,
    process::ExitCode,
};

use serde_json::Value;

/// An error of a command, of whatever kind.
pub(crate) type CommandError = Box<dyn Error + Send + Sync>;

/// An error with what the reader can try.
#[derive(Debug)]
pub(crate) struct Hinted {
    error: CommandError,
    hint: String,
}

impl Hinted {
    pub(crate) fn new(error: impl Into<CommandError>, hint: impl Into<String>) -> Self {
        Self { error: error.into(), hint: hint.into() }
    }

    pub(crate) fn hint(&self) -> &str {
        &self.hint
    }
}

/// Turns an error into one of a command, with the `hint` that it has.
pub(crate) fn with_hint<E: Into<CommandError>>(
    hint: impl FnOnce(&E) -> Option<String>,
) -> impl FnOnce(E) -> CommandError {
    |error| match hint(&error) {
        Some(hint) => Hinted::new(error, hint).into(),
        None => error.into(),
    }
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Hinted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

/// Says that something begins.
pub(crate) fn action(text: impl AsRef<str>) {
    line("►", text.as_ref());
}

/// Says that something was made.
pub(crate) fn generated(text: impl AsRef<str>) {
    line("✚", text.as_ref());
}

/// Says that something is awaited.
pub(crate) fn waiting(text: impl AsRef<str>) {
    line("◎", text.as_ref());
}

/// Says that something succeeded.
pub(crate) fn success(text: impl AsRef<str>) {
    line("✔", text.as_ref());
}

/// Says what deserves a look.
pub(crate) fn warning(text: impl AsRef<str>) {
    line("⚠️", text.as_ref());
}

/// Repeats what a library says to people, in its own words.
pub(crate) fn quote(text: impl AsRef<str>) {
    drop(writeln!(io::stderr(), "{}", text.as_ref()));
}

/// Says what failed, where the command goes on.
pub(crate) fn failure(text: impl AsRef<str>) {
    line("✗", text.as_ref());
}

fn line(symbol: &str, text: &str) {
    // Progress that nobody can read is no reason to stop.
    drop(writeln!(io::stderr(), "{symbol} {text}"));
}

/// Asks whether to go on, and returns whether that is answered with yes.
pub(crate) fn is_confirmed(question: &str) -> io::Result<bool> {
    write!(io::stderr(), "{question}? [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if !answer.ends_with('\n') {
        writeln!(io::stderr())?;
    }
    Ok(answer.trim().eq_ignore_ascii_case("y"))
}

/// Prints an error with its causes and its hint, and ends with `code`.
pub(crate) fn fail(error: &(dyn Error + 'static), code: ExitCode) -> ExitCode {
    show(error);
    code
}

/// Prints an error with its causes and its hint.
pub(crate) fn show(error: &(dyn Error + 'static)) {
    drop(io::stderr().write_all(explained(error).as_bytes()));
}

fn explained(error: &(dyn Error + 'static)) -> String {
    let mut lines = vec![format!("error: {error}")];
    for cause in iter::successors(error.source(), |&cause| cause.source()) {
        let cause = cause.to_string();
        // Some libraries repeat their cause in their own words.
        if !lines.iter().any(|line| line.contains(&cause)) {
            lines.push(format!("  caused by: {cause}"));
        }
    }
    if let Some(Hinted { hint, .. }) = error.downcast_ref() {
        lines.push(format!("hint: {hint}"));
    }
    lines.join("\n") + "\n"
}

/// Writes a command's result to stdout.
pub(crate) fn print(text: &str) -> Result<(), CommandError> {
    let mut stdout = io::stdout().lock();
    until_reader_goes(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Writes objects to stdout as one YAML file.
pub(crate) fn print_objects(objects: &[Value]) -> Result<(), CommandError> {
    let documents: Vec<String> =
        objects.iter().map(|object| format!("---\n{}", fairlead_yaml::emit_json(object))).collect();
    print(&documents.concat())
}

/// Writes a command's result to stdout, part by part.
pub(crate) fn print_parts(parts: impl Iterator<Item = impl AsRef<str>>) -> Result<(), CommandError> {
    let mut stdout = BufWriter::with_capacity(OUTPUT_BUFFER_BYTES, io::stdout().lock());
    let written = parts.map(|part| stdout.write_all(part.as_ref().as_bytes())).find(Result::is_err);
    until_reader_goes(written.unwrap_or_else(|| stdout.flush()))
}

/// How much of a result is collected before it is written.
const OUTPUT_BUFFER_BYTES: usize = 1 << 16;

/// A reader that has gone, as `head`, is no error.
fn until_reader_goes(written: io::Result<()>) -> Result<(), CommandError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Lays rows out in columns as Flux does: upper-case header, cells padded and a tab behind each but the last.
pub(crate) fn table(header: &[&str], rows: &[Vec<String>], has_header: bool) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain(has_header.then(|| header[column].chars().count())).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let header = header.iter().map(|name| name.to_uppercase()).collect();
    let lines = has_header.then_some(&header).into_iter().chain(rows);
    lines.map(|row: &Vec<String>| laid_out(row, &widths)).collect()
}

fn laid_out(row: &[String], widths: &[usize]) -> String {
    let padded = |(cell, width): (&String, &usize)| format!("{cell:width$}\t");
    let (last, before) = row.split_last().map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let before: String = before.iter().zip(widths).map(padded).collect();
    format!("{before}{last}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_followed_by_its_causes_and_its_hint() {
        let cause = io::Error::other("no such door");
        let error = crate::local::LocalError::Read { path: "house".into(), source: cause };
        let explained = explained(&Hinted::new(error, "try the window"));
        assert_eq!(explained, "error: cannot read `house`\n  caused by: no such door\nhint: try the window\n");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_printed_cell() {
        let rows = vec![vec!["a".to_owned(), "True".to_owned()], vec!["podinfo".to_owned(), "False".to_owned()]];
        assert_eq!(table(&["name", "ready"], &rows, true), "NAME   \tREADY\na      \tTrue\npodinfo\tFalse\n");
        assert_eq!(table(&["name", "ready"], &rows[..1], false), "a\tTrue\n");
    }
}
