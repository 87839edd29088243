import { describe, expect, it } from 'vitest'
import { InvalidInputError, monotonic } from '../../../src/host/index.ts'
import { EngineBroken } from '../../../src/store/crdt/errors.ts'
import { GROUP_MS, type GroupPorts, runGroup, type Work } from '../../../src/store/crdt/group.ts'
import { StoreFull, StoreIoError } from '../../../src/store/errors.ts'

/** A disk that holds `space` things, and writes down what happened. */
function stage(
  options: { space?: number; waiting?: Work<string>[]; flush?: () => void; work_ms?: number } = {},
) {
  const { space = Number.POSITIVE_INFINITY, waiting = [], work_ms = 0 } = options
  const happened: string[] = []
  let held = 0
  let staged = 0
  let now = 0
  const ports: GroupPorts<string> = {
    clock: { monotonic: () => monotonic(now) },
    next: () => waiting.shift(),
    flush() {
      options.flush?.()
      if (held + staged > space) throw new StoreFull()
      held += staged
      staged = 0
      happened.push('flush')
    },
    async discard() {
      staged = 0
      happened.push('discard')
    },
    done: (id) => happened.push(`done ${id}`),
    failed: (id, { code }) => happened.push(`${code} ${id}`),
  }
  const work = (id: number, size = 1): Work<string> => ({
    id,
    run: () => {
      staged += size
      now += work_ms
      happened.push(`run ${id}`)
      return ''
    },
  })
  return { ports, happened, work, waiting }
}

const failing = (id: number, error: Error): Work<string> => ({
  id,
  run: () => {
    throw error
  },
})

describe('a group', () => {
  it('is answered after one flush, in the order it was asked', async () => {
    const { ports, happened, work, waiting } = stage()
    waiting.push(work(2), work(3))
    await runGroup(work(1), ports)
    expect(happened).toEqual(['run 1', 'run 2', 'run 3', 'flush', 'done 1', 'done 2', 'done 3'])
  })

  it('gathers no longer than its time', async () => {
    const { ports, happened, work, waiting } = stage({ work_ms: GROUP_MS / 2 })
    waiting.push(work(2), work(3), work(4))
    await runGroup(work(1), ports)
    expect(happened).toEqual(['run 1', 'run 2', 'flush', 'done 1', 'done 2'])
    expect(waiting).toHaveLength(2)
  })

  it('does not suffer from one that is refused', async () => {
    const { ports, happened, work, waiting } = stage()
    waiting.push(failing(2, new InvalidInputError('no')), work(3))
    await runGroup(work(1), ports)
    expect(happened).toEqual(['run 1', 'run 3', 'flush', 'done 1', 'invalid-input 2', 'done 3'])
  })

  it('that does not fit is done singly: the one that is too large fails alone', async () => {
    const { ports, happened, work, waiting } = stage({ space: 3 })
    waiting.push(work(2, 10), work(3))
    await runGroup(work(1), ports)
    expect(happened.filter((event) => !event.startsWith('run'))).toEqual([
      'discard',
      'flush',
      'done 1',
      'discard',
      'store-full 2',
      'flush',
      'done 3',
    ])
  })

  it('that the disk refuses fails whole, after going back to what is durable', async () => {
    const flush = (): void => {
      throw new StoreIoError('broken')
    }
    const { ports, happened, work, waiting } = stage({ flush })
    waiting.push(work(2))
    await runGroup(work(1), ports)
    expect(happened).toEqual(['run 1', 'run 2', 'discard', 'store-io 1', 'store-io 2'])
  })

  it('in which the engine breaks keeps nothing half done: all but the one that broke it are done again', async () => {
    const { ports, happened, work, waiting } = stage()
    waiting.push(failing(2, new EngineBroken('trap')), work(3))
    await runGroup(work(1), ports)
    expect(happened).toEqual([
      'run 1',
      'run 3',
      'discard',
      'store-engine 2',
      'run 1',
      'flush',
      'done 1',
      'run 3',
      'flush',
      'done 3',
    ])
  })
})
