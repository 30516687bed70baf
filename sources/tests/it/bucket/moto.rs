//! `moto`, which stands in for Amazon and checks signatures.

use fairlead_object::Digest;
use fairlead_sources::bucket::BucketRequest;
use tempfile::TempDir;

use super::{pull, refusal, request, s3, told};
use crate::{
    git::{program::program, ssh_server::free_port},
    scene::{Scene, contents},
    server::{Server, is_installed},
};

const PROGRAM: &str = "moto_server";
/// Requests that are answered before everyone must show who they are.
const FREE_REQUESTS: usize = 9;

/// The service.
struct Moto {
    server: Server,
    free: usize,
}

impl Moto {
    /// Starts the service; `None` where it is not installed.
    async fn start() -> Option<Self> {
        if !is_installed(PROGRAM, "pip install moto[server]") {
            return None;
        }
        let port = free_port();
        let mut command = program(PROGRAM);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.env("INITIAL_NO_AUTH_ACTION_COUNT", FREE_REQUESTS.to_string());
        let server = Server::start(&command, port, TempDir::new().expect("a folder")).await;
        Some(Self { server, free: FREE_REQUESTS })
    }

    /// Sends a request that nobody has to sign.
    fn send(&mut self, service: &str, method: &str, path: &str, body: &str) -> String {
        self.free = self.free.checked_sub(1).expect("so many requests are free");
        let credential = format!("AWS4-HMAC-SHA256 Credential=anyone/20260101/us-east-1/{service}/aws4_request");
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://127.0.0.1:{}{path}", self.server.port))
            .header("authorization", format!("{credential}, SignedHeaders=host, Signature=none"))
            .header("content-type", if service == "iam" { "application/x-www-form-urlencoded" } else { "text/plain" });
        let response = ureq::run(request.body(body.to_owned()).expect("a request")).expect("an answer");
        response.into_body().read_to_string().expect("text")
    }

    fn put(&mut self, path: &str, content: &str) {
        self.send("s3", "PUT", &format!("/shop{path}"), content);
    }

    /// A user with every right, by the two keys.
    fn user(&mut self) -> (String, String) {
        let policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C\
                      %22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
        self.send("iam", "POST", "/", "Action=CreateUser&Version=2010-05-08&UserName=me");
        let keys = self.send("iam", "POST", "/", "Action=CreateAccessKey&Version=2010-05-08&UserName=me");
        let put = format!("Action=PutUserPolicy&Version=2010-05-08&UserName=me&PolicyName=all&PolicyDocument={policy}");
        self.send("iam", "POST", "/", &put);
        let text = |name: &str| {
            let rest = keys.split_once(&format!("<{name}>")).expect("in the answer").1;
            rest.split_once('<').expect("closed").0.to_owned()
        };
        (text("AccessKeyId"), text("SecretAccessKey"))
    }
}

#[tokio::test]
async fn a_bucket_is_listed_and_fetched_by_those_who_sign_their_requests() {
    let Some(mut moto) = Moto::start().await else { return };
    let (access_key, secret_key) = moto.user();
    moto.put("", "");
    moto.put("/a.yaml", "a: 1");
    moto.put("/b/c.yaml", "c: 1");
    moto.put("/notes.txt", "left out");
    moto.put("/.sourceignore", "*.txt\n");
    moto.put("/logo.png", "kept, unlike in repositories");
    assert_eq!(moto.free, 0);

    let request = request(s3(moto.server.port, &access_key, &secret_key), "");
    let scene = Scene::new();
    let (listing, fetched) =
        pull(&scene, &request, None).await.unwrap_or_else(|e| panic!("{}", told(&e, moto.server.port)));
    assert_eq!(listing.revision, fetched.revision);
    let (below, _) =
        pull(&scene, &super::request(s3(moto.server.port, &access_key, &secret_key), "a"), None).await.expect("pulled");
    let etag = "270f9e65a80226eccd82c99cdd0dd2fb";
    assert_eq!(below.revision, Digest::of(format!("a.yaml {etag}\n").as_bytes()).to_string());
    let kept = ".sourceignore: *.txt\n\na.yaml: a: 1\nlogo.png: kept, unlike in repositories\nb/c.yaml: c: 1\n";
    assert_eq!(contents(&fetched.tree).as_deref(), Ok(kept));

    let missing = BucketRequest { bucket: "none".into(), ..request };
    let wrong = super::request(s3(moto.server.port, &access_key, "canary"), "");
    let unknown = super::request(s3(moto.server.port, "AKIAUNKNOWN", "canary"), "");
    let rows =
        [(missing, "bucket 'none' not found"), (wrong, "SignatureDoesNotMatch"), (unknown, "InvalidAccessKeyId")];
    for (request, expected) in rows {
        let text = told(&refusal(pull(&scene, &request, None).await), moto.server.port);
        assert!(text.contains(expected) && !text.contains("canary"), "{text}");
    }
}
