//! Everything in one process: listeners, watches, queues, in the order in which they need one another.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fairlead_api::{
    fairlead::FluxConfiguration,
    helm::HelmRelease,
    kustomize::Kustomization,
    notification::Receiver,
    source::{Bucket, ExternalArtifact, GitRepository, HelmChart, HelmRepository, OciRepository},
};
use fairlead_plan::DigestKey;
use fairlead_sources::{
    store::{SourceKind, Store, StoreError, StoreSettings},
    transport::Egress,
};
use kube::Client;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};
use tracing::{info, warn};

use crate::{
    backoff::Backoff,
    clock::Clock,
    cluster::Cluster,
    controllers::{
        self, ObjectKey, Reconciled, World, flux_configuration, helm_release, kustomization,
        receiver::{self, Receivers},
        source::{Source, Sources, forget_external_artifact, has_other_artifact},
    },
    events::Recorder,
    leader::Election,
    metrics::Metrics,
    probes::{self, ListenError, Readiness},
    queue::Queue,
    settings::Settings,
    watch::{Change, Served, Tracker},
    webhook::{self, Hooks},
};

/// How often what nothing refers to any more is removed from the store.
const COLLECT_EVERY: Duration = Duration::from_mins(1);

/// Where a controller process listens, stores and reports.
#[derive(Clone, Debug)]
pub struct Place {
    /// `--storage-path`: folder of the artifact store.
    pub storage_path: PathBuf,
    /// How long old artifacts are kept.
    pub store: StoreSettings,
    /// `--allow-egress`, `--deny-egress`: which addresses sources may reach.
    pub egress: Egress,
    /// `--storage-addr`: where artifacts are served.
    pub storage_address: String,
    /// `--receiver-addr`: where webhooks are taken.
    pub receiver_address: String,
    /// `--metrics-addr`.
    pub metrics_address: String,
    /// `--health-addr`.
    pub health_address: String,
    /// `--events-addr`: where events are posted besides; `None` for nowhere.
    pub events_address: Option<String>,
    /// `--enable-leader-election`; `None` where this process is alone.
    pub election: Option<Election>,
}

/// Why a controller process cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ControllerError {
    /// An address is taken, or not this machine's.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The store cannot be opened.
    #[error("cannot open the artifact store")]
    Store(#[from] StoreError),
    /// The operating system gave no random bytes.
    #[error("cannot read random bytes")]
    Random(#[source] std::io::Error),
    /// Another process may lead now; this one must not write any more.
    #[error("the leader lease was lost: another process took it, or it could not be renewed in time")]
    LostLease,
}

/// The addresses that a running controller listens on.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// Artifacts.
    pub artifacts: Option<SocketAddr>,
    /// Webhooks.
    pub webhooks: Option<SocketAddr>,
    /// Metrics.
    pub metrics: Option<SocketAddr>,
    /// Probes.
    pub health: Option<SocketAddr>,
}

/// Runs all controllers until `stop`, then finishes what is under way. `on_start` is told the addresses.
pub async fn run(
    client: Client,
    settings: Settings,
    place: Place,
    clock: Clock,
    stop: CancellationToken,
    on_start: impl FnOnce(Addresses),
) -> Result<(), ControllerError> {
    place.egress.clone().hold();
    let listeners = Listeners::bind(&place).await?;
    on_start(listeners.addresses());
    let store = Store::open(&place.storage_path, place.store)?;
    let metrics = Metrics::default();
    let cluster = Cluster::new(client, metrics.clone());
    let receivers = Receivers::new();
    let only_own_namespace = settings.no_cross_namespace_refs;
    let hooks = Hooks::new(receivers.clone(), cluster.clone(), clock.clone(), only_own_namespace);
    let readiness = Readiness::default();
    let process = Process { cluster, settings, place, clock, store, metrics, readiness, receivers, hooks };
    let mut tasks = JoinSet::new();
    // Probes, artifacts and webhooks are served until the very end, so that a graceful stop is no outage.
    let listening = CancellationToken::new();
    listeners.serve(&process, &mut tasks, &listening);
    tasks.spawn(process.watch_receivers(listening.clone()));
    let outcome = match process.place.election.clone() {
        None => process.work(stop).await,
        Some(election) => process.lead(&election, stop).await,
    };
    listening.cancel();
    while tasks.join_next().await.is_some() {}
    outcome
}

