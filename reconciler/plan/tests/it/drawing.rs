//! Fields that are made of random numbers or of the time.

use fairlead_plan::render;
use serde_json::{Value, json};

use crate::scene::{Scene, owned, with};

const SECRET: &str = "Secret shop/db";

/// The Secret with a password and with the size of a volume.
fn secret(password: &str, size: &str) -> Value {
    with(owned(SECRET), &json!({"data": {"password": password, "size": size}}))
}

/// A Deployment that notes the digest of the password.
fn deployment(noted: &str) -> Value {
    with(owned("Deployment shop/web"), &json!({"spec": {"template": {"noted": noted}}}))
}

/// A scene whose source draws the password, and what the Deployment notes of it.
fn drawing(size: &str) -> Scene {
    let scene = Scene::default().inventory([SECRET, "Deployment shop/web"]);
    scene
        .desired_with_drawn(&secret("bmV3", size), &["/data/password"])
        .desired_with_drawn(&deployment("new"), &["/spec/template/noted"])
}

#[test]
fn what_is_drawn_stays_as_it_is_in_the_cluster() {
    let scene = drawing("MQ==").previewed(&secret("b2xk", "MQ=="), &secret("bmV3", "MQ==")).live(&deployment("old"));
    insta::assert_snapshot!(scene.outline(), @r"
    keep    Secret shop/db  in sync
    keep    Deployment shop/web  in sync
    ");
}

#[test]
fn another_change_of_the_object_sends_what_was_drawn_before() {
    let scene = drawing("Mg==").previewed(&secret("b2xk", "MQ=="), &secret("bmV3", "Mg==")).live(&deployment("old"));
    insta::assert_snapshot!(scene.outline(), @r"
    update  Secret shop/db  data.size
    keep    Deployment shop/web  in sync
    ");
    let plan = scene.plan();
    let sent = plan.steps[0].action.manifest().expect("it is sent");
    assert_eq!(sent.body()["data"], json!({"password": "b2xk", "size": "Mg=="}));
}

#[test]
fn where_one_is_missing_all_are_drawn_and_shown_as_not_known() {
    let scene = drawing("MQ==").absent(SECRET).live(&deployment("old"));
    let plan = scene.plan();
    insta::assert_snapshot!(render::diff(&plan), @r"
    # Secret/shop/db: created, secret-db.yaml:1
    --- /dev/null
    +++ b/Secret/shop/db
    @@ -0,0 +1,11 @@
    +apiVersion: v1
    +data:
    +  password: (not known before apply)
    +  size: ***
    +kind: Secret
    +metadata:
    +  labels:
    +    kustomize.toolkit.fluxcd.io/name: apps
    +    kustomize.toolkit.fluxcd.io/namespace: flux-system
    +  name: db
    +  namespace: shop
    # Deployment/shop/web: drifted, deployment-web.yaml:1
    --- a/Deployment/shop/web
    +++ b/Deployment/shop/web
    @@ spec.template.noted @@
    -old
    +(not known before apply)
    ");
    let again = drawing("MQ==").absent(SECRET).live(&deployment("old")).plan();
    assert_eq!(plan.digest(), again.digest());
}
