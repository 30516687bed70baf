//! Bringing about what a configuration consists of.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fairlead_api::{
    fairlead::{FluxConfiguration, ProtectedSettings},
    kustomize::Kustomization,
    names::annotations,
};
use fairlead_health::HealthRules;
use fairlead_object::ObjectId;
use k8s_openapi::ByteString;
use secrecy::SecretString;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Failure, MANAGER, Subject,
    block::{Block, Referred},
    conflict::conflict,
    credentials::{Settings, SettingsError, credentials},
    live::{belongs, is_as_wanted, value_belongs},
    memory::Checked,
    parts::{self, SourceObject},
};
use crate::{
    cluster::{ApiError, ApplyOptions, Resource},
    controllers::{
        ObjectKey, Reconciled,
        source::{Source, Sources},
        subject::resource,
    },
    watch::{self, Interest, Object},
};

/// What a run that went as it should has brought about.
#[derive(Debug)]
pub(super) struct Provisioned {
    /// Lines as `Kustomization/shop/app created`; empty if nothing was written.
    pub(super) changes: Vec<String>,
    /// The public half of the key that the source is read with.
    pub(super) public_key: Option<String>,
    /// Kustomizations that are no longer named and still clean up.
    pub(super) leaving: Vec<ObjectKey>,
    /// When everything is looked at again.
    pub(super) interval: Duration,
}

impl Subject<'_> {
    /// Brings about what `configuration` consists of: what it is applied with first, then what applies it.
    pub(super) async fn provision(&self, configuration: &FluxConfiguration) -> Result<Provisioned, Failure> {
        let block = Block::of(&configuration.spec)?;
        let mut provision =
            Provision { subject: self, configuration, block, changes: Vec::new(), are_rights_new: false };
        let checked = self.checked();
        let memories = &self.world.configuration_memories;
        let mut public_key = self.before().repository_public_key;
        let is_checked = memories.is_checked(self.key, &checked, block.sync_interval());
        if !is_checked {
            // Before anything is read, so that what changes meanwhile is looked at once more.
            memories.put(self.key, checked);
            provision.refuse_conflict().await?;
            provision.hold_rights().await?;
            public_key = provision.keep_secret().await?;
            provision.keep_signers().await?;
            provision.wake_source();
        }
        provision.keep_source().await?;
        provision.keep_kustomizations().await?;
        let leaving = provision.remove_unnamed().await?;
        Ok(Provisioned { changes: provision.changes, public_key, leaving, interval: block.sync_interval() })
    }

    fn checked(&self) -> Checked {
        Checked {
            uid: self.uid().to_owned(),
            generation: self.metadata().generation,
            requested_at: self.requested_at().map(str::to_owned),
        }
    }

    /// Deletes an object of the configuration; one that belongs to someone else stays.
    pub(super) async fn delete(&self, resource: &Resource, name: &str) -> Result<bool, ApiError> {
        let namespace = self.namespace_of(resource);
        self.world.configuration_tracker.forget(self.key, &self.id(resource, name));
        let Some(found) = self.world.cluster.get(resource, namespace, name).await? else { return Ok(false) };
        if !value_belongs(&found, self.key, self.uid()) {
            return Ok(false);
        }
        self.world.cluster.delete(resource, (namespace, name), found["metadata"]["uid"].as_str()).await
    }

    /// Where the configuration has its objects of this kind.
    fn namespace_of(&self, resource: &Resource) -> &str {
        if resource.is_namespaced { &self.key.namespace } else { "" }
    }

    fn id(&self, resource: &Resource, name: &str) -> ObjectId {
        ObjectId::new(&resource.group, &resource.kind, self.namespace_of(resource), name)
    }

    /// Takes the rights of the configuration's account away, and the account.
    pub(super) async fn revoke(&self) -> Result<(), ApiError> {
        for (resource, name) in parts::bindings(self.key) {
            self.delete(&resource, &name).await?;
        }
        self.delete(&parts::accounts(), &parts::account_name(&self.key.name)).await?;
        Ok(())
    }
}