/// What a process listens on. All of it is bound before anything is done, so that an address that is taken ends it at once.
struct Listeners {
    artifacts: TcpListener,
    webhooks: TcpListener,
    metrics: TcpListener,
    health: TcpListener,
}

impl Listeners {
    async fn bind(place: &Place) -> Result<Self, ListenError> {
        Ok(Self {
            artifacts: probes::listen(&place.storage_address, "--storage-addr").await?,
            webhooks: probes::listen(&place.receiver_address, "--receiver-addr").await?,
            metrics: probes::listen(&place.metrics_address, "--metrics-addr").await?,
            health: probes::listen(&place.health_address, "--health-addr").await?,
        })
    }

    fn addresses(&self) -> Addresses {
        Addresses {
            artifacts: probes::address(&self.artifacts),
            webhooks: probes::address(&self.webhooks),
            metrics: probes::address(&self.metrics),
            health: probes::address(&self.health),
        }
    }

    fn serve(self, process: &Process, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
        let served = [
            (self.metrics, probes::metrics_router(process.metrics.clone())),
            (self.health, probes::health_router(process.readiness.clone())),
            (self.artifacts, fairlead_sources::serve::router(process.store.clone())),
            (self.webhooks, webhook::router(Arc::clone(&process.hooks))),
        ];
        for (listener, router) in served {
            tasks.spawn(probes::serve(listener, router, stop.clone()));
        }
    }
}

/// What a process works with.
struct Process {
    cluster: Cluster,
    settings: Settings,
    place: Place,
    clock: Clock,
    store: Store,
    metrics: Metrics,
    readiness: Readiness,
    receivers: Receivers,
    hooks: Arc<Hooks>,
}

