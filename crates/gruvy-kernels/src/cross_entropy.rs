//! Softmax cross entropy of a linear head, and all its gradients, a block of rows at a time.
//!
//! ```text
//! z    = (x ⊙ mask) Wᵀ + b                                      mask: dropout, if any
//! loss = mean over rows of lse(z) − (1 − s) · z[target] − s · mean over v of z[v],   lse(z) = ln Σ_v e^z[v]
//! dz   = (softmax(z) − (1 − s) · [v = target] − s / V) / N      in place of z
//! dx   = (dz W) ⊙ mask,   dW += dzᵀ (x ⊙ mask),   db += Σ dz
//! ```
//! The loss is where a graph ends, so its gradients are known as soon as it is: they are computed in
//! the same pass, and neither logits nor probabilities outlive their block of rows. s is the label
//! smoothing (1512.00567).

use crate::checks::check;
use crate::math::exp;
use crate::memory::{Arena, Shared, lines};
use crate::noise::Dropout;
use crate::product::{
    GradProduct, Packing, Panels, Product, Right, Rows, Source, Store, grad_product, grad_scratch,
    pack,
};
use crate::saved::Run;
use crate::simd::{Isa, Kernel, Simd};
use crate::threads;
use crate::workspace::Workspace;
use core::ops::Range;

/// A linear head `[V, I]` whose outputs are the logits of V classes.
#[derive(Clone, Copy, Debug)]
pub struct LinearCrossEntropy<'a> {
    /// `[V, I]`, row-major as PyTorch keeps it.
    pub weight: &'a [f32],
    /// `[V]`
    pub bias: &'a [f32],
    /// Share of each target that is spread over all classes, in `[0, 1]`.
    pub smoothing: f32,
    /// Dropout of x, its values counted as `[N, I]`.
    pub dropout: Option<Dropout>,
}

/// Where the gradients of a [`LinearCrossEntropy`] go.
#[derive(Debug)]
pub struct LinearGradients<'a> {
    /// `[N, I]`, set.
    pub dx: &'a mut [f32],
    /// `[V, I]`, added to.
    pub dweight: &'a mut [f32],
    /// `[V]`, added to.
    pub dbias: &'a mut [f32],
}

