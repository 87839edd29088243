/** Skills as the API and the commands see them, for tests of these. */
import type { SkillDetail, SkillReview, SkillsView } from '../../src/api/index.ts'
import { NotFoundError } from '../../src/host/index.ts'

export const scriptedSkill: SkillDetail = {
  name: 'weather',
  version: '1.2.0',
  publisher: 'acme',
  level: 'vetted',
  zone: 2,
  summary: 'Tells the weather.',
  state: 'ready',
  permissions: ['clock', 'http'],
  pinned: false,
  waiting: null,
  problem: null,
  problem_code: null,
  digest: 'ab'.repeat(32),
  licence: 'MIT',
  key: 'cd'.repeat(32),
  root: 'ef'.repeat(32),
  until: '2027-12-31',
  added_at: '2026-01-02T03:04:05.000Z',
  added_by: 'attic',
  intents: ['weather.today'],
  asks: [
    { ask: 'host:api.example.com', means: 'talk to api.example.com', why: '', serious: true, granted: false },
    {
      ask: 'use:clock',
      means: 'know the time and the date',
      why: 'says for when',
      serious: false,
      granted: true,
    },
  ],
}

export class ScriptedSkills implements SkillsView {
  /** What was wanted, in order. */
  readonly wanted: unknown[] = []
  reviewNow: Omit<SkillReview, 'skill'> = {
    outcome: 'installed',
    more: ['host:api.example.com'],
    unsigned: false,
  }
  skillNow = scriptedSkill

  list() {
    const { digest: _, ...row } = this.skillNow
    return [row]
  }
  show(name: string): SkillDetail {
    if (name === 'nothing') throw new NotFoundError('The skill nothing')
    return this.skillNow
  }
  async add(request: Parameters<SkillsView['add']>[0]): Promise<SkillReview> {
    const { package: bytes, ...rest } = request
    this.wanted.push({ add: Buffer.from(bytes).toString(), ...rest })
    const isWaiting = !request.dry_run && !request.grant && this.reviewNow.outcome === 'updated'
    return { ...this.reviewNow, ...(isWaiting ? { outcome: 'waiting' as const } : {}), skill: this.skillNow }
  }
  async rm(request: object): Promise<SkillDetail> {
    this.wanted.push({ rm: request })
    return this.skillNow
  }
  async pin(request: { on: boolean }): Promise<SkillDetail> {
    this.wanted.push({ pin: request })
    return { ...this.skillNow, pinned: request.on }
  }
  async grant(request: object): Promise<SkillReview> {
    this.wanted.push({ grant: request })
    return { ...this.reviewNow, outcome: 'updated', skill: this.skillNow }
  }
  enable(request: object): SkillDetail {
    this.wanted.push({ enable: request })
    return this.skillNow
  }
  async revoke(request: object) {
    this.wanted.push({ revoke: request })
    return this.revoked()
  }
  async revoked() {
    return [{ what: 'publisher:acme', why: 'it listens', at: '2026-01-02T03:04:05.000Z', by: 'attic' }]
  }
  async trust(request: object) {
    this.wanted.push({ trust: request })
    return this.trusted()
  }
  async trusted() {
    return [
      { publisher: 'acme', key: 'cd'.repeat(32), level: 'own', from: '2026-01-02', until: '2027-01-02' },
    ]
  }
}
