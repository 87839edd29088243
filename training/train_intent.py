"""Trains the intent model: a very small llama that writes what a sentence asks for, as JSON.

    OMP_NUM_THREADS=1 python3 training/train_intent.py SECONDS [--measure development|test] [--from CHECKPOINT] [--labels LABELS]

Reads training/out/corpus/intent.*.jsonl (training/phrases.ts), writes training/out/intent/intent.gguf.
Prompt: begin token, a space, the sentence, a line break. Answer: {"intent":"…","slots":{…}}, end token.

What a word means is not learned from these sentences alone: each word begins with vectors made by others from a large amount of
other English (training/vectors.py), and may move away from them by what it learns here. In training it forgets that now and
then, so that the rest of the model reads words it never met by their neighbours.

The intent with the JSON around it is one token, so naming it is one choice among as many as there are intents, made at the
line break. Most steps learn that choice alone: a third of the work, and it is what the assistant relies on (it reads the
values of slots from the sentence itself). The other steps learn the whole answer.

SECONDS are seconds of this process on a processor, not of the wall: a busy machine takes longer and gives the same model.
The rate stays at its peak and is annealed in the last part; Ctrl-C anneals at once, so that no stretch is lost.
"""
import argparse
import json
import math
import os
import signal
import time
from collections import Counter, defaultdict

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import gguf
from tokenizer import PIECES, Tokenizer
from vectors import DIMENSIONS, Vectors

HERE = os.path.dirname(os.path.abspath(__file__))
CORPUS = os.path.join(HERE, 'out', 'corpus')
OUT = os.path.join(HERE, 'out', 'intent')
CONTEXT = 256
BATCH = 64
PEAK_RATE = 3e-3
WARM_UP = 200  # steps
ANNEALED = 0.4  # of the time
WHOLE_ANSWERS = 0.15  # of the steps; each costs ten others, so a stretch that goes on does with fewer (--answers)
LONGEST_PROMPT = 40  # tokens
FREQUENT = 6  # sentences a word must be in to be a token of its own
FAMILIAR = 5_000  # of the most frequent words of English are known whether or not they are trained with
FORGOTTEN = 0.3  # of the words read in training are what their vectors say and nothing more
SOFTENED = 2  # the temperature a teacher's labels are learned at
KEPT = 0.995  # of the running mean of the weights, every fourth step; the mean is what is shipped


def prompt(text):
    return f' {text}\n'


def head(intent):
    return '{"intent":"%s","slots":{' % intent