impl LinearCrossEntropy<'_> {
    /// Mean loss in nats of `x [N, I]` against the classes `targets [N]`, and its gradients. Without
    /// rows it is NaN.
    ///
    /// # Panics
    /// If a length does not fit `weight`, `bias` and `targets`, a target is not below V, or a rate is
    /// out of range.
    pub fn loss(
        &self,
        isa: Isa,
        x: &[f32],
        targets: &[u32],
        gradients: Option<LinearGradients<'_>>,
        workspace: &mut Workspace,
    ) -> f64 {
        let sizes = self.check(x, targets, gradients.as_ref());
        let Workspace { scratch, packed, .. } = workspace;
        let tracked = gradients.is_some();
        let packed = self.pack(isa, sizes, tracked, packed.get(packed_len(isa, sizes)));
        let plan = Plan::new(isa, sizes, self.dropout.is_some());
        let mut arena = Arena::new(scratch.get(plan.len()));
        let losses = Shared::new(arena.take(plan.losses));
        let job = Job {
            head: self,
            isa,
            sizes,
            plan,
            packed,
            x,
            targets,
            losses,
            logits: Shared::new(arena.take(plan.logits)),
            masked: Shared::new(arena.take(plan.masked)),
            own: Shared::new(arena.take(plan.own * plan.threads)),
            gradients: gradients.map(|g| GradientPointers {
                dx: Shared::of(Some(g.dx)),
                dweight: Shared::of(Some(g.dweight)),
                dbias: Shared::of(Some(g.dbias)),
            }),
        };
        for start in (0..sizes.rows).step_by(plan.rows) {
            job.block(start..(start + plan.rows).min(sizes.rows));
        }
        // SAFETY: there is a loss for each row, and all were set.
        let losses = unsafe { core::slice::from_raw_parts(losses.get(), sizes.rows) };
        losses.iter().map(|loss| f64::from(*loss)).sum::<f64>() / sizes.rows as f64
    }

    fn check(&self, x: &[f32], targets: &[u32], gradients: Option<&LinearGradients<'_>>) -> Sizes {
        let (classes, rows) = (self.bias.len(), targets.len());
        assert!(classes > 0, "a head needs at least one class");
        let inputs = self.weight.len() / classes;
        check("weight [V, I]", classes * inputs, self.weight.len());
        check("x [N, I]", rows * inputs, x.len());
        if let Some(gradients) = gradients {
            check("dx [N, I]", rows * inputs, gradients.dx.len());
            check("dweight [V, I]", classes * inputs, gradients.dweight.len());
            check("dbias [V]", classes, gradients.dbias.len());
        }
        if let Some((row, target)) =
            targets.iter().enumerate().find(|(_, t)| **t as usize >= classes)
        {
            panic!("target of row {row}: expected a class below {classes}, got {target}");
        }
        let s = self.smoothing;
        assert!((0.0..=1.0).contains(&s), "expected label smoothing in [0, 1], got {s}");
        self.dropout.iter().for_each(Dropout::check);
        Sizes { rows, inputs, classes }
    }

    /// The weights for logits and, with gradients, for dx; the bias padded to whole vectors.
    fn pack(&self, isa: Isa, sizes: Sizes, tracked: bool, memory: &mut [f32]) -> PackedHead {
        let Sizes { inputs, classes, .. } = sizes;
        let (width, mut arena) = (isa.lanes(), Arena::new(memory));
        let columns = classes.next_multiple_of(width);
        let bias = arena.take(columns);
        let forward = arena.take(columns * inputs);
        let backward = arena.take(inputs.next_multiple_of(width) * classes);
        let ptr = self.weight.as_ptr();
        // SAFETY:
        // - `bias`: `[columns]`, `forward` and `backward`: whole vectors of the weight's rows and
        //   columns; all were just taken
        // - `ptr`: `[V, I]`
        unsafe {
            // Columns past the last class get logits that count for nothing.
            core::slice::from_raw_parts_mut(bias, columns).fill(f32::NEG_INFINITY);
            bias.copy_from_nonoverlapping(self.bias.as_ptr(), classes);
            let (depth, columns) = (inputs, classes);
            pack_all(isa, Source { ptr, k_step: 1, j_step: inputs, depth, columns }, forward);
            if tracked {
                let (depth, columns) = (classes, inputs);
                pack_all(isa, Source { ptr, k_step: inputs, j_step: 1, depth, columns }, backward);
            }
        }
        PackedHead {
            bias: Shared::new(bias),
            forward: Panels::new(forward, classes.div_ceil(width), inputs),
            backward: Panels::new(backward, inputs.div_ceil(width), classes),
        }
    }
}

#[derive(Clone, Copy)]
struct Sizes {
    /// N
    rows: usize,
    /// I
    inputs: usize,
    /// V
    classes: usize,
}

struct PackedHead {
    /// `[V]` in whole vectors.
    bias: Shared<*mut f32>,
    /// W for logits, `[⌈V / lanes⌉][I][lane]`.
    forward: Panels,
    /// W for dx, `[⌈I / lanes⌉][V][lane]`.
    backward: Panels,
}

