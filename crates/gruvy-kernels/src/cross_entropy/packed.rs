//! The packed weight of a head.

use crate::memory::{Arena, Buffer, Shared, lines};
use crate::product::{Packing, Panels, Source, pack};
use crate::simd::Isa;
use crate::threads;

/// The weight as right operands, and the bias. They are readable as long as the memory that they
/// were packed in is left alone.
pub(super) struct PackedHead {
    /// `[V]` in whole vectors.
    pub bias: Shared<*mut f32>,
    /// W for logits, `[⌈V / lanes⌉][I][lane]`.
    pub forward: Panels,
    /// W for dx, `[⌈I / lanes⌉][V][lane]`.
    pub backward: Panels,
}

impl PackedHead {
    /// Packs `weight [V, I]` for logits and, if `tracked`, for dx; pads `bias [V]` to whole
    /// vectors.
    pub fn new(isa: Isa, weight: &[f32], bias: &[f32], tracked: bool, memory: &mut Buffer) -> Self {
        let (width, classes) = (isa.lanes(), bias.len());
        let inputs = weight.len() / classes;
        let columns = classes.next_multiple_of(width);
        let sizes = [columns, columns * inputs, inputs.next_multiple_of(width) * classes];
        let mut arena = Arena::new(memory.get(sizes.map(lines).iter().sum()));
        let [to, forward, backward] = sizes.map(|len| arena.take(len));
        let ptr = weight.as_ptr();
        // SAFETY:
        // - `to`: `[columns]` writable, just taken
        // - `forward`, `backward`: whole vectors of the weight's rows and columns, just taken
        // - `ptr`: `[V, I]` readable
        unsafe {
            // Columns past the last class get logits that count for nothing.
            core::slice::from_raw_parts_mut(to, columns).fill(f32::NEG_INFINITY);
            to.copy_from_nonoverlapping(bias.as_ptr(), classes);
            let (depth, columns) = (inputs, classes);
            pack_all(isa, Source { ptr, k_step: 1, j_step: inputs, depth, columns }, forward);
            if tracked {
                let (depth, columns) = (classes, inputs);
                pack_all(isa, Source { ptr, k_step: inputs, j_step: 1, depth, columns }, backward);
            }
        }
        Self {
            bias: Shared::new(to),
            forward: Panels::new(forward, classes.div_ceil(width), inputs),
            backward: Panels::new(backward, inputs.div_ceil(width), classes),
        }
    }
}

/// Packs a matrix in panels of one vector, on all threads.
///
/// # Safety
/// - `source.ptr`: `[depth, columns]` readable at the source's steps
/// - `to`: `[⌈columns / lanes⌉][depth][lane]` writable, by this call alone
unsafe fn pack_all(isa: Isa, source: Source, to: *mut f32) {
    let Source { ptr, k_step, j_step, depth, columns } = source;
    let (width, parts) = (isa.lanes(), threads::worth(8 * depth * columns));
    let (ptr, to) = (Shared::new(ptr), Shared::new(to));
    threads::run(parts, |part| {
        let range = threads::split(columns, width, part, parts);
        // SAFETY: the caller's contract; the parts are disjoint whole panels of the matrix.
        unsafe {
            let ptr = ptr.get().add(range.start * j_step);
            let to = Packing::dense(to.get().add(range.start * depth), width, depth);
            pack(isa, Source { ptr, k_step, j_step, depth, columns: range.len() }, to);
        }
    });
}