def answer_parts(line):
    """The answer in pieces: (text, whether it is one token)."""
    parts, comma = [(head(line['intent']), True)], ''
    for name, value in line['slots'].items():
        many = isinstance(value, list)
        parts.append((f'{comma}"{name}":' + ('["' if many else '"'), True))
        for i, one in enumerate(value if many else [value]):
            # With a leading space the words are the tokens they are in the sentence: to copy is to repeat.
            parts += [('","', True)] * (i > 0) + [(f' {one}', False)]
        parts.append(('"]' if many else '"', True))
        comma = ','
    return parts + [('}}', True)]


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
    """The llama architecture: RMS norm, rotary positions, SwiGLU; input and output share one embedding.

    An embedding is the word's own part and a projection of its vector: `vectors` [vocabulary, DIMENSIONS], zeros where there
    is none; `trained` [vocabulary] tells which tokens occur in training, the others have no own part.
    """

    def __init__(self, vectors, trained, width=192, layers=3, heads=6, inner=512, dropout=0.1):
        super().__init__()
        self.width, self.heads, self.inner = width, heads, inner
        self.vectors, self.has_vector = vectors, vectors.abs().sum(1) > 0
        self.has_own = trained | ~self.has_vector
        self.own = nn.Embedding(len(vectors), width)
        nn.init.normal_(self.own.weight, std=0.04)
        self.project = nn.Linear(DIMENSIONS, width, bias=False)
        nn.init.normal_(self.project.weight, std=0.05)
        with torch.no_grad():
            self.own.weight[self.has_vector] *= 0.1
        self.layers = nn.ModuleList(Layer(width, inner) for _ in range(layers))
        self.norm = nn.Parameter(torch.ones(width))
        self.dropout = nn.Dropout(dropout)
        part = width // heads
        angle = torch.arange(CONTEXT)[:, None] * 10000 ** (-torch.arange(0, part, 2) / part)
        self.cos, self.sin = angle.cos(), angle.sin()

    def embed(self, tokens):
        own = self.own(tokens) * self.has_own[tokens][..., None]
        if self.training:
            forgotten = (torch.rand(tokens.shape) < FORGOTTEN) & self.has_vector[tokens]
            own = own * ~forgotten[..., None]
        return own + self.project(self.vectors[tokens])

    def embedding(self):
        """What all tokens are in the end: [vocabulary, width]."""
        return self.own.weight * self.has_own[:, None] + self.project(self.vectors)

    def rms(self, x, weight):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight

    def rotate(self, x, start=0):
        even, odd = x[..., 0::2], x[..., 1::2]
        cos, sin = self.cos[start:start + x.shape[2]], self.sin[start:start + x.shape[2]]
        return torch.stack([even * cos - odd * sin, even * sin + odd * cos], -1).flatten(-2)

    def forward(self, tokens, last_only=False):
        """[B, T] -> states [B, T, width] after the last layer; `last_only`: [B, 1, width], those of the last place."""
        batch, length = tokens.shape
        split = lambda y: y.view(batch, y.shape[1], self.heads, -1).transpose(1, 2)
        future = torch.full((length, length), -1e9).triu(1)
        x = self.dropout(self.embed(tokens))
        for layer in self.layers:
            y = self.rms(x, layer.attention_norm)
            k, v = self.rotate(split(layer.k(y))), split(layer.v(y))
            if last_only and layer is self.layers[-1]:
                x, q, hidden = x[:, -1:], self.rotate(split(layer.q(y[:, -1:])), length - 1), 0.0
            else:
                q, hidden = self.rotate(split(layer.q(y))), future
            weights = (q @ k.transpose(2, 3) / math.sqrt(q.shape[-1]) + hidden).softmax(-1)
            x = x + self.dropout(layer.o((weights @ v).transpose(1, 2).reshape(batch, x.shape[1], self.width)))
            y = self.rms(x, layer.inner_norm)
            x = x + self.dropout(layer.down(F.silu(layer.gate(y)) * layer.up(y)))
        return x

    def logits(self, x, among=None):
        """States -> logits of all tokens, or of those numbered in `among`, which are no words."""
        weight = self.embedding() if among is None else self.own.weight[among]
        return F.linear(self.rms(x, self.norm), weight)