impl Process {
    /// Watches Receivers, whether it leads or stands by: webhooks reach every replica.
    fn watch_receivers(&self, stop: CancellationToken) -> impl Future<Output = ()> + Send + 'static {
        let Settings { namespace, label_selector, .. } = self.settings.clone();
        let (queue, is_filled) = (Arc::clone(&self.receivers.queue), self.hooks.is_filled.clone());
        let on_change = move |change: &Change<Receiver>| {
            if change.asks_for_a_run() {
                queue.wake(change.key.clone());
            }
        };
        let client = self.cluster.client().clone();
        let served = self.receivers.served.clone();
        served.watch(client, namespace, label_selector, stop, on_change, move || is_filled.set())
    }

    /// Works while it leads.
    async fn lead(self, election: &Election, stop: CancellationToken) -> Result<(), ControllerError> {
        // A candidate that waits is ready: nothing else may wait for it to lead.
        self.readiness.set();
        let (cluster, clock) = (self.cluster.clone(), self.clock.clone());
        let Some(asked_at) = election.win(&cluster, &clock, &stop).await else { return Ok(()) };
        tokio::select! {
            // What is under way is dropped where it is: whoever leads now may be at the same objects.
            () = election.keep(&cluster, &clock, asked_at) => Err(ControllerError::LostLease),
            worked = self.work(stop) => {
                election.release(&cluster, &clock).await;
                worked
            }
        }
    }

    /// Works until `stop`.
    async fn work(self, stop: CancellationToken) -> Result<(), ControllerError> {
        let recording = CancellationToken::new();
        let (recorder, sending) = Recorder::start(
            self.cluster.clone(),
            self.metrics.clone(),
            self.clock.clone(),
            self.place.events_address.clone(),
            recording.clone(),
        );
        let sending = AbortOnDropHandle::new(tokio::spawn(sending));
        let filled = Filled::of(Sources::KINDS.len() + 4, self.readiness.clone());
        let hooks = Arc::clone(&self.hooks);
        let world = self.world(recorder, &stop)?;
        hooks.lead(&world);
        let mut tasks = JoinSet::new();
        start_watches(&world, &mut tasks, &filled, &stop);
        tasks.spawn(collect(Arc::clone(&world), stop.clone()));
        tasks.spawn(kustomization::definitions::follow(Arc::clone(&world), stop.clone()));
        info!("started");
        // A run that does not know every configuration would take a tenant's Kustomization for the cluster's own.
        tokio::select! {
            () = filled.all.cancelled() => start_queues(&world, &mut tasks, &stop),
            () = stop.cancelled() => {}
        }
        stop.cancelled().await;
        info!("finishing what is under way");
        while tasks.join_next().await.is_some() {}
        recording.cancel();
        if let Err(error) = sending.await {
            warn!(%error, "events were lost");
        }
        Ok(())
    }

    fn world(self, recorder: Recorder, stop: &CancellationToken) -> Result<Arc<World>, ControllerError> {
        let Self { cluster, settings, clock, store, metrics, receivers, .. } = self;
        let (first, limit) = (settings.min_retry_delay, settings.max_retry_delay);
        let kustomization_queue: Arc<Queue<ObjectKey>> = Queue::new();
        let woken = Arc::clone(&kustomization_queue);
        let (client, marks) = (cluster.client().clone(), kustomization::MARKS);
        let tracker =
            Tracker::new(client.clone(), clock.clone(), stop.clone(), marks, move |owner| woken.wake(owner.clone()));
        let release_queue: Arc<Queue<ObjectKey>> = Queue::new();
        let woken = Arc::clone(&release_queue);
        let marks = helm_release::MARKS;
        let release_tracker =
            Tracker::new(client.clone(), clock.clone(), stop.clone(), marks, move |owner| woken.wake(owner.clone()));
        let configuration_queue: Arc<Queue<ObjectKey>> = Queue::new();
        let configuration_memories = flux_configuration::Memories::default();
        let (woken, memories) = (Arc::clone(&configuration_queue), configuration_memories.clone());
        let marks = flux_configuration::MARKS;
        let configuration_tracker = Tracker::new(client, clock.clone(), stop.clone(), marks, move |owner| {
            memories.forget(owner);
            woken.wake(owner.clone());
        });
        let woken = Arc::clone(&receivers.queue);
        let marks = receiver::MARKS;
        let client = cluster.client().clone();
        let receiver_tracker =
            Tracker::new(client, clock.clone(), stop.clone(), marks, move |owner| woken.wake(owner.clone()));
        Ok(Arc::new(World {
            cluster,
            store,
            recorder,
            metrics,
            clock,
            settings,
            kustomizations: Served::default(),
            configurations: Served::default(),
            releases: Served::default(),
            release_queue,
            release_tracker,
            kustomization_queue,
            configuration_queue,
            tracker,
            configuration_tracker,
            digest_key: DigestKey::new(&random_bytes().map_err(ControllerError::Random)?),
            memories: kustomization::Memories::default(),
            awaited_kinds: kustomization::AwaitedKinds::default(),
            charts: Arc::default(),
            release_memories: helm_release::Memories::default(),
            release_backoff: Backoff::new(first, limit),
            configuration_memories,
            sources: Sources::new(first, limit),
            receivers,
            receiver_tracker,
            receiver_backoff: Backoff::new(first, limit),
            kustomization_backoff: Backoff::new(first, limit),
            configuration_backoff: Backoff::new(first, limit),
        }))
    }
}

