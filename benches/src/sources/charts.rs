//! A Helm repository with an index as large as any that is taken.

use std::fmt::Write;

use axum::{body::Body, extract::Request, http::StatusCode, response::Response};
use fairlead_tests::image::archive;

use super::site::Site;
use crate::Outcome;

/// How many charts the index lists.
const CHARTS: usize = 300;

/// Starts a repository whose index has about `bytes` bytes.
pub(crate) async fn serve(bytes: usize) -> Outcome<Site> {
    let index = axum::body::Bytes::from(index(bytes));
    Site::start(move |request| answer(&index, request)).await
}

/// The name of a chart that is listed.
pub(crate) fn name(chart: usize) -> String {
    format!("chart-{chart}")
}

fn answer(index: &axum::body::Bytes, request: &Request) -> Response {
    let path = request.uri().path();
    if path.ends_with("/index.yaml") {
        return Response::new(Body::from(index.clone()));
    }
    let Some((name, version)) = path.trim_start_matches('/').strip_suffix(".tgz").and_then(|file| file.split_once('+'))
    else {
        let mut missing = Response::new(Body::empty());
        *missing.status_mut() = StatusCode::NOT_FOUND;
        return missing;
    };
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    Response::new(Body::from(archive(&[(&format!("{name}/Chart.yaml"), &about)])))
}

/// An index as `helm repo index` writes it.
fn index(bytes: usize) -> String {
    let mut index = "apiVersion: v1\nentries:\n".to_owned();
    let of_chart = bytes / CHARTS;
    for chart in 0..CHARTS {
        let name = name(chart);
        let _ = writeln!(index, "  {name}:");
        let end = (chart + 1) * of_chart;
        for version in 0.. {
            entry(&mut index, &name, version);
            if index.len() >= end {
                break;
            }
        }
    }
    index.push_str("generated: \"2026-01-02T03:04:05.678901234Z\"\n");
    index
}

fn entry(index: &mut String, name: &str, version: usize) {
    let _ = write!(
        index,
        "  - annotations:
      category: Infrastructure
      images: |
        - name: {name}
          image: docker.example.org/library/{name}:1.{version}.0-debian-12-r0
    apiVersion: v2
    appVersion: 1.{version}.0
    created: \"2026-01-02T03:04:05.678901234Z\"
    dependencies:
    - name: common
      repository: oci://registry.example.org/charts
      tags:
      - common
      version: 2.x.x
    description: A chart that installs {name}, with everything that it takes to run it in production.
    home: https://charts.example.org
    icon: https://charts.example.org/assets/stacks/{name}/img/{name}.svg
    keywords:
    - {name}
    - infrastructure
    maintainers:
    - name: The people of the example
      url: https://github.com/example/charts
    name: {name}
    sources:
    - https://github.com/example/charts/tree/main/{name}
    urls:
    - {name}+1.{version}.0.tgz
    version: 1.{version}.0
"
    );
}
