"""A very small model of whisper's architecture, and its file for whisper.cpp (ggml).

Tokens inside: 0 … words-1 are text, then end of text, start of transcript, and one that stands for all tokens the file has
but the model never says. The encoder hears WINDOW seconds at once; a second head on it learns to name the sounds by CTC,
without which a model this small never finds the words.
"""
import math
import struct

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

WINDOW = 5
RATE = 16000
MELS = 80
FRAMES = WINDOW * 100
POSITIONS = FRAMES // 2
TEXT = 32  # longest text in tokens
# Where whisper.cpp expects its special tokens in an English-only vocabulary.
END, START, NO_TIMESTAMPS, VOCABULARY = 50256, 50257, 50362, 51864
MAGIC = 0x67676D6C


def mel_filters():
    """[MELS, 201]: Slaney's mel scale and normalisation, as whisper was trained with."""
    def to_mel(hertz):
        hertz = np.asarray(hertz, float)
        logarithmic = 15 + np.log(np.maximum(hertz, 1e-9) / 1000) / (np.log(6.4) / 27)
        return np.where(hertz >= 1000, logarithmic, hertz * 3 / 200)

    def to_hertz(mel):
        return np.where(mel >= 15, 1000 * np.exp(np.log(6.4) / 27 * (mel - 15)), mel * 200 / 3)

    bins = np.linspace(0, RATE / 2, 201)
    edges = to_hertz(np.linspace(to_mel(0), to_mel(RATE / 2), MELS + 2))
    width = np.diff(edges)
    distance = edges[:, None] - bins[None]
    rising = -distance[:-2] / width[:-1, None]
    falling = distance[2:] / width[1:, None]
    filters = np.maximum(0, np.minimum(rising, falling))
    return (filters * (2 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


FILTERS = torch.tensor(mel_filters())
HANN = torch.hann_window(400)


def log_mels(samples):
    """[B, WINDOW seconds of samples] -> [B, 80, FRAMES], the same arithmetic as whisper.cpp's."""
    spectrum = torch.stft(samples, 400, 160, window=HANN, center=True, pad_mode='reflect', return_complex=True)
    power = (spectrum.real ** 2 + spectrum.imag ** 2)[:, :, :FRAMES]
    mels = torch.log10(torch.clamp(FILTERS @ power, min=1e-10))
    mels = torch.maximum(mels, mels.amax(dim=(1, 2), keepdim=True) - 8)
    return (mels + 4) / 4


def gelu(x):
    return F.gelu(x, approximate='tanh')


def sinusoids(length, width):
    step = math.log(10000) / (width // 2 - 1)
    angle = torch.arange(length)[:, None] * torch.exp(-step * torch.arange(width // 2))[None]
    return torch.cat([angle.sin(), angle.cos()], 1)


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.query, self.value, self.out = (nn.Linear(width, width) for _ in range(3))
        self.key = nn.Linear(width, width, bias=False)

    def forward(self, x, source=None, mask=None):
        source = x if source is None else source
        batch, length, width = x.shape
        split = lambda y: y.view(batch, y.shape[1], self.heads, -1).transpose(1, 2)
        query, key, value = split(self.query(x)), split(self.key(source)), split(self.value(source))
        weights = query @ key.transpose(2, 3) / math.sqrt(width // self.heads)
        if mask is not None:
            weights = weights + mask
        return self.out((weights.softmax(-1) @ value).transpose(1, 2).reshape(batch, length, width))


class Block(nn.Module):
    def __init__(self, width, heads, cross=False):
        super().__init__()
        self.attn, self.attn_ln = Attention(width, heads), nn.LayerNorm(width)
        if cross:
            self.cross_attn, self.cross_attn_ln = Attention(width, heads), nn.LayerNorm(width)
        self.cross = cross
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate='tanh'), nn.Linear(4 * width, width))
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x, audio=None, mask=None):
        x = x + self.attn(self.attn_ln(x), mask=mask)
        if self.cross:
            x = x + self.cross_attn(self.cross_attn_ln(x), audio)
        return x + self.mlp(self.mlp_ln(x))


class Whisper(nn.Module):
    def __init__(self, words, width=96, heads=3, layers=2):
        super().__init__()
        self.words, self.width, self.heads, self.layers = words, width, heads, layers
        self.end, self.start, self.unused = words, words + 1, words + 2
        self.encoder = nn.Module()
        self.encoder.conv1 = nn.Conv1d(MELS, width, 3, padding=1)
        self.encoder.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.encoder.register_buffer('positional_embedding', sinusoids(POSITIONS, width))
        self.encoder.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.encoder.ln_post = nn.LayerNorm(width)
        self.decoder = nn.Module()
        self.decoder.token_embedding = nn.Embedding(words + 3, width)
        nn.init.normal_(self.decoder.token_embedding.weight, std=0.05)
        self.decoder.positional_embedding = nn.Parameter(torch.randn(TEXT, width) * 0.02)
        self.decoder.blocks = nn.ModuleList(Block(width, heads, cross=True) for _ in range(layers))
        self.decoder.ln = nn.LayerNorm(width)
        # One row stands for all unused tokens: its probability counts that many times.
        self.unused_count = math.log(VOCABULARY - words - 2)

    def encode(self, mels):
        encoder = self.encoder
        x = gelu(encoder.conv2(gelu(encoder.conv1(mels)))).transpose(1, 2) + encoder.positional_embedding
        for block in encoder.blocks:
            x = block(x)
        return encoder.ln_post(x)

    def decode(self, tokens, audio):
        decoder, length = self.decoder, tokens.shape[1]
        x = decoder.token_embedding(tokens) + decoder.positional_embedding[:length]
        future = torch.full((length, length), -1e9).triu(1)
        for block in decoder.blocks:
            x = block(x, audio, future)
        return decoder.ln(x) @ decoder.token_embedding.weight.T


def export(model, words, path):
    """Matrices as float16, the rest as float32. `words` are the texts of the tokens, the first of them a space alone:
    whisper.cpp looks for one."""
    state = {key: value.detach().float().numpy() for key, value in model.state_dict().items()}
    table = state['decoder.token_embedding.weight']
    full = np.repeat(table[model.unused:model.unused + 1], VOCABULARY, 0).copy()
    full[:model.words] = table[:model.words]
    full[END], full[START] = table[model.end], table[model.start]
    state['decoder.token_embedding.weight'] = full
    with open(path, 'wb') as file:
        file.write(struct.pack('<12i', MAGIC, VOCABULARY, POSITIONS, model.width, model.heads, model.layers, TEXT,
                               model.width, model.heads, model.layers, MELS, 1))
        filters = mel_filters()
        file.write(struct.pack('<2i', *filters.shape) + filters.tobytes())
        file.write(struct.pack('<i', len(words)))
        for word in words:
            data = word.encode('utf8')
            file.write(struct.pack('<i', len(data)) + data)
        for name, array in state.items():
            if name in ('encoder.conv1.bias', 'encoder.conv2.bias'):
                array = array.reshape(-1, 1)
            whole = array.ndim == 1 or name.endswith('bias') or name.endswith('positional_embedding')
            data = name.encode('utf8')
            file.write(struct.pack('<3i', array.ndim, len(data), 0 if whole else 1))
            file.write(struct.pack(f'<{array.ndim}i', *array.shape[::-1]) + data)
            file.write(array.astype('<f4' if whole else '<f2').tobytes())