class Corpus:
    """The sentences as tokens, those of one length together: batches without padding."""

    def __init__(self, lines, vectors):
        counts = Counter(piece for line in lines for piece in PIECES.findall(f' {line["text"]}'))
        self.words = {piece: count for piece, count in counts.items() if count >= FREQUENT}
        for word in vectors.frequent(FAMILIAR):
            self.words.setdefault(f' {word}', 1)
        written = sorted({text for line in lines for text, whole in answer_parts(line) if whole})
        self.tokenizer = Tokenizer(self.words, written)
        self.vectors = self.vectors_of_tokens(vectors)
        self.intents = sorted({line['intent'] for line in lines})
        self.heads = torch.tensor([self.tokenizer.whole(head(intent)) for intent in self.intents])
        number = {intent: i for i, intent in enumerate(self.intents)}
        self.lines = lines
        self.asked = [self.ask(line['text']) for line in lines]
        self.trained = torch.zeros(len(self.tokenizer.tokens), dtype=torch.bool)
        self.trained[sorted({token for asked in self.asked for token in asked})] = True
        self.named = np.array([number[line['intent']] for line in lines])
        by_length = defaultdict(list)
        for i, tokens in enumerate(self.asked):
            by_length[len(tokens)].append(i)
        self.groups = [np.array(group) for length, group in sorted(by_length.items())
                       if length <= LONGEST_PROMPT and len(group) >= BATCH]
        sizes = np.array([len(group) for group in self.groups], float)
        self.odds = sizes / sizes.sum()
        self.filled = sorted((i for i, line in enumerate(lines) if line['slots'] or i % 10 == 0),
                             key=lambda i: len(self.asked[i]))

    def vectors_of_tokens(self, vectors):
        table = np.zeros((len(self.tokenizer.tokens), DIMENSIONS), np.float32)
        for word in self.words:
            tokens, vector = self.tokenizer.encode(word), vectors.of(word.removeprefix(' '))
            if vector is not None and word.startswith(' ') and len(tokens) == 1:
                table[tokens[0]] = vector
        return torch.from_numpy(table)

    def ask(self, text):
        return [self.tokenizer.begin] + self.tokenizer.encode(prompt(text))

    def answer(self, line):
        tokens = [token for text, whole in answer_parts(line)
                  for token in ([self.tokenizer.whole(text)] if whole else self.tokenizer.encode(text))]
        return tokens + [self.tokenizer.end]

    def intents_batch(self, rng):
        """-> prompts [B, T] of one length, the number of each one's intent [B], which sentences they are [B]."""
        group = self.groups[rng.choice(len(self.groups), p=self.odds)]
        picked = group[rng.integers(len(group), size=BATCH)]
        return torch.tensor([self.asked[i] for i in picked]), torch.from_numpy(self.named[picked]), picked

    def answers_batch(self, rng):
        """-> prompts with their answers [B, T], which of the tokens are answer [B, T]."""
        start = rng.integers(len(self.filled) - BATCH)
        pairs = [(self.asked[i], self.answer(self.lines[i])) for i in self.filled[start:start + BATCH]]
        longest = max(len(asked) + len(said) for asked, said in pairs)
        tokens = torch.full((BATCH, longest), self.tokenizer.pad)
        is_answer = torch.zeros((BATCH, longest), dtype=torch.bool)
        for i, (asked, said) in enumerate(pairs):
            tokens[i, :len(asked) + len(said)] = torch.tensor(asked + said)
            is_answer[i, len(asked):len(asked) + len(said)] = True
        return tokens, is_answer


class Labels:
    """What a teacher (teach_intent.py) holds of some of the sentences. It is taught as it is softened: what else a sentence might
    have been is in the small numbers."""

    def __init__(self, path, corpus):
        kept = np.load(path)
        assert kept['intents'].tolist() == corpus.intents and kept['texts'] == len(corpus.lines), 'labels of another corpus'
        self.place = np.full(len(corpus.lines), -1)
        self.place[kept['lines']] = np.arange(len(kept['lines']))
        self.logits = torch.from_numpy(kept['logits'])

    def loss(self, logits, picked):
        place = torch.from_numpy(self.place[picked])
        labelled = place >= 0
        taught = (self.logits[place[labelled]].float() / SOFTENED).softmax(1)
        apart = F.kl_div((logits[labelled] / SOFTENED).log_softmax(1), taught, reduction='sum')
        return apart * SOFTENED ** 2 / 2 / len(picked)


def loss_of(model, corpus, rng, answers=WHOLE_ANSWERS, labels=None):
    """-> the loss of one batch, whether it is one of naming intents."""
    if rng.random() >= answers:
        tokens, named, picked = corpus.intents_batch(rng)
        logits = model.logits(model(tokens, last_only=True)[:, 0], corpus.heads)
        loss = F.cross_entropy(logits, named)
        return loss if labels is None else loss + labels.loss(logits, picked), True
    tokens, is_answer = corpus.answers_batch(rng)
    chosen = is_answer[:, 1:]
    return F.cross_entropy(model.logits(model(tokens[:, :-1])[chosen]), tokens[:, 1:][chosen]), False