/// One run's work on the objects of a configuration.
struct Provision<'a> {
    subject: &'a Subject<'a>,
    configuration: &'a FluxConfiguration,
    block: Block<'a>,
    changes: Vec<String>,
    /// The account or a binding was written: what failed without it is worth another try.
    are_rights_new: bool,
}

impl Provision<'_> {
    /// Refuses two scopes in one namespace, and takes back what a refused configuration was given before.
    ///
    /// It asks the server: a watch may not have told of every neighbour yet.
    async fn refuse_conflict(&self) -> Result<(), Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let all = world.cluster.list(&resource::<FluxConfiguration>(), &key.namespace, "").await?;
        let Some(other) = conflict(&all, &key.name) else { return Ok(()) };
        self.subject.revoke().await?;
        Err(Failure::Conflict {
            scope: self.configuration.spec.scope,
            other: ObjectKey::new(&key.namespace, &other.name),
        })
    }

    async fn hold_rights(&mut self) -> Result<(), Failure> {
        for (resource, wanted) in parts::rights(self.subject.key, self.configuration.spec.scope) {
            let live = self.find(&resource, &wanted).await?;
            self.are_rights_new |= self.hold(resource, &wanted, live.as_ref()).await?;
        }
        Ok(())
    }

    /// Keeps the Secret of the source, or removes one that is no longer needed. Returns the public half of its key.
    async fn keep_secret(&mut self) -> Result<Option<String>, Failure> {
        let settings = self.settings().await?;
        let referred = self.referred().await?;
        let name = parts::secret_name(&self.subject.key.name);
        if !self.block.has_own_secret() {
            if self.block.local_secret().is_none() {
                credentials(self.block, settings, referred, None)?;
            }
            self.subject.delete(&parts::secrets(), &name).await?;
            return Ok(None);
        }
        let live = self.find(&parts::secrets(), &json!({"metadata": {"name": name}})).await?;
        let credentials = credentials(self.block, settings, referred, live.as_ref().and_then(generated_key))?;
        let wanted = parts::secret(self.subject.key, &credentials);
        self.hold(parts::secrets(), &wanted, live.as_ref()).await?;
        Ok(credentials.public_key)
    }

    /// Keeps the Secret that says who may sign, or removes one that is no longer needed.
    async fn keep_signers(&mut self) -> Result<(), Failure> {
        let key = self.subject.key;
        let Some(wanted) = parts::signers(key, self.block).map_err(SettingsError::from)? else {
            self.subject.delete(&parts::secrets(), &parts::signers_name(&key.name)).await?;
            return Ok(());
        };
        let live = self.find(&parts::secrets(), &wanted).await?;
        self.hold(parts::secrets(), &wanted, live.as_ref()).await?;
        Ok(())
    }

    /// Keeps `wanted` and watches it from now on: whoever changes or deletes it wakes the configuration. Returns whether
    /// it was written.
    async fn hold(&mut self, resource: Resource, wanted: &Value, live: Option<&Value>) -> Result<bool, Failure> {
        let (tracker, key) = (&self.subject.world.configuration_tracker, self.subject.key);
        let (resource, rules) = (Arc::new(resource), Arc::default());
        let object = self.subject.id(&resource, name_of(wanted));
        tracker.writing(key, &object, &resource, &rules);
        let written = self.keep(&resource, wanted, live).await?;
        if let Some(body) = written.as_ref().or(live) {
            tracker.written(key, &object, &resource, body, &rules);
        }
        Ok(written.is_some())
    }

    /// The protected settings; a change of their Secret wakes the configuration from now on.
    async fn settings(&self) -> Result<Settings, Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let reference = self.configuration.spec.configuration_protected_settings.as_ref();
        let named = reference.map(|ProtectedSettings { secret_ref }| secret_ref.name.as_str());
        let referred = self.block.referred();
        let followed = named.into_iter().chain(referred.iter().map(|referred| referred.reference.name.as_str()));
        let followed = followed.map(|name| ObjectId::new("", "Secret", &key.namespace, name));
        world.configuration_tracker.unfollow(key, &followed.collect());
        let Some(name) = named else { return Ok(Settings::default()) };
        let data = self.secret_data(name).await?;
        let data = data.ok_or_else(|| SettingsError::Missing(name.to_owned()))?;
        Ok(Settings::read(data.into_iter().map(|(key, value)| (key, value.0)).collect())?)
    }

    /// What the keys of Secrets hold that the source's block names; a change of one wakes the configuration from now on.
    async fn referred(&self) -> Result<BTreeMap<&'static str, SecretString>, Failure> {
        let mut values = BTreeMap::new();
        for Referred { field, key, reference } in self.block.referred() {
            let mut data = self.secret_data(&reference.name).await?.unwrap_or_default();
            let value = data.remove(&reference.key).and_then(|value| String::from_utf8(value.0).ok());
            let missing = || {
                let (secret, key) = (reference.name.clone(), reference.key.clone());
                SettingsError::NotReferred { field, secret, key }
            };
            values.insert(key, SecretString::from(value.ok_or_else(missing)?));
        }
        Ok(values)
    }

    /// The data of a Secret, if it is there; a change of it wakes the configuration from now on.
    async fn secret_data(&self, name: &str) -> Result<Option<BTreeMap<String, ByteString>>, Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let followed = ObjectId::new("", "Secret", &key.namespace, name);
        let interest = (Interest::Content, &Arc::new(HealthRules::default()));
        world.configuration_tracker.follow(key, &followed, &parts::secrets(), interest);
        let found = world.cluster.get(&parts::secrets(), &key.namespace, name).await?;
        Ok(found.map(|mut found| serde_json::from_value(found["data"].take()).unwrap_or_default()))
    }

    async fn keep_source(&mut self) -> Result<(), Failure> {
        let own = self.block.has_own_secret().then(|| parts::secret_name(&self.subject.key.name));
        match parts::source(self.configuration, self.block, own) {
            SourceObject::Git(wanted) => self.keep_source_object(&wanted).await?,
            SourceObject::Bucket(wanted) => self.keep_source_object(&wanted).await?,
            SourceObject::Oci(wanted) => self.keep_source_object(&wanted).await?,
        }
        self.remove_other_sources().await
    }

    async fn keep_source_object<K: Source>(&mut self, wanted: &K) -> Result<(), Failure> {
        let world = self.subject.world;
        if let Some(key) = self.keep_served(&resource::<K>(), K::served(world), wanted).await? {
            K::queue(world).wake(key);
        }
        Ok(())
    }

    /// Deletes the source of another kind that the configuration had before.
    async fn remove_other_sources(&mut self) -> Result<(), Failure> {
        let (world, key, uid) = (self.subject.world, self.subject.key, self.subject.uid());
        for known in Sources::KINDS.into_iter().filter(|kind| kind.name() != self.block.kind().name()) {
            let known = world.sources.of(known);
            let is_own = known.and_then(|known| known.seen(key)).is_some_and(|(seen, _)| belongs(&seen, key, uid));
            if let Some(known) = known.filter(|_| is_own)
                && self.subject.delete(&known.resource(), &key.name).await?
            {
                self.changes.push(format!("{}/{key} deleted", known.resource().kind));
            }
        }
        Ok(())
    }

    /// Wakes the source: its credentials may be new.
    fn wake_source(&self) {
        let world = self.subject.world;
        let kind = Sources::KINDS.into_iter().find(|kind| kind.name() == self.block.kind().name());
        if let Some(known) = kind.and_then(|kind| world.sources.of(kind)) {
            known.wake(self.subject.key.clone());
        }
    }

    async fn keep_kustomizations(&mut self) -> Result<(), Failure> {
        let world = self.subject.world;
        for wanted in parts::all_kustomizations(self.configuration, self.block.kind()) {
            let written = self.keep_served(&parts::kustomizations(), &world.kustomizations, &wanted).await?;
            if written.is_some() || self.are_rights_new {
                let name = wanted.metadata.name.unwrap_or_default();
                world.kustomization_queue.wake(ObjectKey::new(&self.subject.key.namespace, &name));
            }
        }
        Ok(())
    }

    /// Deletes the Kustomizations that the configuration no longer names. Returns those that are not gone yet.
    async fn remove_unnamed(&mut self) -> Result<Vec<ObjectKey>, Failure> {
        let (world, key, uid) = (self.subject.world, self.subject.key, self.subject.uid());
        let wanted: Vec<_> = parts::all_kustomizations(self.configuration, self.block.kind());
        let is_named =
            |object: &Object<Kustomization>| wanted.iter().any(|wanted| wanted.metadata.name == object.metadata.name);
        let all = world.kustomizations.all();
        let unnamed = all.iter().filter(|object| {
            object.metadata.namespace.as_ref() == Some(&key.namespace)
                && belongs(&object.metadata, key, uid)
                && !is_named(object)
        });
        let mut leaving = Vec::new();
        for object in unnamed {
            let child = object.key();
            if object.metadata.deletion_timestamp.is_none() {
                let names = (child.namespace.as_str(), child.name.as_str());
                world.cluster.delete(&parts::kustomizations(), names, object.metadata.uid.as_deref()).await?;
                self.changes.push(format!("Kustomization/{child} deleted"));
            }
            leaving.push(child);
        }
        Ok(leaving)
    }

    /// Keeps an object of a kind that is served here. Returns its key if it was written.
    async fn keep_served<K>(
        &mut self,
        resource: &Resource,
        served: &watch::Served<K>,
        wanted: &K,
    ) -> Result<Option<ObjectKey>, Failure>
    where
        K: kube::Resource + Serialize + DeserializeOwned,
    {
        let wanted = serde_json::to_value(wanted).expect("an object serialises");
        let key = ObjectKey::new(&self.subject.key.namespace, name_of(&wanted));
        let known = served.get(&key).and_then(|object| serde_json::to_value(object.parsed.as_ref().ok()?).ok());
        // A watch may be restricted by labels, and then does not show what lacks them.
        let live = match known {
            Some(known) => Some(known),
            None => self.find(resource, &wanted).await?,
        };
        let Some(answer) = self.keep(resource, &wanted, live.as_ref()).await? else { return Ok(None) };
        if let Ok(object) = serde_json::from_value::<Object<K>>(answer) {
            served.put(object);
        }
        Ok(Some(key))
    }

    async fn find(&self, resource: &Resource, wanted: &Value) -> Result<Option<Value>, ApiError> {
        self.subject.world.cluster.get(resource, self.subject.namespace_of(resource), name_of(wanted)).await
    }

    /// Writes `wanted` unless `live` is like it. Returns the server's answer if it was written.
    async fn keep(
        &mut self,
        resource: &Resource,
        wanted: &Value,
        live: Option<&Value>,
    ) -> Result<Option<Value>, Failure> {
        let object = self.subject.id(resource, name_of(wanted));
        if let Some(live) = live {
            if !value_belongs(live, self.subject.key, self.subject.uid()) {
                return Err(Failure::Foreign(object));
            }
            // What is being deleted is made anew when it is gone, which wakes the configuration.
            let is_leaving = live["metadata"]["deletionTimestamp"].is_string();
            if is_leaving || is_as_wanted(live, wanted) {
                return Ok(None);
            }
        }
        let body = wanted.as_object().expect("a part is an object");
        let options = ApplyOptions { force: true, ..ApplyOptions::default() };
        let answer = self.subject.world.cluster.apply_as(MANAGER, resource, body, options).await;
        let answer = answer.map_err(|source| Failure::Apply { object: object.clone(), source })?;
        let verb = if live.is_some() { "configured" } else { "created" };
        self.changes.push(format!("{} {verb}", object.subject()));
        Ok(Some(answer))
    }
}

fn name_of(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// The private key in a Secret that was generated, and not given.
fn generated_key(secret: &Value) -> Option<SecretString> {
    if secret["metadata"]["annotations"][annotations::GENERATED_KEY] != "true" {
        return None;
    }
    let key: ByteString = serde_json::from_value(secret["data"]["identity"].clone()).ok()?;
    String::from_utf8(key.0).ok().map(SecretString::from)
}
