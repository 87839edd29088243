/** Several stores of one household in one process: real files, threads and signatures; frames are handed over in memory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { NodeId } from '../../src/host/index.ts'
import { realHost } from '../../src/host/real.ts'
import { type HouseholdStore, openStore, type StoreOptions } from '../../src/store/index.ts'
import { writerOf } from './writers.ts'

export interface Home {
  readonly id: NodeId
  readonly directory: string
  readonly notices: string[]
  store: HouseholdStore
}

export class House {
  readonly homes: Home[] = []
  readonly #links = new Set<string>()
  readonly #directory = mkdtempSync(join(tmpdir(), 'loqa-house-'))

  constructor() {
    onTestFinished(async () => {
      await Promise.all(this.homes.map(({ store }) => store.close()))
      rmSync(this.#directory, { recursive: true, force: true })
    })
  }

  async move(number: number, directory = mkdtempSync(join(this.#directory, 'home-'))): Promise<Home> {
    const { node: id } = writerOf(number)
    const notices: string[] = []
    const home: Home = {
      id,
      directory,
      notices,
      store: await openStore(this.#options(number, directory, notices)),
    }
    this.homes.push(home)
    for (const { store } of this.homes) store.links.believe(this.homes.map((other) => other.id))
    return home
  }

  #options(number: number, directory: string, notices: string[]): StoreOptions {
    const writer = writerOf(number)
    return {
      host: realHost(),
      directory,
      key: new Uint8Array(32).fill(number),
      writer,
      send: (to, frame) => this.#carry(writer.node, to, frame),
      onNotice: (message) => notices.push(message),
    }
  }

  #carry(from: NodeId, to: NodeId, frame: Uint8Array): void {
    setImmediate(() => {
      if (!this.#links.has(nameOf(from, to))) return
      this.homes.find(({ id }) => id === to)?.store.links.frame(from, frame)
    })
  }

  link(a: Home, b: Home): void {
    this.#links.add(nameOf(a.id, b.id))
    a.store.links.linked(b.id)
    b.store.links.linked(a.id)
  }

  cut(a: Home, b: Home): void {
    this.#links.delete(nameOf(a.id, b.id))
    a.store.links.unlinked(b.id)
    b.store.links.unlinked(a.id)
  }

  /** Resolves when all hold the same, and is asked for again until they do. */
  async agreed(homes: readonly Home[] = this.homes): Promise<string> {
    for (;;) {
      const digests = await Promise.all(homes.map(({ store }) => store.digest()))
      if (digests.every(({ digest }) => digest === digests[0]!.digest)) return digests[0]!.digest
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

const nameOf = (a: NodeId, b: NodeId): string => [a, b].toSorted().join(' ')
