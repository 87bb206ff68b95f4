//! Serde for a [`Cell`] by its [name](Cell::name): `#[serde(with = "crate::model::cell_name")]`.

use gruvy_kernels::Cell;
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes the name.
///
/// # Errors
/// As the serializer's.
pub fn serialize<S: Serializer>(cell: &Cell, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(cell.name())
}

/// Reads a name.
///
/// # Errors
/// For a name that no cell has; the message lists those that one has.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Cell, D::Error> {
    let name = String::deserialize(from)?;
    Cell::from_name(&name).ok_or_else(|| {
        let known = Cell::ALL.map(Cell::name).join(", ");
        D::Error::custom(format!("unknown cell `{name}`: expected one of {known}"))
    })
}
