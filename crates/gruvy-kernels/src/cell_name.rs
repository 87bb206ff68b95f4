//! A [`Cell`] as serde writes and reads it: by its [name](Cell::name).
use crate::Cell;
use alloc::{format, string::String};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Cell {
    /// The message for an unknown name lists those that a cell has.
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Self::from_name(&name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            D::Error::custom(format!("unknown cell `{name}`: expected one of {known}"))
        })
    }
}
