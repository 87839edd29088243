/** Promised: what goes through a pipe at once and what goes through its stream is one sequence, both ways, whatever its size. */
import { spawn } from 'node:child_process'
import { afterEach, expect, it } from 'vitest'
import { SimulatedRandom } from '../../../src/host/simulated/index.ts'
import { look, writeAtOnce } from '../../../src/skills/sandbox/real-pipe.ts'

const children: { kill(signal: 'SIGKILL'): boolean }[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Says what it is told. */
function parrot() {
  const child = spawn('cat', { stdio: ['pipe', 'pipe', 'ignore'] })
  children.push(child)
  return child
}

it('nothing is lost, twice or out of place', async () => {
  const random = new SimulatedRandom(7)
  const { stdin, stdout } = parrot()
  const sent: Uint8Array[] = []
  const heard: Uint8Array[] = []
  const counts = { looked: 0, streamed: 0, at_once: 0, rest: 0 }
  stdout.on('data', (chunk: Buffer) => {
    counts.streamed += 1
    heard.push(chunk)
  })
  // On a busy machine the other side may answer nothing for long: it goes on until every way was taken.
  const isOneSided = (): boolean => Object.values(counts).some((count) => count <= 5)
  for (let round = 0; round < 400 || (round < 2_000 && isOneSided()); round += 1) {
    const bytes = new Uint8Array(random.below(10) === 0 ? 300_000 : 1 + random.below(2_000))
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = (round * 31 + at) & 255
    sent.push(bytes)
    const written = stdin.writableLength === 0 ? writeAtOnce(stdin, bytes) : 0
    counts.at_once += written > 0 ? 1 : 0
    if (written < bytes.length) {
      counts.rest += 1
      stdin.write(bytes.subarray(written))
    }
    const chunk = random.below(2) === 0 ? look(stdout) : undefined
    if (chunk !== undefined) {
      counts.looked += 1
      heard.push(chunk)
    }
    if (round >= 400 || random.below(4) === 0) await new Promise((done) => setImmediate(done))
  }
  stdin.end()
  await new Promise((done) => stdout.once('end', done))
  expect(Buffer.concat(heard).equals(Buffer.concat(sent))).toBe(true)
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(5)
}, 30_000)

it('whoever is gone has nothing to say, and takes nothing', async () => {
  const child = parrot()
  child.kill('SIGKILL')
  await new Promise((done) => child.once('close', done))
  expect(look(child.stdout)).toBeUndefined()
  expect(writeAtOnce(child.stdin, new Uint8Array(10))).toBe(0)
})
