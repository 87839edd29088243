"""Speaks the corpus with every synthesizer Debian has, into training/out/clips/NNN.npz.

    python3 training/synthesize.py [shards=14] [first=0]

A shard holds 1,500 clips: `x` all samples one behind the other (int16, 16 kHz mono, peak 0.5), `length` samples per
clip, `text`, `voice`. The recogniser's training picks new shards up while it runs.

Voices in VOICES_HELD_OUT never appear here, nor does the speaker slt in any synthesizer: the bench measures with them.
"""
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from multiprocessing import Pool

import numpy as np

RATE = 16000
SHARD = 1500
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, 'out', 'clips')

# espeak-ng takes variant names by file name; compared in lower case, so that no spelling slips through.
VOICES_HELD_OUT = {'f3', 'm5', 'lee', 'linda', 'hugo', 'travis', 'max'}
ACCENTS = ['en-us', 'en-us', 'en-us', 'en-gb', 'en-gb', 'en-gb-scotland', 'en-gb-x-rp', 'en-gb-x-gbclan',
           'en-gb-x-gbcwmd', 'en-029', 'en-us-nyc']
STRANGE = {'demonic', 'croak', 'unirobot', 'whisper', 'whisperf', 'anikarobot', 'storm', 'fast', 'anxiousandy'}


def variants():
    """Names of espeak-ng's voice variants that may be used for training; odd ones a quarter as often."""
    listing = subprocess.run(['espeak-ng', '--voices=variant'], capture_output=True, text=True, check=True).stdout
    names = [line.split('!v/')[1].strip() for line in listing.splitlines() if '!v/' in line]
    names = [name.split('  ')[0].strip() for name in names]
    names = sorted(name for name in set(names) if name.lower() not in VOICES_HELD_OUT)
    odd = [name for name in names if name.lower() in STRANGE or name.startswith('robosoft')]
    return [name for name in names if name not in odd] * 4 + odd + ['', '', '', '']


def resample(samples, rate):
    """Band-limited, by cutting the spectrum: `samples` at `rate` Hz -> 16 kHz."""
    if rate == RATE:
        return samples
    size = int(round(len(samples) * RATE / rate))
    spectrum = np.fft.rfft(samples)
    bins = size // 2 + 1
    if bins > len(spectrum):
        spectrum = np.pad(spectrum, (0, bins - len(spectrum)))
    return np.fft.irfft(spectrum[:bins], size).astype(np.float32) * (size / len(samples))


def tidy(samples):
    """Trims silence (25 ms kept before, 50 ms after) and scales the peak to 0.5. None if there is no speech."""
    peak = np.abs(samples).max() if len(samples) else 0
    if peak < 1e-3:
        return None
    loud = np.nonzero(np.abs(samples) > 0.02 * peak)[0]
    samples = samples[max(0, loud[0] - 400):loud[-1] + 800]
    if not RATE * 0.15 < len(samples) < RATE * 9:
        return None
    return (samples * (0.5 * 32767 / peak)).astype(np.int16)


def read_wav(data):
    """Float samples and rate of a 16-bit mono WAV, its header sizes ignored: a pipe cannot know them."""
    start = data.find(b'data') + 8
    end = len(data) - (len(data) - start) % 2
    return np.frombuffer(data[start:end], np.int16).astype(np.float32) / 32768, int.from_bytes(data[24:28], 'little')


def pause(text, rng):
    """Sometimes a comma between two words, so that the speaker pauses."""
    words = text.split(' ')
    if len(words) > 3 and rng.random() < 0.15:
        words[rng.randrange(1, len(words) - 1)] += ','
    return ' '.join(words)


