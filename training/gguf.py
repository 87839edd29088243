"""Writes GGUF version 3, the file format of llama.cpp: key-value metadata, then aligned tensors."""
import struct

import numpy as np

ALIGNMENT = 32
UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5
TENSOR_FLOAT32, TENSOR_Q5_0 = 0, 6
BLOCK = 32  # numbers that share one scale in Q5_0
SCALES = np.linspace(0.8, 1.1, 13)  # tried for each block, of the one that just holds its largest number


def text(value):
    data = value.encode('utf8')
    return struct.pack('<Q', len(data)) + data


def typed(value):
    """-> (type number, bytes) of one metadata value."""
    if isinstance(value, bool):
        return BOOL, struct.pack('<?', value)
    if isinstance(value, int):
        return UINT32, struct.pack('<I', value)
    if isinstance(value, float):
        return FLOAT32, struct.pack('<f', value)
    if isinstance(value, str):
        return STRING, text(value)
    if isinstance(value[0], int):
        kind, body = INT32, b''.join(struct.pack('<i', item) for item in value)
    else:
        kind, body = typed(value[0])[0], b''.join(typed(item)[1] for item in value)
    return ARRAY, struct.pack('<IQ', kind, len(value)) + body


def q5_0(array):
    """-> bytes: per 32 numbers of a row one float16 scale, then each as five bits, their fifth bits first. The numbers of a row
    divide by 32. Of several scales each block takes the one that errs least."""
    blocks = array.reshape(-1, BLOCK).astype(np.float32)
    largest = np.take_along_axis(blocks, np.abs(blocks).argmax(1)[:, None], 1)
    least, scale, whole = np.full((len(blocks), 1), np.inf), np.zeros_like(largest), np.zeros(blocks.shape, np.uint8)
    for factor in SCALES:
        tried = (largest / -16 * factor).astype('<f2').astype(np.float32)
        numbers = np.rint(blocks / np.where(tried == 0, 1, tried) + 16).clip(0, 31)
        error = np.square((numbers - 16) * tried - blocks).sum(1, keepdims=True)
        better = error < least
        least, scale = np.where(better, error, least), np.where(better, tried, scale)
        whole = np.where(better, numbers, whole).astype(np.uint8)
    packed = np.empty(len(blocks), [('scale', '<f2'), ('fifth', 'u1', 4), ('four', 'u1', 16)])
    packed['scale'] = scale[:, 0]
    packed['fifth'] = np.packbits(whole >> 4, axis=1, bitorder='little')
    packed['four'] = whole[:, :16] & 15 | (whole[:, 16:] & 15) << 4
    return packed.tobytes()


def encoded(array):
    """-> (type number, bytes) of one tensor."""
    if array.ndim == 1:
        return TENSOR_FLOAT32, array.astype('<f4').tobytes()
    return TENSOR_Q5_0, q5_0(array)


def write(path, metadata, tensors):
    """`tensors`: name -> array; matrices become Q5_0, vectors stay float32. Dimensions are written innermost first."""
    head = struct.pack('<IIQQ', 0x46554747, 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, body = typed(value)
        head += text(key) + struct.pack('<I', kind) + body
    offset, bodies = 0, []
    for name, array in tensors.items():
        kind, body = encoded(array)
        head += text(name) + struct.pack('<I', array.ndim) + struct.pack(f'<{array.ndim}Q', *array.shape[::-1])
        head += struct.pack('<IQ', kind, offset)
        body += b'\0' * (-len(body) % ALIGNMENT)
        offset += len(body)
        bodies.append(body)
    with open(path, 'wb') as file:
        file.write(head + b'\0' * (-len(head) % ALIGNMENT) + b''.join(bodies))
