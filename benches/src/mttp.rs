//! Mean time to production: many applications at once, from the first being asked for to the last being ready.

use std::{collections::BTreeSet, time::Duration};

use serde_json::json;
use tokio::time::sleep;

use crate::{
    Extent, Outcome,
    applications::Scene,
    contender::{Contender, Tool},
    delivery::Delivery,
    floor, flux,
    measurement::{Measurement, average},
    report::{Report, median},
    say,
};

/// How often a size is run, and with how many applications. Flux, which is slow, is run once each.
const FULL: [(usize, usize); 3] = [(3, 100), (1, 500), (1, 1000)];
const QUICK: [(usize, usize); 1] = [(1, 20)];

/// How long an idle tool is looked at.
const IDLE: Duration = Duration::from_secs(30);

/// How many applications come round again and again for [`Rest::requests_of_a_run`], how often, and for how long
/// they are counted once all of them do.
const RETURNING: usize = 20;
const INTERVAL: Duration = Duration::from_secs(10);
const COUNTED: Duration = Duration::from_mins(1);

/// What a tool does that has nothing to do.
struct Rest {
    /// Writes to the API server.
    writes: usize,
    /// Its share of a core, in percent.
    cpu_percent: f64,
    /// Requests to the API server of a run that finds nothing to do.
    requests_of_a_run: f64,
}

/// What the floor took.
struct Floor {
    written: f64,
    rolled_out: f64,
}

/// What one round took.
struct Round {
    /// All applications, for the first time.
    first: Measurement,
    /// All of them again, after one value has changed.
    change: Option<Measurement>,
}

pub(crate) async fn run(delivery: Delivery, extent: Extent) -> Outcome<Report> {
    let sizes = match extent {
        Extent::Quick => QUICK.as_slice(),
        Extent::Full => FULL.as_slice(),
    };
    let mut floors = Vec::new();
    for (rounds, size) in sizes {
        floors.push(floor(delivery, *rounds, *size).await?);
    }
    let once: Vec<_> = sizes.iter().map(|(_, size)| (1, *size)).collect();
    let (ours, our_rest) = measure_all((Tool::Fairlead, delivery), sizes).await?;
    let (theirs, their_rest) = measure_all((Tool::Flux, delivery), &once).await?;
    let mut report = Report::new(match delivery {
        Delivery::Kustomization => "mttp",
        Delivery::HelmRelease => "mttp-helm",
    });
    for (((_, size), ours), (theirs, floor)) in once.iter().zip(&ours).zip(theirs.iter().flatten().zip(&floors)) {
        add(&mut report, *size, ours, theirs, floor);
    }
    add_rest(&mut report, &our_rest, &their_rest);
    Ok(report)
}

/// Measures `tool` at every size, and then what it does with nothing to do.
async fn measure_all((tool, delivery): (Tool, Delivery), sizes: &[(usize, usize)]) -> Outcome<(Vec<Vec<Round>>, Rest)> {
    let (mut all, mut last) = (Vec::new(), None);
    for (rounds, size) in sizes {
        let mut measured = Vec::new();
        for _ in 0..*rounds {
            // Only one cluster at a time has the machine.
            drop(last.take());
            let (round, scene, contender) = measure(tool, delivery, *size).await?;
            measured.push(round);
            last = Some((scene, contender));
        }
        all.push(measured);
    }
    let (scene, contender) = last.ok_or("there is no size to measure")?;
    Ok((all, Rest::take(&scene, &contender).await?))
}

/// Measures `tool` in a cluster of its own, which is returned with it.
async fn measure(tool: Tool, delivery: Delivery, size: usize) -> Outcome<(Round, Scene, Contender)> {
    say(&format!("{size} applications by {}", tool.name()));
    let scene = Scene::prepare(delivery, size).await?;
    let contender = tool.start(&scene.cluster, delivery).await?;
    let create = async || tokio::try_join!(scene.create_all(), scene.all_ready()).map(drop);
    let first = Measurement::take(&scene, &contender, create).await?;
    say(&format!("{first:?}"));
    let change = match delivery.change() {
        None => None,
        Some(change) => {
            let change = async || {
                scene.change_all(&change).await?;
                scene.all_ready().await
            };
            let measured = Measurement::take(&scene, &contender, change).await?;
            say(&format!("a change: {measured:?}"));
            Some(measured)
        }
    };
    Ok((Round { first, change }, scene, contender))
}

async fn floor(delivery: Delivery, rounds: usize, size: usize) -> Outcome<Floor> {
    let (mut written, mut rolled_out) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        say(&format!("{size} applications by a client that makes {}", floor::NAME));
        let scene = Scene::prepare(delivery, size).await?;
        scene.cluster.install().await;
        let (all_written, all_rolled_out) = floor::write_all(&scene).await?;
        say(&format!("{all_written:?}, rolled out {all_rolled_out:?}"));
        written.push(all_written.as_secs_f64());
        rolled_out.push(all_rolled_out.as_secs_f64());
    }
    Ok(Floor { written: median(&written), rolled_out: median(&rolled_out) })
}

