//! The answers of services that are XML.

use std::collections::BTreeMap;

use quick_xml::{
    Reader,
    escape::resolve_predefined_entity,
    events::{BytesRef, Event},
};

use super::error::ServiceError;

/// The texts of the innermost elements, by their names.
pub(crate) type Texts = BTreeMap<String, String>;

/// An answer, whose outermost element is called `root`, taken apart: the texts in each element called `item`, and all
/// others. It must be whole: what is missing from a listing would count as deleted.
pub(crate) fn parse(xml: &[u8], root: &str, item: &str) -> Result<(Vec<Texts>, Texts), ServiceError> {
    let malformed = |problem: String| ServiceError::Malformed(format!("the XML cannot be read: {problem}"));
    let xml = std::str::from_utf8(xml).map_err(|_| malformed("it is not UTF-8".to_owned()))?;
    let mut reader = Reader::from_str(xml);
    let (mut items, mut others) = (Vec::new(), Texts::new());
    let mut inside: Option<Texts> = None;
    let (mut depth, mut is_whole) = (0_usize, false);
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(|error| malformed(error.to_string()))? {
            Event::Start(start) => {
                text.clear();
                if depth == 0 && start.name().as_ref() != root {
                    return Err(malformed(format!("it is no {root}")));
                }
                depth += 1;
                if start.name().as_ref() == item {
                    inside = Some(Texts::new());
                }
            }
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => {
                text.push_str(&resolve(&reference).ok_or_else(|| malformed("an entity is not known".to_owned()))?);
            }
            Event::End(end) if end.name().as_ref() == item => {
                items.extend(inside.take());
                depth -= 1;
            }
            Event::End(end) => {
                depth -= 1;
                is_whole |= depth == 0;
                let name = end.name().as_ref().to_owned();
                inside.as_mut().unwrap_or(&mut others).entry(name).or_insert_with(|| std::mem::take(&mut text));
                text.clear();
            }
            Event::Eof if is_whole && depth == 0 => return Ok((items, others)),
            Event::Eof => return Err(malformed(format!("it is no whole {root}"))),
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

fn resolve(reference: &BytesRef<'_>) -> Option<String> {
    match reference.resolve_char_ref() {
        Ok(Some(character)) => Some(character.to_string()),
        Ok(None) => resolve_predefined_entity(&reference.xml10_content()).map(str::to_owned),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_taken_apart_from_the_rest() {
        let xml = r#"<?xml version="1.0"?>
        <List xmlns="x"><Name>bucket</Name><Next/>
          <Item><Key>a &amp; b&#x2F;&lt;c&gt;</Key><Tag>&quot;1&quot;</Tag><Owner><ID>me</ID></Owner></Item>
          <Item><Key><![CDATA[d&e]]></Key></Item>
          <More>true</More>
        </List>"#;
        let (items, others) = parse(xml.as_bytes(), "List", "Item").expect("readable");
        assert_eq!(items.len(), 2);
        assert_eq!(
            (items[0]["Key"].as_str(), items[0]["Tag"].as_str(), items[0]["ID"].as_str()),
            ("a & b/<c>", "\"1\"", "me")
        );
        assert_eq!(items[1]["Key"], "d&e");
        assert_eq!((others["Name"].as_str(), others["More"].as_str()), ("bucket", "true"));
    }

    #[test]
    fn what_is_no_xml_or_asks_for_entities_is_refused() {
        let texts =
            ["<a><b></a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "<a>\u{0}&#xD800;</a>", "", "<a>", "<b></b>"];
        for xml in texts {
            assert!(parse(xml.as_bytes(), "a", "Item").is_err(), "{xml}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*|[<>/!?&;a-c\"=\\[\\]]{0,40}") {
            let _ = parse(text.as_bytes(), "a", "b");
        }
    }
}
