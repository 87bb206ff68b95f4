//! Names in a sentence.

/// The first names of a list; quoted where one of them has a comma, which would look like two
/// names.
pub fn in_words(names: &[String]) -> String {
    listed(names, |_| String::new())
}

/// As [`in_words`], with something behind each name.
pub fn listed(names: &[String], behind: impl Fn(usize) -> String) -> String {
    const MOST: usize = 10;
    let quoted = names.iter().any(|name| name.contains(','));
    let name = |(at, name): (usize, &String)| match quoted {
        true => format!("`{name}`{}", behind(at)),
        false => format!("{name}{}", behind(at)),
    };
    let more = if names.len() > MOST { ", …" } else { "" };
    let names: Vec<String> = names.iter().enumerate().take(MOST).map(name).collect();
    format!("{}{more}", names.join(", "))
}
