"""Trains the intent model: a very small llama that writes what a sentence asks for, as JSON.

    OMP_NUM_THREADS=1 python3 training/train_intent.py SECONDS [--measure development|test]

Reads training/out/corpus/intent.*.jsonl (training/phrases.ts), writes training/out/intent/intent.gguf.
Prompt: begin token, a space, the sentence, a line break. Answer: {"intent":"…","slots":{…}}, end token.
"""
import argparse
import json
import math
import os
import random
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import gguf
from tokenizer import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, 'out', 'corpus')
OUT = os.path.join(HERE, 'out', 'intent')
CONTEXT = 256
BATCH = 64
PEAK_RATE = 3e-3
INTENT_TOKENS = 6  # of {" intent ":" timer . set
INTENT_WEIGHT = 3.0


def prompt(text):
    return f' {text}\n'


def answer(line):
    return json.dumps(dict(intent=line['intent'], slots=line['slots']), separators=(',', ':'))


def read(name):
    return [json.loads(line) for line in open(os.path.join(CORPUS, f'intent.{name}.jsonl'))]


class Layer(nn.Module):
    def __init__(self, width, inner):
        super().__init__()
        linear = lambda i, o: nn.Linear(i, o, bias=False)
        self.q, self.k, self.v, self.o = (linear(width, width) for _ in range(4))
        self.gate, self.up, self.down = linear(width, inner), linear(width, inner), linear(inner, width)
        self.attention_norm = nn.Parameter(torch.ones(width))
        self.inner_norm = nn.Parameter(torch.ones(width))


class Llama(nn.Module):
    """The llama architecture: RMS norm, rotary positions, SwiGLU; input and output share one embedding."""

    def __init__(self, vocabulary, width=96, layers=3, heads=3, inner=288, dropout=0.1):
        super().__init__()
        self.width, self.heads, self.inner = width, heads, inner
        self.embedding = nn.Embedding(vocabulary, width)
        nn.init.normal_(self.embedding.weight, std=0.04)
        self.layers = nn.ModuleList(Layer(width, inner) for _ in range(layers))
        self.norm = nn.Parameter(torch.ones(width))
        self.dropout = nn.Dropout(dropout)
        head = width // heads
        angle = torch.arange(CONTEXT)[:, None] * 10000 ** (-torch.arange(0, head, 2) / head)
        self.cos, self.sin = angle.cos(), angle.sin()

    def rms(self, x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight

    def rotate(self, x):
        even, odd = x[..., 0::2], x[..., 1::2]
        cos, sin = self.cos[:x.shape[2]], self.sin[:x.shape[2]]
        return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)

    def forward(self, tokens, chosen=None):
        """[B, T] -> logits [B, T, vocabulary], or [n, vocabulary] of the `chosen` (a mask [B, T]) places only."""
        batch, length = tokens.shape
        split = lambda y: y.view(batch, length, self.heads, -1).transpose(1, 2)
        future = torch.full((length, length), -1e9).triu(1)
        x = self.dropout(self.embedding(tokens))
        for layer in self.layers:
            y = self.rms(x, layer.attention_norm)
            q, k, v = self.rotate(split(layer.q(y))), self.rotate(split(layer.k(y))), split(layer.v(y))
            weights = (q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + future).softmax(-1)
            x = x + self.dropout(layer.o((weights @ v).transpose(1, 2).reshape(batch, length, self.width)))
            y = self.rms(x, layer.inner_norm)
            x = x + self.dropout(layer.down(F.silu(layer.gate(y)) * layer.up(y)))
        if chosen is not None:
            x = x[chosen]
        return F.linear(self.rms(x, self.norm), self.embedding.weight)


def export(model, tokenizer, path):
    """One embedding for input and output: llama.cpp takes token_embd for both when there is no output.weight."""
    metadata = {
        'general.architecture': 'llama', 'general.name': 'loqa-intent-starter', 'general.file_type': 1,
        'llama.block_count': len(model.layers), 'llama.context_length': CONTEXT,
        'llama.embedding_length': model.width, 'llama.feed_forward_length': model.inner,
        'llama.attention.head_count': model.heads, 'llama.attention.head_count_kv': model.heads,
        'llama.attention.layer_norm_rms_epsilon': 1e-5, 'llama.rope.dimension_count': model.width // model.heads,
        'llama.rope.freq_base': 10000.0, 'llama.vocab_size': len(tokenizer.tokens), **tokenizer.metadata(),
    }
    array = lambda parameter: parameter.detach().numpy()
    tensors = {'token_embd.weight': array(model.embedding.weight), 'output_norm.weight': array(model.norm)}
    for i, layer in enumerate(model.layers):
        parts = dict(attn_q=layer.q, attn_k=layer.k, attn_v=layer.v, attn_output=layer.o,
                     ffn_gate=layer.gate, ffn_up=layer.up, ffn_down=layer.down)
        tensors[f'blk.{i}.attn_norm.weight'] = array(layer.attention_norm)
        tensors[f'blk.{i}.ffn_norm.weight'] = array(layer.inner_norm)
        for name, part in parts.items():
            tensors[f'blk.{i}.{name}.weight'] = array(part.weight)
    gguf.write(path, metadata, tensors)


