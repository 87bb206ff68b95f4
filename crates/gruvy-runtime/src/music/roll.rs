//! TEMPORARY
use super::ear::Place;
use serde::{Deserialize, Serialize};
pub const KEYS: usize = 88;
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sound { pub key: u8, pub onset: bool }
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roll { pub name: String, pub frames: Vec<Vec<Sound>>, pub onsets: bool, pub steps_per_quarter: u32 }
impl Roll {
    pub fn place(&self, step: usize) -> Place { Place { step, of: 0 } }
}
