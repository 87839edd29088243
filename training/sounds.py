"""How words sound: their phonemes as espeak-ng writes them, for the auxiliary task of the recogniser's first layer.

Learning 300 words apart from one another takes far more examples than learning the forty sounds they share.
"""
import json
import os
import subprocess
import tempfile

KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'out', 'sounds.json')


def pronounce(words):
    """word -> list of phoneme names, stress left out."""
    words = sorted(word for word in words if any('a' <= letter <= 'z' for letter in word))
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as file:
        file.write(''.join(f'{word}.\n\n' for word in words))
        file.flush()
        said = subprocess.run(['espeak-ng', '-v', 'en-us', '-q', '-x', '--sep=_', '-f', file.name],
                              capture_output=True, text=True, check=True, timeout=120).stdout
    lines = [line.strip() for line in said.split('\n') if line.strip()]
    if len(lines) != len(words):
        raise ValueError(f'{len(words)} words, {len(lines)} pronunciations')
    return {word: phonemes(line) for word, line in zip(words, lines)}


def phonemes(line):
    parts = (part.strip("',%=") for part in line.replace(' ', '_').split('_'))
    return [part for part in parts if part]


class Sounds:
    """Phoneme <-> number; 0 is the blank. Rare ones are left out."""

    def __init__(self, texts):
        words = {word for text in texts for word in text.split()}
        self.table = json.load(open(KEPT)) if os.path.exists(KEPT) else {}
        if not words <= self.table.keys():  # a minute for ten thousand words
            self.table = {word: [] for word in words} | pronounce(words)
            with open(KEPT, 'w') as file:
                json.dump(self.table, file)
        counts = {}
        for sounds in self.table.values():
            for sound in sounds:
                counts[sound] = counts.get(sound, 0) + 1
        kept = sorted(sound for sound, count in counts.items() if count >= 20)
        self.number = {sound: i + 1 for i, sound in enumerate(kept)}
        self.count = len(kept) + 1

    def encode(self, text):
        return [self.number[sound] for word in text.split() for sound in self.table.get(word, []) if sound in self.number]
