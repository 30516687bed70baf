//! Objects of the kinds that kustomize knows something about, and of some that it does not.

use super::{
    scalar::{IMAGES, KEYS, NAMES, NAMESPACES, name, scalar, some_entries, string},
    yaml::{Yaml, list, map},
};
use crate::Choices;

/// A generated object.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) api_version: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) namespace: &'static str,
    pub(super) body: Yaml,
}

/// Whether objects of a kind are in a namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Namespaced,
    Cluster,
}

/// Adds what is particular to a kind to an object.
type Fill = fn(&mut Yaml, &mut Choices);

/// The kinds, with what fills them.
const KINDS: &[(&str, &str, Scope, Fill)] = &[
    ("v1", "ConfigMap", Scope::Namespaced, config_map),
    ("apps/v1", "Deployment", Scope::Namespaced, deployment),
    ("v1", "Service", Scope::Namespaced, service),
    ("example.com/v1", "Widget", Scope::Namespaced, widget),
    ("apps/v1", "StatefulSet", Scope::Namespaced, stateful_set),
    ("apps/v1", "DaemonSet", Scope::Namespaced, daemon_set),
    ("v1", "Secret", Scope::Namespaced, secret),
    ("batch/v1", "CronJob", Scope::Namespaced, cron_job),
    ("batch/v1", "Job", Scope::Namespaced, job),
    ("v1", "Pod", Scope::Namespaced, pod),
    ("v1", "ServiceAccount", Scope::Namespaced, service_account),
    ("rbac.authorization.k8s.io/v1", "RoleBinding", Scope::Namespaced, binding),
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", Scope::Cluster, binding),
    ("rbac.authorization.k8s.io/v1", "Role", Scope::Namespaced, role),
    ("rbac.authorization.k8s.io/v1", "ClusterRole", Scope::Cluster, role),
    ("v1", "Namespace", Scope::Cluster, nothing),
    ("apps/v1", "ReplicaSet", Scope::Namespaced, deployment),
    ("v1", "ReplicationController", Scope::Namespaced, daemon_set),
    ("v1", "PodTemplate", Scope::Namespaced, pod_template),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", Scope::Cluster, webhook),
    ("networking.k8s.io/v1", "Ingress", Scope::Namespaced, ingress),
    ("networking.k8s.io/v1", "NetworkPolicy", Scope::Namespaced, network_policy),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition", Scope::Cluster, definition),
    ("v1", "PersistentVolumeClaim", Scope::Namespaced, claim),
    ("v1", "PersistentVolume", Scope::Cluster, volume),
    ("storage.k8s.io/v1", "StorageClass", Scope::Cluster, storage_class),
    ("autoscaling/v2", "HorizontalPodAutoscaler", Scope::Namespaced, autoscaler),
    ("policy/v1", "PodDisruptionBudget", Scope::Namespaced, budget),
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", Scope::Cluster, webhook),
    ("apiregistration.k8s.io/v1", "APIService", Scope::Cluster, api_service),
    ("serving.knative.dev/v1", "Service", Scope::Namespaced, service),
    ("scheduling.k8s.io/v1", "PriorityClass", Scope::Cluster, nothing),
    ("example.com/v1", "WidgetList", Scope::Namespaced, widget),
];

/// Makes an object of some kind.
pub(super) fn object(choices: &mut Choices) -> Object {
    let (api_version, kind, scope, fill) = choices.pick(KINDS);
    let name = choices.pick(NAMES);
    let is_in_namespace = scope == Scope::Namespaced || choices.chance(15);
    let namespace = if is_in_namespace { choices.pick(NAMESPACES) } else { "" };
    let mut body = map! { "apiVersion": api_version, "kind": kind, "metadata": metadata(choices, name, namespace) };
    fill(&mut body, choices);
    Object { api_version, kind, name, namespace, body }
}

