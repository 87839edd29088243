"""Makes a dry clip sound as if it had been recorded: speed, pauses, echo, colour, noise, babble, loudness, clipping.

`Rooms` draws one recording at a time; `strength` in 0 … 1 sets how far everything may go.
"""
import math

import numpy as np

RATE = 16000


def coloured_noises(rng, seconds=40):
    """A bank of noises from white to brown, plus hums: float32, standard deviation 1."""
    count = RATE * seconds
    bank = []
    spectrum = np.fft.rfftfreq(count, 1 / RATE)
    spectrum[0] = spectrum[1]
    for slope in (0.0, 0.0, 0.25, 0.5, 0.75, 1.0):
        phase = rng.uniform(0, 2 * np.pi, len(spectrum))
        bank.append(np.fft.irfft(np.exp(1j * phase) * np.maximum(spectrum, 40.0) ** -slope, count))
    time = np.arange(count) / RATE
    for base in (50, 120):
        hum = sum(np.sin(2 * np.pi * base * k * time + k) / k for k in range(1, 9))
        bank.append(hum + 0.4 * hum.std() * rng.randn(count))
    return [(noise / noise.std()).astype(np.float32) for noise in bank]


class Rooms:
    def __init__(self, rng, babble):
        """`babble()` returns an int16 clip of somebody talking."""
        self.rng = rng
        self.babble = babble
        self.bank = coloured_noises(rng)

    def noise(self, count):
        source = self.bank[self.rng.randint(len(self.bank))]
        start = self.rng.randint(len(source) - count)
        return source[start:start + count]

    def silence(self, low, high):
        return np.zeros(int(RATE * self.rng.uniform(low, high)), np.float32)

    def speaker(self, clip, strength):
        """Another speed (and with it pitch), longer pauses, tilt, echo."""
        rng = self.rng
        voice = clip.astype(np.float32) / 32768
        if rng.rand() < 0.5:
            voice = lengthen_pauses(voice, rng)
        ratio = math.exp(strength * rng.uniform(-0.14, 0.14))
        count = int(len(voice) / ratio)
        voice = np.interp(np.linspace(0, len(voice) - 1, count), np.arange(len(voice)), voice).astype(np.float32)
        if rng.rand() < 0.5 * strength:
            tilt = rng.uniform(-0.7, 0.7)
            voice = np.append(voice[:1], voice[1:] - tilt * voice[:-1]).astype(np.float32)
        if rng.rand() < 0.45 * strength:
            voice = self.room(voice)
        return voice

    def room(self, voice):
        """Convolution with a drawn impulse response: direct sound, a few early echoes, a decaying noise tail."""
        rng = self.rng
        length = int(RATE * rng.uniform(0.06, 0.25))
        decay = np.exp(-np.arange(length) / (RATE * rng.uniform(0.015, 0.07)))
        response = rng.randn(length) * decay * rng.uniform(0.02, 0.12)
        response[:8] = 0
        for _ in range(rng.randint(1, 4)):
            response[rng.randint(60, 700)] += rng.uniform(-0.5, 0.5)
        response[0] = 1
        size = 1 << (len(voice) + length).bit_length()
        wet = np.fft.irfft(np.fft.rfft(voice, size) * np.fft.rfft(response, size), size)
        return wet[:len(voice) + length // 2].astype(np.float32)

    def finish(self, samples, power, strength):
        """Noise of 4 … 40 dB, sometimes somebody talking at a distance, loudness, sometimes clipping.
        `power` is the root mean square of the speech, the reference of the noise."""
        rng = self.rng
        ratio = rng.uniform(40 - 36 * min(1, 2 * strength), 40)
        samples = samples + self.noise(len(samples)) * (power * 10 ** (-ratio / 20))
        if rng.rand() < 0.15 * strength:
            talk = self.babble().astype(np.float32) / 32768
            talk = np.resize(talk, len(samples)) * (power / (np.sqrt((talk ** 2).mean()) + 1e-6))
            samples = samples + talk * 10 ** (-rng.uniform(15, 30) / 20)
        samples = samples * math.exp(strength * rng.uniform(-2.5, 0.7))
        if rng.rand() < 0.05 * strength:
            limit = np.abs(samples).max() * rng.uniform(0.3, 0.8)
            samples = np.clip(samples, -limit, limit)
        return np.clip(samples, -1, 1).astype(np.float32)


def lengthen_pauses(voice, rng):
    """Where the speaker is silent for 110 ms or more (a comma), makes the pause up to 0.6 s longer."""
    block = 160
    count = len(voice) // block
    level = np.abs(voice[:count * block]).reshape(count, block).max(1)
    quiet = level < 0.02 * np.abs(voice).max()
    run = 0
    for i in range(count):
        run = run + 1 if quiet[i] else 0
        if run == 11 and 11 < i < count - 11:
            at = (i - 5) * block
            pause = np.zeros(int(RATE * rng.uniform(0, 0.6)), np.float32)
            return np.concatenate([voice[:at], pause, voice[at:]])
    return voice
