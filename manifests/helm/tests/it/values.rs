//! Values, however they are given.

use fairlead_helm::{Limits, UserValues};

use crate::scene::{chart, rendered};

fn values(given: &[UserValues]) -> String {
    let chart = chart(&[("values.yaml", "a: {x: 1, z: 2}\n"), ("templates/t.yaml", "{{ toJson .Values }}")]);
    match rendered(&chart, given, Limits::default()) {
        Ok(text) => text,
        Err(error) => format!("error: {error}"),
    }
}

fn set(text: &str) -> UserValues {
    UserValues::Set(text.to_owned())
}

#[test]
fn set_reads_paths_lists_and_types() {
    for (text, result) in [
        ("b=1,c=1.5,d=true,e=null,f=0123", r#"{"a":{"x":1,"z":2},"b":1,"c":"1.5","d":true,"e":null,"f":"0123"}"#),
        ("a.b[1].c=x,a.b[0]=y", r#"{"a":{"b":["y",{"c":"x"}],"x":1,"z":2}}"#),
        (r"q.w\.e=1,l={a,2,c\,d}", r#"{"a":{"x":1,"z":2},"l":["a",2,"c,d"],"q":{"w.e":1}}"#),
        ("a.x=null,b=", r#"{"a":{"z":2},"b":""}"#),
        ("a=null", "{}"),
        ("a", r#"error: failed parsing --set data: key "a" has no value"#),
        ("a[-1]=x", "error: failed parsing --set data: negative -1 index not allowed"),
        (
            "a[99999]=x",
            "error: failed parsing --set data: index of 99999 is greater than maximum supported index of 65536",
        ),
        ("a={b", "error: failed parsing --set data: list must terminate with '}'"),
    ] {
        assert_eq!(values(&[set(text)]), result, "{text}");
    }
}

#[test]
fn literals_come_over_texts_and_texts_over_files_whatever_their_order() {
    let given = [
        UserValues::SetLiteral("l=a,b={c}".to_owned()),
        UserValues::SetFile { path: "a.v".to_owned(), content: "file\n".to_owned() },
        UserValues::SetString("a.x=7".to_owned()),
        UserValues::Json("a.z={\"k\": [1]}".to_owned()),
        UserValues::File { name: "v.yaml".to_owned(), content: b"a: {x: 3, v: 3, z: 3, w: yes}\n".to_vec() },
    ];
    assert_eq!(values(&given), r#"{"a":{"v":"file\n","w":true,"x":"7","z":{"k":[1]}},"l":"a,b={c}"}"#);
}
