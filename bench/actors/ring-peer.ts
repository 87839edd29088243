/** A bare ring buffer between two functions: what this machine could do with no actor system at all. */
import { serve } from './peer.ts'

class Ring<T> {
  readonly #slots: (T | undefined)[]
  readonly #mask: number
  #head = 0
  #tail = 0

  constructor(slots: number) {
    this.#slots = new Array<T | undefined>(slots).fill(undefined)
    this.#mask = slots - 1
  }

  push(value: T): void {
    this.#slots[this.#tail & this.#mask] = value
    this.#tail += 1
  }

  shift(): T | undefined {
    if (this.#head === this.#tail) return undefined
    const at = this.#head & this.#mask
    const value = this.#slots[at]
    this.#slots[at] = undefined
    this.#head += 1
    return value
  }
}

async function tell(count: number): Promise<number[]> {
  const ring = new Ring<{ type: 'number'; value: number }>(1024)
  let sum = 0
  const begin = performance.now()
  for (let at = 0; at < count; at += 1000) {
    const end = Math.min(count, at + 1000)
    for (let value = at; value < end; value += 1) ring.push({ type: 'number', value })
    for (let message = ring.shift(); message !== undefined; message = ring.shift()) sum += message.value
  }
  const took = performance.now() - begin
  if (sum !== (count * (count - 1)) / 2) throw new Error('sum')
  return [(count / took) * 1000]
}

async function ask(count: number): Promise<number[]> {
  const questions = new Ring<{ value: number; from: Ring<number> }>(16)
  const answers = new Ring<number>(16)
  const batches: number[] = []
  for (let batch = 0; batch < count / 1000; batch += 1) {
    const begin = performance.now()
    for (let i = 0; i < 1000; i += 1) {
      questions.push({ value: i, from: answers })
      const question = questions.shift()!
      question.from.push(question.value)
      if (answers.shift() !== i) throw new Error('answer')
    }
    batches.push(performance.now() - begin)
  }
  return batches
}

async function spawn(count: number): Promise<number[]> {
  const actors = new Map<string, object>()
  const begin = performance.now()
  for (let i = 0; i < count; i += 1) actors.set(`i${i}`, { state: undefined, queue: new Ring(8) })
  return [(actors.size / (performance.now() - begin)) * 1000]
}

serve({ tell, ask, spawn })
