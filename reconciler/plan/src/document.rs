//! A plan as a document: the JSON that programs read, gates approve and `apply --plan` checks.
//!
//! It holds no manifest, only digests of what would be sent. To carry out a saved plan is therefore to plan again from
//! the same inputs and to check that the outcome is the same: [`PlanDocument::verify`]. If an input has moved, it is not.

use std::{collections::BTreeMap, fmt};

use fairlead_object::{Digest, Manifest, ObjectId, Origin};
use serde::{Deserialize, Serialize};

use crate::{
    Action, DigestKey, FieldChange, Held, KeepReason, Owner, Plan, Risk, Shown, Stage, Step, TakeOver,
    drawn::known_part,
};

/// The version of the document's schema. It grows when a reader of the last one could misunderstand the next.
pub const SCHEMA_VERSION: u32 = 1;

/// A plan as it is written to a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanDocument {
    /// [`SCHEMA_VERSION`] of the program that wrote it.
    pub schema_version: u32,
    /// The digest of the contents.
    pub digest: Digest,
    /// Set if the plan waits for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// What the digest covers.
    #[serde(flatten)]
    pub contents: Contents,
}

/// What a plan's digest covers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Contents {
    /// Whose plan it is.
    pub owner: Owner,
    /// The revision that was last applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision_from: Option<String>,
    /// The revision that the plan applies.
    pub revision: String,
    /// How many objects each action is for.
    pub summary: Summary,
    /// What a reader should see first.
    pub risks: Vec<Risk>,
    /// Every object with what happens to it, in the order in which it happens.
    pub steps: Vec<StepDocument>,
}

/// How many objects each action is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Objects that are created.
    pub create: usize,
    /// Objects that are changed.
    pub update: usize,
    /// Objects that are deleted and created anew.
    pub replace: usize,
    /// Objects that are deleted.
    pub delete: usize,
    /// Objects that stay as they are.
    pub keep: usize,
}

/// One step as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepDocument {
    /// The object.
    pub object: ObjectId,
    /// Version of its API.
    pub version: String,
    /// When it happens.
    pub stage: Stage,
    /// What happens.
    pub action: ActionName,
    /// Why it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<KeepReason>,
    /// The field that cannot change, of a replacement.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub immutable_field: Option<String>,
    /// Where its manifest was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<OriginDocument>,
    /// UID of the live object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Whom it is taken over from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes_over: Option<TakeOver>,
    /// Digest of the manifest that is sent, of a Secret a keyed one. What is drawn takes no part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest: Option<String>,
    /// Whether what other tools left in its metadata is removed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cleans_metadata: bool,
    /// The fields that change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ChangeDocument>,
}

/// What happens to an object, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ActionName {
    /// It is created.
    Create,
    /// It is changed.
    Update,
    /// It is deleted and created anew.
    Replace,
    /// It is deleted.
    Delete,
    /// It stays as it is.
    Keep,
}

/// An [`Origin`] as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginDocument {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The kustomization files that the object passed, innermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlays: Vec<String>,
}

/// A [`FieldChange`] as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeDocument {
    /// The field, as `spec.containers[name="app"].image`.
    pub path: String,
    /// The field as a JSON pointer.
    pub pointer: String,
    /// What the cluster holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Shown>,
    /// What it would hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Shown>,
    /// The manager that owns the field now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Where the source sets the field, as `file:line`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_at: Option<String>,
    /// Whether the change replaces pods.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub restarts_pods: bool,
}

/// Why a file is not a plan that can be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is no JSON of this shape.
    #[error("not a plan")]
    Malformed(#[source] serde_json::Error),
    /// Another program wrote it.
    #[error("the plan has schema version {found}, and this program reads {SCHEMA_VERSION}")]
    SchemaVersion {
        /// The version in the file.
        found: u32,
    },
    /// Its digest is not that of its contents.
    #[error("the plan has been changed since it was written: its digest is {written}, its contents have {actual}")]
    Altered {
        /// The digest in the file.
        written: Digest,
        /// The digest of the contents.
        actual: Digest,
    },
}

/// A saved plan that is not what would happen now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputsMoved {
    /// The revision of the saved plan and that of now, if they differ.
    pub revision: Option<(String, String)>,
    /// The objects whose steps differ.
    pub objects: Vec<ObjectId>,
}

impl Plan {
    /// The digest of the plan: of its owner, its revisions and all its steps, whether it is held or not.
    pub fn digest(&self) -> Digest {
        self.contents().digest()
    }

    /// The digest by which the plan is approved: of its owner, its revision and what it deletes.
    ///
    /// The other steps take no part. They need no approval, and what they would change may change from minute to minute
    /// while someone makes up their mind.
    pub fn approval(&self) -> Digest {
        let deleted = self.steps.iter().filter(|step| step.action.deletes());
        let deleted: Vec<_> = deleted.map(|step| (&step.object, &step.uid, step.action.name())).collect();
        let written = serde_json::to_vec(&(SCHEMA_VERSION, &self.owner, &self.revision, deleted));
        Digest::of(&written.expect("objects and names serialise"))
    }

    /// The plan as it is written to a file.
    pub fn document(&self) -> PlanDocument {
        let contents = self.contents();
        PlanDocument { schema_version: SCHEMA_VERSION, digest: contents.digest(), held: self.held.clone(), contents }
    }

