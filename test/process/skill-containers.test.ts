/**
 * Skills in containers, by a real Podman. Promised of the program in one: it is called like any other skill, gets nothing of the
 * machine, the network or the house, is judged by the same rules, ends at its deadline, and leaves nothing behind; and where there is
 * no engine, or not its image, that is said in words.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { realHost } from '../../src/host/real.ts'
import { Containers } from '../../src/skills/containers/index.ts'
import { PATIENT_MS } from '../skills/house-skills.ts'
import { builtAdapter } from './adapters/adapter.ts'
import { attack, REACHING } from './adapters/attacks.ts'
import { podmanIn, type TestEngine } from './adapters/podman.ts'
import { openHouse, type TestHouse } from './house.ts'

const root = mkdtempSync(join(tmpdir(), 'loqa-containers-'))
const program = builtAdapter(join(root, 'adapter'))
const engine: TestEngine | undefined =
  program === undefined ? undefined : await podmanIn(join(root, 'engine'), program)

afterAll(async () => {
  await engine?.stop()
  rmSync(root, { recursive: true, force: true })
})

describe.skipIf(engine === undefined)('a skill in a container (needs root, Podman, a C compiler)', () => {
  let house: TestHouse
  let server: Server
  let visits = 0

  beforeAll(async () => {
    const image = await engine!.image('localhost/adapter', program!)
    for (const name of ['tool', 'slow']) write(name, image)
    write('volume', await engine!.image('localhost/volume', program!, ['VOLUME /data']))
    write('gone', `localhost/gone@sha256:${'0'.repeat(64)}`)
    server = createServer(() => {
      visits += 1
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    house = await openHouse(join(root, 'data'), ['', join(root, 'skills')], {}, [engine!.socket])
    expect(house.skills.catalogue.unusable).toEqual([])
  }, 60_000)
  afterAll(async () => {
    await house.stop()
    server.close()
  })

  function write(name: string, image: string): void {
    const manifest = [
      ...[`name: ${name}`, 'version: 1.0.0', 'publisher: test', 'licence: MIT', 'summary: Tests.', 'zone: 3'],
      'runtime: container',
      `container: { image: "${image}", memory_mb: 48, pids: 16 }`,
      'permissions: [{ use: storage, why: test }]',
      `budgets: { call_ms: ${name === 'slow' ? 500 : 2_000}, memory_kb: 1024, host_calls: 64, storage_kb: 16 }`,
      `intents: { ${name}.go: { templates: ["${name} go"] } }`,
    ]
    mkdirSync(join(root, 'skills', name), { recursive: true })
    writeFileSync(join(root, 'skills', name, 'skill.yaml'), manifest.join('\n'))
  }

  const call = (name: string, what: string) => attack(house.skills, name, what, server, root)

  it('answers, and stores what it was granted', async () => {
    expect(await call('tool', 'echo')).toMatchObject({ answer: { speech: 'I am here' } })
    expect(await call('tool', 'stores')).toMatchObject({ changes: [{ change: 'put', key: 'a', value: 'b' }] })
  })

  it.each(REACHING)('%s and reaches nothing', async (what) => {
    expect(await call('tool', what)).toMatchObject({
      answer: { speech: expect.stringMatching(/^refused /) },
    })
    expect(visits).toBe(0)
    expect(await alive('tool')).toBe(1)
  })

  it.each([
    ['hoards', 'skill-crashed'],
    ['leaves', 'skill-crashed'],
    ['cries-for-ever', 'skill-crashed'],
    ['loops', 'skill-timeout'],
    ['speaks-noise', 'skill-escape'],
    ['commands-a-lock', 'skill-escape'],
  ])('%s ends with %s, and its container with it', async (attack, code) => {
    expect(await call('slow', attack)).toMatchObject({ code })
    await expect.poll(() => alive('slow'), { timeout: PATIENT_MS }).toBe(0)
    house.skills.enable('slow')
  })

  it('is not run from an image that wants a place on the disk', async () => {
    const message = expect.stringContaining('wants a place on the disk')
    expect(await call('volume', 'echo')).toMatchObject({ code: 'skill-runtime', message })
  })

  it('says which image is missing, to who asks and to who looks', async () => {
    expect(await call('gone', 'echo')).toMatchObject({
      code: 'skill-runtime',
      message: expect.stringContaining('localhost/gone@sha256:'),
      hint: expect.stringContaining('podman pull'),
    })
    expect(house.skills.list().find(({ name }) => name === 'gone')).toMatchObject({ state: 'unusable' })
    expect(house.skills.list().find(({ name }) => name === 'tool')).toMatchObject({ state: 'ready' })
    expect((await house.ask('gone.go', PATIENT_MS)).speech).toMatch(/cannot run on this machine/)
  })

  it('that a killed node left is removed before the next is made', async () => {
    const { clock } = realHost()
    const lost = new Containers({ clock, sockets: [engine!.socket], node: 'test' })
    const bounds = {
      image: await engine!.image('localhost/adapter', program!),
      memory_mb: 48,
      cpus: 1,
      pids: 16,
    }
    await started(lost.starter(bounds, 'lost'))
    expect(await alive('lost')).toBe(1)
    const next = new Containers({ clock, sockets: [engine!.socket], node: 'test' })
    const process = await started(next.starter(bounds, 'next'))
    expect(await alive('lost')).toBe(0)
    process.kill()
    await next.closed()
    await expect.poll(() => alive('next'), { timeout: PATIENT_MS }).toBe(0)
  })

  /** Its first word. One that ends before it, as may happen while the engine clears away others, is started again, as a node would. */
  async function started(start: ReturnType<Containers['starter']>): Promise<{ kill(): void }> {
    for (let trial = 1; ; trial += 1) {
      const first = Promise.withResolvers<boolean>()
      const process = start({ bytes: () => first.resolve(true), exit: () => first.resolve(false) })
      if (await first.promise) return process
      if (trial === 3) throw new Error('the container ended before its first word, three times')
    }
  }

  const alive = async (skill: string): Promise<number> =>
    (await engine!.containers()).filter(({ Labels }) => Labels['loqa.skill'] === skill).length
})
