//! The scratch memory of calls.

use crate::memory::Buffer;
use crate::packed::Packed;

/// Scratch memory of the kernels: grows to what the largest call needs and is then reused, so that
/// later calls allocate nothing. Its content between calls does not matter.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) scratch: Buffer,
    /// Weights that a call packs for itself.
    pub(crate) packed: Buffer,
    pub(crate) again: Again,
}

/// What a backward pass needs to recompute saved values.
#[derive(Debug, Default)]
pub(crate) struct Again {
    pub packed: Option<Packed>,
    pub memory: Buffer,
    pub scratch: Buffer,
}

impl Workspace {
    /// An empty workspace.
    pub const fn new() -> Self {
        let again = Again { packed: None, memory: Buffer::new(), scratch: Buffer::new() };
        Self { scratch: Buffer::new(), packed: Buffer::new(), again }
    }

    /// Fills the memory with `value`: for tests that scratch may be dirty on entry.
    #[doc(hidden)]
    pub fn soil(&mut self, value: f32) {
        let Self { scratch, packed, again: Again { memory, scratch: again, .. } } = self;
        for buffer in [scratch, packed, memory, again] {
            buffer.fill(value);
        }
    }
}
