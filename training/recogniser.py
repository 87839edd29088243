"""The streaming recogniser: log-mels -> residual GRUs -> two sounds (or blanks) per 80 ms, for sherpa-onnx's nemoCtc layout.

Which words the sounds make is the business of the graph beside it (language_model.ts).

`export` writes the network so that a live stream can carry its state from chunk to chunk:
cache_last_channel [batch, layers, 1, hidden] are the GRU states, cache_last_time [batch, 1, 4, 80] the last four frames.
"""
import numpy as np
import onnx
import onnx.helper
import onnx.numpy_helper
import torch
import torch.nn as nn
import torch.nn.functional as F

from sounds import BLANK

MELS = 80
BLOCK = 4  # frames the first layer moves on: 40 ms; it sees two blocks
STRIDE = 8  # frames a step of the GRUs moves on: 80 ms, twice as fast to train as 40 ms
SOUNDS_A_STEP = 2  # one for each 40 ms: nobody speaks more than twenty a second
CHUNK = 8  # frames sherpa-onnx hands over at a time


class Recogniser(nn.Module):
    """`outputs` counts the sounds and, as the last one, the blank."""

    def __init__(self, outputs, hidden=256, layers=3, dropout=0.1):
        super().__init__()
        self.hidden, self.layers, self.outputs = hidden, layers, outputs
        self.front = nn.Linear(MELS * BLOCK * 2, hidden)
        self.front_norm = nn.LayerNorm(hidden)
        self.pair = nn.Linear(hidden * 2, hidden)
        self.pair_norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        self.gru = nn.ModuleList(nn.GRU(hidden, hidden, batch_first=True) for _ in range(layers))
        self.norm = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(layers))
        self.out = nn.Linear(hidden, SOUNDS_A_STEP * outputs)

    def step(self, frames, states):
        """frames [B, 4 + 8k, 80], the first four being history; states: per layer [1, B, hidden]
        -> logits [B, 2k, outputs], states after, what the first layer made of it [B, k, hidden].

        The linear layer on reshaped blocks keeps gradients contiguous, and GELU is the tanh one: Debian's torch 1.13
        has a wrong backward of the exact GELU for gradients that are not.
        """
        blocks = ((frames + 6.0) * 0.2).reshape(frames.shape[0], -1, MELS * BLOCK)
        seen = torch.cat([blocks[:, :-1], blocks[:, 1:]], 2)
        x = self.front_norm(F.gelu(self.front(seen), approximate='tanh'))
        x = x.reshape(frames.shape[0], -1, self.hidden * 2)
        x = self.dropout(self.pair_norm(F.gelu(self.pair(x), approximate='tanh')))
        after, heights = [], []
        for gru, norm, state in zip(self.gru, self.norm, states):
            y, state = gru(x, state)
            x = norm(x + self.dropout(y))
            after.append(state)
            heights.append(x)
        return self.out(x).reshape(x.shape[0], -1, self.outputs), after, heights[0]

    def forward(self, features):
        """features [B, T, 80], T a multiple of 8, from a fresh stream (zero state)
        -> logits [B, T / 4, outputs], first layer [B, T / 8, hidden]."""
        frames = F.pad(features, (0, 0, BLOCK, 0))
        fresh = torch.zeros(1, frames.shape[0], self.hidden)
        logits, _, first = self.step(frames, [fresh] * self.layers)
        return logits, first


class Stream(nn.Module):
    """One chunk of a live stream, in sherpa-onnx's order of inputs and outputs."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, audio_signal, length, channel, time, channel_length):
        frames = torch.cat([time[:, 0], audio_signal.transpose(1, 2)], 1)
        states = [channel[:, i].transpose(0, 1).contiguous() for i in range(self.net.layers)]
        logits, after, _ = self.net.step(frames, states)
        states = torch.stack([state.transpose(0, 1) for state in after], 1)
        lengths = torch.div(length, STRIDE // SOUNDS_A_STEP, rounding_mode='floor')
        return logits.log_softmax(-1), lengths, states, frames[:, None, -BLOCK:], channel_length + length


def export(net, sounds, path, tokens_path):
    """Writes the ONNX file (weights as float16, cast to float32 when it is loaded) and tokens.txt. `sounds` without blank."""
    net.eval()
    layers, hidden, batch = net.layers, net.hidden, 2
    example = (torch.randn(batch, MELS, CHUNK), torch.full((batch,), CHUNK), torch.zeros(batch, layers, 1, hidden),
               torch.zeros(batch, 1, BLOCK, MELS), torch.zeros(batch, dtype=torch.long))
    inputs = ['audio_signal', 'length', 'cache_last_channel', 'cache_last_time', 'cache_last_channel_len']
    outputs = ['logprobs', 'encoded_lengths'] + [f'{name}_next' for name in inputs[2:]]
    torch.onnx.export(Stream(net), example, path, input_names=inputs, output_names=outputs, opset_version=13,
                      dynamic_axes={name: {0: 'batch'} for name in inputs + outputs})
    model = onnx.load(path)
    halve(model)
    describe(model, dict(window_size=CHUNK, chunk_shift=CHUNK, subsampling_factor=STRIDE // SOUNDS_A_STEP, vocab_size=len(sounds),
                         cache_last_channel_dim1=layers, cache_last_channel_dim2=1, cache_last_channel_dim3=hidden,
                         cache_last_time_dim1=1, cache_last_time_dim2=BLOCK, cache_last_time_dim3=MELS))
    onnx.save(model, path)
    lines = [f'{sound} {i}\n' for i, sound in enumerate([*sounds, BLANK])]
    with open(tokens_path, 'w', encoding='utf8') as file:
        file.writelines(lines)


def halve(model):
    """Stores large weights as float16 behind a Cast, which the runtime folds away on loading: half the file."""
    graph = model.graph
    for tensor in list(graph.initializer):
        values = onnx.numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < 1024:
            continue
        half = onnx.numpy_helper.from_array(values.astype(np.float16), tensor.name + '_half')
        graph.initializer.remove(tensor)
        graph.initializer.append(half)
        cast = onnx.helper.make_node('Cast', [half.name], [tensor.name], to=onnx.TensorProto.FLOAT)
        graph.node.insert(0, cast)


def describe(model, entries):
    for key, value in entries.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, str(value)