impl Rest {
    async fn take(scene: &Scene, contender: &Contender) -> Outcome<Self> {
        let processes = contender.processes()?;
        let (logged, cpu) = (scene.cluster.requests().await.len(), processes.cpu_seconds()?);
        sleep(IDLE).await;
        let cpu_percent = (processes.cpu_seconds()? - cpu) * 100.0 / IDLE.as_secs_f64();
        let requests = scene.cluster.requests().await;
        let idle = requests[logged..].iter().filter(|request| contender.is_user(&request.sender));
        let writes = idle.filter(|request| request.is_write()).count();
        let requests_of_a_run = requests_of_a_run(scene, contender).await?;
        let rest = Self { writes, cpu_percent, requests_of_a_run };
        say(&format!("idle: {writes} writes, {cpu_percent} % of a core; a run: {requests_of_a_run} requests"));
        Ok(rest)
    }
}

/// Lets some applications come round often, and returns how many requests each of their runs makes.
async fn requests_of_a_run(scene: &Scene, contender: &Contender) -> Outcome<f64> {
    for application in scene.applications.iter().take(RETURNING) {
        let owner = format!("{} {}/{}", scene.delivery.kind(), application.namespace, application.name);
        let interval = json!({ "spec": { "interval": format!("{}s", INTERVAL.as_secs()) } });
        scene.cluster.merge(&owner, interval).await;
    }
    sleep(INTERVAL * 2).await;
    let (logged, before) = (scene.cluster.requests().await.len(), contender.runs(scene.delivery).await);
    sleep(COUNTED).await;
    let runs = contender.runs(scene.delivery).await - before;
    let requests = scene.cluster.requests().await;
    let own = requests[logged..].iter().filter(|request| contender.is_user(&request.sender));
    // A watch is logged when it ends, whoever it was for.
    let count = own.filter(|request| request.verb != "watch").count();
    if runs > 0.0 { Ok(average(count, 1) / runs) } else { Err("no application came round".into()) }
}

fn add(report: &mut Report, size: usize, ours: &[Round], theirs: &Round, floor: &Floor) {
    let first: Vec<_> = ours.iter().map(|round| &round.first).collect();
    add_work(report, &format!("{size} applications"), &first, &theirs.first);
    let seconds = median(&first.iter().map(|measured| measured.seconds).collect::<Vec<_>>());
    for (what, floor) in [("writing", floor.written), ("writing and rolling out", floor.rolled_out)] {
        report.compare(format!("{size} applications: against {what}"), "s", seconds, (floor::NAME, floor));
    }
    let changes: Vec<_> = ours.iter().filter_map(|round| round.change.as_ref()).collect();
    if let Some(theirs) = &theirs.change {
        add_work(report, &format!("a value of {size} applications"), &changes, theirs);
    }
}

fn add_work(report: &mut Report, work: &str, ours: &[&Measurement], theirs: &Measurement) {
    let case = |what: &str| format!("{work}: {what}");
    let mut compare = |what: &str, unit, quantity: fn(&Measurement) -> f64| {
        let ours: Vec<_> = ours.iter().map(|measured| quantity(measured)).collect();
        report.compare(case(what), unit, median(&ours), (flux::NAME, quantity(theirs)));
    };
    compare("from the first request to the last ready", "s", |measured| measured.seconds);
    compare("peak memory", "MiB", |measured| measured.peak_mib);
    compare("processor time of the controllers", "s", |measured| measured.cpu_seconds);
    compare("processor time of the API server", "s", |measured| measured.server_cpu_seconds);
    compare("requests to the Git server, each", "1", |measured| measured.git_requests);
    compare("requests to the API server, each", "1", Measurement::all_requests);
    let purposes = ours.iter().copied().chain([theirs]).flat_map(|measured| measured.requests.keys().copied());
    for purpose in purposes.collect::<BTreeSet<_>>() {
        let count = |measured: &Measurement| measured.requests.get(purpose).copied().unwrap_or_default();
        let ours: Vec<f64> = ours.iter().map(|measured| count(measured)).collect();
        report.compare(case(&format!("each: {purpose}")), "1", median(&ours), (flux::NAME, count(theirs)));
    }
}

fn add_rest(report: &mut Report, ours: &Rest, theirs: &Rest) {
    let mut compare = |case: &str, unit, quantity: fn(&Rest) -> f64| {
        report.compare(case, unit, quantity(ours), (flux::NAME, quantity(theirs)));
    };
    compare("idle for 30 s: writes", "1", |rest| average(rest.writes, 1));
    compare("idle for 30 s: share of a core", "%", |rest| rest.cpu_percent);
    compare("a run with nothing to do: requests", "1", |rest| rest.requests_of_a_run);
}