fn packed_len(isa: Isa, Sizes { inputs, classes, .. }: Sizes) -> usize {
    let columns = classes.next_multiple_of(isa.lanes());
    let width = inputs.next_multiple_of(isa.lanes());
    lines(columns) + lines(columns * inputs) + lines(width * classes)
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

/// Rows of a block and the scratch memory that it needs, in values.
#[derive(Clone, Copy)]
struct Plan {
    threads: usize,
    rows: usize,
    /// Distance between rows of logits.
    ld: usize,
    losses: usize,
    /// `[rows, ld]`
    logits: usize,
    /// `[rows, I]`; none without dropout.
    masked: usize,
    /// Of each thread.
    own: usize,
}

/// Rows of a thread that go from x to dx before the next ones: their logits stay in its cache.
const TILE_ROWS: usize = 64;
/// Rows of the weight that a part of dx sums over: their panels stay in the cache.
const DEPTH: usize = 512;

impl Plan {
    fn new(isa: Isa, Sizes { rows, inputs, classes }: Sizes, masked: bool) -> Self {
        /// A block's x and logits, in values, stay in the last cache until dW is added up; but no fewer rows than
        /// a weight gradient takes at once.
        const BLOCK: usize = 1 << 20;
        const LEAST: usize = 256;
        let ld = classes.next_multiple_of(isa.lanes());
        let block = (BLOCK / (inputs + ld) / LEAST).max(1) * LEAST;
        let block = block.min(rows.max(1));
        Self {
            threads: threads::worth(rows * inputs * classes),
            rows: block,
            ld,
            losses: lines(rows),
            logits: lines(block * ld),
            masked: if masked { lines(block * inputs) } else { 0 },
            own: lines(grad_scratch([inputs].into_iter()).max(TILE_ROWS * inputs)),
        }
    }

    fn len(&self) -> usize {
        self.losses + self.logits + self.masked + self.own * self.threads
    }
}

/// One call, for all its threads. Every pointer covers what its field says, until the call is over.
struct Job<'a> {
    head: &'a LinearCrossEntropy<'a>,
    isa: Isa,
    sizes: Sizes,
    plan: Plan,
    packed: PackedHead,
    /// `[N, I]`
    x: &'a [f32],
    /// `[N]`, each below V.
    targets: &'a [u32],
    /// `[N]`
    losses: Shared<*mut f32>,
    /// Logits of a block and then dz, `[plan.rows, ld]`.
    logits: Shared<*mut f32>,
    /// A block's x with dropout, `[plan.rows, I]`; empty without.
    masked: Shared<*mut f32>,
    /// `[threads, own]`
    own: Shared<*mut f32>,
    gradients: Option<GradientPointers>,
}

/// Where the gradients go.
#[derive(Clone, Copy)]
struct GradientPointers {
    /// `[N, I]`
    dx: Shared<*mut f32>,
    /// `[V, I]`
    dweight: Shared<*mut f32>,
    /// `[V]`
    dbias: Shared<*mut f32>,
}