@torch.no_grad()
def answers(model, tokenizer, texts, most=90):
    """Greedy answers of at most `most` tokens, sentences of one length at a time."""
    model.eval()
    made = {}
    encoded = [[tokenizer.begin] + tokenizer.encode(prompt(text)) for text in texts]
    for length in sorted({len(tokens) for tokens in encoded}):
        which = [i for i, tokens in enumerate(encoded) if len(tokens) == length]
        running = torch.tensor([encoded[i] for i in which])
        for _ in range(most):
            following = model(running)[:, -1].argmax(-1, keepdim=True)
            running = torch.cat([running, following], 1)
            if bool((running[:, length:] == tokenizer.end).any(1).all()) or running.shape[1] >= CONTEXT:
                break
        for i, row in zip(which, running[:, length:].tolist()):
            made[i] = tokenizer.decode(row[:row.index(tokenizer.end)] if tokenizer.end in row else row)
    model.train()
    return [made[i] for i in range(len(texts))]


def measure(model, tokenizer, name):
    lines = read(name)
    made = answers(model, tokenizer, [line['text'] for line in lines], INTENT_TOKENS + 12)
    wrong = [(line, got) for line, got in zip(lines, made) if f'"intent":"{line["intent"]}"' not in got]
    print(f'{name}: {1 - len(wrong) / len(lines):.3f} of {len(lines)} intents right', flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('seconds', type=float)
    parser.add_argument('--measure', default='test')
    parser.add_argument('--width', type=int, default=96)
    parser.add_argument('--from', dest='start', help='weights to go on from; the corpus must be the same')
    parser.add_argument('--peak', type=float, default=PEAK_RATE)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.makedirs(OUT, exist_ok=True)
    lines = read('train')
    known = frequent_words(lines)
    tokenizer = Tokenizer([prompt(' '.join(known)), *(f'{word}\n' for word in known), *{answer_shell(line) for line in lines}])
    data = [([tokenizer.begin] + tokenizer.encode(prompt(line['text'])), tokenizer.encode(answer(line)) + [tokenizer.end])
            for line in lines]
    data.sort(key=lambda pair: len(pair[0]) + len(pair[1]))
    data = [pair for pair in data if len(pair[0]) + len(pair[1]) < 110]
    model = Llama(len(tokenizer.tokens), width=options.width, heads=options.width // 32, inner=3 * options.width)
    print(f'{len(tokenizer.tokens)} tokens, {sum(p.numel() for p in model.parameters())} parameters', flush=True)
    if options.start:
        model.load_state_dict(torch.load(options.start))
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.peak, weight_decay=0.05, betas=(0.9, 0.98))
    rng = random.Random(3)
    began, step, losses, next_report = time.time(), 0, [], 30.0
    while (passed := time.time() - began) < options.seconds:
        part = passed / options.seconds
        for group in optimiser.param_groups:
            group['lr'] = options.peak * min(1, (step + 1) / 100) * (0.5 * (1 + math.cos(math.pi * part)) * 0.98 + 0.02)
        start = rng.randrange(len(data) - BATCH)
        batch = data[start:start + BATCH]
        longest = max(len(asked) + len(said) for asked, said in batch)
        tokens = torch.full((BATCH, longest), tokenizer.pad)
        wanted = torch.full((BATCH, longest), -100)
        for i, (asked, said) in enumerate(batch):
            tokens[i, :len(asked) + len(said)] = torch.tensor(asked + said)
            wanted[i, len(asked):len(asked) + len(said)] = torch.tensor(said)
        wanted = wanted[:, 1:]
        chosen = wanted != -100
        losses_each = F.cross_entropy(model(tokens[:, :-1], chosen), wanted[chosen], reduction='none')
        # The intent's name counts more than the values: those are checked against the sentence afterwards.
        weight = torch.where(chosen.cumsum(1)[chosen] <= INTENT_TOKENS, INTENT_WEIGHT, 1.0)
        loss = (losses_each * weight).sum() / weight.sum()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        losses.append(loss.item())
        if passed > next_report:
            next_report += 60
            print(f'{passed:.0f} s, step {step}, loss {np.mean(losses[-100:]):.4f}, {passed / step * 1000:.0f} ms a step', flush=True)
    model.eval()
    export(model, tokenizer, os.path.join(OUT, 'intent.gguf'))
    torch.save(model.state_dict(), os.path.join(OUT, 'intent.pt'))
    print(f'{step} steps, {os.path.getsize(os.path.join(OUT, "intent.gguf"))} bytes', flush=True)
    for line, got in measure(model, tokenizer, options.measure):
        print(f'  {line["text"]!r}: {got}, not {line["intent"]}')


def frequent_words(lines):
    """Words heard often enough to be a token of their own; dictionary words drawn once or twice are not."""
    counts = {}
    for line in lines:
        for word in line['text'].split():
            counts[word] = counts.get(word, 0) + 1
    return sorted(word for word, count in counts.items() if count >= 250)


def answer_shell(line):
    """The answer without its values: intent and slot names, quotes, brackets."""
    empty = {name: [''] * len(value) if isinstance(value, list) else '' for name, value in line['slots'].items()}
    return answer(dict(intent=line['intent'], slots=empty))


if __name__ == '__main__':
    main()