fn metadata(choices: &mut Choices, name: &str, namespace: &str) -> Yaml {
    let mut metadata = map! { "name": name };
    if !namespace.is_empty() {
        metadata.put("namespace", namespace);
    }
    if choices.chance(30) {
        metadata.put("labels", some_entries(choices, &["app", "tier", "env"], 2, string));
    } else if choices.chance(5) {
        metadata.put("labels", choices.pick(&["{}", "", "null"]));
    }
    if choices.chance(30) {
        metadata.put("annotations", some_entries(choices, &["n1", "n2", "example.com/z"], 2, scalar));
    } else if choices.chance(5) {
        metadata.put("annotations", choices.pick(&["{}", "", "null"]));
    } else if choices.chance(4) {
        let local = choices.pick(&["\"true\"", "\"false\""]);
        metadata.put("annotations", map! { "config.kubernetes.io/local-config": local });
    }
    if choices.chance(5) {
        metadata.put("finalizers", list!["a", "b"]);
    }
    if choices.chance(5) {
        metadata.put("creationTimestamp", choices.pick(&["null", "", "2020-01-01T00:00:00Z"]));
    }
    if choices.chance(4) {
        metadata.put("ownerReferences", list![map! { "uid": "\"1\"", "name": name, "kind": "Widget" }]);
    }
    metadata
}

fn nothing(_: &mut Yaml, _: &mut Choices) {}

fn config_map(object: &mut Yaml, choices: &mut Choices) {
    match choices.below(8) {
        0 => {}
        1 => object.put("data", choices.pick(&["{}", "", "null"])),
        2 => object.put("binaryData", map! { "k": "aGVsbG8=" }),
        _ => object.put("data", some_entries(choices, KEYS, 5, scalar)),
    }
}

fn secret(object: &mut Yaml, choices: &mut Choices) {
    if choices.chance(40) {
        object.put("type", choices.pick(&["Opaque", "kubernetes.io/tls"]));
    }
    match choices.below(4) {
        0 => object.put("data", map! { "a": "Yg==" }),
        1 => object.put("stringData", some_entries(choices, KEYS, 3, string)),
        2 => object.put("data", "null"),
        _ => {}
    }
}

fn widget(object: &mut Yaml, choices: &mut Choices) {
    let mut spec = map! { "a": scalar(choices) };
    spec.put("b", list![scalar(choices), map! { "name": "one", "v": scalar(choices) }, scalar(choices)]);
    spec.put("c", map! { "d": name(choices), "e": choices.pick(&["1", "x", "[]", "{}", "[[]]", "[{}]"]) });
    if choices.chance(30) {
        spec.put("nested", map! { "containers": list![map! { "image": "nginx:1.2" }], "empty": "", "nul": "null" });
    }
    if choices.chance(10) {
        spec.put("shared", Yaml::Anchored("shared", Box::new(map! { "x": scalar(choices), "y": list!["1", "2"] })));
        spec.put("again", "*shared");
        if choices.chance(50) {
            spec.put("merged", map! { "<<": "*shared", "z": "1" });
        }
    }
    if choices.chance(1) {
        spec.put("a", scalar(choices));
    }
    if choices.chance(2) {
        spec.put(choices.pick(&["1", "true", "1.5", "null", "2020-01-01", "0x1F", "\"<<\"", "? a", "~"]), "odd");
    }
    if choices.chance(10) {
        spec.put("keys", some_entries(choices, KEYS, 8, scalar));
    }
    if choices.chance(10) {
        spec.put("json", Yaml::Lines("|-", vec!["{\"a\": {\"b\": 1}, \"l\": [1, 2]}"]));
        spec.put("text", Yaml::Lines("|", vec!["a:", "  b: x # y", "l:", "- 1", "- n: two"]));
    }
    object.put("spec", spec);
}

