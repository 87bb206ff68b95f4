//! STUB to be replaced by the branch `data`.
#![allow(missing_docs)]
use crate::Result;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
#[derive(Clone, Debug)]
pub struct Panel { pub frequency: Frequency, pub columns: Columns, pub series: Vec<Series>, pub notes: Vec<String> }
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns { pub statics: Vec<String>, pub past: Vec<String>, pub future: Vec<String> }
#[derive(Clone, Debug)]
pub struct Series { pub id: String, pub start: Stamp, pub y: Vec<f64>, pub statics: Vec<String>, pub past: Vec<Vec<f64>>, pub future: Vec<Vec<f64>> }
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stamp { Index(i64) }
impl std::fmt::Display for Stamp { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { let Stamp::Index(i) = self; write!(f, "{i}") } }
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frequency { Index, Hourly, Monthly }
impl std::fmt::Display for Frequency { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, "{self:?}") } }
impl std::str::FromStr for Frequency { type Err = String; fn from_str(s: &str) -> Result<Self, String> { match s { "h" => Ok(Self::Hourly), "MS" => Ok(Self::Monthly), _ => Ok(Self::Index) } } }
impl Frequency {
    pub fn at(self, start: Stamp, i: usize) -> Stamp { let Stamp::Index(s) = start; Stamp::Index(s + i as i64) }
    pub fn season(self) -> usize { match self { Self::Index => 1, Self::Hourly => 24, Self::Monthly => 12 } }
    pub fn calendar_size(self) -> usize { match self { Self::Index => 0, Self::Hourly => 4, Self::Monthly => 2 } }
    pub fn calendar(self, at: Stamp, out: &mut Vec<f32>) {
        let Stamp::Index(i) = at;
        let mut wave = |p: f32| { let a = (i as f32 % p) / p * std::f32::consts::TAU; out.push(a.sin()); out.push(a.cos()); };
        match self { Self::Index => {}, Self::Hourly => { wave(24.0); wave(168.0) }, Self::Monthly => wave(12.0) }
    }
}
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fill { #[default] None }
impl Fill { pub const ALL: [(&'static str, Self); 1] = [("none", Self::None)]; }
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout { #[default] Auto }
impl Layout { pub const ALL: [(&'static str, Self); 1] = [("auto", Self::Auto)]; }
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesFormat { pub id: Option<String>, pub time: Option<String>, pub target: Vec<String>, pub statics: Vec<String>, pub past: Vec<String>, pub future: Vec<String>, pub freq: Option<Frequency>, pub fill: Fill, pub layout: Layout }
pub fn parse_panel(name: &str, text: &str) -> Result<Panel> { Ok(parse(&[(name.to_owned(), text.to_owned())], Frequency::Monthly)) }
pub fn read_panel(paths: &[PathBuf], format: &SeriesFormat) -> Result<Panel> {
    let texts: Vec<_> = paths.iter().map(|p| (p.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(p).unwrap())).collect();
    Ok(parse(&texts, format.freq.unwrap_or(Frequency::Index)))
}
fn parse(texts: &[(String, String)], frequency: Frequency) -> Panel {
    let num = |s: &str| s.trim_matches('"').trim().parse::<f64>().unwrap_or(f64::NAN);
    let mut series: Vec<Series> = Vec::new();
    let mut push = |id: String, y: Vec<f64>| match series.iter_mut().find(|s| s.id == id) { Some(s) => s.y.extend(y), None => series.push(Series { id, start: Stamp::Index(0), y, statics: vec![], past: vec![], future: vec![] }) };
    for (name, text) in texts {
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap().split(',').collect();
        let rows: Vec<Vec<&str>> = lines.map(|l| l.split(',').collect()).collect();
        if head[0].contains("V1") {
            for r in rows { let mut y: Vec<f64> = r[1..].iter().map(|s| num(s)).collect(); while y.last().is_some_and(|v| v.is_nan()) { y.pop(); } push(r[0].trim_matches('"').to_owned(), y); }
        } else if head.len() > 2 {
            for c in 1..head.len() { push(head[c].to_owned(), rows.iter().map(|r| num(r[c])).collect()); }
        } else { push(name.clone(), rows.iter().map(|r| num(r[1])).collect()); }
    }
    Panel { frequency, columns: Columns::default(), series, notes: vec![] }
}
