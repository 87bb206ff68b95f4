//! Pages that need nothing else: no script, no other file, no network.

/// The template with its slots `{{name}}` filled, each once per name; what is filled in is not
/// looked at again.
pub(crate) fn filled(template: &str, parts: &[(&str, String)]) -> String {
    let mut page = String::new();
    for (i, piece) in template.split("{{").enumerate() {
        let slot = piece.split_once("}}").filter(|_| i > 0);
        let part = slot.and_then(|(name, rest)| Some((parts.iter().find(|p| p.0 == name)?, rest)));
        match part {
            Some(((_, part), rest)) => page.extend([part.as_str(), rest]),
            None => page.push_str(piece),
        }
    }
    page
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
