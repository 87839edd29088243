/** The key of what a node keeps, as its person meets it: at the start, with a message that says what to do and exit code 78. */
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { QUIET } from './ports.ts'
import { command, RunningNode } from './running-node.ts'

let node: RunningNode
let secret: string

beforeAll(async () => {
  node = await RunningNode.start((data) => {
    secret = join(data, '..', `passphrase-${process.pid}`)
    writeFileSync(secret, 'correct horse battery\n', { mode: 0o600 })
    return [...QUIET, '--set', `store.passphrase_file=${secret}`]
  }, 'says-so')
  await node.loqa('persons', 'add', 'Anna')
  await node.end('SIGTERM')
}, 120_000)
afterAll(async () => {
  await node?.dispose()
  rmSync(secret, { force: true })
})

const again = (...more: string[]) =>
  command('loqa-node', ['--data', node.data, '--port', '0', '--http-port', '0', ...QUIET, ...more])

test('a passphrase seals the key, and the node goes on with it', async () => {
  expect(readFileSync(join(node.data, 'store.key'), 'utf8')).toContain('scrypt')
  await node.start()
  expect((await node.loqa('persons', 'ls')).stdout).toContain('Anna')
  expect((await node.loqa('doctor')).stdout).toMatch(/key at rest.*600, sealed by a passphrase/)
  await node.end('SIGTERM')
})

test('a wrong one, none, and one that is too short stop the start, each with what to do', async () => {
  const none = await again()
  expect([none.code, none.stderr]).toEqual([78, expect.stringContaining('Set store.passphrase_file')])

  writeFileSync(secret, 'another horse battery\n')
  const wrong = await again('--set', `store.passphrase_file=${secret}`)
  expect(wrong.code).toBe(78)
  expect(wrong.stderr).toMatch(/passphrase does not open .*store\.key/)
  expect(wrong.stderr).not.toContain('another horse')

  writeFileSync(secret, 'short\n')
  const short = await again('--set', `store.passphrase_file=${secret}`)
  expect([short.code, short.stderr]).toEqual([78, expect.stringContaining('8 to 1024')])
  const absent = await again('--set', 'store.passphrase_file=/nowhere/at/all')
  expect([absent.code, absent.stderr]).toEqual([78, expect.stringContaining('store.passphrase_file')])
})

test('a key that others may read, is damaged, or is gone while its files are there, stops the start', async () => {
  const path = join(node.data, 'store.key')
  writeFileSync(secret, 'correct horse battery\n')
  const start = () => again('--set', `store.passphrase_file=${secret}`)

  chmodSync(path, 0o644)
  const exposed = await start()
  expect([exposed.code, exposed.stderr]).toEqual([
    78,
    expect.stringContaining('others may read it (mode 644)'),
  ])
  chmodSync(path, 0o600)

  const whole = readFileSync(path)
  writeFileSync(path, whole.subarray(0, 100))
  const damaged = await start()
  expect([damaged.code, damaged.stderr]).toEqual([78, expect.stringContaining('is damaged')])

  writeFileSync(path, whole)
  renameSync(path, `${secret}.key`)
  const missing = await start()
  expect([missing.code, missing.stderr]).toEqual([
    78,
    expect.stringMatching(/(household|replica|timeline)\S* was sealed with it/),
  ])
  renameSync(`${secret}.key`, path)
  await node.start()
  expect((await node.loqa('persons', 'ls')).stdout).toContain('Anna')
})
