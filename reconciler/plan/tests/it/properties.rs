//! What holds of every plan.

use std::collections::BTreeMap;

use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{
    Action, Budget, Desired, DigestKey, Inventory, Live, LiveObject, Observed, Options, Plan, Preview, plan,
};
use proptest::{collection, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use crate::scene::{id, manifest, owned, owner, unowned, with};

const NAMES: [&str; 8] = [
    "ConfigMap a/one",
    "ConfigMap a/two",
    "ConfigMap b/one",
    "Namespace a",
    "Deployment a/web",
    "Secret a/key",
    "ClusterRole view",
    "CustomResourceDefinition w.example.com",
];

/// A cluster that knows server-side apply of one manager, as far as maps go; lists are atomic.
#[derive(Clone, Debug, Default)]
struct Cluster(BTreeMap<ObjectId, Value>);

impl Cluster {
    fn observe(&self, desired: &Desired, inventory: &Inventory, is_asked: bool) -> Live {
        let of_desired = desired.in_apply_order().into_iter().map(|(_, manifest)| manifest.id().clone());
        let objects = of_desired.chain(inventory.iter().map(|(object, _)| object.clone()));
        objects
            .map(|object| {
                let seen = self.look(&object, desired, is_asked);
                (object, seen)
            })
            .collect()
    }

    fn look(&self, object: &ObjectId, desired: &Desired, is_asked: bool) -> Observed {
        let Some(body) = self.0.get(object) else { return Observed::Absent };
        let preview = match desired.get(object).filter(|_| is_asked) {
            Some(manifest) => Preview::Answer(applied(Some(body), manifest)),
            None => Preview::NotAsked,
        };
        Observed::Present(LiveObject { body: body.clone(), preview })
    }

    fn carry_out(&mut self, plan: &Plan) {
        for step in plan.work() {
            match &step.action {
                Action::Create(to) => drop(self.0.insert(step.object.clone(), applied(None, to))),
                Action::Update { to, .. } => {
                    let body = applied(self.0.get(&step.object), to);
                    self.0.insert(step.object.clone(), body);
                }
                Action::Replace { .. } => unreachable!("no field is immutable here"),
                Action::Delete => drop(self.0.remove(&step.object)),
                Action::Keep(_) => {}
            }
        }
    }
}

/// The object after an apply of `manifest`: fields that were applied before and are no longer asked for go.
fn applied(live: Option<&Value>, manifest: &Manifest) -> Value {
    let mut body = live.cloned().unwrap_or_else(|| json!({"metadata": {}}));
    if let Some(before) = body.pointer("/metadata/managedFields/0/fieldsV1").cloned() {
        remove_owned(&mut body, &before, &manifest.to_value());
    }
    body = with(body, &manifest.to_value());
    body["metadata"]["managedFields"] = json!([{
        "manager": "kustomize-controller", "operation": "Apply",
        "apiVersion": manifest.body()["apiVersion"], "fieldsV1": owned_fields(manifest),
    }]);
    body
}

fn remove_owned(live: &mut Value, owned: &Value, asked: &Value) {
    let (Some(members), Some(owned)) = (live.as_object_mut(), owned.as_object()) else { return };
    for (field, below) in owned {
        let name = field.trim_start_matches("f:");
        match asked.get(name) {
            None => drop(members.remove(name)),
            Some(asked) => {
                if let Some(live) = members.get_mut(name) {
                    remove_owned(live, below, asked);
                }
            }
        }
    }
}

fn owned_fields(manifest: &Manifest) -> Value {
    let mut body = manifest.to_value();
    for name in ["apiVersion", "kind"] {
        body.as_object_mut().expect("an object").remove(name);
    }
    for name in ["name", "namespace"] {
        body["metadata"].as_object_mut().expect("metadata").remove(name);
    }
    fields_of(&body)
}

fn fields_of(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("f:{name}"), fields_of(value))).collect(),
        _ => Value::Object(Map::new()),
    }
}

fn body(named: &'static str) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!("x")), Just(json!("y")), Just(json!(["a", "b"])), Just(json!({"deep": "z"}))];
    let fields = collection::btree_map(select(vec!["p", "q", "r"]), leaf, 0..3);
    fields.prop_map(move |fields| with(owned(named), &json!({"data": fields})))
}

