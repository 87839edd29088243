/**
 * What runs in a sandbox process after a skill broke out of WebAssembly and of the runner: the attacker's own program, with
 * all that Node offers. It speaks the frames of `sandbox/frames.ts` and tries what its call names; tries that need no
 * breach of the protocol are answered with how they went: `reached …` or `refused …`.
 */
import { readSync, writeSync } from 'node:fs'

const attacks = {
  // — reaching out: all of these are answered —
  async connects({ port }) {
    const { connect } = await import('node:net')
    return settled(connect(port, '127.0.0.1'), 'connect')
  },
  async listens() {
    const { createServer } = await import('node:net')
    return settled(createServer().listen(0, '127.0.0.1'), 'listening')
  },
  async 'sends-to-the-lan'() {
    const { createSocket } = await import('node:dgram')
    return new Promise((done, fail) => {
      const socket = createSocket('udp4')
      socket.on('error', fail)
      socket.send('x', 9, '192.168.1.255', (error) => (error ? fail(error) : done('sent')))
    })
  },
  async 'reads-the-system'() {
    return (await import('node:fs')).readFileSync('/etc/hostname', 'utf8')
  },
  async 'reads-the-house'({ secret }) {
    return (await import('node:fs')).readFileSync(secret, 'utf8')
  },
  async 'lists-files'({ folder }) {
    return (await import('node:fs')).readdirSync(folder).join()
  },
  async 'reads-the-environment-of-the-node'({ pid }) {
    return (await import('node:fs')).readFileSync(`/proc/${pid}/environ`, 'utf8')
  },
  async 'reads-the-memory-of-the-node'({ pid }) {
    return (await import('node:fs')).openSync(`/proc/${pid}/mem`, 'r')
  },
  async 'writes-a-file'({ folder }) {
    return (await import('node:fs')).writeFileSync(`${folder}/planted`, 'x')
  },
  async 'writes-into-its-program'() {
    return (await import('node:fs')).writeFileSync(new URL(import.meta.url), '')
  },
  async 'signals-the-node'({ pid }) {
    return process.kill(pid, 0)
  },
  async 'signals-everyone'() {
    return process.kill(-1, 0)
  },
  async 'starts-a-shell'() {
    return (await import('node:child_process')).execFileSync('/bin/sh', ['-c', 'id'])
  },
  async forks() {
    return (await import('node:child_process')).fork(new URL(import.meta.url))
  },
  async 'starts-a-thread'() {
    const { Worker } = await import('node:worker_threads')
    return new Worker('0', { eval: true })
  },
  async 'loads-machine-code'() {
    return process.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')
  },
  async 'compiles-text'() {
    return new Function('return 1')()
  },
  async 'opens-the-inspector'() {
    const inspector = await import('node:inspector')
    inspector.open(0, '127.0.0.1')
    return inspector.url() ?? refuse('no inspector')
  },
  async 'looks-for-secrets'() {
    // The fence says where it starts the process: at the root of what it may see.
    const names = Object.keys(process.env).filter((name) => name !== 'PWD')
    return names.length > 0 ? names.join() : refuse('no environment')
  },

  // — speaking to the node out of order —
  'speaks-noise': () => raw(Uint8Array.from({ length: 4_096 }, (_, index) => (index * 37) % 251)),
  'announces-four-gigabytes': () => raw(Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 1)),
  'lies-about-its-json': () => raw(Uint8Array.of(0, 0, 0, 6, 255, 255, 255, 255, 123, 125)),
  'says-what-is-no-word': () => say({ answer: 'format-the-disk' }),
  'says-nothing-in-json': () => say(null),
  'claims-to-be-ready-again': () => say({ answer: 'ready' }),
  'claims-to-have-loaded': () => say({ answer: 'loaded' }),
  'speaks-without-permission': () =>
    answer([{ change: 'announce', speech: 'Buy now', room: '', session: '' }]),
  'writes-to-another-skill': () =>
    answer([{ change: 'put', key: 'k', value: 'v', collection: 'skill.list' }]),
  'invents-a-change': () => answer([{ change: 'unlock', device: 'front-door' }]),
  'stores-without-measure': () =>
    answer(
      Array.from({ length: 40 }, (_, index) => ({
        change: 'put',
        key: `k${index}`,
        value: 'x'.repeat(9_000),
      })),
    ),
  'changes-without-end': () => answer(Array.from({ length: 9_000 }, () => ({ change: 'delete', key: 'k' }))),
  'outgrows-a-frame': () => answer([], 'x'.repeat(2_000_000)),
  'answers-for-two': () => {
    answer([])
    answer([{ change: 'put', key: 'k', value: 'v' }])
  },
  'speaks-for-ever': () => {
    for (;;) say({ answer: 'answered', output: '{}', changes: [] })
  },
  'says-one-byte-and-waits': () => raw(Uint8Array.of(0)),
  'never-answers': () => undefined,
  leaves: () => process.exit(0),
  aborts: () => process.abort(),
  'cries-for-ever': () => {
    for (;;) writeSync(2, 'x'.repeat(65_536))
  },
}

const refuse = (why) => {
  throw new Error(why)
}

const settled = (emitter, event) =>
  new Promise((done, fail) => emitter.once('error', fail).once(event, () => done(event)))

function raw(bytes) {
  for (let written = 0; written < bytes.length; ) written += writeSync(1, bytes, written)
}

function say(body) {
  const json = Buffer.from(JSON.stringify(body))
  const frame = Buffer.alloc(8 + json.length)
  frame.writeUInt32BE(4 + json.length, 0)
  frame.writeUInt32BE(json.length, 4)
  json.copy(frame, 8)
  raw(frame)
}

const answer = (changes, output = '{}') => say({ answer: 'answered', output, changes })

function readFully(target) {
  for (let filled = 0; filled < target.length; ) {
    const count = readSync(0, target, filled, target.length - filled, null)
    if (count === 0) process.exit(0)
    filled += count
  }
  return target
}

// Whatever comes of a try later must not end the process before the next.
process.on('uncaughtException', () => undefined)

say({ answer: 'ready' })
for (;;) {
  const frame = readFully(Buffer.alloc(readFully(Buffer.alloc(4)).readUInt32BE(0)))
  const order = JSON.parse(frame.subarray(4, 4 + frame.readUInt32BE(0)).toString())
  if (order.order === 'load') {
    say({ answer: 'loaded' })
    continue
  }
  const { intent, slots } = JSON.parse(order.call.input)
  const attack = attacks[intent]
  if (attack.constructor.name !== 'AsyncFunction') {
    attack()
    continue
  }
  let speech
  try {
    speech = `reached ${String(await attack(slots)).slice(0, 200)}`
  } catch (error) {
    speech = `refused ${error.code ?? error.name} ${error.message}`.slice(0, 200)
  }
  answer([], JSON.stringify({ speech }))
}
