//! Amazon: keys of a role, of a pod or of the machine, and logins to its registries.
//!
//! # Follows Amazon's libraries
//! The order in which an identity is looked for: keys in the environment, a web identity (IRSA), the agent of a container
//! (EKS Pod Identity, ECS), the machine (IMDSv2).

use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use ureq::http::Method;

use super::{
    IdentityError, Lease,
    exchange::{Exchange, Question, json, text_of},
    is_login,
};
use crate::{
    bucket::{S3Keys, Signer, Unsigned, xml},
    url::{Url, encode},
};

/// The hosts that are sent what our keys have signed, and logins.
pub(super) const HOSTS: &[&str] = &[".amazonaws.com", ".amazonaws.com.cn", "public.ecr.aws"];

const STS: &str = "Amazon's token service";
const AGENT: &str = "the container's credentials agent";
const METADATA: &str = "the metadata service";
const ECR: &str = "Amazon's registry service";
/// How long keys of the environment are believed.
const STATIC_LIFETIME: Duration = Duration::from_hours(1);
/// How long a session with the metadata service lasts, in seconds.
const METADATA_SESSION: &str = "60";

/// Keys that were given for a while.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Granted {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "SessionToken")]
    token: Option<String>,
    expiration: Timestamp,
}

/// The keys of this process.
pub(super) fn keys(exchange: &Exchange<'_>, region: &str) -> Result<Lease, IdentityError> {
    let environment = exchange.environment;
    if let (Some(id), Some(secret)) = (environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")) {
        let token = environment.get("AWS_SESSION_TOKEN");
        return Ok(Lease { what: written(&id, &secret, token.as_deref()), lifetime: STATIC_LIFETIME });
    }
    let granted = match (environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"), environment.get("AWS_ROLE_ARN")) {
        (Some(file), Some(role)) => of_web_identity(exchange, region, &file, &role)?,
        (Some(_), None) | (None, _) => match agent_url(exchange) {
            Some(url) => of_container(exchange, &url)?,
            None => of_machine(exchange)?,
        },
    };
    let what = written(&granted.access_key_id, &granted.secret_access_key, granted.token.as_deref());
    Ok(Lease { what, lifetime: exchange.until(granted.expiration) })
}

/// Keys as they are kept: three lines.
fn written(id: &str, secret: &str, token: Option<&str>) -> SecretString {
    format!("{id}\n{secret}\n{}", token.unwrap_or_default()).into()
}

/// Reads what [`written`] wrote.
pub(super) fn read(kept: &SecretString) -> Result<S3Keys, IdentityError> {
    let lines: Vec<&str> = kept.expose_secret().split('\n').collect();
    let [id, secret, token] = lines[..] else {
        return Err(IdentityError::Malformed { from: STS, problem: "gives keys that cannot be used" });
    };
    Ok(S3Keys::new(id.into(), secret.into(), Some(token).filter(|token| !token.is_empty()).map(SecretString::from)))
}

fn of_web_identity(exchange: &Exchange<'_>, region: &str, file: &str, role: &str) -> Result<Granted, IdentityError> {
    let environment = exchange.environment;
    let region = environment.get("AWS_REGION").unwrap_or_else(|| region.to_owned());
    let usual = format!("https://sts.{region}.amazonaws.com");
    let url = environment.url("AWS_ENDPOINT_URL_STS", &usual, "/");
    let url = url.ok_or(IdentityError::None { cloud: "Amazon", problem: "`AWS_ENDPOINT_URL_STS` is no URL" })?;
    let session = environment.get("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "fairlead".to_owned());
    let token = text_of(file)?;
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("RoleArn", role),
        ("RoleSessionName", &session),
        ("Version", "2011-06-15"),
        ("WebIdentityToken", &token),
    ];
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
    let headers = vec![("content-type", "application/x-www-form-urlencoded".into())];
    let question = Question { from: STS, method: Method::POST, url: &url, headers, body: body.join("&") };
    let answer = exchange.ask(question)?;
    let malformed = || IdentityError::Malformed { from: STS, problem: "gives an answer that cannot be read" };
    let parsed = xml::parse(&answer, "AssumeRoleWithWebIdentityResponse", "Credentials");
    let mut texts = parsed.ok().and_then(|(items, _)| items.into_iter().next()).ok_or_else(malformed)?;
    let mut text = |name: &str| texts.remove(name).ok_or_else(malformed);
    Ok(Granted {
        access_key_id: text("AccessKeyId")?,
        secret_access_key: text("SecretAccessKey")?,
        token: Some(text("SessionToken")?),
        expiration: text("Expiration")?.parse().map_err(|_| malformed())?,
    })
}

