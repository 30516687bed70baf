//! A bucket of many objects: a server that speaks as much S3 as is needed to read one.

use std::{collections::BTreeMap, fmt::Write, ops::Bound};

use axum::{
    body::Body,
    extract::Request,
    http::{Method, StatusCode, header},
    response::Response,
};
use sha2::{Digest, Sha256};

use super::site::Site;
use crate::Outcome;

/// The name of the bucket.
pub(crate) const NAME: &str = "shop";

/// How many objects one page of a listing has, as everywhere.
const PAGE: usize = 1000;

const MADE_AT: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// Starts a server of one bucket with `count` objects of a kilobyte.
pub(crate) async fn serve(count: usize) -> Outcome<Site> {
    let object = |index: usize| (format!("app-{:02}/file-{index:05}.yaml", index % 100), object(index));
    let objects: BTreeMap<String, Vec<u8>> = (0..count).map(object).collect();
    Site::start(move |request| answer(&objects, request)).await
}

fn object(index: usize) -> Vec<u8> {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map-{index}\ndata:\n  text: {index:>900}\n").into()
}

fn answer(objects: &BTreeMap<String, Vec<u8>>, request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let query = request.uri().query().unwrap_or_default();
    let key = path.strip_prefix(NAME).unwrap_or_default().trim_start_matches('/');
    if !key.is_empty() {
        return objects.get(key).map_or_else(missing, |content| found(content, request.method()));
    }
    if query.split('&').any(|field| field.trim_end_matches('=') == "location") {
        return xml("<LocationConstraint/>".to_owned());
    }
    xml(listing(objects, query))
}

fn listing(objects: &BTreeMap<String, Vec<u8>>, query: &str) -> String {
    let after = query.split('&').find_map(|field| field.strip_prefix("continuation-token="));
    let after = after.map_or_else(String::new, |token| token.replace("%2F", "/"));
    let begin = if after.is_empty() { Bound::Unbounded } else { Bound::Excluded(after) };
    let mut rest = objects.range((begin, Bound::Unbounded));
    let mut listed = String::new();
    let mut last = None;
    for (key, content) in rest.by_ref().take(PAGE) {
        let _ = write!(
            listed,
            "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>&quot;{}&quot;</ETag><Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            tag(content),
            content.len()
        );
        last = Some(key);
    }
    let next = last.filter(|_| rest.next().is_some());
    let more = next.map_or_else(
        || "<IsTruncated>false</IsTruncated>".to_owned(),
        |key| format!("<IsTruncated>true</IsTruncated><NextContinuationToken>{key}</NextContinuationToken>"),
    );
    format!("<ListBucketResult><Name>{NAME}</Name><MaxKeys>{PAGE}</MaxKeys>{more}{listed}</ListBucketResult>")
}

fn found(content: &[u8], method: &Method) -> Response {
    let body = if method == Method::HEAD { Body::empty() } else { Body::from(content.to_vec()) };
    Response::builder()
        .header(header::CONTENT_LENGTH, content.len())
        .header(header::ETAG, format!("\"{}\"", tag(content)))
        .header(header::LAST_MODIFIED, MADE_AT)
        .body(body)
        .expect("the headers are text")
}

fn tag(content: &[u8]) -> String {
    hex::encode(&Sha256::digest(content)[..16])
}

fn missing() -> Response {
    let mut answer = xml("<Error><Code>NoSuchKey</Code><Message>There is no such object.</Message></Error>".to_owned());
    *answer.status_mut() = StatusCode::NOT_FOUND;
    answer
}

fn xml(body: String) -> Response {
    let answer = Response::builder().header(header::CONTENT_TYPE, "application/xml").body(Body::from(body));
    answer.expect("the headers are text")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_pages_that_follow_one_another() {
        let objects: BTreeMap<_, _> = (0..1500).map(|index| (format!("a/{index:04}"), vec![0])).collect();
        let first = listing(&objects, "list-type=2");
        assert!(first.contains("<NextContinuationToken>a/0999</NextContinuationToken>"), "{first}");
        let second = listing(&objects, "list-type=2&continuation-token=a%2F0999");
        assert!(second.contains("<IsTruncated>false</IsTruncated>"), "{second}");
        assert_eq!(first.matches("<Key>").count() + second.matches("<Key>").count(), objects.len());
    }
}
