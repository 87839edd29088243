"""Byte-pair tokens that know whole words, the way llama.cpp's `gpt2` tokenizer with the `gpt-2` pre-tokenizer reads them.

Every word of the training text is one token, with its leading space; any other word falls back to pieces and, in the end,
to bytes, so that nothing a person may say is impossible to read or to copy. What an answer is made of besides the words
of the sentence (the intent with the JSON around it, the name of a slot) is one token each as well: such tokens are only
ever written, never read, and need no merges.
"""
import re
from collections import Counter, defaultdict

# llama.cpp splits by this rule first (ASCII is enough here: the texts are spoken English in small letters).
PIECES = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[A-Za-z]+| ?[0-9]+| ?[^\sA-Za-z0-9]+|\s+(?!\S)|\s+")
BEGIN, END, PAD = '<|begin|>', '<|end|>', '<|pad|>'


def printable_bytes():
    """GPT-2's map from each byte to a printable character."""
    kept = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    table = {byte: chr(byte) for byte in kept}
    moved = 0
    for byte in range(256):
        if byte not in table:
            table[byte] = chr(256 + moved)
            moved += 1
    return table


def learn_merges(counts):
    """Byte-pair encoding of `counts` (word -> how often) until every word is one token: merges, most frequent pair first."""
    words = [list(word) for word in counts]
    weight = list(counts.values())
    pairs, where = Counter(), defaultdict(set)
    for i, parts in enumerate(words):
        for pair in zip(parts, parts[1:]):
            pairs[pair] += weight[i]
            where[pair].add(i)
    merges = []
    while pairs:
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        if pairs[best] <= 0:
            break
        merges.append(best)
        for i in where.pop(best):
            parts = words[i]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= weight[i]
                if pairs[pair] <= 0:
                    del pairs[pair]
            merged, at = [], 0
            while at < len(parts):
                if at + 1 < len(parts) and (parts[at], parts[at + 1]) == best:
                    merged.append(parts[at] + parts[at + 1])
                    at += 2
                else:
                    merged.append(parts[at])
                    at += 1
            words[i] = merged
            for pair in zip(merged, merged[1:]):
                pairs[pair] += weight[i]
                where[pair].add(i)
        pairs.pop(best, None)
    return merges


class Tokenizer:
    def __init__(self, words, written):
        """`words`: pieces of text with their leading space -> how often; `written`: the pieces answers are made of."""
        self.bytes = printable_bytes()
        merges = learn_merges({self.printable(word): count for word, count in sorted(words.items())})
        self.merges = [f'{left} {right}' for left, right in merges]
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.tokens = [self.bytes[byte] for byte in range(256)]
        self.tokens += list(dict.fromkeys(left + right for left, right in merges))
        self.number = {token: i for i, token in enumerate(self.tokens)}
        for piece in written:
            token = self.printable(piece)
            if token not in self.number:
                self.number[token] = len(self.tokens)
                self.tokens.append(token)
        self.known = {}
        self.ordinary = len(self.tokens)
        self.begin, self.end, self.pad = range(self.ordinary, self.ordinary + 3)
        self.tokens += [BEGIN, END, PAD]

    def printable(self, text):
        return ''.join(self.bytes[byte] for byte in text.encode('utf8'))

    def whole(self, piece):
        return self.number[self.printable(piece)]

    def encode(self, text):
        return [number for piece in PIECES.findall(text) for number in self.encode_piece(self.printable(piece))]

    def encode_piece(self, piece):
        if piece not in self.known:
            parts = list(piece)
            while len(parts) > 1:
                best = min(range(len(parts) - 1), key=lambda i: self.rank.get((parts[i], parts[i + 1]), 1 << 30))
                if (parts[best], parts[best + 1]) not in self.rank:
                    break
                parts[best:best + 2] = [parts[best] + parts[best + 1]]
            self.known[piece] = [self.number[part] for part in parts]
        return self.known[piece]

    def decode(self, numbers):
        back = {character: byte for byte, character in self.bytes.items()}
        characters = ''.join(self.tokens[number] for number in numbers if number < self.ordinary)
        return bytes(back[character] for character in characters).decode('utf8', 'replace')

    def metadata(self):
        return {
            'tokenizer.ggml.model': 'gpt2',
            'tokenizer.ggml.pre': 'gpt-2',
            'tokenizer.ggml.tokens': self.tokens,
            'tokenizer.ggml.token_type': [1] * self.ordinary + [3] * 3,
            'tokenizer.ggml.merges': self.merges,
            'tokenizer.ggml.bos_token_id': self.begin,
            'tokenizer.ggml.eos_token_id': self.end,
            'tokenizer.ggml.padding_token_id': self.pad,
            'tokenizer.ggml.add_bos_token': True,
        }