/// Where the agent of a container answers.
fn agent_url(exchange: &Exchange<'_>) -> Option<Url> {
    let environment = exchange.environment;
    let full = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let relative = || environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let url = full.or_else(|| relative().map(|path| format!("http://169.254.170.2{path}")))?;
    Url::parse_http(&url).ok()
}

fn of_container(exchange: &Exchange<'_>, url: &Url) -> Result<Granted, IdentityError> {
    let environment = exchange.environment;
    let token = match environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(text_of(&file)?),
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    let headers = token.map(|token| ("authorization", SecretString::from(token))).into_iter().collect();
    let question = Question { from: AGENT, method: Method::GET, url, headers, body: String::new() };
    json(AGENT, &exchange.ask(question)?)
}

fn of_machine(exchange: &Exchange<'_>) -> Result<Granted, IdentityError> {
    const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
    let at = |path: &str| {
        let url = exchange.environment.url("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254", path);
        let problem = "`AWS_EC2_METADATA_SERVICE_ENDPOINT` is no URL";
        url.ok_or(IdentityError::None { cloud: "Amazon", problem })
    };
    let headers = vec![("x-aws-ec2-metadata-token-ttl-seconds", METADATA_SESSION.into())];
    let url = at("/latest/api/token")?;
    let session =
        exchange.ask(Question { from: METADATA, method: Method::PUT, url: &url, headers, body: String::new() })?;
    let session = SecretString::from(String::from_utf8_lossy(&session).trim());
    let ask = |url: &Url| {
        let headers = vec![("x-aws-ec2-metadata-token", session.clone())];
        exchange.ask(Question { from: METADATA, method: Method::GET, url, headers, body: String::new() })
    };
    let roles = ask(&at(ROLES)?)?;
    let roles = String::from_utf8_lossy(&roles);
    let problem = "the machine has no role";
    let role = roles.lines().next().map(str::trim).filter(|role| !role.is_empty());
    let role = role.ok_or(IdentityError::None { cloud: "Amazon", problem })?;
    json(METADATA, &ask(&at(&format!("{ROLES}{}", encode(role)))?)?)
}

/// The services that give logins to registries.
struct Registries {
    service: &'static str,
    target: &'static str,
    host: String,
    region: String,
}

impl Registries {
    /// The service for the registry at `host`: `<account>.dkr.ecr.<region>.amazonaws.com`, or the public one.
    fn of(host: &str) -> Option<Self> {
        if host == "public.ecr.aws" {
            let (service, target) = ("ecr-public", "SpencerFrontendService.GetAuthorizationToken");
            let (host, region) = ("api.ecr-public.us-east-1.amazonaws.com".to_owned(), "us-east-1".to_owned());
            return Some(Self { service, target, host, region });
        }
        let (account, rest) = host.split_once(".dkr.")?;
        let (ecr, rest) = rest.split_once('.')?;
        let (region, domain) = rest.split_once('.')?;
        let is_own = account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(ecr, "ecr" | "ecr-fips")
            && matches!(domain, "amazonaws.com" | "amazonaws.com.cn");
        let target = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
        let host = format!("api.{ecr}.{region}.{domain}");
        is_own.then(|| Self { service: "ecr", target, host, region: region.to_owned() })
    }
}

/// User and password for the registry at `host`, in base64.
pub(super) fn registry_login(exchange: &Exchange<'_>, host: &str) -> Result<Lease, IdentityError> {
    let problem = "is no registry of Amazon";
    let registries = Registries::of(host).ok_or(IdentityError::Malformed { from: ECR, problem })?;
    let url = exchange.environment.url("AWS_ENDPOINT_URL_ECR", &format!("https://{}", registries.host), "/");
    let url = url.ok_or(IdentityError::None { cloud: "Amazon", problem: "`AWS_ENDPOINT_URL_ECR` is no URL" })?;
    let keys = read(&keys(exchange, &registries.region)?.what)?;
    let answer = exchange.ask(signed(exchange, &registries, &url, &keys))?;
    login(exchange, &answer)
}

