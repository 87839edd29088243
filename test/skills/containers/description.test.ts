/** Promised: an engine that drops or widens anything of what it was asked is found out before the container runs. */
import { describe, expect, it } from 'vitest'
import { type Bounds, containerFor, looseIn } from '../../../src/skills/containers/description.ts'

const BOUNDS: Bounds = { image: `tool@sha256:${'a'.repeat(64)}`, memory_mb: 64, cpus: 0.5, pids: 8 }

/** As an engine says it that did as it was told. */
function inspected(host: object = {}, config: object = {}, mounts: unknown = []): unknown {
  const { HostConfig, User, Tty } = containerFor(BOUNDS, 'node', 'tool')
  return {
    Mounts: mounts,
    Config: { User, Tty, ...config },
    HostConfig: { ...HostConfig, CapAdd: null, ...host },
  }
}

describe('a container', () => {
  it('that is what was asked for is taken, as Docker says it and as Podman does', () => {
    expect(looseIn(inspected(), BOUNDS)).toBeUndefined()
    const podman = { CapAdd: [], CapDrop: ['CHOWN', 'KILL'], SecurityOpt: ['no-new-privileges'], Binds: [] }
    expect(looseIn(inspected(podman), BOUNDS)).toBeUndefined()
  })

  it.each<[string, object]>([
    ['network', { NetworkMode: 'bridge' }],
    ['write to its files', { ReadonlyRootfs: false }],
    ['have rights', { Privileged: true }],
    ['have rights', { CapAdd: ['SYS_ADMIN'] }],
    ['have rights', { CapDrop: [] }],
    ['gain rights', { SecurityOpt: [] }],
    ['something of this machine', { Binds: ['/:/host'] }],
    ['something of this machine', { Devices: [{ PathOnHost: '/dev/mem' }] }],
    ['memory', { Memory: 0 }],
    ['memory', { MemorySwap: -1 }],
    ['processes', { PidsLimit: null }],
    ['processors', { NanoCpus: 0 }],
    ['not understood', { Memory: 'much' }],
  ])('is refused for its %s: %j', (word, host) => {
    expect(looseIn(inspected(host), BOUNDS)).toContain(word)
  })

  it('is refused for its user, its terminal, its mounts, or when nothing is said of it', () => {
    expect(looseIn(inspected({}, { User: '' }), BOUNDS)).toContain('user')
    expect(looseIn(inspected({}, { Tty: true }), BOUNDS)).toContain('terminal')
    expect(looseIn(inspected({}, {}, [{ Type: 'volume' }]), BOUNDS)).toContain('disk')
    for (const nothing of [undefined, null, '', {}, { HostConfig: {} }]) {
      expect(looseIn(nothing, BOUNDS)).toContain('not understood')
    }
  })
})
