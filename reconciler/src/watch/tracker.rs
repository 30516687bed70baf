//! The objects that entries own, as far as drift and health need them: a few hundred bytes each.
//!
//! One watch for each kind, restricted by a label that owned objects have, feeds it. For each it keeps the hash of our field
//! manager's entry: that entry changes exactly when someone else changes or removes a field that we own, so a hash
//! that is not the expected one *is* drift. Health is folded from each state that passes. Whole objects are never kept.
//!
//! Objects that an entry does not own but waits for (`healthChecks`) have a watch of their own each, and health only.
//!
//! An object whose owner labels name another entry is not fought over: its changes wake nobody here, so that two
//! entries that claim one object do not write in turns without end.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fairlead_health::{Health, HealthRules, Surroundings};
use fairlead_object::{Digest, ObjectId};
use fairlead_plan::ownership;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject},
    runtime::{
        WatchStreamExt,
        watcher::{self, Event},
    },
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::relisting;
use crate::{clock::Clock, cluster::Resource, controllers::ObjectKey};

/// Who owns objects: a Kustomization, or a `FluxConfiguration`.
pub type Owner = ObjectKey;

/// By what the objects of one kind of owner are known.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// A label that all of them have.
    pub label: &'static str,
    /// The field manager that applies them.
    pub manager: &'static str,
    /// Whom the metadata of an object names.
    pub owner_of: fn(&ObjectMeta) -> Option<Owner>,
}

/// What the tracker knows of one object.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Its health when it was last seen; `None` if it has not been seen.
    pub health: Option<Health>,
    /// Someone changed or deleted it since it was applied.
    pub has_drifted: bool,
}

/// Watches owned objects and tells their owners. Cheap to clone.
#[derive(Clone)]
pub struct Tracker(Arc<Shared>);

struct Shared {
    client: Client,
    clock: Clock,
    stop: CancellationToken,
    marks: Marks,
    wake: Box<dyn Fn(&Owner) + Send + Sync>,
    state: Mutex<State>,
}

/// Why an object that is not owned is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Its health is awaited.
    Health,
    /// It is read by the build: any change of it counts.
    Content,
}

#[derive(Default)]
struct State {
    owned: HashMap<ObjectId, Record>,
    by_owner: HashMap<Owner, BTreeSet<ObjectId>>,
    /// Objects that are waited for and not owned.
    followed: HashMap<ObjectId, Followed>,
    /// Owners that wait for health: it is nobody else's business when it changes.
    awaiting: HashSet<Owner>,
    /// The kinds that are watched, and whether their watch works.
    kinds: HashMap<Resource, Sight>,
}

/// Whether what a watch has not told did not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Clear,
    /// The watch broke, or is not allowed.
    Lost,
}

struct Record {
    owner: Owner,
    resource: Arc<Resource>,
    rules: Arc<HealthRules>,
    /// Hash of our entry as it was after our last write; `None` while one is under way.
    expected: Option<Digest>,
    /// Hash of our entry as last seen; `None` if the object is gone.
    seen: Option<Digest>,
    version: u64,
    health: Option<Health>,
}

struct Followed {
    waiting: HashMap<Owner, (Interest, Arc<HealthRules>)>,
    last: Option<Health>,
    stop: CancellationToken,
}

impl Record {
    /// What is known of an object before it is written, or found to be as it should be.
    fn unwritten(owner: &Owner, resource: &Arc<Resource>, rules: &Arc<HealthRules>) -> Self {
        Self {
            owner: owner.clone(),
            resource: Arc::clone(resource),
            rules: Arc::clone(rules),
            expected: None,
            seen: None,
            version: 0,
            health: None,
        }
    }

    fn has_drifted(&self) -> bool {
        self.expected.is_some() && self.seen != self.expected
    }
}