/// Bytes of the operating system's generator.
fn random_bytes() -> std::io::Result<[u8; 32]> {
    use std::io::Read;
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn start_watches(world: &Arc<World>, tasks: &mut JoinSet<()>, filled: &Arc<Filled>, stop: &CancellationToken) {
    let watch = |world: &Arc<World>| (Arc::clone(world), Arc::clone(filled), stop.clone());

    watch_sources::<Bucket>(world, tasks, filled, stop);
    watch_sources::<GitRepository>(world, tasks, filled, stop);
    watch_sources::<HelmChart>(world, tasks, filled, stop);
    watch_sources::<HelmRepository>(world, tasks, filled, stop);
    watch_sources::<OciRepository>(world, tasks, filled, stop);

    let (known, filled_one, stopped) = watch(world);
    let on_change = move |change: &Change<ExternalArtifact>| {
        if has_other_artifact(change) {
            known.wake_consumers(SourceKind::ExternalArtifact, &change.key);
        }
        if change.now.is_none() {
            forget_external_artifact(&known, &change.key);
        }
    };
    tasks.spawn(follow(world, &world.sources.external_artifacts.served, stopped, on_change, filled_one));

    let (known, filled_one, stopped) = watch(world);
    let on_change = move |change: &Change<_>| {
        if change.asks_for_a_run() {
            known.kustomization_queue.wake(change.key.clone());
        }
        known.wake_dependents(&change.key);
        flux_configuration::wake_owner(&known, change);
    };
    tasks.spawn(follow(world, &world.kustomizations, stopped, on_change, filled_one));

    let (known, filled_one, stopped) = watch(world);
    let on_change = move |change: &Change<_>| {
        if change.asks_for_a_run() {
            known.release_queue.wake(change.key.clone());
        }
        known.wake_dependent_releases(&change.key);
    };
    tasks.spawn(follow(world, &world.releases, stopped, on_change, filled_one));

    let (known, filled_one, stopped) = watch(world);
    let on_change = move |change: &Change<_>| {
        if change.asks_for_a_run() {
            known.configuration_queue.wake(change.key.clone());
        }
        flux_configuration::wake_neighbours(&known, change);
    };
    tasks.spawn(follow(world, &world.configurations, stopped, on_change, filled_one));
}

/// Watches one kind of source.
fn watch_sources<K: Source>(
    world: &Arc<World>,
    tasks: &mut JoinSet<()>,
    filled: &Arc<Filled>,
    stop: &CancellationToken,
) {
    let known = Arc::clone(world);
    let on_change = move |change: &Change<K>| {
        if change.asks_for_a_run() {
            K::queue(&known).wake(change.key.clone());
        }
        if change.before.is_none() || change.now.is_none() {
            known.wake_consumers(K::KIND, &change.key);
        }
        flux_configuration::wake_owner(&known, change);
    };
    tasks.spawn(follow(world, K::served(world), stop.clone(), on_change, Arc::clone(filled)));
}

/// Watches one served kind.
fn follow<K>(
    world: &Arc<World>,
    served: &Served<K>,
    stop: CancellationToken,
    on_change: impl Fn(&Change<K>) + Send + 'static,
    filled: Arc<Filled>,
) -> impl Future<Output = ()> + Send + 'static
where
    K: kube::Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>,
    K: Clone + std::fmt::Debug + serde::de::DeserializeOwned + Send + Sync + 'static,
{
    let settings = &world.settings;
    let (namespace, labels) = (settings.namespace.clone(), settings.label_selector.clone());
    served.clone().watch(world.cluster.client().clone(), namespace, labels, stop, on_change, move || filled.one())
}

/// Sets the readiness once all watches know everything.
struct Filled {
    missing: AtomicUsize,
    readiness: Readiness,
    /// Cancelled then.
    all: CancellationToken,
}

impl Filled {
    fn of(watches: usize, readiness: Readiness) -> Arc<Self> {
        Arc::new(Self { missing: AtomicUsize::new(watches), readiness, all: CancellationToken::new() })
    }

    fn one(&self) {
        if self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.readiness.set();
            self.all.cancel();
        }
    }
}

fn start_queues(world: &Arc<World>, tasks: &mut JoinSet<()>, stop: &CancellationToken) {
    let settings = &world.settings;
    start_queue::<Bucket>(world, settings.concurrent_sources, tasks, stop);
    start_queue::<GitRepository>(world, settings.concurrent_sources, tasks, stop);
    start_queue::<HelmChart>(world, settings.concurrent_sources, tasks, stop);
    start_queue::<HelmRepository>(world, settings.concurrent_sources, tasks, stop);
    start_queue::<OciRepository>(world, settings.concurrent_sources, tasks, stop);
    start_queue::<Kustomization>(world, settings.concurrent, tasks, stop);
    start_queue::<HelmRelease>(world, settings.concurrent, tasks, stop);
    start_queue::<FluxConfiguration>(world, settings.concurrent, tasks, stop);
    start_queue::<Receiver>(world, settings.concurrent, tasks, stop);
}

fn start_queue<K: Reconciled>(
    world: &Arc<World>,
    concurrent: usize,
    tasks: &mut JoinSet<()>,
    stop: &CancellationToken,
) {
    let known = Arc::clone(world);
    let work = move |key| controllers::run::<K>(Arc::clone(&known), key);
    tasks.spawn(Arc::clone(K::queue(world)).run(concurrent, stop.clone(), work));
}

/// Removes from the store what nothing refers to, now and then.
async fn collect(world: Arc<World>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(COLLECT_EVERY) => {}
            () = stop.cancelled() => return,
        }
        let (store, now) = (world.store.clone(), world.clock.now());
        match tokio::task::spawn_blocking(move || store.collect(now)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => warn!(%error, "the artifact store could not be collected"),
            Err(error) => warn!(%error, "the collection was interrupted"),
        }
    }
}
