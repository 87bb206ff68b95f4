//! Aligned, reusable scratch memory, and pointers that threads share.

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
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// At least `len` values, of any content. The buffer grows if it must and never shrinks.
    pub fn get(&mut self, len: usize) -> &mut [f32] {
        let lines = len.div_ceil(LINE);
        if self.0.len() < lines {
            // Not `resize` of what is there: nothing of the old content is needed.
            self.0 = alloc::vec![Line([0.0; LINE]); lines];
        }
        let ptr = self.0.as_mut_ptr().cast::<f32>();
        // SAFETY: the vector holds at least `len` initialised values from `ptr` on.
        unsafe { core::slice::from_raw_parts_mut(ptr, len) }
    }

    /// All values of the buffer.
    pub fn as_slice(&self) -> &[f32] {
        let ptr = self.0.as_ptr().cast::<f32>();
        // SAFETY: the vector holds that many initialised values from `ptr` on.
        unsafe { core::slice::from_raw_parts(ptr, self.0.len() * LINE) }
    }

    /// Fills the buffer with `value`.
    pub fn fill(&mut self, value: f32) {
        self.0.fill(Line([value; LINE]));
    }
}

/// Hands out consecutive, line-aligned parts of a piece of scratch memory.
pub(crate) struct Arena {
    next: *mut f32,
    left: usize,
}

impl Arena {
    pub fn new(memory: &mut [f32]) -> Self {
        Self { next: memory.as_mut_ptr(), left: memory.len() }
    }

    /// An arena over memory that other threads divide in the same way. What the callers of
    /// [`take`](Self::take) write must not overlap.
    ///
    /// # Safety
    /// - `next`: `[left]` writable, for as long as the parts are used
    pub unsafe fn shared(next: *mut f32, left: usize) -> Self {
        Self { next, left }
    }

    /// The next `len` values, of any content.
    ///
    /// # Panics
    /// If fewer are left.
    pub fn take(&mut self, len: usize) -> *mut f32 {
        let len = lines(len);
        assert!(len <= self.left, "the scratch memory is too small for its plan");
        let part = self.next;
        // SAFETY: `len <= left`, so the result stays within the memory or at its end.
        self.next = unsafe { part.add(len) };
        self.left -= len;
        part
    }
}

/// A pointer to values that threads share. Whoever dereferences it makes sure that no thread
/// accesses what another one writes: the threads divide rows or units between them
/// ([`split`](crate::threads::split)).
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Shared<P>(P);

impl<P: Copy> Shared<P> {
    pub const fn new(ptr: P) -> Self {
        Self(ptr)
    }

    // A method and not a public field: a closure would capture the field alone, the bare pointer.
    pub const fn get(self) -> P {
        self.0
    }
}

impl Shared<*mut f32> {
    pub const NULL: Self = Self(core::ptr::null_mut());

    /// The start of a slice, or null.
    pub fn of(slice: Option<&mut [f32]>) -> Self {
        Self(slice.map_or(core::ptr::null_mut(), <[f32]>::as_mut_ptr))
    }

    pub const fn is_null(self) -> bool {
        self.0.is_null()
    }
}

// SAFETY: a pointer is only an address. Each use of it is unsafe, and says why it does not race.
unsafe impl<T> Send for Shared<*mut T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<*mut T> {}
// SAFETY: as above.
unsafe impl<T> Send for Shared<*const T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Shared<*const T> {}
