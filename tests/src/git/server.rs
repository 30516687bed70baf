//! Serves repositories on loopback over HTTP or HTTPS.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, StatusCode, header},
    serve::Listener,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinSet};

use super::{Repository, TlsListener, http_backend};
use crate::pki::Authority;

/// The largest request that is accepted: a client that fetches sends a few kilobytes.
const BODY_LIMIT_BYTES: usize = 64 << 20;

/// How clients reach a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// Without encryption.
    Http,
    /// With a certificate of the server's own authority.
    Https,
    /// The client must have a certificate of the server's own authority too.
    MutualTls,
}

/// Who may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone.
    Public,
    /// Who knows a name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// Who knows a token.
    Bearer(String),
}

/// A request that a server has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRequest {
    /// The path and query: an advertisement of references is `/<repository>/info/refs?service=git-upload-pack`.
    pub uri: String,
    /// The HTTP status of the answer.
    pub status: u16,
    /// Whether it asked for objects, rather than for what there is.
    pub is_fetch: bool,
}

/// A Git server with repositories of its own. Dropping it ends it and removes them.
pub struct GitServer {
    site: Arc<Site>,
    address: SocketAddr,
    transport: Transport,
    authority: Authority,
    folder: TempDir,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

/// What all connections of one server share.
struct Site {
    root: PathBuf,
    state: Mutex<SiteState>,
}

struct SiteState {
    access: Access,
    outage: Option<StatusCode>,
    requests: Vec<GitRequest>,
}

impl GitServer {
    /// Starts a server that everyone may read over HTTP.
    ///
    /// # Panics
    /// If loopback cannot be listened on.
    pub async fn start() -> Self {
        Self::serve(Transport::Http, Access::Public).await.expect("loopback can be listened on")
    }

    /// Starts a server.
    ///
    /// # Errors
    /// If its folder cannot be made or loopback cannot be listened on.
    pub async fn serve(transport: Transport, access: Access) -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("fairlead-git-").tempdir()?;
        let state = SiteState { access, outage: None, requests: Vec::new() };
        let site = Arc::new(Site { root: folder.path().to_owned(), state: Mutex::new(state) });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let authority = Authority::new("fairlead test Git server");
        let mut tasks = JoinSet::new();
        match tls(transport, &authority) {
            Some(config) => {
                let listener = TlsListener::new(listener, config);
                tasks.spawn(async move { run(listener, router).await });
            }
            None => {
                tasks.spawn(async move { run(listener, router).await });
            }
        }
        Ok(Self { site, address, transport, authority, folder, _tasks: tasks })
    }

    /// Makes an empty repository, which is served as `<url>/<name>.git`.
    ///
    /// # Panics
    /// If there is one of that name.
    pub fn repository(&self, name: &str) -> Repository {
        let path = self.folder.path().join(format!("{name}.git"));
        assert!(!path.exists(), "there is a repository {name} already");
        Repository::create(&path, format!("{}/{name}.git", self.url())).expect("the server's folder is writable")
    }

    /// Returns the URL below which the repositories are.
    pub fn url(&self) -> String {
        match self.transport {
            Transport::Http => format!("http://{}", self.address),
            Transport::Https | Transport::MutualTls => format!("https://{}", self.address),
        }
    }

    /// Returns the authority that signed the server's certificate and accepts those of clients.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Changes who may read, from now on.
    pub fn set_access(&self, access: Access) {
        self.site.state().access = access;
    }

    /// Answers each request with `status` from now on, or properly again if there is none.
    ///
    /// # Panics
    /// If it is no HTTP status.
    pub fn set_outage(&self, status: Option<u16>) {
        self.site.state().outage =
            status.map(|status| StatusCode::from_u16(status).expect("a test names a valid status"));
    }

    /// Returns what was answered so far, oldest first.
    pub fn requests(&self) -> Vec<GitRequest> {
        self.site.state().requests.clone()
    }
}

impl Site {
    fn state(&self) -> MutexGuard<'_, SiteState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what to answer before Git is asked: an outage, or that the client must authenticate.
    fn refusal(&self, authorization: &str) -> Option<Response<Body>> {
        let state = self.state();
        if let Some(status) = state.outage {
            return Some(empty(status));
        }
        if state.access.admits(authorization) {
            return None;
        }
        let mut response = empty(StatusCode::UNAUTHORIZED);
        let challenge = state.access.challenge().parse().expect("a challenge is ASCII");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        Some(response)
    }

    /// Returns the user that Git sees: one that has authenticated may push.
    fn user(&self) -> Option<String> {
        match &self.state().access {
            Access::Public => None,
            Access::Basic { username, .. } => Some(username.clone()),
            Access::Bearer(_) => Some("token".to_owned()),
        }
    }
}

impl Access {
    fn admits(&self, authorization: &str) -> bool {
        match self {
            Self::Public => true,
            Self::Basic { username, password } => {
                authorization == format!("Basic {}", STANDARD.encode(format!("{username}:{password}")))
            }
            Self::Bearer(token) => authorization == format!("Bearer {token}"),
        }
    }

    fn challenge(&self) -> &'static str {
        match self {
            Self::Public | Self::Basic { .. } => "Basic realm=\"git\"",
            Self::Bearer(_) => "Bearer realm=\"git\"",
        }
    }
}

async fn answer(State(site): State<Arc<Site>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let authorization = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let refusal = site.refusal(authorization.unwrap_or_default());
    let body = to_bytes(body, BODY_LIMIT_BYTES).await.unwrap_or_default();
    let response = match refusal {
        Some(refusal) => refusal,
        None => http_backend(&site.root, site.user().as_deref(), &parts, &body)
            .await
            .unwrap_or_else(|_| empty(StatusCode::INTERNAL_SERVER_ERROR)),
    };
    let answered =
        GitRequest { uri: parts.uri.to_string(), status: response.status().as_u16(), is_fetch: wants_objects(&body) };
    site.state().requests.push(answered);
    response
}

/// Returns whether a request names commits that it wants, in either version of the protocol.
fn wants_objects(body: &[u8]) -> bool {
    body.windows(b"want ".len()).any(|window| window == b"want ")
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

async fn run<L>(listener: L, router: Router)
where
    L: Listener<Addr = SocketAddr>,
{
    axum::serve(listener, router).await.expect("it serves until its task is aborted");
}

/// Returns the TLS settings of a server that is known by a certificate of `authority`.
fn tls(transport: Transport, authority: &Authority) -> Option<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions");
    let builder = match transport {
        Transport::Http => return None,
        Transport::Https => builder.with_no_client_auth(),
        Transport::MutualTls => {
            let mut roots = RootCertStore::empty();
            roots.add(certificate(authority.certificate_pem())).expect("an authority's certificate is valid");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("there is one root"))
        }
    };
    let identity = authority.server(&["127.0.0.1", "localhost"]);
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).expect("an issued key is PEM");
    let config = builder.with_single_cert(vec![certificate(&identity.certificate_pem)], key);
    Some(Arc::new(config.expect("an issued key fits its certificate")))
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("an issued certificate is PEM")
}