fn container(choices: &mut Choices, index: usize) -> Yaml {
    let mut container = map! { "name": choices.pick(&["main", "side", ["c0", "c1", "c2"][index % 3]]) };
    container.put("image", choices.pick(IMAGES));
    if choices.chance(40) {
        let names = choices.some(&["A", "B", "C", "D"], 1, 3);
        container.put("env", names.into_iter().map(|name| variable(choices, name)).collect::<Vec<_>>());
    }
    if choices.chance(40) {
        let numbers = choices.some(&[80, 81, 8080], 1, 3);
        container.put("ports", numbers.into_iter().map(|number| container_port(choices, number)).collect::<Vec<_>>());
    }
    if choices.chance(30) {
        container.put("args", list!["a", "$(V1)", scalar(choices)]);
    }
    if choices.chance(30) {
        let secret = map! { "secretRef": map! { "name": name(choices) } };
        container.put("envFrom", list![map! { "configMapRef": map! { "name": name(choices) } }, secret]);
    }
    if choices.chance(30) {
        container
            .put("volumeMounts", list![map! { "name": "v", "mountPath": choices.pick(&["/m1", "/m2", "/$(V1)"]) }]);
    }
    if choices.chance(20) {
        container.put("resources", map! { "limits": map! { "cpu": "100m", "memory": "1Gi" }, "requests": "" });
    }
    container
}

fn variable(choices: &mut Choices, key: &str) -> Yaml {
    let mut variable = map! { "name": key };
    match choices.below(4) {
        0 | 1 => variable.put("value", scalar(choices)),
        2 => variable.put("valueFrom", map! { "configMapKeyRef": map! { "name": name(choices), "key": "k" } }),
        _ => variable.put("valueFrom", map! { "secretKeyRef": map! { "name": name(choices), "key": "k" } }),
    }
    variable
}

fn container_port(choices: &mut Choices, number: usize) -> Yaml {
    let mut port = map! { "containerPort": number };
    if choices.chance(50) {
        port.put("protocol", choices.pick(&["TCP", "UDP"]));
    }
    if choices.chance(50) {
        port.put("name", format!("p{number}"));
    }
    port
}

fn pod_spec(choices: &mut Choices) -> Yaml {
    let count = choices.between(1, 2);
    let mut spec = map! { "containers": (0..count).map(|index| container(choices, index)).collect::<Vec<_>>() };
    if choices.chance(20) {
        spec.put("initContainers", list![container(choices, 2)]);
    }
    if choices.chance(40) {
        spec.put("volumes", volumes(choices));
    }
    if choices.chance(30) {
        spec.put("serviceAccountName", name(choices));
    }
    if choices.chance(20) {
        spec.put("imagePullSecrets", list![map! { "name": name(choices) }]);
    }
    if choices.chance(20) {
        spec.put("tolerations", list![map! { "key": "a", "operator": "Exists" }]);
    }
    if choices.chance(15) {
        let selector = map! { "matchLabels": map! { "a": "b" } };
        let constraint = map! { "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": selector };
        spec.put("topologySpreadConstraints", list![constraint]);
    }
    if choices.chance(10) {
        spec.put("hostAliases", list![map! { "ip": "1.2.3.4", "hostnames": list!["a"] }]);
    }
    if choices.chance(10) {
        spec.put("priorityClassName", name(choices));
    }
    if choices.chance(5) {
        spec.put("ephemeralContainers", list![map! { "name": "debug", "image": choices.pick(IMAGES) }]);
    }
    spec
}

fn volumes(choices: &mut Choices) -> Yaml {
    let source = match choices.below(3) {
        0 => map! { "name": "v", "emptyDir": "{}" },
        1 => map! { "name": "v", "configMap": map! { "name": name(choices) } },
        _ => map! { "name": "v", "secret": map! { "secretName": name(choices) } },
    };
    let mut volumes = vec![source];
    if choices.chance(40) {
        let config = map! { "configMap": map! { "name": name(choices) } };
        let sources = list![config, map! { "secret": map! { "name": name(choices) } }];
        volumes.push(map! { "name": "w", "projected": map! { "sources": sources } });
    }
    if choices.chance(30) {
        volumes.push(map! { "name": "pv", "persistentVolumeClaim": map! { "claimName": name(choices) } });
    }
    if choices.chance(10) {
        volumes.push(map! { "name": "i", "image": map! { "reference": choices.pick(IMAGES) } });
    }
    volumes.into()
}

