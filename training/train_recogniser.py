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
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from features import log_mels
from recordings import CORPUS, HERE, Recordings, Words
from recogniser import STRIDE, Recogniser, export
from synthesize import speak, variants

OUT = os.environ.get('RECOGNISER_OUT', os.path.join(HERE, 'out', 'recogniser'))
PEAK_RATE = 2e-3
SOUND_WEIGHT = 0.5
SOUND_STEPS = 2  # phonemes are shorter than a step of 80 ms: the first layer names two in each


class Batches(Recordings):
    """Batches of features, their lengths in steps, labels, and rough word positions for the warm-up."""

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
        rough = np.full((len(recordings), steps), self.words.blank)
        for row, (_, _, places, _) in zip(rough, recordings):
            for number, place in places:
                row[place:place + 2] = number
        labels, sounds = [label for _, label, _, _ in recordings], [heard for _, _, _, heard in recordings]
        return features, lengths, labels, rough, sounds

    def varied(self, features, strength):
        """The same recordings by other throats and with other parts missing."""
        return self.mask(self.warp(features), strength).half().numpy()

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
    """The second process: keeps a few batches ready. Each is heard twice, some while apart and varied differently,
    because recording it costs as much time as learning from it."""
    torch.set_num_threads(1)
    shelf = []
    while True:
        if len(shelf) < 60:
            features, *rest = batches.draw(strength.value)
            shelf.append((features, *rest))
        else:
            features, *rest = shelf.pop(batches.rng.randint(len(shelf)))
        queue.put((batches.varied(features, strength.value), *rest))


def development_set(words):
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
def exact(net, words, clips):
    """Share of sentences recognised word by word."""
    net.eval()
    right = 0
    for text, samples in clips:
        features = log_mels(torch.tensor(samples)[None])
        steps = net(features[:, :features.shape[1] // STRIDE * STRIDE])[0][0].argmax(-1).tolist()
        right += words.decode(steps) == text
    net.train()
    return right / len(clips)


class Average:
    """Exponential moving average of the weights: steadier than the last step's."""

    def __init__(self, net):
        self.weights = {key: value.clone() for key, value in net.state_dict().items()}

    def update(self, net, step):
        decay = min(0.998, step / (step + 20))
        for key, value in net.state_dict().items():
            self.weights[key].mul_(decay).add_(value, alpha=1 - decay)


class SoundHead(nn.Module):
    """Names the phonemes heard so far from the first layer's output. Only for training: it teaches that layer to listen."""

    def __init__(self, hidden, sounds):
        super().__init__()
        self.sounds = sounds
        self.out = nn.Linear(hidden, SOUND_STEPS * sounds)

    def loss(self, first, lengths, sounds):
        scores = self.out(first).reshape(first.shape[0], -1, self.sounds).log_softmax(-1)
        sizes = torch.tensor([len(heard) for heard in sounds])
        flat = torch.tensor([number for heard in sounds for number in heard], dtype=torch.long)
        steps = torch.tensor(lengths) * SOUND_STEPS
        return F.ctc_loss(scores.transpose(0, 1), flat, steps, sizes, blank=0, zero_infinity=True, reduction='sum') / sizes.sum()


def save(weights, net, head, words, note):
    """Checkpoint and export of the averaged weights."""
    copy = Recogniser(net.outputs, net.hidden, net.layers)
    copy.load_state_dict(weights)
    saved = dict(weights=weights, head=head.state_dict(), hidden=net.hidden, layers=net.layers, note=note)
    torch.save(saved, os.path.join(OUT, 'checkpoint.pt'))
    fresh = os.path.join(OUT, 'new.onnx')
    export(copy, words.words, fresh, os.path.join(OUT, 'tokens.txt'))
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
    words = Words()
    batches = Batches(words, options.seed)
    batches.clips.refresh()
    context = multiprocessing.get_context('fork')
    queue, strength = context.Queue(maxsize=6), context.Value('d', 0.2)
    maker = context.Process(target=produce, args=(queue, strength, batches), daemon=True)
    maker.start()

    net = Recogniser(words.blank + 1, options.hidden, options.layers)
    head = SoundHead(options.hidden, batches.clips.alphabet.count)
    if options.start:
        saved = torch.load(options.start)
        net.load_state_dict(saved['weights'])
        if 'head' in saved:
            head.load_state_dict(saved['head'])
    print(f'{sum(p.numel() for p in net.parameters())} parameters, {len(words.words)} words', flush=True)
    average = Average(net)
    weights = [*net.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=options.peak, weight_decay=0.02, betas=(0.9, 0.98))
    development = development_set(words)
    began = time.time()
    step, waited, losses = 0, 0.0, []
    next_report, next_save = 30.0, 240.0
    while True:
        passed = time.time() - began
        if passed >= options.seconds:
            break
        part = passed / options.seconds
        rate = options.peak * min(1, (step + 1) / (50 if options.start else 150)) * decay(part, bool(options.start))
        for group in optimiser.param_groups:
            group['lr'] = rate
        strength.value = options.gentle + (options.harsh - options.gentle) * min(1, part / 0.5)
        asked = time.time()
        features, lengths, labels, rough, sounds = queue.get()
        waited += time.time() - asked

        logits, first = net(torch.tensor(features).float())
        scores = logits.log_softmax(-1)
        heard = head.loss(first, lengths, sounds)
        flat = torch.tensor([number for label in labels for number in label], dtype=torch.long)
        sizes = torch.tensor([len(label) for label in labels])
        ctc = F.ctc_loss(scores.transpose(0, 1), flat, torch.tensor(lengths), sizes, blank=words.blank,
                         zero_infinity=True, reduction='sum') / sizes.sum()
        # The rough positions break the plateau of saying nothing at all; later they would only be in the way.
        warmth = 0.0 if options.start else max(0.0, 1 - passed / 360)
        loss = ctc + SOUND_WEIGHT * heard
        if warmth > 0:
            loss = loss + 4 * warmth * F.nll_loss(scores.flatten(0, 1), torch.tensor(rough).flatten())
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 2.0)
        optimiser.step()
        step += 1
        average.update(net, step)
        losses.append((ctc.item(), heard.item()))
        if passed > next_report:
            next_report += 30
            recent = np.mean(losses[-80:], 0)
            print(f'{passed:.0f} s, step {step}, loss {recent[0]:.3f}, sounds {recent[1]:.3f}, '
                  f'{passed / step * 1000:.0f} ms a step ({waited / step * 1000:.0f} waiting)', flush=True)
        if passed > next_save:
            next_save += 300
            copy = save(average.weights, net, head, words, f'step {step}')
            print(f'  {passed:.0f} s: exact {exact(copy, words, development):.3f}', flush=True)
    copy = save(average.weights, net, head, words, f'step {step}')
    print(f'{step} steps in {time.time() - began:.0f} s: exact {exact(copy, words, development):.3f}', flush=True)
    maker.terminate()


if __name__ == '__main__':
    main()
