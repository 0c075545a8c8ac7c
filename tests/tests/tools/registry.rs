//! Modules from an OCI registry.

use imgc_tests::sandbox::Sandbox;
use sha2::{Digest as _, Sha256};

use crate::run;
use crate::web::{Reply, Web};

const MODULE: &str = "{ greeting = \"hello\"; }\n";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn digest(bytes: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

fn manifest(module: &str) -> String {
    format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"{MANIFEST}\",\"config\":{{}},\
         \"layers\":[{{\"mediaType\":\"text/plain\",\"digest\":\"{}\",\"size\":{}}}]}}",
        digest(module),
        module.len()
    )
}

/// Puts a module into the registry with the tag `1`.
fn push(web: &Web, module: &str) {
    let manifest = manifest(module);
    web.put("v2/team/lib/manifests/1", &manifest);
    web.put(
        &format!("v2/team/lib/manifests/{}", digest(&manifest)),
        &manifest,
    );
    web.put(&format!("v2/team/lib/blobs/{}", digest(module)), module);
}

fn project(address: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("app.img", format!("(import \"{address}\").greeting"));
    sandbox
}

fn tagged(web: &Web) -> String {
    format!("oci://{}/team/lib:1", web.host())
}

#[track_caller]
fn says_hello(sandbox: &Sandbox) {
    let outcome = run(sandbox, &["eval", "app.img"]);
    outcome.succeeds();
    assert_eq!(outcome.stdout, "\"hello\"\n");
}

#[test]
fn a_module_is_pulled_and_pinned() {
    let web = Web::start();
    push(&web, MODULE);
    let sandbox = project(&tagged(&web));
    run(&sandbox, &["update", "app.img"]).succeeds();
    let lock = crate::text(&sandbox, "imgc.lock");
    assert!(lock.contains(&digest(MODULE)["sha256:".len()..]), "{lock}");
    says_hello(&sandbox);

    // The tag moves on; what is pinned is still there.
    push(&web, "{ greeting = \"changed\"; }\n");
    let store = sandbox.path("store");
    let store = store.to_str().expect("UTF-8");
    let fresh = ["eval", "--store", store, "app.img"];
    assert_eq!(run(&sandbox, &fresh).stdout, "\"hello\"\n");

    // It is gone: what the tag names now is something else.
    web.remove(&format!("v2/team/lib/blobs/{}", digest(MODULE)));
    let other = sandbox.path("other-store");
    let other = other.to_str().expect("UTF-8");
    let changed = digest("{ greeting = \"changed\"; }\n");
    run(&sandbox, &["eval", "--store", other, "app.img"]).fails(1, &[&digest(MODULE), &changed]);
}

#[test]
fn a_digest_names_a_manifest() {
    let web = Web::start();
    push(&web, MODULE);
    let address = format!("oci://{}/team/lib@{}", web.host(), digest(manifest(MODULE)));
    let sandbox = project(&address);
    run(&sandbox, &["update", "app.img"]).succeeds();
    says_hello(&sandbox);

    let wrong = format!("oci://{}/team/lib@{}", web.host(), digest("other"));
    web.put(
        &format!("v2/team/lib/manifests/{}", digest("other")),
        manifest(MODULE),
    );
    run(&project(&wrong), &["update", "app.img"]).fails(1, &[&digest("other")]);
}

#[test]
fn the_challenge_is_answered_with_a_token() {
    let web = Web::start();
    push(&web, MODULE);
    let realm = web.url("token");
    let challenge = format!("Bearer realm=\"{realm}\",service=\"test\"");
    let locked = |body: &str| Reply {
        status: 200,
        headers: vec![("WWW-Authenticate".to_owned(), challenge.clone())],
        body: body.as_bytes().to_vec(),
        authorization: Some("Bearer secret".to_owned()),
    };
    web.reply("v2/team/lib/manifests/1", locked(&manifest(MODULE)));
    let storage = Web::start();
    storage.put("blob", MODULE);
    let mut moved = locked("");
    moved.status = 307;
    moved
        .headers
        .push(("Location".to_owned(), storage.url("blob")));
    web.reply(&format!("v2/team/lib/blobs/{}", digest(MODULE)), moved);
    let token = "token?scope=repository:team/lib:pull&service=test";
    web.put(token, "{\"token\":\"secret\"}");
    let sandbox = project(&tagged(&web));
    run(&sandbox, &["update", "app.img"]).succeeds();
    says_hello(&sandbox);
    // The token is the registry's, not the storage's.
    assert_eq!(storage.take_requests(), [("/blob".to_owned(), None)]);

    web.put(token, "{\"token\":\"wrong\"}");
    run(&project(&tagged(&web)), &["update", "app.img"]).fails(1, &["logging in"]);
    let far = "Bearer realm=\"http://auth.example/token\"".to_owned();
    let mut elsewhere = locked("");
    elsewhere.headers = vec![("WWW-Authenticate".to_owned(), far)];
    web.reply("v2/team/lib/manifests/1", elsewhere);
    run(&project(&tagged(&web)), &["update", "app.img"]).fails(1, &["auth.example"]);
}

#[test]
fn wrong_bytes_and_names_are_refused() {
    let web = Web::start();
    push(&web, MODULE);
    let same_size = "x".repeat(MODULE.len());
    web.put(&format!("v2/team/lib/blobs/{}", digest(MODULE)), &same_size);
    let sandbox = project(&tagged(&web));
    run(&sandbox, &["update", "app.img"]).fails(1, &[&digest(MODULE), &digest(&same_size)]);
    assert!(!sandbox.project("imgc.lock").exists());

    let large =
        manifest(MODULE).replace(&format!("\"size\":{}", MODULE.len()), "\"size\":17000000");
    web.put("v2/team/lib/manifests/1", large);
    run(&sandbox, &["update", "app.img"]).fails(1, &["larger than 16 MiB"]);
    web.remove("v2/team/lib/manifests/1");
    run(&sandbox, &["update", "app.img"]).fails(1, &["the registry has no"]);
    for address in [
        "oci://host",
        "oci://host/name",
        "oci://host/UPPER:1",
        "oci://u@h/a:1",
    ] {
        run(&project(address), &["update", "app.img"]).fails(1, &["names no artifact"]);
    }
}
