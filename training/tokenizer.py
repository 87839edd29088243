"""Byte-level BPE that knows whole words, the way llama.cpp's `gpt2` tokenizer with the `gpt-2` pre-tokenizer reads it.

Every word of the training text is one token; any other word falls back to pieces and, in the end, to bytes, so that
nothing a person may say is impossible to read or to copy.
"""
import re

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


class Tokenizer:
    def __init__(self, texts):
        self.bytes = printable_bytes()
        self.tokens = [self.bytes[byte] for byte in range(256)]
        self.merges = []
        number = {token: i for i, token in enumerate(self.tokens)}
        for piece in sorted({self.printable(piece) for text in texts for piece in PIECES.findall(text)}):
            grown = piece[0]
            for character in piece[1:]:
                if grown + character not in number:
                    number[grown + character] = len(self.tokens)
                    self.tokens.append(grown + character)
                    self.merges.append(f'{grown} {character}')
                grown += character
        self.number = number
        self.rank = {tuple(merge.split(' ')): i for i, merge in enumerate(self.merges)}
        self.known = {}
        self.ordinary = len(self.tokens)
        self.begin, self.end, self.pad = range(self.ordinary, self.ordinary + 3)
        self.tokens += [BEGIN, END, PAD]

    def printable(self, text):
        return ''.join(self.bytes[byte] for byte in text.encode('utf8'))

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
