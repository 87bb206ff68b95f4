//! Memory that is used again from call to call: kernel workspaces, packed weights, saved gates, and
//! what the operations give.
//!
//! They belong to a model and its clones, and go with the last of them: trainings side by side
//! share nothing. They are no thread-locals, since a thread that waits in a parallel kernel may be
//! handed another call of the operation meanwhile.
use burn::backend::flex::{FlexTensor, Layout};
use burn::tensor::{AllocationProperty, Bytes, DType, Shape};
use gruvy_kernels::{Layer, Packed, Workspace};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Free buffers and packed weights kept: enough for the layers and directions of a deep stack.
/// Graphs dropped without a backward pass free their buffers all at once, in any number.
const MAX_FREE: usize = 32;

/// Scratch memory of the operations, shared by the handle's clones. Its content between calls does
/// not matter.
#[derive(Clone, Default)]
pub struct Memory(Arc<Lists>);

#[derive(Default)]
struct Lists {
    workspaces: Mutex<Vec<Workspace>>,
    packed: Mutex<Vec<Packed>>,
    buffers: Mutex<Vec<Vec<f32>>>,
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Memory")
    }
}

fn with<T, R>(list: &Mutex<T>, f: impl FnOnce(&mut T) -> R) -> R {
    f(&mut list.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Memory {
    /// Calls `f` with a workspace that no other call is using.
    pub(super) fn with_workspace<R>(&self, f: impl FnOnce(&mut Workspace) -> R) -> R {
        let mut workspace = with(&self.0.workspaces, Vec::pop).unwrap_or_default();
        let result = f(&mut workspace);
        keep(&self.0.workspaces, workspace);
        result
    }

    /// Calls `f` with a layer packed into the memory of an earlier call of its cell and sizes.
    pub(super) fn with_packed<R>(&self, layer: &Layer<'_>, f: impl FnOnce(&Packed) -> R) -> R {
        let free = with(&self.0.packed, |list| {
            let sizes = (layer.cell, layer.input, layer.hidden);
            let fits = |p: &Packed| (p.cell(), p.input(), p.hidden()) == sizes;
            list.iter().position(fits).map(|i| list.swap_remove(i))
        });
        let packed = match free {
            Some(mut packed) => {
                packed.repack(layer);
                packed
            }
            None => Packed::new(layer),
        };
        let result = f(&packed);
        keep(&self.0.packed, packed);
        result
    }

    /// A buffer of `len` values, with any content: the smallest free one that is large enough, else
    /// a new one in place of a free one that is not.
    pub(super) fn buffer(&self, len: usize) -> Buffer {
        let free = with(&self.0.buffers, |list| {
            let fitting = (0..list.len()).filter(|&i| list[i].len() >= len);
            match fitting.min_by_key(|&i| list[i].len()) {
                Some(i) => Some(list.swap_remove(i)),
                None => {
                    list.pop();
                    None
                }
            }
        });
        let data = free.unwrap_or_else(|| vec![0.0; len]);
        Buffer { data, len, memory: self.clone() }
    }
}

/// Puts an item back into a list, in place of the oldest if the list is full.
fn keep<T>(list: &Mutex<Vec<T>>, item: T) {
    with(list, |list| {
        if list.len() >= MAX_FREE {
            list.remove(0);
        }
        list.push(item);
    });
}

/// A buffer with any content, which goes back to the pool when dropped. Saved gates, outputs and
/// input gradients are a training step's largest allocations, and fresh pages for them would cost
/// as much as filling them.
#[derive(Clone, Debug)]
pub(super) struct Buffer {
    /// At least `len` long.
    data: Vec<f32>,
    len: usize,
    memory: Memory,
}

impl Buffer {
    /// A dense tensor of the buffer's values, which goes back to the pool with its last handle. It
    /// is copied before anything is written into it.
    pub(super) fn into_tensor(self, shape: &[usize]) -> FlexTensor {
        let bytes = bytes::Bytes::from_owner(self);
        let bytes = Bytes::from_shared(bytes, AllocationProperty::Native);
        FlexTensor::new(bytes, Layout::contiguous(Shape::from(shape.to_vec())), DType::F32)
    }

    pub(super) fn as_slice(&self) -> &[f32] {
        &self.data[..self.len]
    }

    pub(super) fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.data[..self.len]
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        bytemuck::cast_slice(self.as_slice())
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        keep(&self.memory.0.buffers, std::mem::take(&mut self.data));
    }
}