    /// The plan as JSON, with a line break at its end.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.document()).expect("a plan's document has text keys only") + "\n"
    }

    /// How many objects each action is for.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for step in &self.steps {
            *summary.count_mut(step.action.name()) += 1;
        }
        summary
    }

    fn contents(&self) -> Contents {
        Contents {
            owner: self.owner.clone(),
            revision_from: self.revision_from.clone(),
            revision: self.revision.clone(),
            summary: self.summary(),
            risks: self.risks(),
            steps: self.steps.iter().map(|step| StepDocument::of(step, &self.digest_key)).collect(),
        }
    }
}

impl Summary {
    fn count_mut(&mut self, action: ActionName) -> &mut usize {
        match action {
            ActionName::Create => &mut self.create,
            ActionName::Update => &mut self.update,
            ActionName::Replace => &mut self.replace,
            ActionName::Delete => &mut self.delete,
            ActionName::Keep => &mut self.keep,
        }
    }
}

impl Action {
    /// What happens, in one word.
    pub fn name(&self) -> ActionName {
        match self {
            Self::Create(_) => ActionName::Create,
            Self::Update { .. } => ActionName::Update,
            Self::Replace { .. } => ActionName::Replace,
            Self::Delete => ActionName::Delete,
            Self::Keep(_) => ActionName::Keep,
        }
    }
}

impl Contents {
    fn digest(&self) -> Digest {
        let written = serde_json::to_vec(&(SCHEMA_VERSION, self)).expect("a plan's document has text keys only");
        Digest::of(&written)
    }
}

impl StepDocument {
    fn of(step: &Step, key: &DigestKey) -> Self {
        let (reason, immutable_field, cleans_metadata) = match &step.action {
            Action::Keep(reason) => (Some(reason.clone()), None, false),
            Action::Replace { field, .. } => (None, Some(field.clone()), false),
            Action::Update { cleanup, .. } => (None, None, cleanup.is_some()),
            Action::Create(_) | Action::Delete => (None, None, false),
        };
        let change = |change| ChangeDocument::of(change, step);
        Self {
            object: step.object.clone(),
            version: step.version.clone(),
            stage: step.stage,
            action: step.action.name(),
            reason,
            immutable_field,
            origin: step.origin.as_ref().map(OriginDocument::of),
            uid: step.uid.clone(),
            takes_over: step.takes_over.clone(),
            manifest: step.action.manifest().map(|manifest| manifest_digest(manifest, key)),
            cleans_metadata,
            changes: step.action.changes().iter().map(change).collect(),
        }
    }
}

fn manifest_digest(manifest: &Manifest, key: &DigestKey) -> String {
    if manifest.id().kind == "Secret" {
        key.digest(&known_part(manifest)).to_string()
    } else if manifest.drawn().is_empty() {
        manifest.digest().to_string()
    } else {
        Digest::of(known_part(manifest).to_string().as_bytes()).to_string()
    }
}

impl OriginDocument {
    fn of(origin: &Origin) -> Self {
        let overlays = origin.overlays.iter().map(ToString::to_string).collect();
        Self { file: origin.file.to_string(), line: origin.line, overlays }
    }
}

impl ChangeDocument {
    fn of(change: &FieldChange, step: &Step) -> Self {
        Self {
            path: change.path.to_string(),
            pointer: change.path.pointer(),
            before: change.before.clone(),
            after: change.after.clone(),
            manager: change.manager.clone(),
            set_at: step.set_at(change).map(|place| place.to_string()),
            restarts_pods: change.restarts_pods(&step.object.kind),
        }
    }
}

impl PlanDocument {
    /// Reads what [`Plan::to_json`] wrote.
    ///
    /// # Errors
    /// Fails if the text is no plan, is of another schema version, or has been changed by hand.
    pub fn from_json(text: &str) -> Result<Self, DocumentError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Head {
            schema_version: u32,
        }
        let Head { schema_version } = serde_json::from_str(text).map_err(DocumentError::Malformed)?;
        if schema_version != SCHEMA_VERSION {
            return Err(DocumentError::SchemaVersion { found: schema_version });
        }
        let document: Self = serde_json::from_str(text).map_err(DocumentError::Malformed)?;
        let actual = document.contents.digest();
        if document.digest != actual {
            return Err(DocumentError::Altered { written: document.digest, actual });
        }
        Ok(document)
    }

    /// Checks that `now`, planned from the inputs of today, does what this saved plan says.
    pub fn verify(&self, now: &Plan) -> Result<(), InputsMoved> {
        let now = now.contents();
        if self.contents == now {
            return Ok(());
        }
        let is_same_revision = self.contents.revision == now.revision;
        let revision = (!is_same_revision).then(|| (self.contents.revision.clone(), now.revision.clone()));
        let (saved, fresh) = (by_object(&self.contents.steps), by_object(&now.steps));
        let objects = saved.keys().chain(fresh.keys()).filter(|object| saved.get(*object) != fresh.get(*object));
        let mut objects: Vec<ObjectId> = objects.map(|object| (*object).clone()).collect();
        objects.sort();
        objects.dedup();
        Err(InputsMoved { revision, objects })
    }
}

fn by_object(steps: &[StepDocument]) -> BTreeMap<&ObjectId, &StepDocument> {
    steps.iter().map(|step| (&step.object, step)).collect()
}

impl fmt::Display for InputsMoved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the plan no longer holds")?;
        if let Some((planned, now)) = &self.revision {
            write!(f, ": planned for revision {planned}, now {now}")?;
        }
        if !self.objects.is_empty() {
            let objects: Vec<_> = self.objects.iter().map(ToString::to_string).collect();
            write!(f, "; what would happen has changed for {}", objects.join(", "))?;
        }
        Ok(())
    }
}

impl std::error::Error for InputsMoved {}
