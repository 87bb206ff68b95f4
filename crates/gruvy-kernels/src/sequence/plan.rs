//! How the threads of a call divide its work, and the scratch memory of a forward pass: planned
//! once, when the call begins.

use crate::cell::Recurrence;
use crate::dims::Sequence;
use crate::memory::{LINE, lines};
use crate::saved::Blocks;
use crate::threads::{self, Member};
use core::ops::Range;

/// Rows of a register tile on the widest machine: threads get multiples of it.
pub(super) const TILE: usize = 8;

/// Values of the input part that are computed ahead: 512 KB, which stays in the second cache beside
/// a step's weights.
const CHUNK: usize = 1 << 17;

/// What one thread does of a recurrence.
#[derive(Clone)]
pub(super) struct Share<'a> {
    pub rows: Range<usize>,
    /// Vectors of units.
    pub panels: Range<usize>,
    /// Where it waits for those with other units of the same rows; none: it has all units.
    pub team: Option<&'a Member<'a>>,
    /// Number of its scratch memory, which those with other units of the same rows share.
    pub memory: usize,
}

impl Share<'_> {
    /// The units of its panels.
    pub fn units(&self, hidden: usize, lanes: usize) -> Range<usize> {
        self.panels.start * lanes..hidden.min(self.panels.end * lanes)
    }

    /// Waits for those with other units.
    pub fn wait(&self) {
        if let Some(team) = self.team {
            team.wait();
        }
    }
}

/// How threads divide the recurrence.
#[derive(Clone, Copy)]
enum Division {
    /// Among so many threads with rows of their own, which never wait for each other.
    Rows(usize),
    /// Among so many threads with units of all rows, which wait for each other after every step.
    Units(usize),
}

/// What the plan of a call depends on.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub seq: &'a Sequence<'a>,
    pub hidden: usize,
    /// Lanes of a vector.
    pub lanes: usize,
    /// Steps up to the longest length.
    pub steps: usize,
    pub blocks: Blocks,
    /// Whether candidates are dropped.
    pub drops: bool,
    /// Threads that the call may use.
    pub threads: usize,
}

/// The plan of a call.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    /// Threads of the large products.
    pub threads: usize,
    division: Division,
    batch: usize,
    /// Vectors of units.
    panels: usize,
    /// Distance between vectors of states: whole lines, and off the powers of two that would map
    /// all rows of a tile to the same cache set.
    pub unit_ld: usize,
    pub forward: ForwardScratch,
}

/// The scratch memory of a forward pass, in values.
#[derive(Clone, Copy)]
pub(super) struct ForwardScratch {
    /// Steps of a chunk, whose input parts are computed ahead.
    pub chunk: usize,
    /// Values of a row's input part.
    pub x_ld: usize,
    /// Values of all gates of a product, for its normalisation; 0 without.
    pub raw_ld: usize,
    /// Of one share.
    pub len: usize,
}

impl Plan {
    pub fn new<C: Recurrence>(facts: Facts<'_>) -> Self {
        let Facts { seq: &Sequence { batch, .. }, hidden, lanes, threads, .. } = facts;
        let team = team::<C>(&facts);
        let workers = threads.min(batch).max(1);
        let division = if team > 1 { Division::Units(team) } else { Division::Rows(workers) };
        let rows = match division {
            Division::Units(_) | Division::Rows(1) => batch,
            Division::Rows(workers) => {
                (0..workers).map(|w| rows_of(batch, w, workers).len()).max().unwrap_or(0)
            }
        };
        let unit_ld = lines(hidden) + LINE;
        let forward = ForwardScratch::new::<C>(&facts, rows, unit_ld);
        Self { threads, division, batch, panels: hidden.div_ceil(lanes), unit_ld, forward }
    }

    /// Memories of the shares of a forward pass.
    pub fn memories(&self) -> usize {
        match self.division {
            Division::Units(_) => 1,
            Division::Rows(workers) => workers,
        }
    }

    /// The share of a thread that works alone.
    pub fn whole(&self) -> Share<'static> {
        Share { rows: 0..self.batch, panels: 0..self.panels, team: None, memory: 0 }
    }

    /// Runs the shares of a recurrence side by side.
    pub fn run(&self, work: impl Fn(Share<'_>) + Sync) {
        match self.division {
            Division::Units(team) => threads::together(team, |part, member| {
                let panels = threads::split(self.panels, 1, part, team);
                work(Share { panels, team: Some(member), ..self.whole() });
            }),
            Division::Rows(workers) => threads::run(workers, |worker| {
                let rows = rows_of(self.batch, worker, workers);
                work(Share { rows, memory: worker, ..self.whole() });
            }),
        }
    }
}

/// Rows of one worker.
fn rows_of(batch: usize, worker: usize, workers: usize) -> Range<usize> {
    let unit = if batch >= workers * TILE { TILE } else { 1 };
    threads::split(batch, unit, worker, workers)
}

/// Threads that share the units of all rows and wait for each other after every step: where rows
/// are too few for a tile each, and a step is long beside the wait. Else 1.
fn team<C: Recurrence>(facts: &Facts<'_>) -> usize {
    /// Multiply-adds of a step, some 5 µs.
    const LONG: usize = 1 << 17;
    let Facts { seq, hidden, blocks, threads, .. } = *facts;
    let long = C::HIDDEN_GATES == 0 || seq.batch * hidden * hidden * C::HIDDEN_GATES >= LONG;
    // Normalised or masked, a unit needs whole rows; with two products, another wait.
    let free = blocks.norm.is_none() && blocks.seen.is_none() && C::PRODUCTS.len() <= 1;
    match long && free && seq.seq_len >= 16 && seq.batch < threads * TILE / 2 {
        true => threads.min(hidden / 64).max(1),
        false => 1,
    }
}

impl ForwardScratch {
    /// For shares of at most `rows` rows.
    fn new<C: Recurrence>(facts: &Facts<'_>, rows: usize, unit_ld: usize) -> Self {
        let Facts { hidden, lanes, steps, blocks, drops, .. } = *facts;
        let units = hidden.next_multiple_of(lanes);
        let x_ld = units * C::GATES;
        let chunk = (CHUNK / (rows * x_ld).max(1)).clamp(1, steps.max(1));
        let most = C::PRODUCTS.iter().copied().max().unwrap_or(0);
        let gates = if blocks.norm.is_some() { most } else { 0 };
        // Mask, masked state, what the cell needs between its products, the candidates' mask.
        let masked = if blocks.seen.is_some() { 2 } else { 0 };
        let extra = masked + (C::PRODUCTS.len() > 1) as usize + drops as usize;
        let vectors = 2 * C::STATES + extra;
        let len =
            lines(chunk * rows * x_ld) + lines(rows * gates * units) + vectors * rows * unit_ld;
        Self { chunk, x_ld, raw_ld: gates * units, len }
    }
}
