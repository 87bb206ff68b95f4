//! Aligned, reusable scratch memory and the raw views that threads share.

use crate::backward::Again;
use alloc::vec::Vec;

/// A cache line of values.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Values in a cache line.
pub(crate) const LINE: usize = 16;

/// `len` rounded up to whole cache lines.
pub(crate) const fn lines(len: usize) -> usize {
    len.div_ceil(LINE) * LINE
}

/// A buffer aligned to cache lines.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer(Vec<Line>);

impl Buffer {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// At least `len` values, of any content; grows if it must, never shrinks.
    pub(crate) fn get(&mut self, len: usize) -> &mut [f32] {
        let lines = len.div_ceil(LINE);
        if self.0.len() < lines {
            // Not `resize` of what is there: nothing of the old content is needed.
            self.0 = alloc::vec![Line([0.0; LINE]); lines];
        }
        let ptr = self.0.as_mut_ptr().cast::<f32>();
        // SAFETY: the vector holds at least `len` initialised values from `ptr` on.
        unsafe { core::slice::from_raw_parts_mut(ptr, len) }
    }

    /// The buffer's values, all of them.
    pub(crate) fn as_slice(&self) -> &[f32] {
        let ptr = self.0.as_ptr().cast::<f32>();
        // SAFETY: the vector holds that many initialised values from `ptr` on.
        unsafe { core::slice::from_raw_parts(ptr, self.0.len() * LINE) }
    }
}

/// Scratch memory of the kernels: grows to what the largest call needs and is then reused, so that later
/// calls allocate nothing. Its content between calls does not matter.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(crate) scratch: Buffer,
    pub(crate) packed: Buffer,
    /// What a backward pass needs to compute saved values again.
    pub(crate) again: Option<Again>,
}

impl Workspace {
    /// An empty workspace.
    pub const fn new() -> Self {
        Self { scratch: Buffer::new(), packed: Buffer::new(), again: None }
    }

    /// Fills the memory with `value`: for tests that scratch may be dirty on entry.
    #[doc(hidden)]
    pub fn soil(&mut self, value: f32) {
        let again = self.again.iter_mut().flat_map(Again::buffers);
        for buffer in [&mut self.scratch, &mut self.packed].into_iter().chain(again) {
            let len = buffer.as_slice().len();
            buffer.get(len).fill(value);
        }
    }
}

/// Hands out consecutive, line-aligned parts of a piece of scratch memory.
pub(crate) struct Arena {
    next: *mut f32,
    left: usize,
}

impl Arena {
    pub(crate) fn new(memory: &mut [f32]) -> Self {
        Self { next: memory.as_mut_ptr(), left: memory.len() }
    }

    /// The same parts again for another thread, which must keep to what is its own in them.
    ///
    /// # Safety
    /// `next` is writable for `left` values.
    pub(crate) unsafe fn shared(next: *mut f32, left: usize) -> Self {
        Self { next, left }
    }

    /// The next `len` values, of any content.
    pub(crate) fn take(&mut self, len: usize) -> *mut f32 {
        let len = lines(len);
        assert!(len <= self.left, "the scratch memory is too small for its plan");
        let part = self.next;
        // SAFETY: `len <= left`, so the result stays within the memory or at its end.
        self.next = unsafe { part.add(len) };
        self.left -= len;
        part
    }
}

/// A pointer that threads may share because each touches its own rows.
#[derive(Clone, Copy)]
pub(crate) struct Shared<T>(pub(crate) T);

// SAFETY: only pointers into buffers that outlive the threads are wrapped, and every thread works on rows
// of its own (the partition in `threads::split`).
unsafe impl<T> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<T> {}