impl Job<'_> {
    /// Losses and gradients of the rows `block`.
    fn block(&self, block: Range<usize>) {
        let parts = self.plan.threads;
        threads::run(parts, |part| {
            let rows = threads::split(block.len(), 8, part, parts);
            for start in rows.clone().step_by(TILE_ROWS) {
                // SAFETY: each thread has rows of its own and its own scratch memory.
                unsafe { self.rows(&block, start..(start + TILE_ROWS).min(rows.end), part) }
            }
        });
        if let Some(to) = self.gradients {
            // SAFETY: each thread has rows of the weight of its own, and its own scratch memory; dz
            // of the block is complete.
            threads::run(parts, |part| unsafe { self.weight_gradient(&block, to, part) });
        }
    }

    /// Adds the part of the rows `block` to this thread's rows of the weight's and bias' gradients.
    ///
    /// # Safety
    /// - `logits`: dz of the block, `[block, ld]` readable
    /// - `masked`: `[block, I]` readable, if there is dropout
    /// - `to.dweight` and `to.dbias`: the rows of part `part` are the calling thread's alone, and so
    ///   is the scratch memory of that number
    unsafe fn weight_gradient(&self, block: &Range<usize>, to: GradientPointers, part: usize) {
        let Sizes { inputs, classes, .. } = self.sizes;
        let units = threads::split(classes, 8, part, self.plan.threads);
        // SAFETY: the caller's contract.
        unsafe {
            let right = Right {
                ptr: self.masked_x(block),
                ld: inputs,
                columns: inputs,
                runs: &[Run { gate: 0, gates: 1, block: 0 }],
                behind: None,
                weight: to.dweight.get(),
                bias: to.dbias.get(),
            };
            let product = GradProduct {
                a: Rows { ptr: self.logits.get(), ld: self.plan.ld, count: block.len() },
                hidden: classes,
                blocks: 1,
                units,
                rights: &[right],
                scratch: self.own.get().add(part * self.plan.own),
            };
            grad_product(self.isa, &product);
        }
    }

    /// The block's x as the head sees it, `[block, I]`.
    fn masked_x(&self, block: &Range<usize>) -> *const f32 {
        match self.plan.masked > 0 {
            true => self.masked.get(),
            false => self.x[block.start * self.sizes.inputs..].as_ptr(),
        }
    }

    /// Losses, dz and dx of `rows`, counted from the start of `block`.
    ///
    /// # Safety
    /// - `block`: of the call's rows, at most `plan.rows`; `rows`: below its length
    /// - the rows of `losses`, `logits`, `masked` and `dx`, and the scratch memory `part`, are the
    ///   calling thread's alone
    unsafe fn rows(&self, block: &Range<usize>, rows: Range<usize>, part: usize) {
        let Self { isa, plan, sizes: Sizes { inputs, classes, .. }, .. } = *self;
        let (count, first) = (rows.len(), block.start + rows.start);
        let at = first * inputs;
        // SAFETY: the caller's contract; x and the targets were checked.
        unsafe {
            if let Some(dropout) = self.head.dropout {
                let masked = self.masked.get().add(rows.start * inputs);
                masked.copy_from_nonoverlapping(self.x[at..].as_ptr(), count * inputs);
                let masked = core::slice::from_raw_parts_mut(masked, count * inputs);
                dropout.apply_part(isa, masked, at);
            }
            let ptr = self.masked_x(block).add(rows.start * inputs);
            let logits = self.logits.get().add(rows.start * plan.ld);
            let add = self.packed.bias.get();
            let store = Store { to: logits, ld: plan.ld, columns: plan.ld, add };
            let a = Rows { ptr, ld: inputs, count };
            Product { a, b: self.packed.forward, k: inputs }.store(isa, &store);
            isa.dispatch(Softmax {
                logits,
                ld: plan.ld,
                classes,
                targets: &self.targets[first..first + count],
                losses: self.losses.get().add(first),
                smoothing: self.head.smoothing,
                scale: self.gradients.map(|_| 1.0 / self.sizes.rows as f32),
            });
            let Some(GradientPointers { dx, .. }) = self.gradients else { return };
            let dz = Rows { ptr: logits, ld: plan.ld, count };
            let dx = dx.get().add(at);
            self.input_gradient(dz, dx, self.own.get().add(part * plan.own));
            if let Some(dropout) = self.head.dropout {
                let dx = core::slice::from_raw_parts_mut(dx, count * inputs);
                dropout.apply_part(isa, dx, at);
            }
        }
    }

    /// `dx = dz W`, in sums over [`DEPTH`] classes.
    ///
    /// # Safety
    /// - `dz.ptr`: `[dz.count]` rows of `[V]` readable, `dz.ld` apart
    /// - `dx`: `[dz.count, I]` writable, by this thread alone
    /// - `scratch`: `[dz.count, I]` writable, by this thread alone
    unsafe fn input_gradient(&self, dz: Rows, dx: *mut f32, scratch: *mut f32) {
        let Self { isa, sizes: Sizes { inputs, classes, .. }, .. } = *self;
        for k in (0..classes).step_by(DEPTH) {
            let depth = DEPTH.min(classes - k);
            // SAFETY: the caller's contract; the classes from k on are within dz and the panels.
            unsafe {
                let a = Rows { ptr: dz.ptr.add(k), ..dz };
                let panels = self.packed.backward;
                let ptr = Shared::new(panels.ptr.get().add(k * isa.lanes()));
                let to = if k == 0 { dx } else { scratch };
                let store = Store { to, ld: inputs, columns: inputs, add: core::ptr::null() };
                Product { a, b: Panels { ptr, ..panels }, k: depth }.store(isa, &store);
                if k > 0 {
                    for i in 0..dz.count * inputs {
                        *dx.add(i) += *scratch.add(i);
                    }
                }
            }
        }
    }
}

