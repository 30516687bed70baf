//! Charts for a cluster: what they may know of it, and rendering them until they know all that they ask.
//!
//! Rendering waits for nobody. What a template looks up and nobody has told yet is noted, the cluster is asked in the
//! name of whoever renders, and the chart is rendered once more.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fairlead_helm::World;
use fairlead_object::Gvk;
use jiff::{Span, Zoned, tz::TimeZone};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use crate::{
    clock::Clock,
    cluster::{ApiError, Cluster},
};

/// How often a chart may look up something new because of what it was told before.
const MAX_ROUNDS: usize = 10;

/// What a template looks up: an object, or all of a kind if the name is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    api_version: String,
    kind: String,
    namespace: String,
    name: String,
}

/// This machine, and what is known of a cluster.
pub struct ChartWorld {
    clock: Clock,
    answers: BTreeMap<Question, Option<Value>>,
    open: Mutex<BTreeSet<Question>>,
    has_drawn: AtomicBool,
    /// How far its clock goes ahead.
    ahead: Span,
}

/// Why a chart could not be told what it asks.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The cluster did not answer.
    #[error("the chart cannot look up what it wants to know")]
    Cluster(#[from] ApiError),
    /// It asks for something else in each round.
    #[error("the chart looks up something else each time that it is rendered, {MAX_ROUNDS} times so far")]
    Endless,
}

impl ChartWorld {
    /// A world whose time is that of `clock`, and in which no cluster is known.
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            answers: BTreeMap::new(),
            open: Mutex::default(),
            has_drawn: AtomicBool::new(false),
            ahead: Span::new(),
        }
    }

    /// The same world at a time of which every part is another, from the year to the second.
    #[must_use]
    pub fn another_time(&self) -> Self {
        let ahead = Span::new().years(1).months(1).days(1).hours(1).minutes(1).seconds(1);
        Self { answers: self.answers.clone(), ahead, ..Self::new(self.clock.clone()) }
    }

    /// Whether a template was told the time or a random number.
    pub fn has_drawn(&self) -> bool {
        self.has_drawn.load(Ordering::Relaxed)
    }

    /// Asks `cluster` what was looked up and has no answer yet. Returns whether there was anything.
    async fn ask(&mut self, cluster: &Cluster) -> Result<bool, ApiError> {
        let open = std::mem::take(self.open.get_mut().unwrap_or_else(PoisonError::into_inner));
        let has_asked = !open.is_empty();
        for question in open {
            let answer = answer(cluster, &question).await?;
            self.answers.insert(question, answer);
        }
        Ok(has_asked)
    }
}

/// Renders by `render` until it looks up nothing that is new; returns what came of it, and the world in the end.
///
/// # Errors
/// If `cluster` does not answer, or if there is no end of it.
pub async fn render_for<T, Rendering>(
    cluster: &Cluster,
    mut world: ChartWorld,
    mut render: impl FnMut(ChartWorld) -> Rendering,
) -> Result<(T, ChartWorld), LookupError>
where
    Rendering: Future<Output = (T, ChartWorld)>,
{
    for _ in 0..MAX_ROUNDS {
        let (rendered, mut known) = render(world).await;
        if !known.ask(cluster).await? {
            return Ok((rendered, known));
        }
        world = known;
    }
    Err(LookupError::Endless)
}

/// What `cluster` serves, as charts ask for it.
pub async fn served_versions(cluster: &Cluster) -> Result<Vec<String>, ApiError> {
    let served = cluster.served().await?;
    let mut versions: Vec<String> = served.iter().map(|resource| resource.api_version()).collect();
    versions.extend(served.iter().map(|resource| format!("{}/{}", resource.api_version(), resource.kind)));
    versions.dedup();
    Ok(versions)
}

/// What `cluster` says to `question`; nothing for a kind that it does not serve.
async fn answer(cluster: &Cluster, question: &Question) -> Result<Option<Value>, ApiError> {
    let Question { api_version, kind, namespace, name } = question;
    let Some(resource) = cluster.resolve(&Gvk::from_api_version(api_version, kind)).await? else { return Ok(None) };
    if !name.is_empty() {
        return cluster.get(&resource, namespace, name).await;
    }
    let items = cluster.list(&resource, namespace, "").await?;
    Ok(Some(json!({ "apiVersion": api_version, "kind": format!("{kind}List"), "items": items })))
}

impl World for ChartWorld {
    fn now(&self) -> Zoned {
        self.has_drawn.store(true, Ordering::Relaxed);
        let now = self.clock.now().to_zoned(TimeZone::system());
        now.checked_add(self.ahead).unwrap_or(now)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        self.has_drawn.store(true, Ordering::Relaxed);
        SystemRandom::new().fill(bytes).expect("the operating system has random numbers");
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
