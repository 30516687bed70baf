//! Charts packed as `.tgz`.

use flate2::Compression;
use flate2::write::GzEncoder;

use fairlead_helm::load_archive;

fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        let name = header.as_old_mut();
        name.name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        archive.append(&header, content.as_bytes()).expect("appended");
    }
    archive.into_inner().expect("archived").finish().expect("packed")
}

const CHART: (&str, &str) = ("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");

#[test]
fn an_archive_is_read_without_the_folder_around_it() {
    let chart = load_archive(&packed(&[CHART, ("shop/templates/web.yaml", "a: 1\n")])).expect("a chart");
    assert_eq!(chart.metadata.name, "shop");
    assert_eq!(chart.templates[0].path, "templates/web.yaml");
}

#[test]
fn an_archive_that_reaches_out_of_its_folder_is_refused() {
    for (path, problem) in [
        ("shop/../../etc/passwd", "chart illegally references parent directory"),
        ("shop//etc/passwd", "chart illegally contains absolute paths"),
        ("Chart.yaml", "chart yaml not in base directory"),
        ("shop\\..\\..\\x", "chart illegally references parent directory"),
        ("shop/c:/x", "chart contains illegally named files"),
    ] {
        let error = load_archive(&packed(&[CHART, (path, "x")])).expect_err("refused");
        assert_eq!(error.to_string(), problem, "{path}");
    }
    assert!(load_archive(b"no archive").is_err());
}
