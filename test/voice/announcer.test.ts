/** An announcement is said where its person is: the rules of `presence/routing.ts` as the announcer of a node follows them. */
import { describe, expect, it } from 'vitest'
import type { Context, Effect, Next } from '../../src/actors/index.ts'
import { type Monotonic, type SessionId, sessionId, type Wall } from '../../src/host/index.ts'
import { type AnnouncerMessage, type AnnouncerState, announcer } from '../../src/voice/announcer.ts'
import { sessionAddress } from '../../src/voice/names.ts'

/** The announcer of one node, and who was told to say what. */
class Stage {
  now = 0
  state: AnnouncerState
  told: string[] = []
  far: { room: string; id: number }[] = []

  constructor() {
    const { state } = announcer.start(undefined, this.#context) as Next<AnnouncerState>
    this.state = state
  }

  get #context(): Context {
    return { now: this.now as Monotonic, wall: this.now as Wall } as Context
  }

  hear(message: AnnouncerMessage): void {
    const { state, effects } = announcer.receive(this.state, message, this.#context) as Next<AnnouncerState>
    this.state = state
    for (const effect of effects) this.#take(effect)
  }

  #take(effect: Effect): void {
    if (effect.type === 'send') this.told.push(String(effect.to))
    if (effect.type === 'publish' && effect.topic === 'announcement.far') {
      const { id, announcement } = effect.message as unknown as { id: number; announcement: { room: string } }
      this.far.push({ room: announcement.room, id })
    }
  }

  /** Somebody has a loudspeaker there, on this node. */
  speaker(room: string): SessionId {
    const session = sessionId(`at-${room.replace(' ', '-')}`)
    this.hear({ type: 'session.reachable', session, room, reachable: true })
    return session
  }

  heard(
    room: string,
    session: string,
    person?: string,
    type: 'presence.heard' | 'presence.told' = 'presence.told',
  ) {
    const who = person === undefined ? {} : { person }
    this.hear({ type, session, room, level_db: -30, kept: false, ...who } as AnnouncerMessage)
  }

  /** A timer that was set in the kitchen, in the conversation of that name. */
  due(): void {
    const whose = sessionId('dinner')
    this.hear({ type: 'announce', skill: 'timer', speech: 'Time is up.', room: 'kitchen', whose })
  }
}

describe('an announcement', () => {
  it('is said where its person was heard last, not where it was asked for', () => {
    const stage = new Stage()
    const [, living] = [stage.speaker('kitchen'), stage.speaker('living room')]
    stage.heard('kitchen', 'dinner', 'anna', 'presence.heard')
    stage.now = 60_000
    stage.heard('living room', 'evening', 'anna')
    stage.due()
    expect(stage.told).toEqual([sessionAddress(living)])
  })

  it('goes to another node when its person is there', () => {
    const stage = new Stage()
    stage.speaker('kitchen')
    stage.hear({ type: 'rooms.elsewhere', rooms: ['office'] } as AnnouncerMessage)
    stage.heard('kitchen', 'dinner', 'anna', 'presence.heard')
    stage.now = 60_000
    stage.heard('office', 'work', 'anna')
    stage.due()
    expect(stage.far).toMatchObject([{ room: 'office' }])
    expect(stage.told).toEqual([])
  })

  it('is said here after all when nobody takes it there, once', () => {
    const stage = new Stage()
    const kitchen = stage.speaker('kitchen')
    stage.hear({ type: 'rooms.elsewhere', rooms: ['office'] } as AnnouncerMessage)
    stage.heard('kitchen', 'dinner', 'anna', 'presence.heard')
    stage.now = 60_000
    stage.heard('office', 'work', 'anna')
    stage.due()
    stage.hear({ type: 'announcement.here', id: stage.far[0]!.id } as AnnouncerMessage)
    expect(stage.told).toEqual([sessionAddress(kitchen)])
  })

  it("stays in its room when it is nobody's, whoever speaks elsewhere", () => {
    const stage = new Stage()
    const [kitchen] = [stage.speaker('kitchen'), stage.speaker('living room')]
    stage.heard('living room', 'evening')
    stage.due()
    expect(stage.told).toEqual([sessionAddress(kitchen)])
  })

  it('whose room has no loudspeaker is said where somebody was heard last, not everywhere', () => {
    const stage = new Stage()
    const [, bath] = [stage.speaker('living room'), stage.speaker('bath')]
    stage.heard('living room', 'evening')
    stage.now = 60_000
    stage.heard('bath', 'morning')
    stage.due()
    expect(stage.told).toEqual([sessionAddress(bath)])
  })

  it('is said where its person usually is when nobody was heard', () => {
    const stage = new Stage()
    const [, office] = [stage.speaker('living room'), stage.speaker('office')]
    stage.heard('kitchen', 'dinner', 'anna', 'presence.heard')
    stage.hear({ type: 'rooms.usual', usual: { anna: ['office'] } } as AnnouncerMessage)
    stage.now = 30 * 60_000
    stage.due()
    expect(stage.told).toEqual([sessionAddress(office)])
  })

  it('follows its person hours after it was set, as long as they are heard somewhere', () => {
    const stage = new Stage()
    const [, office] = [stage.speaker('kitchen'), stage.speaker('office')]
    stage.heard('kitchen', 'dinner', 'anna', 'presence.heard')
    stage.now = 5 * 3_600_000
    stage.heard('office', 'work', 'anna')
    stage.due()
    expect(stage.told).toEqual([sessionAddress(office)])
  })

  it('for a room that was named is said there, wherever who said it is', () => {
    const stage = new Stage()
    const [office] = [stage.speaker('office'), stage.speaker('kitchen')]
    stage.heard('kitchen', 'dinner', 'anna', 'presence.heard')
    stage.hear({ type: 'announce', skill: 'announce', speech: 'Dinner is ready.', room: 'office' })
    expect(stage.told).toEqual([sessionAddress(office)])
  })

  it('for the whole house is said in the rooms of other nodes too, once in each', () => {
    const stage = new Stage()
    const here = [stage.speaker('kitchen'), stage.speaker('living room')]
    stage.hear({ type: 'rooms.elsewhere', rooms: ['kitchen', 'office', 'bath'] } as AnnouncerMessage)
    stage.hear({ type: 'announce', skill: 'announce', speech: 'Dinner is ready.', everywhere: true })
    expect(stage.told).toEqual(here.map(sessionAddress))
    expect(stage.far.map(({ room }) => room)).toEqual(['office', 'bath'])
    // One node is gone by then: nobody here hears it twice for that.
    stage.hear({ type: 'announcement.here', id: stage.far[0]!.id } as AnnouncerMessage)
    stage.hear({ type: 'announcement.spoken', id: stage.far[1]!.id } as AnnouncerMessage)
    expect(stage.told).toHaveLength(2)
    expect(stage.state.pending).toHaveLength(1)
    // What a node says of itself is said in its own rooms.
    stage.hear({ type: 'announce', skill: 'timer', speech: 'The timer is lost.' })
    expect(stage.far).toHaveLength(2)
  })

  it('is said to everybody in reach where nothing is known', () => {
    const stage = new Stage()
    const all = [stage.speaker('living room'), stage.speaker('office')]
    stage.due()
    expect(stage.told).toEqual(all.map(sessionAddress))
  })
})
