/** What a file is by its first bytes, so that a web page saved under the name of a model is called one. Pure. */

export const FORMATS = ['onnx', 'gguf', 'ggml', 'any'] as const
export type Format = (typeof FORMATS)[number]

/** Bytes of the beginning that are looked at; every mark below is shorter. */
export const HEAD_BYTES = 64

/** What the person is told was wanted. */
export const FORMAT_WORDS: Readonly<Record<Format, string>> = {
  onnx: 'an ONNX model',
  gguf: 'a GGUF model (llama.cpp)',
  ggml: 'a ggml model (whisper.cpp)',
  any: 'any file',
}

const MARKS: readonly (readonly [mark: string, what: string])[] = [
  ['GGUF', FORMAT_WORDS.gguf],
  // 0x67676d6c, written least significant byte first.
  ['lmgg', FORMAT_WORDS.ggml],
  ['version https://git-lfs', 'a pointer of Git LFS instead of the file'],
  ['<', 'a web page'],
  ['{', 'JSON'],
  ['PK\u0003\u0004', 'a ZIP archive'],
  ['\u001f\u008b', 'a gzip archive'],
  ['BZh', 'a bzip2 archive'],
  ['\u0089PNG', 'a picture'],
  ['%PDF', 'a PDF document'],
]

/** ONNX is a protobuf whose first field is the version of its format: tag 1, a small number. */
const ONNX_FIRST_TAG = 0x08
/** The format counts up by one every year or so; it stands at 13. */
const MAX_ONNX_VERSION = 64
/** GGUF is at its third version; version 1 is no longer read by llama.cpp. */
const MAX_GGUF_VERSION = 16
/** More tensors or keys than any model has; a hostile header asks for the allocation of billions. */
const MAX_GGUF_COUNT = 1_000_000n

/** Undefined where the first bytes are those of the wanted format; else what came, in words. */
export function otherThan(wanted: Format, head: Uint8Array): string | undefined {
  if (wanted === 'any') return undefined
  if (head.length === 0) return 'an empty file'
  const found = nameOf(head)
  if (found !== FORMAT_WORDS[wanted]) return found ?? 'something unknown'
  return wanted === 'gguf' && !isPlausibleGguf(head) ? 'a GGUF file with a damaged head' : undefined
}

/** The format as far as the first bytes tell it. */
export function formatOf(head: Uint8Array): Format | undefined {
  const found = nameOf(head)
  return FORMATS.find((format) => format !== 'any' && FORMAT_WORDS[format] === found)
}

function nameOf(head: Uint8Array): string | undefined {
  const text = Buffer.from(head.subarray(0, HEAD_BYTES)).toString('latin1')
  const mark = MARKS.find(([begins]) => text.startsWith(begins) || (begins === '<' && /^\s*</.test(text)))
  if (mark !== undefined) return mark[1]
  const [tag = 0, version = 0] = head
  return tag === ONNX_FIRST_TAG && version > 0 && version <= MAX_ONNX_VERSION ? FORMAT_WORDS.onnx : undefined
}

/** Version, number of tensors and number of keys, each little-endian, follow the four letters. */
function isPlausibleGguf(head: Uint8Array): boolean {
  if (head.length < 24) return false
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const version = view.getUint32(4, true)
  if (version < 2 || version > MAX_GGUF_VERSION) return false
  return view.getBigUint64(8, true) <= MAX_GGUF_COUNT && view.getBigUint64(16, true) <= MAX_GGUF_COUNT
}
