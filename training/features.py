"""The recogniser's ears: log-mel features equal to those sherpa-onnx computes from a live stream.

Kaldi filter bank: 16 kHz, samples in [-1, 1], 25 ms windows every 10 ms, no snipped edges, mean removed per window,
pre-emphasis 0.97, povey window, 512-point power spectrum, 80 HTK mels from 20 to 7600 Hz, natural logarithm, no dither.
"""
import numpy as np
import torch
import torch.nn.functional as F

WINDOW = 400
SHIFT = 160
FFT = 512
MELS = 80
FLOOR = float(np.finfo(np.float32).eps)


def povey_window():
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    return torch.tensor(hann ** 0.85, dtype=torch.float32)


def mel_filters():
    """[MELS, FFT / 2]: the Nyquist bin is not used."""
    mel = lambda hertz: 1127.0 * np.log1p(np.asarray(hertz, float) / 700)
    low, high = mel(20.0), mel(7600.0)
    centres = low + (high - low) / (MELS + 1) * np.arange(MELS + 2)
    bins = mel(np.arange(FFT // 2) * 16000 / FFT)
    rising = (bins[None] - centres[:-2, None]) / (centres[1:-1] - centres[:-2])[:, None]
    falling = (centres[2:, None] - bins[None]) / (centres[2:] - centres[1:-1])[:, None]
    return torch.tensor(np.maximum(0, np.minimum(rising, falling)), dtype=torch.float32)


POVEY = povey_window()
FILTERS = mel_filters()


def log_mels(samples):
    """[batch, samples] -> [batch, frames, 80], only frames whose window is complete: what a live stream has."""
    count = samples.shape[1]
    frames = (count + SHIFT // 2) // SHIFT
    while frames > 0 and (frames - 1) * SHIFT + SHIFT // 2 - WINDOW // 2 + WINDOW > count:
        frames -= 1
    left = WINDOW // 2 - SHIFT // 2
    samples = torch.cat([samples[:, :left].flip(1), samples], 1)  # the stream's start is mirrored
    windows = samples.unfold(1, WINDOW, SHIFT)[:, :frames]
    windows = windows - windows.mean(-1, keepdim=True)
    windows = windows - 0.97 * torch.cat([windows[..., :1], windows[..., :-1]], -1)
    spectrum = torch.fft.rfft(F.pad(windows * POVEY, (0, FFT - WINDOW)))[..., :FFT // 2]
    power = spectrum.real ** 2 + spectrum.imag ** 2
    return torch.log(torch.clamp(power @ FILTERS.T, min=FLOOR))
