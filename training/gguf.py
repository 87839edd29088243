"""Writes GGUF version 3, the file format of llama.cpp: key-value metadata, then aligned tensors."""
import struct

import numpy as np

ALIGNMENT = 32
UINT32, FLOAT32, BOOL, STRING, ARRAY, INT32 = 4, 6, 7, 8, 9, 5
TENSOR_FLOAT32, TENSOR_FLOAT16 = 0, 1


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


def write(path, metadata, tensors):
    """`tensors`: name -> array; matrices become float16, vectors stay float32. Dimensions are written innermost first."""
    head = struct.pack('<IIQQ', 0x46554747, 3, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, body = typed(value)
        head += text(key) + struct.pack('<I', kind) + body
    offset, bodies = 0, []
    for name, array in tensors.items():
        kind = TENSOR_FLOAT16 if array.ndim == 2 else TENSOR_FLOAT32
        body = array.astype('<f2' if kind == TENSOR_FLOAT16 else '<f4').tobytes()
        head += text(name) + struct.pack('<I', array.ndim) + struct.pack(f'<{array.ndim}Q', *array.shape[::-1])
        head += struct.pack('<IQ', kind, offset)
        body += b'\0' * (-len(body) % ALIGNMENT)
        offset += len(body)
        bodies.append(body)
    with open(path, 'wb') as file:
        file.write(head + b'\0' * (-len(head) % ALIGNMENT) + b''.join(bodies))
