"""Endless recordings to learn from: the spoken corpus, each clip made to sound different every time it is drawn.

`Words` and `Sounds` turn text into numbers, `Clips` holds the shards of training/out/clips, `Recordings` draws batches of them
through the rooms of rooms.py.
"""
import glob
import json
import os

import numpy as np

from rooms import Rooms
from sounds import Sounds

HERE = os.path.dirname(os.path.abspath(__file__))
CLIPS = os.path.join(HERE, 'out', 'clips')
CORPUS = os.path.join(HERE, 'out', 'corpus')
BATCH = 32
UNKNOWN = '<unk>'
# How often a clip of each kind is heard, against a command.
HEARD = dict(command=1.0, pieces=0.6, words=0.6, foreign=0.6)
HEARD_ESPEAK = 0.75  # there is most of it, and it is learned first


class Words:
    """Word <-> number. Neighbouring foreign words become one <unk>: how many there were cannot be heard."""

    def __init__(self):
        self.words = open(os.path.join(CORPUS, 'vocabulary.txt')).read().split() + [UNKNOWN]
        self.number = {word: i for i, word in enumerate(self.words)}
        self.unknown = self.number[UNKNOWN]

    def encode(self, text):
        label = []
        for word in text.split():
            number = self.number.get(word, self.unknown)
            if number != self.unknown or not label or label[-1] != self.unknown:
                label.append(number)
        return label


class Clips:
    """All clips of the shards that exist; `refresh` looks for new ones."""

    def __init__(self, words):
        self.words = words
        self.seen = set()
        self.clips = []
        self.labels = []
        self.sounds = []
        self.heard = []
        lines = [json.loads(line) for line in open(os.path.join(CORPUS, 'speech.jsonl'))]
        self.kind = {line['text']: line['kind'] for line in lines}
        self.alphabet = Sounds(self.kind)

    def refresh(self):
        for path in sorted(glob.glob(os.path.join(CLIPS, '[0-9][0-9][0-9].npz'))):
            if path in self.seen:
                continue
            self.seen.add(path)
            shard = dict(np.load(path))  # read once: the archive itself reads an array at every access
            ends = np.cumsum(shard['length'])
            for text, voice, end, length in zip(shard['text'], shard['voice'], ends, shard['length']):
                self.clips.append(shard['x'][end - length:end])
                self.labels.append(self.words.encode(str(text)))
                self.sounds.append(self.alphabet.encode(str(text)))
                espeak = str(voice).startswith('en')
                self.heard.append(HEARD[self.kind.get(str(text), 'words')] * (HEARD_ESPEAK if espeak else 1))


class Recordings:
    """Draws recordings in batches: samples, and what is said in words and in sounds."""

    def __init__(self, words, seed):
        self.words = words
        self.rng = np.random.RandomState(seed)
        self.clips = Clips(words)
        self.rooms = Rooms(self.rng, self.anybody)
        self.pool = []

    def anybody(self):
        return self.clips.clips[self.rng.randint(len(self.clips.clips))]

    def next_indices(self):
        """Clips of like length together: less padding. New shards are looked for at each round."""
        if not self.pool:
            self.clips.refresh()
            order = self.rng.permutation(len(self.clips.clips))
            order = order[self.rng.rand(len(order)) < np.array(self.clips.heard)[order]]
            length = np.array([len(clip) for clip in self.clips.clips])
            parts = np.array_split(order, max(1, len(order) // 1600))
            order = np.concatenate([part[np.argsort(length[part])] for part in parts])
            self.pool = [order[i:i + BATCH] for i in range(0, len(order) - BATCH + 1, BATCH)]
            self.rng.shuffle(self.pool)
        return self.pool.pop()

    def recording(self, said, strength):
        """The clips `said`, one behind the other -> samples, words, sounds."""
        rng, rooms = self.rng, self.rooms
        if rng.rand() < 0.04:
            quiet = rooms.silence(1, 3)
            return rooms.finish(quiet, 10 ** rng.uniform(-3, -1.2), strength), [], []
        parts, label, sounds = [], [], []
        power = 0.0
        for which in said:
            voice = rooms.speaker(self.clips.clips[which], strength)
            power = max(power, float(np.sqrt((voice ** 2).mean())))
            parts.append(rooms.silence(0, 1.0) if rng.rand() < 0.2 else rooms.silence(0, 0.3))
            parts.append(voice)
            # Some recordings stop right behind the last word: it must be recognised without waiting.
            parts.append(rooms.silence(0.1, 0.6))
            label = label + self.clips.labels[which]
            sounds = sounds + self.clips.sounds[which]
        return rooms.finish(np.concatenate(parts), power, strength), label, sounds

    def draw_recordings(self, strength, doubled=0.1):
        """A batch of [(samples, words, sounds)]; with chance `doubled` of two sentences in each."""
        said = [[index] for index in self.next_indices()]
        if self.rng.rand() < doubled * strength:  # whole batches, for the sake of padding
            said = [first + second for first, second in zip(said[0::2], said[1::2])]
        return [self.recording(clips, strength) for clips in said]
