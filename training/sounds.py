"""How words sound: the forty-odd sounds of English the recogniser tells apart, and how each word is said in them.

Pronunciations come from espeak-ng. Its phonemes are folded to fewer: what only stress, accent or neighbours change is one
sound here, because every synthesizer draws those lines elsewhere. `training/out/sounds.json` keeps what was asked before.
"""
import json
import os
import subprocess
import sys
import tempfile

KEPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'out', 'sounds.json')
BLANK = '<blk>'

# espeak-ng's phoneme -> ours; a space between two of ours; the empty text for what cannot be heard reliably.
FOLDED = {
    't#': 't', 't2': 't', 'n-': 'n', '?': '', ';': '', 'I#': 'I', 'I2': 'I', 'i': 'i:', '@2': '@', 'a#': '@', '@L': '@ l', '3:': '3',
    'O2': '0', 'aa': '0', 'A:': '0', 'o@': 'O@', 'i@': 'i@', 'i@3': 'i@', 'e@': 'E 3', 'U@': 'U 3', 'aI@': 'aI @', 'aI3': 'aI 3',
    'x': 'k', 'Q': 'g', 'W': 'w', 'l#': 'l', 'r-': 'r', 'm-': 'm', 'u:': 'u', 'uI': 'u', 'U': 'U',
}
SOUNDS = ['p', 'b', 't', 'd', 'k', 'g', 'tS', 'dZ', 'f', 'v', 'T', 'D', 's', 'z', 'S', 'Z', 'h', 'm', 'n', 'N', 'l', 'r', 'j', 'w',
          'I', 'i:', 'E', 'a', '0', 'V', 'U', 'u', '@', '3', 'eI', 'aI', 'oU', 'aU', 'OI', 'O:', 'A@', 'O@', 'i@']
# Alone these are said otherwise than inside a sentence.
WITHIN_SENTENCES = {'a': ['@'], 'an': ['@', 'n'], 'and': ['@', 'n', 'd'], 'the': ['D', '@'], 'to': ['t', '@']}


def pronounce(words):
    """word -> list of sounds."""
    words = sorted(word for word in words if any('a' <= letter <= 'z' for letter in word))
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as file:
        file.write(''.join(f'{word}.\n\n' for word in words))
        file.flush()
        said = subprocess.run(['espeak-ng', '-v', 'en-us', '-q', '-x', '--sep=_', '-f', file.name],
                              capture_output=True, text=True, check=True, timeout=120).stdout
    lines = [line.strip() for line in said.split('\n') if line.strip()]
    if len(lines) != len(words):
        raise ValueError(f'{len(words)} words, {len(lines)} pronunciations')
    return {word: WITHIN_SENTENCES.get(word) or fold(line) for word, line in zip(words, lines)}


def fold(line):
    """A line of espeak-ng's phonemes -> sounds."""
    parts = (part.strip("',%=|") for part in line.replace(' ', '_').split('_'))
    folded = (sound for part in parts for sound in FOLDED.get(part, part).split())
    return [sound for sound in folded if sound in SOUNDS]


class Sounds:
    """Sound <-> number, the blank last; and how each word of `texts` is said."""

    def __init__(self, texts):
        words = {word for text in texts for word in text.split()}
        self.table = json.load(open(KEPT)) if os.path.exists(KEPT) else {}
        if not words <= self.table.keys():  # a minute for ten thousand words
            self.table = {word: [] for word in words} | pronounce(words)
            with open(KEPT, 'w') as file:
                json.dump(self.table, file)
        self.number = {sound: i for i, sound in enumerate(SOUNDS)}
        self.blank = len(SOUNDS)

    def encode(self, text):
        return [self.number[sound] for word in text.split() for sound in self.table.get(word, [])]

    def decode(self, steps):
        """Greedy: repeats collapse, blanks vanish."""
        return [n for i, n in enumerate(steps) if n != self.blank and (i == 0 or steps[i - 1] != n)]


if __name__ == '__main__':  # words on standard input -> JSON: word -> sounds
    print(json.dumps(pronounce(set(sys.stdin.read().split()))))