def espeak(text, rng, names):
    voice = rng.choice(ACCENTS)
    variant = rng.choice(names)
    args = ['-s', str(rng.randint(110, 215)), '-p', str(rng.randint(12, 88)), '-g', str(rng.choice([0, 0, 0, 0, 2, 5]))]
    voice = f'{voice}+{variant}' if variant else voice
    try:
        data = subprocess.run(['espeak-ng', '-v', voice, *args, '--stdout', text], capture_output=True, timeout=5).stdout
    except subprocess.TimeoutExpired:  # seldom, it never ends
        return None
    return (*read_wav(data), voice) if len(data) > 1000 else None


def flite(text, rng, voice):
    """A flite voice; speed, and pitch with the formants, are varied by playing it faster or slower than it was made.
    The two statistical voices are also moved in pitch alone, towards voices that are not at hand."""
    tempo = rng.uniform(0.85, 1.25)
    shift = rng.uniform(0.9, 1.28)
    with tempfile.NamedTemporaryFile(suffix='.wav') as file:
        stretch = f'duration_stretch={tempo * shift:.3f}'
        subprocess.run(['flite', '-voice', voice, '--setf', stretch, '-t', text, '-o', file.name], check=True, timeout=20)
        data = file.read()
        if voice in ('awb', 'rms') and rng.random() < 0.4:
            cents = str(rng.randint(-200, 700))
            data = subprocess.run(['sox', file.name, '-t', 'wav', '-', 'pitch', cents], capture_output=True).stdout
    samples, rate = read_wav(data)
    return samples, rate * shift, f'flite-{voice}'


def pico(text, rng):
    """SVOX Pico's two women, their speed and pitch varied, and moved in pitch and formants by playing them otherwise."""
    voice = rng.choice(['en-US', 'en-GB'])
    shift = rng.uniform(0.85, 1.12)
    said = f'<pitch level="{rng.randint(70, 140)}"><speed level="{int(rng.uniform(75, 135) / shift)}">{text}</speed></pitch>'
    with tempfile.NamedTemporaryFile(suffix='.wav') as file:
        subprocess.run(['pico2wave', '-l', voice, '-w', file.name, said], check=True, timeout=20)
        samples, rate = read_wav(file.read())
    return samples, rate * shift, f'pico-{voice}'


def rhvoice(jobs, rng):
    """RHVoice's statistical voices (two men, one woman), a dozen sentences in one process, told apart by the silence between.
    `jobs`: [(index, text)] -> {index: clip}."""
    made = {}
    for start in range(0, len(jobs), 12):
        group = jobs[start:start + 12]
        voice = rng.choice(['clb', 'clb', 'clb', 'bdl', 'alan'])
        shift = rng.uniform(0.88, 1.15)
        args = ['-p', voice, '-r', str(int(rng.uniform(75, 130) / shift)), '-t', str(rng.randint(75, 130))]
        with tempfile.NamedTemporaryFile(suffix='.wav') as file:
            text = '.\n\n'.join(text for _, text in group) + '.'
            subprocess.run(['RHVoice-test', *args, '-o', file.name], input=text.encode(), check=True, timeout=60)
            samples, rate = read_wav(file.read())
        # A pause inside a sentence may be as long as a short one between two: the silence that tells them apart is found.
        cuts = (sentences_of(samples, rate, silence) for silence in range(23, 11, -1))
        parts = next((parts for parts in cuts if len(parts) == len(group)), [])
        for (index, _), part in zip(group, parts):
            made[index] = (part, rate * shift, f'rhvoice-{voice}')
    return made


