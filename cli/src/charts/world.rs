//! What charts may know of the world: the time and random numbers of this machine, and what a cluster has told.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fairlead_helm::World;
use fairlead_reconciler::clock::Clock;
use jiff::{Span, Zoned, tz::TimeZone};
use rustls::crypto::CryptoProvider;
use serde_json::Value;

/// What a template looks up: an object, or all of a kind if the name is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Question {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

/// This machine, and what is known of a cluster.
///
/// Rendering waits for nobody: what is not known yet is noted, and whoever asks the cluster renders once more.
#[derive(Default)]
pub(crate) struct Machine {
    answers: BTreeMap<Question, Option<Value>>,
    open: Mutex<BTreeSet<Question>>,
    has_drawn: AtomicBool,
    /// How far its clock goes ahead.
    ahead: Span,
}

impl Machine {
    /// What was looked up and has no answer yet.
    pub(super) fn take_open(&mut self) -> BTreeSet<Question> {
        std::mem::take(self.open.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps what the cluster says.
    pub(super) fn answer(&mut self, question: Question, answer: Option<Value>) {
        self.answers.insert(question, answer);
    }

    /// Whether a template was told the time or a random number.
    pub(super) fn has_drawn(&self) -> bool {
        self.has_drawn.load(Ordering::Relaxed)
    }

    /// This machine at a time of which every part is another, from the year to the second.
    pub(super) fn another_time(&self) -> Self {
        let ahead = Span::new().years(1).months(1).days(1).hours(1).minutes(1).seconds(1);
        Self { answers: self.answers.clone(), ahead, ..Self::default() }
    }
}

impl World for Machine {
    fn now(&self) -> Zoned {
        self.has_drawn.store(true, Ordering::Relaxed);
        let now = Clock::system().now().to_zoned(TimeZone::system());
        now.checked_add(self.ahead).unwrap_or(now)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.has_drawn.store(true, Ordering::Relaxed);
        let provider = CryptoProvider::get_default().expect("the process installs one when it starts");
        provider.secure_random.fill(bytes).expect("the operating system has random numbers");
    }

    fn lookup(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let [api_version, kind, namespace, name] = [api_version, kind, namespace, name].map(str::to_owned);
        let question = Question { api_version, kind, namespace, name };
        if let Some(answer) = self.answers.get(&question) {
            return answer.clone();
        }
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(question);
        None
    }
}