fn template(choices: &mut Choices) -> Yaml {
    let spec = pod_spec(choices);
    match choices.below(5) {
        0 => map! { "spec": spec },
        1 => map! { "metadata": "{}", "spec": spec },
        2 => map! { "metadata": map! { "creationTimestamp": "null" }, "spec": spec },
        3 => map! { "metadata": map! { "labels": map! { "app": "x" } }, "spec": spec },
        _ => {
            let annotations = some_entries(choices, &["n1", "n2"], 2, scalar);
            map! { "metadata": map! { "labels": map! { "app": "x" }, "annotations": annotations }, "spec": spec }
        }
    }
}

fn workload_spec(choices: &mut Choices) -> Yaml {
    let mut spec = map! {};
    if choices.chance(60) {
        spec.put("replicas", choices.below(5));
    }
    match choices.below(4) {
        0 => spec.put("selector", map! { "matchLabels": map! { "app": "x" } }),
        1 => spec.put("selector", choices.pick(&["{}", "", "null"])),
        2 => spec.put("selector", map! { "matchLabels": choices.pick(&["{}", "", "null"]) }),
        _ => {}
    }
    if choices.chance(90) {
        spec.put("template", template(choices));
    } else {
        spec.put("paused", "true");
    }
    spec
}

fn deployment(object: &mut Yaml, choices: &mut Choices) {
    let mut spec = workload_spec(choices);
    if choices.chance(20) {
        spec.put("strategy", map! { "type": "RollingUpdate", "rollingUpdate": map! { "maxSurge": scalar(choices) } });
    }
    object.put("spec", spec);
}

fn daemon_set(object: &mut Yaml, choices: &mut Choices) {
    object.put("spec", workload_spec(choices));
}

fn stateful_set(object: &mut Yaml, choices: &mut Choices) {
    let mut spec = workload_spec(choices);
    spec.put("serviceName", name(choices));
    if choices.chance(50) {
        let claim = map! { "metadata": map! { "name": "data" }, "spec": map! { "storageClassName": name(choices) } };
        spec.put("volumeClaimTemplates", list![claim]);
    }
    object.put("spec", spec);
}

fn job(object: &mut Yaml, choices: &mut Choices) {
    object.put("spec", map! { "template": template(choices) });
}

fn cron_job(object: &mut Yaml, choices: &mut Choices) {
    let job = map! { "spec": map! { "template": template(choices) } };
    object.put("spec", map! { "schedule": "\"* * * * *\"", "jobTemplate": job });
}

fn pod(object: &mut Yaml, choices: &mut Choices) {
    object.put("spec", pod_spec(choices));
}

fn pod_template(object: &mut Yaml, choices: &mut Choices) {
    object.put("template", template(choices));
}

fn service(object: &mut Yaml, choices: &mut Choices) {
    let mut port = map! { "port": 80 };
    if choices.chance(50) {
        port.put("protocol", choices.pick(&["TCP", "UDP"]));
    }
    let mut ports = vec![port];
    if choices.chance(40) {
        ports.push(map! { "port": choices.pick(&[80, 81]), "name": "q", "targetPort": scalar(choices) });
    }
    let mut spec = map! { "ports": ports };
    match choices.below(3) {
        0 => {}
        1 => spec.put("selector", map! { "app": "x" }),
        _ => spec.put("selector", choices.pick(&["{}", "", "null"])),
    }
    object.put("spec", spec);
}

fn service_account(object: &mut Yaml, choices: &mut Choices) {
    match choices.below(3) {
        0 => {}
        1 => object.put("imagePullSecrets", list![map! { "name": name(choices) }]),
        _ => object.put("secrets", list![map! { "name": name(choices) }]),
    }
}