def sentences_of(samples, rate, silence):
    """What lies between silences of `silence` times 10 ms and more."""
    block = rate // 100
    level = np.abs(samples[:len(samples) // block * block]).reshape(-1, block).max(1)
    loud = np.nonzero(level > 0.004)[0]
    breaks = np.nonzero(np.diff(loud) > silence)[0]
    starts, ends = np.append(loud[:1], loud[breaks + 1]), np.append(loud[breaks], loud[-1:])
    return [samples[max(0, start - 4) * block:(end + 5) * block] for start, end in zip(starts, ends)]


def festival(jobs, rng):
    """Festival's diphone voices, many sentences in one process. `jobs`: [(index, text)] -> {index: clip}."""
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        script = []
        plan = []
        for index, text in jobs:
            voice = rng.choice(['ked', 'ked', 'ked', 'kal'])
            shift = rng.uniform(0.92, 1.25)
            tempo = rng.uniform(0.8, 1.2) * shift
            path = os.path.join(folder, f'{index}.wav')
            # A quarter of the clips each with another mean pitch and range of the intonation model.
            pitch = rng.randint(85, 190)
            script.append(f"(voice_{voice}_diphone) (Parameter.set 'Duration_Stretch {tempo:.2f})")
            script.append(f"(set! int_lr_params '((target_f0_mean {pitch}) (target_f0_std {rng.randint(8, 26)}) "
                          f"(model_f0_mean 170) (model_f0_std 34)))")
            script.append(f'(utt.save.wave (utt.synth (Utterance Text "{text}")) "{path}" \'riff)')
            plan.append((index, path, shift, f'festival-{voice}'))
        scheme = os.path.join(folder, 'speak.scm')
        with open(scheme, 'w') as file:
            file.write('\n'.join(script))
        subprocess.run(['festival', '-b', scheme], capture_output=True, timeout=600)
        for index, path, shift, voice in plan:
            if os.path.exists(path):
                samples, rate = read_wav(open(path, 'rb').read())
                made[index] = (samples, rate * shift, voice)
    return made


def speak(job):
    """One slice of a shard: [(text, voice, clip)]."""
    seed, texts, names = job
    rng = random.Random(seed)
    clips = {}
    for_festival, for_rhvoice = [], []
    for index, text in enumerate(texts):
        said = pause(text, rng)
        kind = rng.random()
        if kind < 0.08:
            for_festival.append((index, said))
        elif kind < 0.22:
            for_rhvoice.append((index, said))
        elif kind < 0.36:
            clips[index] = pico(said, rng)
        elif kind < 0.54:
            clips[index] = flite(said, rng, rng.choice(['awb', 'awb', 'rms', 'rms', 'kal', 'kal16']))
        else:
            clips[index] = espeak(said, rng, names)
    clips.update(festival(for_festival, rng))
    clips.update(rhvoice(for_rhvoice, rng))
    done = []
    for index, text in enumerate(texts):
        made = clips.get(index)
        clip = tidy(resample(made[0], made[1])) if made is not None and len(made[0]) else None
        if clip is not None:
            done.append((text, made[2], clip))
    return done


def main():
    shards = int(sys.argv[1]) if len(sys.argv) > 1 else 14
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    os.makedirs(OUT, exist_ok=True)
    lines = [json.loads(line)['text'] for line in open(os.path.join(HERE, 'out', 'corpus', 'speech.jsonl'))]
    names = variants()
    with Pool(2) as pool:
        for shard in range(first, first + shards):
            began = time.time()
            texts = [lines[i % len(lines)] for i in range(shard * SHARD, (shard + 1) * SHARD)]
            slices = [(shard * 100 + i, texts[i::30], names) for i in range(30)]
            clips = [clip for part in pool.imap_unordered(speak, slices) for clip in part]
            path = os.path.join(OUT, f'{shard:03d}.npz')
            np.savez(path + '.new.npz', x=np.concatenate([clip for _, _, clip in clips]),
                     length=np.array([len(clip) for _, _, clip in clips]),
                     text=np.array([text for text, _, _ in clips]), voice=np.array([voice for _, voice, _ in clips]))
            os.rename(path + '.new.npz', path)
            seconds = sum(len(clip) for _, _, clip in clips) / RATE
            print(f'shard {shard}: {len(clips)} clips, {seconds / 60:.0f} min of speech, made in {time.time() - began:.0f} s', flush=True)


if __name__ == '__main__':
    main()