/// Losses of rows of logits, and dz in their place.
struct Softmax<'a> {
    /// `[targets]` rows of whole vectors, `ld` apart: −∞ past the last class.
    logits: *mut f32,
    ld: usize,
    classes: usize,
    targets: &'a [u32],
    /// `[targets]`
    losses: *mut f32,
    smoothing: f32,
    /// `1 / N`; none: no gradients.
    scale: Option<f32>,
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, s: S) {
        for (row, target) in self.targets.iter().enumerate() {
            // SAFETY: `Job::rows` alone makes this kernel.
            // - `logits` and `losses` have a place for each target, of this thread alone
            // - targets are below V
            unsafe {
                let z = self.logits.add(row * self.ld);
                *self.losses.add(row) = self.row(s, z, *target as usize);
            }
        }
    }
}

impl Softmax<'_> {
    /// The loss of a row.
    ///
    /// # Safety
    /// - `z`: `[ld]` readable and writable, by this thread alone
    /// - `target`: below `classes`
    #[inline(always)]
    unsafe fn row<S: Simd>(&self, s: S, z: *mut f32, target: usize) -> f32 {
        /// e^-64 of the largest term changes no sum, and what it would leave in dz might be no normal number.
        const LEAST: f32 = -64.0;
        let vectors = (0..self.classes).step_by(S::LANES);
        // SAFETY: whole vectors of the row; parts of the last one for what must not see the padding.
        unsafe {
            let mut lanes = s.splat(f32::NEG_INFINITY);
            for v in vectors.clone() {
                lanes = s.max(lanes, s.load(z.add(v)));
            }
            let mut highest = [f32::NEG_INFINITY; 16];
            s.store(highest.as_mut_ptr(), lanes);
            let max = highest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let at_target = f64::from(*z.add(target));
            let spread = if self.smoothing > 0.0 { f64::from(self.mean(s, z)) } else { 0.0 };

            let mut sum = s.splat(0.0);
            for v in vectors.clone() {
                let d = s.sub(s.load(z.add(v)), s.splat(max));
                let [e] = exp(s, [d]);
                let e = s.where_less(d, s.splat(LEAST), s.splat(0.0), e);
                sum = s.add(sum, e);
                s.store(z.add(v), e);
            }
            let sum = s.sum(sum);
            let share = f64::from(self.smoothing);
            let loss = f64::from(max) + libm::log(f64::from(sum)) - (1.0 - share) * at_target;
            if let Some(scale) = self.scale {
                let (factor, all) = (s.splat(scale / sum), self.smoothing / self.classes as f32);
                for v in vectors {
                    let e = s.load(z.add(v));
                    s.store(z.add(v), s.fma(e, factor, s.splat(-all * scale)));
                }
                *z.add(target) -= (1.0 - self.smoothing) * scale;
            }
            (loss - share * spread) as f32
        }
    }

    /// Mean of a row's logits.
    ///
    /// # Safety
    /// - `z`: `[classes]` readable
    #[inline(always)]
    unsafe fn mean<S: Simd>(&self, s: S, z: *const f32) -> f32 {
        let mut sum = s.splat(0.0);
        for v in (0..self.classes).step_by(S::LANES) {
            // SAFETY: the classes of the row.
            sum = s.add(sum, unsafe { s.load_n(z.add(v), S::LANES.min(self.classes - v)) });
        }
        s.sum(sum) / self.classes as f32
    }
}
