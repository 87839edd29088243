/** Carries out what the node orders: skills are loaded, and called. Whatever an order says, there is an answer to it. */
import type { SkillCall } from '../../call.ts'
import { decodeFrame } from '../frames.ts'
import type { Answer, Order } from '../protocol.ts'
import { unpackScript } from '../script-source.ts'
import { Stop } from './kernel.ts'
import { LoadedModule } from './module.ts'

/** A skill, ready to be called. */
interface Loaded {
  run(call: SkillCall): Answer
  /** While there is nothing else to do: gets ready for the next call. */
  makeReady(): Promise<void>
}

export interface Answered {
  readonly answer: Answer
  /** Whom the order was about. */
  readonly skill: string
}

export class OrderBook {
  readonly #loaded = new Map<string, Loaded>()

  /** `frame`: what follows its first four bytes. Never throws. */
  async answer(frame: Uint8Array): Promise<Answered> {
    let skill = ''
    try {
      const { body, payload } = decodeFrame(frame)
      const order = body as Order
      skill = order.skill
      return { answer: order.order === 'load' ? await this.#load(order, payload) : this.#call(order), skill }
    } catch (thrown) {
      return { answer: failure(thrown), skill }
    }
  }

  /** After the answer went out. */
  async makeReady(skill: string): Promise<void> {
    await this.#loaded.get(skill)?.makeReady()
  }

  #call({ skill, call }: Extract<Order, { order: 'call' }>): Answer {
    const loaded = this.#loaded.get(skill)
    if (loaded === undefined) throw new Stop('skill-crashed', 'its module is not loaded')
    return loaded.run(call)
  }

  async #load(order: Extract<Order, { order: 'load' }>, payload: Uint8Array): Promise<Answer> {
    const { runtime, skill, permissions, budget, ahead, memory } = order
    if (runtime === 'typescript') {
      // Most sandboxes never see a script: what runs it is read when one comes.
      const { loadScript } = await import('./script.ts')
      this.#loaded.set(skill, await loadScript(unpackScript(payload), permissions, budget))
    } else {
      this.#loaded.set(skill, new LoadedModule({ bytes: payload, permissions, budget, ahead, memory }))
    }
    return { answer: 'loaded' }
  }
}

function failure(thrown: unknown): Answer {
  if (thrown instanceof Stop) return { answer: 'failed', fault: thrown.fault, message: thrown.message }
  if (thrown instanceof WebAssembly.CompileError || thrown instanceof WebAssembly.LinkError) {
    return { answer: 'failed', fault: 'skill-refused', message: 'its module cannot be loaded' }
  }
  const message = thrown instanceof RangeError ? 'it used up its stack' : 'it executed an illegal operation'
  return { answer: 'failed', fault: 'skill-trapped', message }
}
