"""Writes `golden.safetensors`: features of librosa and torchaudio for a second of made-up sound.

`pip install librosa torchaudio safetensors`, then `python generate.py`. The sound is a formula
(chirps, a constant offset, and noise of a linear congruential generator), so the tests make it
themselves.
"""

import json
from pathlib import Path

import librosa
import numpy as np
import torch
import torchaudio
from safetensors.numpy import save_file

# Name, rate, window, hop, FFT, mels, low, high, scale, coefficients of an MFCC (0: log-mel).
CASES = [
    ("htk_16k", 16000, 400, 160, 512, 40, 60.0, 8000.0, "htk", 0),
    ("htk_8k_mfcc", 8000, 200, 80, 256, 26, 20.0, 4000.0, "htk", 13),
    ("slaney_16k", 16000, 512, 200, 512, 80, 0.0, 7600.0, "slaney", 0),
    ("slaney_22k_mfcc", 22050, 551, 221, 1024, 64, 0.0, 11025.0, "slaney", 20),
]


def sound(rate):
    n = np.arange(rate // 2, dtype=np.float64)
    t = n / rate
    state, noise = 12345, []
    for _ in n:
        state = (state * 1103515245 + 12345) % 2**31
        noise.append(state / 2**30 - 1.0)
    chirp = 0.4 * np.sin(2 * np.pi * (200 * t + 1500 * t * t)) + 0.2 * np.sin(2 * np.pi * 3000 * t)
    return (chirp + 0.02 * np.array(noise) + 0.01).astype(np.float32)


def main():
    tensors = {}
    facts = {"librosa": librosa.__version__, "torchaudio": torchaudio.__version__, "cases": []}
    for name, rate, window, hop, fft, mels, low, high, scale, coefficients in CASES:
        # Frames that begin with the window: theirs have it in the middle.
        pad = (fft - window) // 2
        x = np.pad(sound(rate), (pad, fft - window - pad)).astype(np.float64)
        norm = "slaney" if scale == "slaney" else None
        power = librosa.feature.melspectrogram(
            y=x, sr=rate, n_fft=fft, hop_length=hop, win_length=window, window="hann",
            center=False, n_mels=mels, fmin=low, fmax=high, htk=scale == "htk", norm=norm)
        other = torchaudio.transforms.MelSpectrogram(
            rate, n_fft=fft, win_length=window, hop_length=hop, f_min=low, f_max=high, n_mels=mels,
            center=False, norm=norm, mel_scale=scale).double()(torch.tensor(x)).numpy()
        ours, theirs = np.log(np.maximum(power, 1e-8)), np.log(np.maximum(other, 1e-8))
        assert np.abs(ours - theirs).max() < 1e-4, np.abs(ours - theirs).max()
        frames = ours
        if coefficients:
            frames = librosa.feature.mfcc(S=ours, n_mfcc=coefficients)
            dct = torchaudio.functional.create_dct(coefficients, mels, "ortho").double().numpy()
            assert np.abs(frames - dct.T @ ours).max() < 1e-4
        first = torchaudio.functional.compute_deltas(torch.tensor(frames))
        second = torchaudio.functional.compute_deltas(first)
        frames = np.concatenate([frames, first.numpy(), second.numpy()])
        tensors[name] = np.ascontiguousarray(frames.T.astype(np.float32))
        facts["cases"].append({
            "name": name, "rate": rate, "window": window, "hop": hop, "mels": mels, "low": low,
            "high": high, "scale": scale, "coefficients": coefficients})
    save_file(tensors, Path(__file__).parent / "golden.safetensors", {"facts": json.dumps(facts)})


if __name__ == "__main__":
    main()
