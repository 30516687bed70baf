//! `Bucket`: the objects of a bucket.

use fairlead_api::source::{Bucket, BucketSpec, BucketStatus, Provider};
use fairlead_sources::{
    bucket::{AzureAccount, BucketAccount, BucketRequest, GcsAccount, S3Account, S3Keys},
    fetch::SourceFailure,
    identity::Cloud,
    store::SourceKind,
    transport::Encryption,
};

use super::{
    Asked, Clouds, Plane, Resolved, Source, Sources, Told, World,
    secrets::{RequestError, Secrets},
};
use crate::cluster::Cluster;

impl Source for Bucket {
    type Request = BucketRequest;

    const KIND: SourceKind = SourceKind::Bucket;

    fn plane(sources: &Sources) -> &Plane<Self> {
        &sources.buckets
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            is_suspended: self.spec.suspend,
            unsupported: self.spec.unsupported(),
            interval: self.spec.interval.read("spec.interval"),
            ignore: self.spec.ignore.as_deref(),
        }
    }

    async fn request(&self, world: &World, namespace: &str) -> Result<BucketRequest, SourceFailure> {
        bucket_request(&world.cluster, namespace, &self.spec, &world.clouds()).await
    }

    fn note(&self, _: &World, _: &BucketRequest, _: &Resolved<Self>, status: &mut BucketStatus) {
        status.observed_ignore.clone_from(&self.spec.ignore);
    }

    fn note_url(status: &mut BucketStatus, url: String) {
        status.url = Some(url);
    }

    fn told(&self, _: &Resolved<Self>, revision: &str, _: &BucketStatus) -> Told {
        Told::success(format!("stored artifact: revision '{revision}'"))
    }
}

/// What `spec` of a Bucket in `namespace` asks of its service, credentials included.
pub async fn bucket_request(
    cluster: &Cluster,
    namespace: &str,
    spec: &BucketSpec,
    clouds: &Clouds,
) -> Result<BucketRequest, SourceFailure> {
    let timeout = spec.timeout.read("spec.timeout").map_err(RequestError::from)?;
    let secrets = Secrets { cluster, namespace };
    let transport = secrets.transport(spec.cert_secret_ref.as_ref(), spec.proxy_secret_ref.as_ref()).await?;
    Ok(BucketRequest {
        bucket: spec.bucket_name.clone(),
        prefix: spec.prefix.clone().unwrap_or_default(),
        account: account(&secrets, spec, clouds).await?,
        transport,
        timeout,
    })
}

/// The service, and who asks it. The endpoint is looked at before the Secret, so that an error names what is wrong.
async fn account(secrets: &Secrets<'_>, spec: &BucketSpec, clouds: &Clouds) -> Result<BucketAccount, SourceFailure> {
    let (endpoint, secret) = (spec.endpoint.as_str(), spec.secret_ref.as_ref());
    let encryption = if spec.insecure { Encryption::Off } else { Encryption::Tls };
    Ok(match spec.provider {
        Provider::Generic | Provider::Aws => {
            let account = S3Account::anonymous(endpoint, spec.region.as_deref(), encryption)?;
            BucketAccount::S3(match (secrets.read(secret, S3Keys::from_secret).await?, spec.provider) {
                (Some(keys), _) => account.with_keys(keys),
                (None, Provider::Aws) => account.with_identity(clouds.identity(Cloud::Aws)?)?,
                (None, Provider::Generic | Provider::Azure | Provider::Gcp) => account,
            })
        }
        Provider::Azure => {
            let anonymous = AzureAccount::new(endpoint, None)?;
            let account = secrets.read(secret, |data| AzureAccount::new(endpoint, Some(data))).await?;
            BucketAccount::Azure(match account {
                Some(account) => account,
                None => anonymous.with_identity(clouds.identity(Cloud::Azure)?)?,
            })
        }
        Provider::Gcp => {
            let anonymous = GcsAccount::new(endpoint, encryption, None)?;
            let account = secrets.read(secret, |data| GcsAccount::new(endpoint, encryption, Some(data))).await?;
            BucketAccount::Gcs(match account {
                Some(account) => account,
                None => anonymous.with_identity(clouds.identity(Cloud::Gcp)?)?,
            })
        }
    })
}
