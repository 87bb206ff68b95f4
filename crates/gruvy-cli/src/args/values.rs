//! Flags whose value is a name out of a list.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use gruvy_runtime::Cell;

/// The name of a cell.
pub(super) fn cells() -> impl TypedValueParser<Value = Cell> {
    one_of(Cell::ALL.map(|cell| (cell.name(), cell)))
}

/// A flag whose value is a name out of a list.
pub fn one_of<T, const N: usize>(list: [(&'static str, T); N]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(list.map(|(name, _)| name)).map(move |name| {
        let found = list.iter().find(|(known, _)| *known == name);
        found.expect("only names of the list get here").1
    })
}
