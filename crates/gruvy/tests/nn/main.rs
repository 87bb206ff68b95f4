//! The Burn layer: the fused operation against its plain twin, the modules against PyTorch.
mod ctc;
mod golden;
mod head;
mod ops;
mod recurrent;
mod support;
