/** OpenFst's binary form of a vector FST over the tropical semiring, as sherpa-onnx reads it. */

/** Labels: 0 is none. Costs add up; the cheapest path wins. */
export interface Arc {
  readonly input: number
  readonly output: number
  readonly cost: number
  readonly to: number
}

export interface State {
  readonly arcs: readonly Arc[]
  /** What it costs to stop here. */
  readonly final: number
}

const MAGIC = 2_125_659_606
const VERSION = 2
const HEAD_BYTES = 40
const STATE_BYTES = 12
const ARC_BYTES = 16

/** State 0 is the start. */
export function encodeFst(states: readonly State[]): Buffer {
  const arcs = states.reduce((sum, state) => sum + state.arcs.length, 0)
  const magic = Buffer.alloc(4)
  magic.writeInt32LE(MAGIC)
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeInt32LE(VERSION, 0)
  head.writeInt32LE(0, 4) // no symbol tables inside
  head.writeBigUInt64LE(3n, 8) // expanded and mutable, as every vector FST
  head.writeBigInt64LE(0n, 16)
  head.writeBigInt64LE(BigInt(states.length), 24)
  head.writeBigInt64LE(BigInt(arcs), 32)
  const body = Buffer.alloc(states.length * STATE_BYTES + arcs * ARC_BYTES)
  let at = 0
  for (const state of states) {
    at = body.writeFloatLE(state.final, at)
    at = body.writeBigInt64LE(BigInt(state.arcs.length), at)
    for (const { input, output, cost, to } of state.arcs) {
      at = body.writeInt32LE(input, at)
      at = body.writeInt32LE(output, at)
      at = body.writeFloatLE(cost, at)
      at = body.writeInt32LE(to, at)
    }
  }
  return Buffer.concat([magic, named('vector'), named('standard'), head, body])
}

function named(text: string): Buffer {
  const bytes = Buffer.alloc(4 + text.length)
  bytes.writeInt32LE(text.length)
  bytes.write(text, 4, 'latin1')
  return bytes
}