class Schedule:
    """The learning rate by the processor time passed: warm-up, peak, cosine down to a hundredth."""

    def __init__(self, seconds, peak):
        self.began, self.peak = time.process_time(), peak
        self.end, self.annealed_from = seconds, (1 - ANNEALED) * seconds
        signal.signal(signal.SIGINT, lambda *_: self.anneal())

    def passed(self):
        return time.process_time() - self.began

    def anneal(self):
        passed = self.passed()
        if passed < self.annealed_from:
            self.annealed_from, self.end = passed, passed / (1 - ANNEALED)

    def rate(self, step, passed):
        part = max(0, passed - self.annealed_from) / (self.end - self.annealed_from)
        return self.peak * min(1, (step + 1) / WARM_UP) * (0.99 * 0.5 * (1 + math.cos(math.pi * part)) + 0.01)


def train(model, corpus, seconds, peak, answers, labels):
    """Leaves the running mean of the weights in the model."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=0.05, betas=(0.9, 0.98), foreach=True)
    mean = {name: value.detach().clone() for name, value in model.state_dict().items()}
    rng = np.random.default_rng(3)
    schedule, step, losses, next_report = Schedule(seconds, peak), 0, [], 30.0
    while (passed := schedule.passed()) < schedule.end:
        for group in optimiser.param_groups:
            group['lr'] = schedule.rate(step, passed)
        loss, naming = loss_of(model, corpus, rng, answers, labels)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 4 == 0:
            kept = min(KEPT, step / (step + 50))
            for name, value in model.state_dict().items():
                mean[name].mul_(kept).add_(value, alpha=1 - kept)
        if naming:
            losses.append(loss.item())
        if passed > next_report:
            next_report += 30
            print(f'{passed:.0f} s, step {step}, loss {np.mean(losses[-200:]):.4f}, {passed / step * 1000:.0f} ms a step', flush=True)
    model.load_state_dict(mean)
    return step


def export(model, tokenizer, path):
    """One embedding for input and output: llama.cpp takes token_embd for both when there is no output.weight."""
    metadata = {
        'general.architecture': 'llama', 'general.name': 'loqa-intent-starter', 'general.file_type': 8,  # mostly Q5_0
        'llama.block_count': len(model.layers), 'llama.context_length': CONTEXT,
        'llama.embedding_length': model.width, 'llama.feed_forward_length': model.inner,
        'llama.attention.head_count': model.heads, 'llama.attention.head_count_kv': model.heads,
        'llama.attention.layer_norm_rms_epsilon': 1e-5, 'llama.rope.dimension_count': model.width // model.heads,
        'llama.rope.freq_base': 10000.0, 'llama.vocab_size': len(tokenizer.tokens), **tokenizer.metadata(),
    }
    array = lambda parameter: parameter.detach().numpy()
    tensors = {'token_embd.weight': array(model.embedding()), 'output_norm.weight': array(model.norm)}
    for i, layer in enumerate(model.layers):
        parts = dict(attn_q=layer.q, attn_k=layer.k, attn_v=layer.v, attn_output=layer.o,
                     ffn_gate=layer.gate, ffn_up=layer.up, ffn_down=layer.down)
        tensors[f'blk.{i}.attn_norm.weight'] = array(layer.attention_norm)
        tensors[f'blk.{i}.ffn_norm.weight'] = array(layer.inner_norm)
        for name, part in parts.items():
            tensors[f'blk.{i}.{name}.weight'] = array(part.weight)
    gguf.write(path, metadata, tensors)


def keep(model, tokens, path):
    torch.save({'tokens': tokens, 'weights': model.state_dict()}, path)


@torch.no_grad()
def go_on_from(model, tokens, path):
    """Takes up the weights of an earlier training, also of a smaller model: what is new then writes nothing yet, so that the
    model answers as the earlier one did. A word known to both keeps what was learned of it, whatever its number."""
    before = torch.load(path)
    learned = before['weights']
    place = {token: i for i, token in enumerate(before['tokens'])}
    pairs = [(i, place[token]) for i, token in enumerate(tokens) if token in place]
    to, taken = (torch.tensor(numbers) for numbers in zip(*pairs))
    own = torch.zeros(len(tokens), learned['own.weight'].shape[1])
    own[to] = learned['own.weight'][taken]
    learned['own.weight'] = own
    narrower = math.sqrt(own.shape[1] / model.width)  # a mean square is over more numbers now, the new ones zero
    for name, now in model.state_dict().items():
        if name not in learned:
            if name.endswith(('.o.weight', '.down.weight')):
                now.zero_()
            continue
        old = learned[name]
        if now.dim() == 1:
            now.fill_(float(old.mean()) * narrower)
            now[:len(old)] = old * narrower
            continue
        if name.endswith(('own.weight', 'project.weight', '.o.weight', '.down.weight')):
            now.zero_()
        now[:old.shape[0], :old.shape[1]] = old


@torch.no_grad()
def measure(model, corpus, name):
    """Prints how many intents of a set are named rightly, by kind, and returns the wrong ones with what was named."""
    model.eval()
    lines, tally, wrong = read(name), defaultdict(list), []
    for line in lines:
        x = model(torch.tensor([corpus.ask(line['text'])]), last_only=True)[:, 0]
        named = corpus.intents[int(model.logits(x, corpus.heads).argmax())]
        side = 'other' if line['intent'] == 'none' else 'requests'
        for kind in (side, f'{side}, {line.get("kind", "")}'):
            tally[kind].append(named == line['intent'])
        if named != line['intent']:
            wrong.append((line, named))
    print(name, {kind: f'{100 * np.mean(right):.1f} % of {len(right)}' for kind, right in sorted(tally.items())}, flush=True)
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('seconds', type=float)
    parser.add_argument('--measure', default='test')
    parser.add_argument('--width', type=int, default=192)
    parser.add_argument('--layers', type=int, default=3)
    parser.add_argument('--inner', type=int, default=512)
    parser.add_argument('--dropout', type=float, default=0.1)
    parser.add_argument('--peak', type=float, default=PEAK_RATE)
    parser.add_argument('--answers', type=float, default=WHOLE_ANSWERS)
    parser.add_argument('--labels', help='labels.npz of teach_intent.py')
    parser.add_argument('--from', dest='checkpoint', help='a checkpoint.pt to go on from')
    parser.add_argument('--show', action='store_true', help='the sentences that were read wrongly')
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.makedirs(OUT, exist_ok=True)
    corpus = Corpus(read('train'), Vectors())
    tokens = len(corpus.tokenizer.tokens)
    model = Llama(corpus.vectors, corpus.trained, options.width, options.layers, options.width // 32, options.inner,
                  options.dropout)
    print(f'{len(corpus.words)} words, {tokens} tokens, {sum(p.numel() for p in model.parameters())} parameters', flush=True)
    if options.checkpoint:
        go_on_from(model, corpus.tokenizer.tokens, options.checkpoint)
    labels = Labels(options.labels, corpus) if options.labels else None
    steps = train(model, corpus, options.seconds, options.peak, options.answers, labels)
    export(model, corpus.tokenizer, os.path.join(OUT, 'intent.gguf'))
    keep(model, corpus.tokenizer.tokens, os.path.join(OUT, 'checkpoint.pt'))
    print(f'{steps} steps, {os.path.getsize(os.path.join(OUT, "intent.gguf"))} bytes', flush=True)
    for line, named in measure(model, corpus, options.measure):
        if options.show:
            print(f'  {line["text"]} | {named} | {line["intent"]}')


if __name__ == '__main__':
    main()
