/** nact 7.6.2 as it is, doing what ours.ts does. */
import { dispatch, query, type Ref, spawn, start, stop } from 'nact'
import { serve } from './peer.ts'

let systems = 0
const system = () => {
  systems += 1
  return start({ name: `bench${systems}` } as never)
}

interface Numbered {
  readonly value: number
}

async function tell(count: number): Promise<number[]> {
  const root = system()
  const { promise, resolve } = Promise.withResolvers<number>()
  let left = count
  let sum = 0
  const receiver = spawn(
    root,
    (_state: undefined, { value }: Numbered) => {
      sum += value
      left -= 1
      if (left === 0) resolve(sum)
      return undefined
    },
    'receiver',
  )
  const sender = spawn(
    root,
    () => {
      for (let value = 0; value < count; value += 1) dispatch(receiver, { value })
      return undefined
    },
    'sender',
  )
  const begin = performance.now()
  dispatch(sender as never, 'go' as never)
  if ((await promise) !== (count * (count - 1)) / 2) throw new Error('sum')
  const took = performance.now() - begin
  stop(root)
  return [(count / took) * 1000]
}

async function ask(count: number): Promise<number[]> {
  const root = system()
  const echo = spawn(
    root,
    (_state: undefined, message: number, context: unknown) => {
      // The typings leave the sender out on purpose.
      dispatch((context as { sender: Ref<number> }).sender, message)
      return undefined
    },
    'echo',
  )
  const batches: number[] = []
  for (let batch = 0; batch < count / 1000; batch += 1) {
    const begin = performance.now()
    for (let i = 0; i < 1000; i += 1) await query(echo as never, i as never, 5_000)
    batches.push(performance.now() - begin)
  }
  stop(root)
  return batches
}

const idle = (): undefined => undefined

async function spawnRate(count: number): Promise<number[]> {
  const root = system()
  const begin = performance.now()
  for (let i = 0; i < count; i += 1) spawn(root, idle, `i${i}`)
  const took = performance.now() - begin
  stop(root)
  return [(count / took) * 1000]
}

async function memory(count: number): Promise<number[]> {
  const root = system()
  global.gc!()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < count; i += 1) spawn(root, idle, `i${i}`)
  global.gc!()
  const bytes = (process.memoryUsage().heapUsed - before) / count
  stop(root)
  return [bytes]
}

/** Messages per second to a parent that has so many children. */
async function siblings(count: number): Promise<number[]> {
  const root = system()
  let left = 0
  let done: () => void = () => undefined
  const parent = spawn(
    root,
    () => {
      left -= 1
      if (left === 0) done()
      return undefined
    },
    'parent',
  )
  for (let i = 0; i < count; i += 1) spawn(parent, idle, `i${i}`)
  left = count > 1000 ? 500 : 5_000
  const told = left
  const { promise, resolve } = Promise.withResolvers<void>()
  done = resolve
  const begin = performance.now()
  for (let i = 0; i < told; i += 1) dispatch(parent as never, i as never)
  await promise
  const took = performance.now() - begin
  stop(root)
  return [(told / took) * 1000]
}

serve({ tell, ask, spawn: spawnRate, memory, siblings })
