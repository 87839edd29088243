/**
 * A model is fetched by the real command from a real web server: killed twice in the middle it goes on where it stopped, a byte
 * that was spoilt on the way never ends up in its place, a file that stays spoilt is refused by name, and so is a full disk.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { type FileServer, type ServerOptions, serveFile } from './model-server.ts'
import { fill, mountSmallDisk } from './small-disk.ts'

const LOQA = fileURLToPath(new URL('../../bin/loqa', import.meta.url))
const MB = 1_000_000
const SIZE = 6 * MB

const content = Buffer.concat([Buffer.from('lmgg'), randomBytes(SIZE - 4)])
const sha256 = createHash('sha256').update(content).digest('hex')

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

async function server(options: Partial<ServerOptions> = {}): Promise<FileServer> {
  const served = await serveFile(content, { bytes_per_s: 3 * MB, ...options })
  undo.push(() => served.close())
  return served
}

function dataDirectory(): string {
  const data = mkdtempSync(join(tmpdir(), 'loqa-pull-'))
  undo.push(() => rmSync(data, { recursive: true, force: true }))
  return data
}

interface Pulling {
  readonly child: ChildProcess
  readonly ended: Promise<{ code: number | null; out: string; err: string }>
}

function pull(url: string, data: string, ...more: string[]): Pulling {
  const args = ['models', 'pull', url, '--sha256', sha256, '--as', 'test', '--data', data, ...more]
  const child = spawn(LOQA, args, { env: { ...process.env, LOQA_CONFIG: '' } })
  let out = ''
  let err = ''
  child.stdout.on('data', (part: Buffer) => {
    out += part.toString()
  })
  child.stderr.on('data', (part: Buffer) => {
    err += part.toString()
  })
  undo.push(() => child.kill('SIGKILL'))
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on('close', (code) => resolve({ code, out, err })),
  )
  return { child, ended }
}

const pulled = (data: string): string => join(data, 'models', 'pulled')
const target = (data: string): string => join(pulled(data), 'test.ggml-test.bin')

describe('a download from a slow server', { timeout: 60_000 }, () => {
  test('killed twice, one byte spoilt once: it goes on, names the damage, and ends with the right file', async () => {
    const served = await server()
    const data = dataDirectory()
    for (const share of [1 / 3, 2 / 3]) {
      const run = pull(served.url, data)
      await served.until(SIZE * share)
      expect(existsSync(target(data))).toBe(false)
      run.child.kill('SIGKILL')
      await run.ended
    }
    const part = statSync(`${target(data)}.part`).size
    expect(part).toBeGreaterThan(SIZE / 3)
    served.spoil(SIZE - 1_000)
    const { code, out, err } = await pull(served.url, data).ended

    expect(code, err).toBe(0)
    expect(out).toContain('test is here and right')
    // The second and the third went on; the spoilt file was refused by name and fetched once more, in one piece.
    expect(served.asked).toHaveLength(4)
    const [first, second, third, last] = served.asked
    expect(first).toBe(0)
    expect(second).toBeGreaterThan(0)
    expect(third).toBe(part)
    expect(last).toBe(0)
    expect(err).toMatch(
      /test \(ggml-test\.bin\) from http:\S+ is damaged .*SHA-256 is [0-9a-f]{64}, expected/,
    )
    expect(
      createHash('sha256')
        .update(readFileSync(target(data)))
        .digest('hex'),
    ).toBe(sha256)
    // Once in three pieces and once whole, not everything three times; what was under way when it was killed is lost.
    expect(served.sent()).toBeLessThan(SIZE * 2.3)
    expect(readdirSync(pulled(data)).sort()).toEqual(['manifest.json', 'test.ggml-test.bin'])
  })

  test('killed twice and nothing spoilt: hardly a byte is sent twice', async () => {
    const served = await server()
    const data = dataDirectory()
    for (const share of [1 / 3, 2 / 3]) {
      const run = pull(served.url, data)
      await served.until(SIZE * share)
      run.child.kill('SIGKILL')
      await run.ended
    }
    const { code, err } = await pull(served.url, data).ended
    expect(code, err).toBe(0)
    expect(readFileSync(target(data)).equals(content)).toBe(true)
    expect(served.sent()).toBeLessThan(SIZE * 1.15)
  })

  test('a file that is always spoilt is refused by name, and nothing is left in its place', async () => {
    const served = await server({ bytes_per_s: 100 * MB })
    served.spoil(SIZE / 2, true)
    const data = dataDirectory()
    const { code, err } = await pull(served.url, data).ended
    expect(code).toBe(1)
    expect(err).toContain('test (ggml-test.bin)')
    expect(err).toContain(`expected ${sha256}`)
    expect(readdirSync(pulled(data))).toEqual([])
    expect(served.asked).toEqual([0])
  })

  test('a server that knows no ranges begins at the first byte, and is believed', async () => {
    const served = await server({ ignoresRange: true })
    const data = dataDirectory()
    const run = pull(served.url, data)
    await served.until(SIZE / 3)
    run.child.kill('SIGKILL')
    await run.ended
    const { code, err } = await pull(served.url, data).ended
    expect(code, err).toBe(0)
    expect(err).toContain('Beginning again')
    expect(readFileSync(target(data)).equals(content)).toBe(true)
  })

  test('two at once: the second is told who is at work', async () => {
    const served = await server()
    const data = dataDirectory()
    const first = pull(served.url, data)
    await served.until(1)
    const second = await pull(served.url, data).ended
    expect(second.code).toBe(75)
    expect(second.err).toContain('Another command changes the models here')
    expect((await first.ended).code).toBe(0)
  })

  test('for scripts: one event a line, the last one names the model', async () => {
    const served = await server()
    const { code, out } = await pull(served.url, dataDirectory(), '--json').ended
    expect(code).toBe(0)
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; bytes?: number; model?: { id: string } })
    expect(events).toContainEqual({ event: 'host', host: new URL(served.url).host })
    expect(events.some(({ event, bytes }) => event === 'progress' && (bytes ?? 0) > 0)).toBe(true)
    expect(events.at(-1)).toMatchObject({ event: 'done', model: { id: 'test' } })
  })
})

test('a disk without room for it is said before anything is fetched', {
  timeout: 30_000,
}, async (context) => {
  const disk = mountSmallDisk('loqa-pull-disk-', '3m')
  undo.push(() => disk.unmount())
  if (!disk.mounted) context.skip()
  const served = await server({ bytes_per_s: 100 * MB })
  const { code, err } = await pull(served.url, disk.directory).ended
  expect(code).toBe(1)
  expect(err).toMatch(/test \(ggml-test\.bin\) needs \d+ more bytes on the disk, \d+ are free/)
  expect(existsSync(target(disk.directory))).toBe(false)
})

test('a disk that fills up in the middle: it is said, and the same command goes on', {
  timeout: 30_000,
}, async (context) => {
  const disk = mountSmallDisk('loqa-pull-disk-', '90m')
  undo.push(() => disk.unmount())
  if (!disk.mounted) context.skip()
  const served = await server()
  const filler = join(disk.directory, 'filler')
  const run = pull(served.url, disk.directory)
  await served.until(SIZE / 3)
  fill(filler)
  const { code, err } = await run.ended
  expect(code).toBe(1)
  expect(err).toContain('The disk is full while test (ggml-test.bin) is fetched')
  expect(existsSync(target(disk.directory))).toBe(false)
  const part = statSync(`${target(disk.directory)}.part`).size
  rmSync(filler)
  const again = await pull(served.url, disk.directory).ended
  expect(again.code, again.err).toBe(0)
  expect(served.asked).toEqual([0, part])
  expect(readFileSync(target(disk.directory)).equals(content)).toBe(true)
})