fn binding(object: &mut Yaml, choices: &mut Choices) {
    let kind = choices.pick(&["Role", "ClusterRole"]);
    object.put("roleRef", map! { "apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name(choices) });
    let count = choices.between(1, 2);
    let subjects = (0..count).map(|_| {
        let name = choices.pick(&["web", "db", "app", "default"]);
        let mut subject = map! { "kind": choices.pick(&["ServiceAccount", "ServiceAccount", "User"]), "name": name };
        match choices.below(4) {
            0 => subject.put("namespace", "a"),
            1 => subject.put("namespace", "default"),
            _ => {}
        }
        subject
    });
    let subjects = subjects.collect::<Vec<_>>();
    object.put("subjects", subjects);
}

fn role(object: &mut Yaml, choices: &mut Choices) {
    let resource = choices.pick(&["secrets", "configmaps", "widgets"]);
    let mut rule = map! { "apiGroups": list!["\"\""], "resources": list![resource], "verbs": list!["get"] };
    rule.put("resourceNames", list![name(choices)]);
    object.put("rules", list![rule]);
}

fn ingress(object: &mut Yaml, choices: &mut Choices) {
    let backend = map! { "service": map! { "name": name(choices), "port": map! { "number": 80 } } };
    let path = map! { "path": "/", "pathType": "Prefix", "backend": backend };
    let rule = map! { "host": choices.pick(&["h", "$(V1).example"]), "http": map! { "paths": list![path] } };
    let tls = map! { "secretName": name(choices), "hosts": list!["$(V1)"] };
    object.put("spec", map! { "tls": list![tls], "rules": list![rule] });
}

fn network_policy(object: &mut Yaml, _: &mut Choices) {
    let from = map! { "podSelector": map! { "matchLabels": map! { "a": "b" } } };
    let selector = map! { "matchLabels": map! { "app": "x" } };
    object.put("spec", map! { "podSelector": selector, "ingress": list![map! { "from": list![from] }] });
}

fn definition(object: &mut Yaml, choices: &mut Choices) {
    let properties = map! { "containers": list![map! { "image": "nginx" }] };
    let schema = map! { "openAPIV3Schema": map! { "properties": properties } };
    let mut spec = map! { "group": "example.com", "names": map! { "kind": "Widget", "plural": "widgets" } };
    spec.put("versions", list![map! { "name": "v1", "schema": schema }]);
    if choices.chance(40) {
        let service = map! { "name": name(choices), "namespace": "x" };
        spec.put("conversion", map! { "webhook": map! { "clientConfig": map! { "service": service } } });
    }
    object.put("spec", spec);
}

fn claim(object: &mut Yaml, choices: &mut Choices) {
    object.put("spec", map! { "storageClassName": name(choices), "volumeName": name(choices) });
}

fn volume(object: &mut Yaml, choices: &mut Choices) {
    object.put("spec", map! { "storageClassName": name(choices), "claimRef": map! { "name": name(choices) } });
}

fn storage_class(object: &mut Yaml, choices: &mut Choices) {
    object.put("parameters", map! { "secretName": name(choices), "type": scalar(choices) });
}

fn autoscaler(object: &mut Yaml, choices: &mut Choices) {
    let kind = choices.pick(&["Deployment", "StatefulSet"]);
    let target = map! { "apiVersion": "apps/v1", "kind": kind, "name": name(choices) };
    object.put("spec", map! { "scaleTargetRef": target, "metrics": list![map! { "type": "Resource" }] });
}

fn budget(object: &mut Yaml, _: &mut Choices) {
    object.put("spec", map! { "selector": map! { "matchLabels": map! { "app": "x" } } });
}

fn webhook(object: &mut Yaml, choices: &mut Choices) {
    let mut service = map! { "name": name(choices) };
    if choices.chance(60) {
        service.put("namespace", choices.pick(&["a", "default"]));
    }
    object.put("webhooks", list![map! { "name": "a.b", "clientConfig": map! { "service": service } }]);
}

fn api_service(object: &mut Yaml, choices: &mut Choices) {
    object.put("spec", map! { "service": map! { "name": name(choices), "namespace": "x" }, "version": "v1" });
}
