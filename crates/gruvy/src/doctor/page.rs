//! An examination as a page.
use super::{Examination, Examined, Verdict};
use crate::draw::page::{escaped, filled};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// So many files are on a page; those with faults before those without.
const MOST: usize = 3000;

impl Examination {
    /// The page: one HTML file that needs nothing else.
    pub fn to_html(&self) -> String {
        let mut files: Vec<&Examined> = self.files.iter().collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.verdict));
        let left_out = files.len().saturating_sub(MOST);
        files.truncate(MOST);
        let mut cards = String::new();
        let above = above(&files);
        for file in files {
            let _ = write!(cards, "{}", card(file, &above));
        }
        if left_out > 0 {
            let _ = write!(cards, "<p>{left_out} more files have no room here.</p>");
        }
        let count = |verdict: &Verdict| {
            format!("<li class=\"{0}\"><b>{1}</b> {0}</li>", verdict.name(), self.count(*verdict))
        };
        let counts: String = self.verdicts().iter().rev().map(count).collect();
        let parts = [("title", escaped(&self.title())), ("counts", counts), ("cards", cards)];
        filled(include_str!("page.html"), &parts)
    }
}

/// The folder that all files have in common.
fn above(files: &[&Examined]) -> PathBuf {
    let mut folders = files.iter().filter_map(|file| file.path.parent());
    let first = folders.next().unwrap_or(Path::new("")).to_owned();
    folders.fold(first, |above, folder| {
        let both = above.components().zip(folder.components());
        both.take_while(|(a, b)| a == b).map(|(same, _)| same).collect()
    })
}

/// `above` is what names need not say.
fn card(file: &Examined, above: &Path) -> String {
    let verdict = file.verdict.name();
    let mut facts = String::new();
    for fact in &file.facts {
        let _ = write!(facts, "<div><dt>{}</dt><dd>{}</dd></div>", fact.name, escaped(&fact.text));
    }
    let name = file.path.strip_prefix(above).unwrap_or(&file.path).to_string_lossy();
    let reason = match file.reason.is_empty() {
        true => String::new(),
        false => format!("<p>{}</p>", escaped(&file.reason)),
    };
    format!(
        "<article class=\"{verdict}\"><h2 title=\"{}\">{}</h2><span>{verdict}</span>{reason}{}\
         <dl>{facts}</dl></article>\n",
        escaped(&file.path.to_string_lossy()),
        escaped(&name),
        file.picture.as_deref().unwrap_or_default()
    )
}