/// Objects that the source asks for.
fn bodies() -> impl Strategy<Value = Vec<Value>> {
    prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len())
        .prop_flat_map(|names| names.into_iter().map(body).collect::<Vec<_>>())
}

/// A cluster in which some objects are ours, some are nobody's and some were applied before.
fn cluster() -> impl Strategy<Value = Cluster> {
    let object = |named: &'static str| {
        prop_oneof![Just(unowned(named)), body(named), body(named).prop_map(|body| applied(None, &manifest(&body)))]
    };
    prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len())
        .prop_flat_map(move |names| names.into_iter().map(object).collect::<Vec<_>>())
        .prop_map(|bodies| Cluster(bodies.iter().map(|body| (id(body), body.clone())).collect()))
}

fn inventory() -> impl Strategy<Value = Inventory> {
    let entry = |named: &&str| (id(&unowned(named)), "v1".to_owned());
    prop::sample::subsequence(NAMES.to_vec(), 0..=NAMES.len()).prop_map(move |names| names.iter().map(entry).collect())
}

fn desired(bodies: &[Value]) -> Desired {
    Desired::new("main@sha1:2".to_owned(), bodies.iter().map(manifest).collect()).expect("no duplicates")
}

fn options(budget: Budget) -> Options {
    Options { budget, ..Options::new(owner(), DigestKey::new(b"key")) }
}

proptest! {
    #[test]
    fn planning_again_after_applying_gives_an_empty_plan(
        bodies in bodies(), mut cluster in cluster(), inventory in inventory(), is_asked in any::<bool>(),
    ) {
        let (desired, options) = (desired(&bodies), options(Budget::Unlimited));
        let first = plan(&desired, &cluster.observe(&desired, &inventory, is_asked), &inventory, &options).expect("allowed");
        cluster.carry_out(&first);
        let after = first.inventory_after();
        let second = plan(&desired, &cluster.observe(&desired, &after, is_asked), &after, &options).expect("allowed");
        prop_assert!(second.is_empty(), "{second:?}");
        prop_assert_eq!(second.inventory_after(), after);
        for (_, manifest) in desired.in_apply_order() {
            prop_assert!(cluster.0.contains_key(manifest.id()));
        }
    }

    #[test]
    fn pruning_never_names_what_is_not_in_the_inventory_or_is_not_ours(
        bodies in bodies(), cluster in cluster(), inventory in inventory(), budget in prop_oneof![Just(Budget::Unlimited), Just(Budget::default())],
    ) {
        let desired = desired(&bodies);
        let plan = plan(&desired, &cluster.observe(&desired, &inventory, true), &inventory, &options(budget)).expect("allowed");
        for step in plan.steps.iter().filter(|step| step.action.deletes()) {
            prop_assert!(inventory.contains(&step.object));
            prop_assert!(!desired.contains(&step.object));
            prop_assert!(owner().owns(&cluster.0[&step.object]));
        }
    }

    #[test]
    fn equal_inputs_give_the_same_bytes_in_whatever_order_they_come(
        bodies in bodies(), cluster in cluster(), inventory in inventory(),
    ) {
        let (forward, options) = (desired(&bodies), options(Budget::default()));
        let backward = desired(&bodies.iter().rev().cloned().collect::<Vec<_>>());
        let live = cluster.observe(&forward, &inventory, true);
        let told = |desired: &Desired| plan(desired, &live, &inventory, &options).expect("allowed").to_json();
        prop_assert_eq!(told(&forward), told(&backward));
    }

    #[test]
    fn what_is_recorded_before_the_first_write_covers_what_exists_after_any_of_them(
        bodies in bodies(), cluster in cluster(), inventory in inventory(), done in 0usize..20,
    ) {
        let desired = desired(&bodies);
        let live = cluster.observe(&desired, &inventory, true);
        let plan = plan(&desired, &live, &inventory, &options(Budget::Unlimited)).expect("allowed");
        let recorded = plan.inventory_during();
        for step in plan.work().take(done) {
            prop_assert!(recorded.contains(&step.object));
        }
        for (object, _) in inventory.iter() {
            prop_assert!(recorded.contains(object));
        }
    }
}
