//! The Burn layer: the fused operation against its plain twin, the modules against PyTorch.
mod golden;
mod gru;
mod ops;
mod support;
