"""Trains the whisper-architecture model on the spoken corpus and writes training/out/whisper/whisper.bin for whisper.cpp.

    OMP_NUM_THREADS=1 python3 training/train_whisper.py SECONDS [--from CHECKPOINT]

It exists so that whisper.cpp runs for real on a fresh machine. The streaming recogniser is faster and better.
"""
import argparse
import math
import multiprocessing
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from recordings import HERE, Recordings, Words
from sounds import SOUNDS
from train_recogniser import Shelf, development_set
from whisper import POSITIONS, RATE, TEXT, WINDOW, Whisper, export, log_mels

OUT = os.path.join(HERE, 'out', 'whisper')
PEAK_RATE = 2e-3
SOUNDS_WEIGHT = 0.6


class Windows(Recordings):
    """Recordings filled up to the window; their words shifted by one, because token 0 is the space."""

    def draw(self, strength):
        kept = [(samples, label, sounds) for samples, label, sounds in self.draw_recordings(strength, doubled=0)
                if len(samples) <= WINDOW * RATE and len(label) < TEXT - 3]
        samples = np.zeros((len(kept), WINDOW * RATE), np.float32)
        for row, (recorded, *_) in zip(samples, kept):
            row[:len(recorded)] = recorded
        mels = log_mels(torch.tensor(samples))
        return mels.half().numpy(), [[number + 1 for number in label] for _, label, _ in kept], [sounds for *_, sounds in kept]


def produce(queue, strength, seed):
    torch.set_num_threads(1)
    windows = Windows(Words(), seed)
    while True:
        queue.put(windows.draw(strength.value))


def loss_of(model, head, mels, labels, sounds):
    """Cross-entropy of the decoder per token, and the auxiliary CTC of the encoder per sound."""
    audio = model.encode(mels)
    longest = max(len(label) for label in labels) + 3
    tokens = torch.full((len(labels), longest), model.end)
    tokens[:, 0], tokens[:, 1] = model.start, model.unused  # as whisper.cpp begins: start, no timestamps
    for row, label in zip(tokens, labels):
        row[2:len(label) + 2] = torch.tensor(label)
    sizes = torch.tensor([len(label) for label in labels])
    scores = model.decode(tokens[:, :-1], audio)[:, 1:]
    scores = torch.cat([scores[..., :model.start], scores[..., model.unused:] + model.unused_count], 2)
    spoken = torch.arange(longest - 2)[None] <= sizes[:, None]
    words = F.cross_entropy(scores[spoken], tokens[:, 2:][spoken])
    flat = torch.tensor([number for heard in sounds for number in heard], dtype=torch.long)
    counts = torch.tensor([len(heard) for heard in sounds])
    ctc = F.ctc_loss(head(audio).log_softmax(-1).transpose(0, 1), flat, torch.full((len(labels),), POSITIONS), counts,
                     blank=len(SOUNDS), zero_infinity=True, reduction='sum')
    return words, ctc / counts.sum()


@torch.no_grad()
def exact(model, words, clips):
    model.eval()
    right = 0
    for start in range(0, len(clips), 25):
        part = clips[start:start + 25]
        samples = np.zeros((len(part), WINDOW * RATE), np.float32)
        for row, (_, recorded) in zip(samples, part):
            row[:min(len(recorded), len(row))] = recorded[:len(row)]
        audio = model.encode(log_mels(torch.tensor(samples)))
        tokens = torch.tensor([[model.start, model.unused]]).repeat(len(part), 1)
        for _ in range(TEXT - 2):
            following = model.decode(tokens, audio)[:, -1, :model.end + 1].argmax(-1, keepdim=True)
            tokens = torch.cat([tokens, following], 1)
        for row, (text, _) in zip(tokens[:, 2:].tolist(), part):
            said = row[:row.index(model.end)] if model.end in row else row
            right += [number - 1 for number in said] == words.encode(text)
    model.train()
    return right / len(clips)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('seconds', type=float)
    parser.add_argument('--from', dest='start')
    parser.add_argument('--seed', type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.makedirs(OUT, exist_ok=True)
    words = Words()
    context = multiprocessing.get_context('fork')
    queue, strength = context.Queue(maxsize=4), context.Value('d', 0.2)
    maker = context.Process(target=produce, args=(queue, strength, options.seed), daemon=True)
    maker.start()
    shelf = Shelf(queue, options.seed)
    model = Whisper(len(words.words) + 1)
    head = nn.Linear(model.width, len(SOUNDS) + 1)
    if options.start:
        saved = torch.load(options.start)
        model.load_state_dict(saved['model'])
        head.load_state_dict(saved['head'])
    print(f'{sum(p.numel() for p in model.parameters())} parameters', flush=True)
    weights = [*model.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=PEAK_RATE, weight_decay=0.02, betas=(0.9, 0.98))
    development = development_set()[:100]
    began, step, losses, next_report, next_save = time.time(), 0, [], 30.0, 300.0

    def save():
        torch.save(dict(model=model.state_dict(), head=head.state_dict()), os.path.join(OUT, 'checkpoint.pt'))
        texts = [' '] + [f' {word}' for word in words.words]
        export(model, texts, os.path.join(OUT, 'whisper.bin'))
        print(f'  {step} steps: exact {exact(model, words, development):.3f}', flush=True)

    while (passed := time.time() - began) < options.seconds:
        part = passed / options.seconds
        for group in optimiser.param_groups:
            group['lr'] = PEAK_RATE * min(1, (step + 1) / 150) * (0.5 * (1 + math.cos(math.pi * part)) * 0.97 + 0.03)
        strength.value = 0.5 if options.start else 0.15 + 0.45 * min(1, part / 0.5)
        mels, labels, sounds = shelf.take()
        said, heard = loss_of(model, head, torch.tensor(mels).float(), labels, sounds)
        optimiser.zero_grad()
        (said + SOUNDS_WEIGHT * heard).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        step += 1
        losses.append((said.item(), heard.item()))
        if passed > next_report:
            next_report += 60
            recent = np.mean(losses[-60:], 0)
            print(f'{passed:.0f} s, step {step}, loss {recent[0]:.3f}, sounds {recent[1]:.2f}, {passed / step * 1000:.0f} ms a step', flush=True)
        if passed > next_save:
            next_save += 300
            save()
    save()
    maker.terminate()


if __name__ == '__main__':
    main()