fn signed<'a>(exchange: &Exchange<'_>, registries: &Registries, url: &'a Url, keys: &S3Keys) -> Question<'a> {
    const BODY: &str = "{}";
    let signer = Signer { keys, service: registries.service, region: &registries.region, now: exchange.now };
    let authority = url.authority();
    let request = Unsigned {
        method: "POST",
        host: authority.split_once("://").map_or("", |(_, host)| host),
        path: "/",
        query: "",
        target: Some(registries.target),
        body: BODY.as_bytes(),
    };
    let mut headers = signer.headers(&request);
    headers.push(("content-type", "application/x-amz-json-1.1".into()));
    Question { from: ECR, method: Method::POST, url, headers, body: BODY.to_owned() }
}

/// Reads the answer of a service that gives logins; the public one gives one, and the others a list.
fn login(exchange: &Exchange<'_>, answer: &[u8]) -> Result<Lease, IdentityError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        authorization_data: OneOrMore,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMore {
        One(Login),
        More(Vec<Login>),
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Login {
        authorization_token: String,
        /// Seconds since 1970, with a fraction.
        expires_at: f64,
    }
    let malformed = || IdentityError::Malformed { from: ECR, problem: "gives no login" };
    let answer: Answer = json(ECR, answer)?;
    let login = match answer.authorization_data {
        OneOrMore::One(login) => Some(login),
        OneOrMore::More(logins) => logins.into_iter().next(),
    };
    let login = login.filter(|login| is_login(&login.authorization_token)).ok_or_else(malformed)?;
    #[expect(clippy::cast_possible_truncation, reason = "a time in this millennium fits")]
    let until = Timestamp::from_second(login.expires_at as i64).map_err(|_| malformed())?;
    Ok(Lease { what: login.authorization_token.into(), lifetime: exchange.until(until) })
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };

    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;
    use crate::{deadline::Deadline, identity::Environment};

    #[test]
    fn a_registry_names_its_account_and_region() {
        let shown =
            |host: &str| Registries::of(host).map(|found| format!("{} {} {}", found.service, found.host, found.region));
        let rows = [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", Some("ecr api.ecr.eu-west-1.amazonaws.com eu-west-1")),
            (
                "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
                Some("ecr api.ecr-fips.us-east-1.amazonaws.com us-east-1"),
            ),
            (
                "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
                Some("ecr api.ecr.cn-north-1.amazonaws.com.cn cn-north-1"),
            ),
            ("public.ecr.aws", Some("ecr-public api.ecr-public.us-east-1.amazonaws.com us-east-1")),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com.example.org", None),
            ("12345678901.dkr.ecr.eu-west-1.amazonaws.com", None),
            ("ghcr.io", None),
        ];
        for (host, expected) in rows {
            assert_eq!(shown(host).as_deref(), expected, "{host}");
        }
    }
    #[test]
    fn a_registry_of_amazon_is_logged_in_to_with_what_its_service_gives_for_a_signature() {
        let login = BASE64_STANDARD.encode("AWS:word");
        let answer =
            format!(r#"{{"authorizationData":[{{"authorizationToken":"{login}","expiresAt":1767324045.5}}]}}"#);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("bound"));
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a request");
            let mut question = Vec::new();
            while !question.ends_with(b"{}") {
                let mut piece = [0; 4096];
                let length = stream.read(&mut piece).expect("a question");
                question.extend_from_slice(&piece[..length]);
            }
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
            stream.write_all(format!("{head}{answer}").as_bytes()).expect("an answer");
            String::from_utf8(question).expect("text").to_lowercase()
        });
        let environment = Environment::new(move |name| match name {
            "AWS_ACCESS_KEY_ID" => Some("AKIA".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("secret".to_owned()),
            "AWS_ENDPOINT_URL_ECR" => Some(base.clone()),
            _ => None,
        });
        let (deadline, _guard) = Deadline::after(Duration::from_secs(30));
        let now = "2026-01-02T03:04:05Z".parse().expect("a time");
        let exchange = Exchange { environment: &environment, now, deadline: &deadline };
        let lease = registry_login(&exchange, "123456789012.dkr.ecr.eu-west-1.amazonaws.com").expect("a login");
        assert_eq!(lease.what.expose_secret(), login);
        assert_eq!(lease.lifetime, Duration::from_secs(1000));
        let question = server.join().expect("it served");
        for expected in [
            "x-amz-target: amazonec2containerregistry_v20150921.getauthorizationtoken",
            "credential=akia/20260102/eu-west-1/ecr/aws4_request, \
             signedheaders=host;x-amz-content-sha256;x-amz-date;x-amz-target",
        ] {
            assert!(question.contains(expected), "{question}");
        }
        assert!(!question.contains("secret"), "{question}");
    }
}
