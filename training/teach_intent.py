"""Trains the intent model's teacher: a sentence encoder that has read far more English than the corpus holds (sentences.py).

    OMP_NUM_THREADS=1 python3 training/teach_intent.py SECONDS [--labels COUNT]

Reads training/out/corpus/intent.train.jsonl, writes training/out/intent/labels.npz: for COUNT of those sentences, drawn at
random, how likely the teacher holds each intent. `train_intent.py --labels` learns from them beside the intents themselves. It
prints how many it names rightly of the development sentences if there are any. SECONDS are seconds of a processor.
"""
import argparse
import json
import os
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from sentences import SentenceEncoder, of_one_length
from train_intent import BATCH, CORPUS, OUT, read

PEAK_RATE = 3e-4  # of the encoder
HEAD_RATE = 5  # times that of the layer on top of it
ANNEALED = 0.6  # of the time
LONGEST = 40  # pieces
UNSURE = 0.03  # label smoothing
EMPTY = [0]


class Teacher(nn.Module):
    def __init__(self, intents):
        super().__init__()
        self.encoder, self.head = SentenceEncoder(), nn.Linear(512, intents)

    def pieces(self, lines):
        return [self.encoder.pieces(line['text'])[:LONGEST] or EMPTY for line in lines]

    def forward(self, numbers):
        return self.head(F.dropout(self.encoder(numbers), 0.1, self.training))

    @torch.no_grad()
    def of(self, cut):
        """-> [len(cut), intents]."""
        self.eval()
        found = np.zeros((len(cut), self.head.out_features), np.float16)
        for same in of_one_length(cut):
            found[same] = self(torch.tensor([cut[i] for i in same])).numpy()
        return found


def teach(teacher, cut, named, seconds):
    """-> steps made."""
    groups = [np.array(group) for group in of_one_length(cut, len(cut)) if len(group) >= BATCH]
    odds = np.array([len(group) for group in groups], float) / sum(map(len, groups))
    parts = [{'params': part.parameters()} for part in (teacher.encoder, teacher.head)]
    optimiser = torch.optim.AdamW(parts, weight_decay=0.01, betas=(0.9, 0.98), foreach=True)
    rng, began, step = np.random.default_rng(5), time.process_time(), 0
    teacher.train()
    while (passed := (time.process_time() - began) / seconds) < 1:
        rate = PEAK_RATE * min(1, (step + 1) / 100) * (0.02 + 0.98 * min(1, (1 - passed) / ANNEALED))
        for group, times in zip(optimiser.param_groups, (1, HEAD_RATE)):
            group['lr'] = rate * times
        group = groups[rng.choice(len(groups), p=odds)]
        picked = group[rng.integers(len(group), size=BATCH)]
        loss = F.cross_entropy(teacher(torch.tensor([cut[i] for i in picked])), torch.from_numpy(named[picked]), label_smoothing=UNSURE)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(teacher.encoder.parameters(), 1.0)
        optimiser.step()
        step += 1
        if step % 300 == 0:
            print(f'{100 * passed:.0f} %, step {step}, loss {loss.item():.3f}', flush=True)
    return step


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('seconds', type=float)
    parser.add_argument('--labels', type=int, default=120_000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    os.makedirs(OUT, exist_ok=True)
    lines = read('train')
    intents = sorted({line['intent'] for line in lines})
    teacher = Teacher(len(intents))
    cut, named = teacher.pieces(lines), np.array([intents.index(line['intent']) for line in lines])
    print(f'{teach(teacher, cut, named, options.seconds)} steps', flush=True)
    if os.path.exists(os.path.join(CORPUS, 'intent.development.jsonl')):
        kept_back = read('development')
        right = teacher.of(teacher.pieces(kept_back)).argmax(1) == [intents.index(line['intent']) for line in kept_back]
        print(f'development {100 * right.mean():.1f} % of {len(right)}', flush=True)
    picked = np.sort(np.random.default_rng(1).permutation(len(lines))[:options.labels])
    np.savez(os.path.join(OUT, 'labels.npz'), intents=np.array(intents), lines=picked,
             logits=teacher.of([cut[i] for i in picked]), texts=len(lines))


if __name__ == '__main__':
    main()