impl Tracker {
    /// A tracker of the objects that bear `marks`. It tells `wake` whom to wake, until `stop`.
    pub fn new(
        client: Client,
        clock: Clock,
        stop: CancellationToken,
        marks: Marks,
        wake: impl Fn(&Owner) + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(Shared { client, clock, stop, marks, wake: Box::new(wake), state: Mutex::default() }))
    }

    /// Says that `owner` is about to write the object: what the watch shows until [`Tracker::written`] is our own doing.
    ///
    /// The watch may tell of the object before the answer to the write is read, so it is known from here on.
    pub fn writing(&self, owner: &Owner, id: &ObjectId, resource: &Arc<Resource>, rules: &Arc<HealthRules>) {
        let mut state = self.state();
        state.by_owner.entry(owner.clone()).or_default().insert(id.clone());
        let known = state.owned.remove(id);
        let record = Record::unwritten(owner, resource, rules);
        let record = match known {
            Some(known) => Record { seen: known.seen, version: known.version, health: known.health, ..record },
            None => record,
        };
        state.owned.insert(id.clone(), record);
    }

    /// Takes the object as it is after our write (or as it was found, in sync), and watches it from now on.
    pub fn written(
        &self,
        owner: &Owner,
        id: &ObjectId,
        resource: &Arc<Resource>,
        body: &Value,
        rules: &Arc<HealthRules>,
    ) {
        let hash = ownership::entry_hash(body, self.0.marks.manager);
        let version = version(body);
        let health = Some(self.assess(body, rules));
        let mut state = self.state();
        state.by_owner.entry(owner.clone()).or_default().insert(id.clone());
        let newer = state.owned.remove(id).filter(|known| known.version > version);
        let (seen, version, health) = match newer {
            Some(known) => (known.seen, known.version, known.health),
            None => (hash, version, health),
        };
        let record = Record { expected: hash, seen, version, health, ..Record::unwritten(owner, resource, rules) };
        let has_drifted = record.has_drifted();
        state.owned.insert(id.clone(), record);
        let is_new_kind = !state.kinds.contains_key(&**resource);
        if is_new_kind {
            state.kinds.insert(Resource::clone(resource), Sight::Clear);
        }
        drop(state);
        if is_new_kind {
            self.watch_kind(Arc::clone(resource));
        }
        if has_drifted {
            (self.0.wake)(owner);
        }
    }

    /// Stops watching an object: it was deleted, or is no longer owned.
    pub fn forget(&self, owner: &Owner, id: &ObjectId) {
        let mut state = self.state();
        if let Some(ids) = state.by_owner.get_mut(owner) {
            ids.remove(id);
        }
        if state.owned.get(id).is_some_and(|record| record.owner == *owner) {
            state.owned.remove(id);
        }
    }

    /// Stops watching everything for `owner`.
    pub fn forget_owner(&self, owner: &Owner) {
        let mut state = self.state();
        for id in state.by_owner.remove(owner).unwrap_or_default() {
            if state.owned.get(&id).is_some_and(|record| record.owner == *owner) {
                state.owned.remove(&id);
            }
        }
        state.awaiting.remove(owner);
        drop(state);
        self.unfollow(owner, &BTreeSet::new());
    }

    /// What is known of an object that `owner` owns or follows.
    pub fn verdict(&self, owner: &Owner, id: &ObjectId) -> Option<Verdict> {
        let state = self.state();
        let owned = state.owned.get(id).filter(|record| record.owner == *owner);
        let of_owned = owned.map(|record| Verdict { health: record.health.clone(), has_drifted: record.has_drifted() });
        of_owned.or_else(|| {
            let followed = state.followed.get(id)?;
            Some(Verdict { health: followed.last.clone(), has_drifted: false })
        })
    }

    /// The objects of `owner` that someone changed or deleted.
    pub fn drifted(&self, owner: &Owner) -> Vec<ObjectId> {
        let state = self.state();
        let ids = state.by_owner.get(owner).into_iter().flatten();
        ids.filter(|id| state.owned.get(*id).is_some_and(|record| record.owner == *owner && record.has_drifted()))
            .cloned()
            .collect()
    }

    /// Says whether `owner` waits for health, and is woken when it changes.
    ///
    /// Said before the verdicts are asked for, so that none that comes in between is missed.
    pub fn set_awaiting(&self, owner: &Owner, is_awaiting: bool) {
        let mut state = self.state();
        if is_awaiting {
            state.awaiting.insert(owner.clone());
        } else {
            state.awaiting.remove(owner);
        }
    }

    /// Whether objects of `owner` may have changed unseen, because the watch of their kind does not work.
    pub fn is_blind_for(&self, owner: &Owner) -> bool {
        let state = self.state();
        let mut owned = state.by_owner.get(owner).into_iter().flatten().filter_map(|id| state.owned.get(id));
        owned.any(|record| state.kinds.get(&*record.resource) == Some(&Sight::Lost))
    }

    /// Watches an object that `owner` waits for or reads, and does not own.
    pub fn follow(
        &self,
        owner: &Owner,
        id: &ObjectId,
        resource: &Resource,
        (interest, rules): (Interest, &Arc<HealthRules>),
    ) {
        let mut state = self.state();
        let is_new = !state.followed.contains_key(id);
        let stop = self.0.stop.child_token();
        let followed = state.followed.entry(id.clone()).or_insert_with(|| Followed {
            waiting: HashMap::new(),
            last: None,
            stop: stop.clone(),
        });
        followed.waiting.insert(owner.clone(), (interest, Arc::clone(rules)));
        drop(state);
        if is_new {
            let tracker = self.clone();
            tokio::spawn(tracker.watch_one(id.clone(), resource.clone(), stop));
        }
    }

    /// Stops following everything that `owner` follows, except `kept`.
    pub fn unfollow(&self, owner: &Owner, kept: &BTreeSet<ObjectId>) {
        self.state().followed.retain(|id, followed| {
            if !kept.contains(id) {
                followed.waiting.remove(owner);
            }
            if followed.waiting.is_empty() {
                followed.stop.cancel();
            }
            !followed.waiting.is_empty()
        });
    }

    fn assess(&self, body: &Value, rules: &HealthRules) -> Health {
        fairlead_health::assess(body, rules, &Surroundings { pods: &[], now: self.0.clock.now() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch_kind(&self, resource: Arc<Resource>) {
        let tracker = self.clone();
        tokio::spawn(async move {
            let api: Api<DynamicObject> = Api::all_with(tracker.0.client.clone(), &api_resource(&resource));
            let config = watcher::Config::default().labels(tracker.0.marks.label);
            let mut events = relisting(api, config).boxed();
            let mut listed: Option<HashSet<ObjectId>> = None;
            loop {
                let event = tokio::select! {
                    event = events.try_next() => event,
                    () = tracker.0.stop.cancelled() => return,
                };
                match event {
                    Ok(Some(Event::Init)) => listed = Some(HashSet::new()),
                    Ok(Some(Event::InitApply(object))) => {
                        let id = id_of(&object, &resource);
                        tracker.saw(&id, &resource, &object);
                        if let Some(listed) = &mut listed {
                            listed.insert(id);
                        }
                    }
                    Ok(Some(Event::InitDone)) => tracker.saw_all(&resource, &listed.take().unwrap_or_default()),
                    Ok(Some(Event::Apply(object))) => tracker.saw(&id_of(&object, &resource), &resource, &object),
                    Ok(Some(Event::Delete(object))) => tracker.saw_deletion(&id_of(&object, &resource), &object),
                    Ok(None) => return,
                    Err(_) if tracker.has_lost_interest(&resource) => return,
                    Err(error) => {
                        warn!(kind = resource.kind, %error, "a watch broke and is started again");
                        if is_kind_gone(&error) {
                            tracker.saw_all(&resource, &HashSet::new());
                        }
                    }
                }
            }
        });
    }

    /// After a watch broke: notes it, or ends the watch if no object of its kind is owned any more.
    fn has_lost_interest(&self, resource: &Resource) -> bool {
        let mut state = self.state();
        let is_owned = state.owned.values().any(|record| *record.resource == *resource);
        if is_owned {
            state.kinds.insert(resource.clone(), Sight::Lost);
        } else {
            state.kinds.remove(resource);
        }
        !is_owned
    }

    async fn watch_one(self, id: ObjectId, resource: Resource, stop: CancellationToken) {
        let api_resource = api_resource(&resource);
        let client = self.0.client.clone();
        let api: Api<DynamicObject> = match &id.namespace {
            Some(namespace) => Api::namespaced_with(client, namespace, &api_resource),
            None => Api::all_with(client, &api_resource),
        };
        let mut states = kube::runtime::watcher::watch_object(api, &id.name).default_backoff().boxed();
        loop {
            let state = tokio::select! {
                state = states.try_next() => state,
                () = stop.cancelled() => return,
            };
            match state {
                Ok(Some(object)) => self.saw_followed(&id, &resource, object.as_ref()),
                Ok(None) => return,
                Err(error) => {
                    debug!(kind = resource.kind, name = id.name, %error, "a watch broke and is started again");
                }
            }
        }
    }

    fn saw_followed(&self, id: &ObjectId, resource: &Resource, object: Option<&DynamicObject>) {
        let body = object.and_then(|object| body_of(object, resource));
        let mut state = self.state();
        let Some(followed) = state.followed.get_mut(id) else { return };
        let rules = followed.waiting.values().next().map(|(_, rules)| Arc::clone(rules)).unwrap_or_default();
        followed.last = body.map(|body| self.assess(&body, &rules));
        let waiting: Vec<(Owner, Interest)> =
            followed.waiting.iter().map(|(owner, (interest, _))| (owner.clone(), *interest)).collect();
        let is_meant = |(owner, interest): &(Owner, Interest)| match interest {
            Interest::Content => true,
            Interest::Health => state.awaiting.contains(owner),
        };
        let woken: Vec<(Owner, Interest)> = waiting.into_iter().filter(is_meant).collect();
        drop(state);
        for (owner, _) in woken {
            (self.0.wake)(&owner);
        }
    }

    fn saw(&self, id: &ObjectId, resource: &Arc<Resource>, object: &DynamicObject) {
        let mut state = self.state();
        if !state.owned.contains_key(id) {
            // Its owner may be reading it right now, and must not miss what happens meanwhile.
            let Some(owner) = (self.0.marks.owner_of)(&object.metadata) else { return };
            let record = Record::unwritten(&owner, resource, &Arc::default());
            state.owned.insert(id.clone(), record);
        }
        let Some(record) = state.owned.get_mut(id) else { return };
        let Some(body) = body_of(object, resource) else { return };
        let version = version(&body);
        let labelled = (self.0.marks.owner_of)(&object.metadata);
        if version < record.version || labelled.is_some_and(|labelled| labelled != record.owner) {
            return;
        }
        let health = Some(self.assess(&body, &record.rules));
        let is_health_new = record.health != health;
        record.seen = ownership::entry_hash(&body, self.0.marks.manager);
        record.version = version;
        record.health = health;
        let (owner, has_drifted) = (record.owner.clone(), record.has_drifted());
        let is_awaited = is_health_new && state.awaiting.contains(&owner);
        drop(state);
        if has_drifted || is_awaited {
            (self.0.wake)(&owner);
        }
    }

    fn saw_deletion(&self, id: &ObjectId, object: &DynamicObject) {
        let version = object.metadata.resource_version.as_deref().and_then(|version| version.parse().ok());
        self.lost(id, version.unwrap_or(u64::MAX));
    }

    /// After a full list: what is owned and was not in it is gone.
    fn saw_all(&self, resource: &Resource, listed: &HashSet<ObjectId>) {
        let mut state = self.state();
        state.kinds.insert(resource.clone(), Sight::Clear);
        let of_kind = state.owned.iter().filter(|(_, record)| *record.resource == *resource);
        let missing: Vec<(ObjectId, u64)> = of_kind
            .filter(|(id, record)| !listed.contains(*id) && record.expected.is_some() && record.seen.is_some())
            .map(|(id, record)| (id.clone(), record.version))
            .collect();
        drop(state);
        for (id, version) in missing {
            self.lost(&id, version);
        }
    }

    fn lost(&self, id: &ObjectId, version: u64) {
        let mut state = self.state();
        let Some(record) = state.owned.get_mut(id) else { return };
        if version < record.version {
            return;
        }
        record.seen = None;
        record.health = None;
        record.version = version;
        let (owner, has_drifted) = (record.owner.clone(), record.has_drifted());
        let is_owned = state.by_owner.get(&owner).is_some_and(|ids| ids.contains(id));
        if !is_owned {
            state.owned.remove(id);
        }
        drop(state);
        if has_drifted {
            (self.0.wake)(&owner);
        }
    }
}

/// Whether a list failed because its kind is not served any more: its objects went with its definition.
fn is_kind_gone(error: &watcher::Error) -> bool {
    matches!(error, watcher::Error::InitialListFailed(kube::Error::Api(status)) if status.code == 404)
}

fn id_of(object: &DynamicObject, resource: &Resource) -> ObjectId {
    let metadata = &object.metadata;
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    ObjectId::new(&resource.group, &resource.kind, namespace, metadata.name.as_deref().unwrap_or_default())
}

/// The object with its kind, which the items of a list leave out and rules of health go by.
fn body_of(object: &DynamicObject, resource: &Resource) -> Option<Value> {
    let mut body = serde_json::to_value(object).ok()?;
    body["apiVersion"] = resource.api_version().into();
    body["kind"] = resource.kind.as_str().into();
    Some(body)
}

fn version(body: &Value) -> u64 {
    body["metadata"]["resourceVersion"].as_str().and_then(|version| version.parse().ok()).unwrap_or(0)
}

fn api_resource(resource: &Resource) -> ApiResource {
    ApiResource {
        group: resource.group.clone(),
        version: resource.version.clone(),
        api_version: resource.api_version(),
        kind: resource.kind.clone(),
        plural: resource.plural.clone(),
    }
}
