//! Recordings, where sound is not built in.
use super::Examined;
use gruvy_data::Input;

/// None is examined.
pub(super) fn examine(_inputs: &[Input]) -> Result<Vec<Examined>, String> {
    Err("this program was built without sound; build it with the feature `audio`".into())
}
