//! A small world to plan in.

use fairlead_object::{Manifest, ObjectId, Origin};
use fairlead_plan::{
    Action, Desired, DigestKey, Inventory, Live, LiveObject, Observed, Options, Owner, Plan, PlanError, Preview, Step,
    plan,
};
use serde_json::{Value, json};

/// What is desired, live and held, and how it is planned.
pub(crate) struct Scene {
    pub(crate) options: Options,
    desired: Vec<Manifest>,
    live: Live,
    inventory: Inventory,
}

impl Default for Scene {
    fn default() -> Self {
        let options = Options::new(owner(), DigestKey::new(b"a key for tests"));
        Self { options, desired: Vec::new(), live: Live::default(), inventory: Inventory::default() }
    }
}

/// The owner of every scene.
pub(crate) fn owner() -> Owner {
    Owner::kustomization("flux-system", "apps")
}

/// The object that `Kind namespace/name` names, with its owner's labels.
pub(crate) fn owned(named: &str) -> Value {
    let mut body = unowned(named);
    for (key, value) in owner().labels() {
        body["metadata"]["labels"][key] = value.into();
    }
    body
}

/// The object that `Kind namespace/name` or `Kind name` names.
pub(crate) fn unowned(named: &str) -> Value {
    let (kind, name) = named.split_once(' ').expect("a kind and a name");
    let metadata = match name.split_once('/') {
        Some((namespace, name)) => json!({"name": name, "namespace": namespace}),
        None => json!({"name": name}),
    };
    json!({"apiVersion": api_version(kind), "kind": kind, "metadata": metadata})
}

fn api_version(kind: &str) -> &'static str {
    match kind {
        "Deployment" => "apps/v1",
        "Job" => "batch/v1",
        "HorizontalPodAutoscaler" => "autoscaling/v2",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "ClusterRole" | "ClusterRoleBinding" | "RoleBinding" => "rbac.authorization.k8s.io/v1",
        _ => "v1",
    }
}

/// `body` with the fields of `more`, recursively.
pub(crate) fn with(mut body: Value, more: &Value) -> Value {
    merge(&mut body, more);
    body
}

fn merge(body: &mut Value, more: &Value) {
    match (body, more) {
        (Value::Object(body), Value::Object(more)) => {
            for (key, value) in more {
                merge(body.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (body, more) => *body = more.clone(),
    }
}

/// `body` as it was written at the first line of `<kind>-<name>.yaml`.
pub(crate) fn manifest(body: &Value) -> Manifest {
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str).expect(pointer).to_lowercase();
    let file = format!("{}-{}.yaml", text("/kind"), text("/metadata/name"));
    Manifest::new(body.clone(), Origin::new(file.parse().expect("relative"), 1)).expect("well formed")
}

pub(crate) fn id(body: &Value) -> ObjectId {
    manifest(body).id().clone()
}

impl Scene {
    /// The source asks for these objects.
    pub(crate) fn desired(mut self, bodies: impl IntoIterator<Item = Value>) -> Self {
        self.desired.extend(bodies.into_iter().map(|body| manifest(&body)));
        self
    }

    /// The source asks for this object, and its fields at the JSON pointers `drawn` are another each time.
    pub(crate) fn desired_with_drawn(mut self, body: &Value, drawn: &[&str]) -> Self {
        self.desired.push(manifest(body).with_drawn(drawn.iter().map(|path| (*path).to_owned()).collect()));
        self
    }

    /// The inventory holds these objects.
    pub(crate) fn inventory<const N: usize>(mut self, named: [&str; N]) -> Self {
        self.inventory =
            self.inventory.union(&named.iter().map(|named| (id(&unowned(named)), "v1".to_owned())).collect());
        self
    }

    /// The cluster holds `body`, and nobody asked what an apply would make of it.
    pub(crate) fn live(self, body: &Value) -> Self {
        self.observed(body, Preview::NotAsked)
    }

    /// The cluster holds `body`, and an apply would make `preview` of it.
    pub(crate) fn previewed(self, body: &Value, preview: &Value) -> Self {
        self.observed(body, Preview::Answer(preview.clone()))
    }

    /// The cluster holds `body`, and refuses to change `field` of it.
    pub(crate) fn immutable(self, body: &Value, field: &str) -> Self {
        let message = format!("{field}: Invalid value: field is immutable");
        self.observed(body, Preview::Immutable { message, field: field.to_owned() })
    }

    fn observed(mut self, body: &Value, preview: Preview) -> Self {
        self.live.insert(id(body), Observed::Present(LiveObject { body: body.clone(), preview }));
        self
    }

    /// The cluster was looked at, and does not hold this object.
    pub(crate) fn absent(mut self, named: &str) -> Self {
        self.live.insert(id(&unowned(named)), Observed::Absent);
        self
    }

    /// Plans otherwise than by default.
    pub(crate) fn options(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }

    pub(crate) fn try_plan(&self) -> Result<Plan, PlanError> {
        let desired = Desired::new("main@sha1:2".to_owned(), self.desired.clone()).expect("no duplicates");
        plan(&desired, &self.live, &self.inventory, &self.options)
    }

    pub(crate) fn plan(&self) -> Plan {
        self.try_plan().expect("nothing is refused")
    }

    /// One line for each step, and one that says why the plan is held.
    pub(crate) fn outline(&self) -> String {
        outline(&self.plan())
    }
}

/// One line for each step, and one that says why the plan is held.
pub(crate) fn outline(plan: &Plan) -> String {
    let held = plan.held.iter().flat_map(|held| held.reasons.iter().map(|reason| format!("held    {reason}")));
    plan.steps.iter().map(step_line).chain(held).collect::<Vec<_>>().join("\n")
}

fn step_line(step: &Step) -> String {
    let changes = || step.action.changes().iter().map(|change| change.path.to_string()).collect::<Vec<_>>().join(", ");
    let (verb, rest) = match &step.action {
        Action::Create(_) => ("create", String::new()),
        Action::Update { cleanup: None, .. } => ("update", changes()),
        Action::Update { cleanup: Some(_), .. } => ("update", format!("{} and its metadata", changes())),
        Action::Replace { field, .. } => ("replace", format!("because of {field}")),
        Action::Delete => ("delete", String::new()),
        Action::Keep(reason) => ("keep", reason.to_string()),
    };
    format!("{verb:7} {}  {rest}", step.object).trim_end().to_owned()
}
