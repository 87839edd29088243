"""Trains the streaming recogniser on the spoken corpus and exports it for sherpa-onnx.

    OMP_NUM_THREADS=1 python3 training/train_recogniser.py SECONDS [--from CHECKPOINT] [--hidden 256] [--layers 3]

One process trains, a second one makes the batches: every clip sounds different each time it is heard (rooms.py).
Every few minutes the averaged weights are measured on new sentences, saved and exported to training/out/recogniser/.
"""
import argparse
import json
import math
import multiprocessing
import os
import queue as queues
import threading
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from features import log_mels
from recordings import CORPUS, HERE, Recordings, Words
from recogniser import SOUNDS_A_STEP, STRIDE, Recogniser, export
from sounds import SOUNDS
from synthesize import speak, variants

OUT = os.environ.get('RECOGNISER_OUT', os.path.join(HERE, 'out', 'recogniser'))
PEAK_RATE = 2e-3
FIRST_LAYER_WEIGHT = 0.3
SHELF = 240  # batches kept to be heard again, varied: about 400 MB


class Batches(Recordings):
    """Batches of features, their lengths in steps, and the sounds said."""

    def draw(self, strength):
        recordings = self.draw_recordings(strength)
        longest = max(len(samples) for samples, *_ in recordings)
        samples = np.zeros((len(recordings), longest), np.float32)
        for row, (recorded, *_) in zip(samples, recordings):
            row[:len(recorded)] = recorded
        features = log_mels(torch.tensor(samples))
        features = features[:, :features.shape[1] // STRIDE * STRIDE]
        steps = features.shape[1] // STRIDE
        lengths = [min(steps, max(1, len(recorded) // 160 // STRIDE)) for recorded, *_ in recordings]
        return features.half().numpy(), lengths, [sounds for *_, sounds in recordings]


class Variation:
    """The same recordings by other throats and with other parts missing."""

    def __init__(self, seed):
        self.rng = np.random.RandomState(seed)

    def varied(self, features, strength):
        return self.mask(self.warp(features), strength)

    def warp(self, features):
        """Stretches the mel axis, one factor per clip: another length of the vocal tract."""
        factor = np.exp(self.rng.uniform(-0.13, 0.13, len(features))).astype(np.float32)
        place = (torch.arange(80.0)[None] * torch.tensor(factor)[:, None]).clamp(0, 78.999)
        low = place.floor()
        part = (place - low)[:, None]
        low = low.long()[:, None].expand(-1, features.shape[1], -1)
        return torch.gather(features, 2, low) * (1 - part) + torch.gather(features, 2, low + 1) * part

    def mask(self, features, strength):
        """SpecAugment: two bands and two short stretches silenced."""
        rng = self.rng
        for clip in features:
            for _ in range(2 if rng.rand() < 0.7 * strength else 0):
                width = rng.randint(0, 14)
                low = rng.randint(0, 80 - width)
                clip[:, low:low + width] = -9.0
                width = rng.randint(0, 7)
                start = rng.randint(0, clip.shape[0] - width)
                clip[start:start + width] = -9.0
        return features


def produce(queue, strength, batches):
    """The second process: records one batch after the other."""
    torch.set_num_threads(1)
    while True:
        queue.put(batches.draw(strength.value))


class Shelf:
    """Batches to learn from. Recording one takes about as long as learning from it, so each is heard several times,
    some while apart and varied differently; whoever learns never waits for a new one."""

    def __init__(self, queue, seed):
        self.rng = np.random.RandomState(seed)
        self.batches = []
        self.recorded = 0
        self.fresh = queues.Queue(maxsize=4)
        threading.Thread(target=self.fetch, args=(queue,), daemon=True).start()

    def fetch(self, queue):
        """In a thread of its own: a batch takes a while through the pipe when its maker has no processor."""
        while True:
            self.fresh.put(queue.get())

    def take(self):
        try:
            batch = self.fresh.get(block=not self.batches)
        except queues.Empty:
            return self.batches[self.rng.randint(len(self.batches))]
        self.recorded += 1
        if len(self.batches) == SHELF:
            self.batches.pop(0)
        self.batches.append(batch)
        return batch


def development_set():
    """New sentences by voices of the training, 20 dB of noise: [(text, samples)]."""
    rng = np.random.RandomState(5)
    lines = [json.loads(line)['text'] for line in open(os.path.join(CORPUS, 'commands.test.jsonl'))][1000:1200]
    made = []
    for text, _, clip in speak((77, lines, variants())):
        voice = clip.astype(np.float32) / 32768
        quiet = np.concatenate([np.zeros(4800), voice, np.zeros(6400)]).astype(np.float32)
        noise = rng.randn(len(quiet)) * np.sqrt((voice ** 2).mean()) * 0.1
        made.append((text, (quiet + noise).astype(np.float32)))
    return made


@torch.no_grad()
def errors(net, sounds, clips):
    """Sounds misheard, missed or made up, per sound said."""
    net.eval()
    wrong = said = 0
    for text, samples in clips:
        features = log_mels(torch.tensor(samples)[None])
        steps = net(features[:, :features.shape[1] // STRIDE * STRIDE])[0][0].argmax(-1).tolist()
        label = sounds.encode(text)
        wrong += distance(label, sounds.decode(steps))
        said += len(label)
    net.train()
    return wrong / said


def distance(wanted, got):
    """Levenshtein's."""
    row = list(range(len(got) + 1))
    for i, want in enumerate(wanted, 1):
        corner, row[0] = row[0], i
        for j, have in enumerate(got, 1):
            corner, row[j] = row[j], min(corner + (want != have), row[j] + 1, row[j - 1] + 1)
    return row[-1]


class Average:
    """Exponential moving average of the weights: steadier than the last step's."""

    def __init__(self, net):
        self.weights = {key: value.clone() for key, value in net.state_dict().items()}

    def update(self, net, step):
        decay = min(0.998, step / (step + 20))
        for key, value in net.state_dict().items():
            self.weights[key].mul_(decay).add_(value, alpha=1 - decay)


def ctc(logits, lengths, labels, blank):
    """Connectionist temporal classification (Graves et al., 2006), per sound said."""
    sizes = torch.tensor([len(label) for label in labels])
    flat = torch.tensor([number for label in labels for number in label], dtype=torch.long)
    steps = torch.tensor(lengths) * SOUNDS_A_STEP
    return F.ctc_loss(logits.log_softmax(-1).transpose(0, 1), flat, steps, sizes, blank=blank, zero_infinity=True,
                      reduction='sum') / sizes.sum()


def save(weights, net, head, note):
    """Checkpoint and export of the averaged weights."""
    copy = Recogniser(net.outputs, net.hidden, net.layers)
    copy.load_state_dict(weights)
    saved = dict(weights=weights, head=head.state_dict(), hidden=net.hidden, layers=net.layers, note=note)
    torch.save(saved, os.path.join(OUT, 'checkpoint.pt'))
    fresh = os.path.join(OUT, 'new.onnx')
    export(copy, SOUNDS, fresh, os.path.join(OUT, 'tokens.txt'))
    os.rename(fresh, os.path.join(OUT, 'recogniser.onnx'))
    return copy


def decay(part, continued):
    """The learning rate's share at `part` of the time: cosine for a fresh network, a straight line for one that goes on."""
    if continued:
        return 1 - 0.99 * part
    return 0.5 * (1 + math.cos(math.pi * part)) * 0.98 + 0.02


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('seconds', type=float)
    parser.add_argument('--from', dest='start')
    parser.add_argument('--hidden', type=int, default=256)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--layers', type=int, default=3)
    parser.add_argument('--peak', type=float, default=PEAK_RATE)
    parser.add_argument('--gentle', type=float, default=0.2, help='strength of the room at the start, 0 … 1')
    parser.add_argument('--harsh', type=float, default=1.0, help='and in the end')
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.makedirs(OUT, exist_ok=True)
    batches = Batches(Words(), options.seed)
    batches.clips.refresh()
    sounds = batches.clips.alphabet
    context = multiprocessing.get_context('fork')
    queue, strength = context.Queue(maxsize=6), context.Value('d', options.gentle)
    maker = context.Process(target=produce, args=(queue, strength, batches), daemon=True)
    maker.start()
    shelf, variation = Shelf(queue, options.seed), Variation(options.seed)

    net = Recogniser(len(SOUNDS) + 1, options.hidden, options.layers)
    # The first layer learns to name sounds as well: what it hears, the others need not find again.
    head = nn.Linear(options.hidden, SOUNDS_A_STEP * net.outputs)
    if options.start:
        saved = torch.load(options.start)
        net.load_state_dict(saved['weights'], strict=False)
        if 'head' in saved:
            head.load_state_dict(saved['head'])
    print(f'{sum(p.numel() for p in net.parameters())} parameters, {len(SOUNDS)} sounds', flush=True)
    average = Average(net)
    weights = [*net.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=options.peak, weight_decay=0.02, betas=(0.9, 0.98))
    development = development_set()
    began = time.time()
    step, losses = 0, []
    next_report, next_save = 30.0, 240.0
    while (passed := time.time() - began) < options.seconds:
        part = passed / options.seconds
        for group in optimiser.param_groups:
            group['lr'] = options.peak * min(1, (step + 1) / 150) * decay(part, bool(options.start))
        strength.value = options.gentle + (options.harsh - options.gentle) * min(1, part / 0.5)
        features, lengths, labels = shelf.take()
        features = variation.varied(torch.tensor(features).float(), strength.value)

        logits, first = net(features)
        above = ctc(logits, lengths, labels, sounds.blank)
        below = ctc(head(first).reshape(len(labels), -1, net.outputs), lengths, labels, sounds.blank)
        optimiser.zero_grad()
        (above + FIRST_LAYER_WEIGHT * below).backward()
        torch.nn.utils.clip_grad_norm_(weights, 2.0)
        optimiser.step()
        step += 1
        average.update(net, step)
        losses.append((above.item(), below.item()))
        if passed > next_report:
            next_report += 30
            recent = np.mean(losses[-80:], 0)
            print(f'{passed:.0f} s, step {step}, loss {recent[0]:.3f}, first layer {recent[1]:.3f}, '
                  f'{passed / step * 1000:.0f} ms a step, {step / shelf.recorded:.1f} steps a recording', flush=True)
        if passed > next_save:
            next_save += 300
            copy = save(average.weights, net, head, f'step {step}')
            print(f'  {passed:.0f} s: {100 * errors(copy, sounds, development):.2f} % of the sounds wrong', flush=True)
    copy = save(average.weights, net, head, f'step {step}, finished')
    print(f'finished: {100 * errors(copy, sounds, development):.2f} % of the sounds wrong', flush=True)
    maker.terminate()


if __name__ == '__main__':
    main()
