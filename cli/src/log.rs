//! The controller's log: lines that `flux logs` and what reads Flux's logs understand.
//!
//! # Follows Flux
//! One JSON object a line with `level`, `ts` and `msg`; `error`, `controllerKind`, `name` and `namespace` where they are
//! known. There is no level between `info` and `error`: what deserves a look is an `error`.

use std::fmt;

use clap::ValueEnum;
use fairlead_reconciler::clock::Clock;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{
    Event, Level as TracingLevel, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer, time::FormatTime},
    registry::LookupSpan,
};

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Level {
    Trace,
    Debug,
    Info,
    Error,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Encoding {
    /// For programs.
    Json,
    /// For people.
    Console,
}

/// Starts the log of this process, on stderr.
pub(crate) fn start(level: Level, encoding: Encoding) {
    let level = match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Error => "warn",
    };
    let filter = EnvFilter::new(format!("{level},hyper=info,h2=info,rustls=info,tower=info,kube_client=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match encoding {
        Encoding::Json => log.event_format(Lines(Clock::system())).init(),
        Encoding::Console => log.with_timer(Time(Clock::system())).with_target(false).init(),
    }
}

/// Times as Flux's logs have them.
struct Time(Clock);

impl FormatTime for Time {
    fn format_time(&self, writer: &mut Writer<'_>) -> fmt::Result {
        write!(writer, "{}", timestamp(&self.0))
    }
}

fn timestamp(clock: &Clock) -> String {
    clock.now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A JSON object a line.
struct Lines(Clock);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = Line {
            level: level_name(*event.metadata().level()),
            ts: timestamp(&self.0),
            logger: event.metadata().target(),
            msg: fields.message,
            fields: fields.rest,
        };
        writeln!(writer, "{}", serde_json::to_string(&line).map_err(|_| fmt::Error)?)
    }
}

#[derive(Serialize)]
struct Line<'a> {
    level: &'static str,
    ts: String,
    logger: &'a str,
    msg: String,
    #[serde(flatten)]
    fields: Map<String, Value>,
}

fn level_name(level: TracingLevel) -> &'static str {
    match level {
        TracingLevel::TRACE => "trace",
        TracingLevel::DEBUG => "debug",
        TracingLevel::INFO => "info",
        TracingLevel::WARN | TracingLevel::ERROR => "error",
    }
}

/// What an event says, under Flux's names.
#[derive(Default)]
struct Fields {
    message: String,
    rest: Map<String, Value>,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: Value) {
        match field.name() {
            "message" => self.message = value.as_str().map_or_else(|| value.to_string(), str::to_owned),
            "kind" => drop(self.rest.insert("controllerKind".to_owned(), value)),
            name => drop(self.rest.insert(name.to_owned(), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Written {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    fn logged(say: impl FnOnce()) -> String {
        let written = Written::default();
        let clock = Clock::new(|| "2026-08-07T10:00:01.123456Z".parse().unwrap());
        let log = tracing_subscriber::fmt().event_format(Lines(clock)).with_writer(written.clone()).finish();
        tracing::subscriber::with_default(log, say);
        let bytes = written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_has_the_keys_that_flux_reads() {
        let text = logged(|| {
            tracing::info!(target: "runs", kind = "Kustomization", namespace = "shop", name = "web", count = 2, "done");
            tracing::warn!(target: "runs", kind = "Kustomization", error = %"no \"luck\"", "failed");
        });
        insta::assert_snapshot!(text, @r#"
        {"level":"info","ts":"2026-08-07T10:00:01.123Z","logger":"runs","msg":"done","controllerKind":"Kustomization","count":2,"name":"web","namespace":"shop"}
        {"level":"error","ts":"2026-08-07T10:00:01.123Z","logger":"runs","msg":"failed","controllerKind":"Kustomization","error":"no \"luck\""}
        "#);
    }
}
