"""Writes GGUF version 3, the file format of llama.cpp: key-value metadata, then aligned tensors."""
import struct

import numpy as np

ALIGNMENT = 32
UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5
TENSOR_FLOAT32, TENSOR_FLOAT16, TENSOR_Q8_0 = 0, 1, 8
BLOCK = 32  # numbers that share one scale in Q8_0


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


def q8_0(array):
    """-> bytes: per 32 numbers of a row one float16 scale, then each as a signed byte. The numbers of a row divide by 32."""
    blocks = array.reshape(-1, BLOCK).astype(np.float32)
    scale = (np.abs(blocks).max(1, keepdims=True) / 127).astype('<f2')
    whole = np.rint(blocks / np.maximum(scale.astype(np.float32), 1e-12)).clip(-127, 127)
    packed = np.empty(len(blocks), [('scale', '<f2'), ('numbers', 'i1', BLOCK)])
    packed['scale'], packed['numbers'] = scale[:, 0], whole
    return packed.tobytes()


def encoded(name, array):
    """-> (type number, bytes) of one tensor."""
    if array.ndim == 1:
        return TENSOR_FLOAT32, array.astype('<f4').tobytes()
    # The table of words is most of a small model, and the part that bears rounding best.
    if name == 'token_embd.weight':
        return TENSOR_Q8_0, q8_0(array)
    return TENSOR_FLOAT16, array.astype('<f2').tobytes()


def write(path, metadata, tensors):
    """`tensors`: name -> array; matrices become float16 (the words' Q8_0), vectors stay float32. Dimensions are written innermost first."""
    head = struct.pack('<IIQQ', 0x46554747, 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, body = typed(value)
        head += text(key) + struct.pack('<I', kind) + body
    offset, bodies = 0, []
    for name, array in tensors.items():
        kind, body = encoded(name, array)
        head += text(name) + struct.pack('<I', array.ndim) + struct.pack(f'<{array.ndim}Q', *array.shape[::-1])
        head += struct.pack('<IQ', kind, offset)
        body += b'\0' * (-len(body) % ALIGNMENT)
        offset += len(body)
        bodies.append(body)
    with open(path, 'wb') as file:
        file.write(head + b'\0' * (-len(head) % ALIGNMENT) + b''.join(bodies))
