/**
 * A real node, a real Mosquitto, a house of devices that announce themselves in Home Assistant's way: what is said is what they are
 * told, and nobody is let in who did not hear a yes in time.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DevicesView, TurnView } from '../../src/api/index.ts'
import { Broker, mosquitto, SimulatedHouse } from './broker.ts'
import { fixture, RunningNode } from './running-node.ts'

/** Short enough to be waited for, long enough for a yes on a busy machine. */
const ANSWER_MS = 3_000

let broker: Broker
let house: SimulatedHouse
let node: RunningNode

async function ask(text: string, session = 'talk', room = 'kitchen'): Promise<TurnView> {
  const answer = await fetch(`${node.http}/api/v1/ask`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text, session, room }),
  })
  return (await answer.json()) as TurnView
}

const devices = async (): Promise<DevicesView> =>
  (await (await fetch(`${node.http}/api/v1/devices`)).json()) as DevicesView
const stateOf = async (id: string) => (await devices()).devices.find((device) => device.id === id)?.state

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`it did not come to that in time:\n${node.output}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}

describe.skipIf(mosquitto === undefined)(
  'the devices of a house (skipped where no mosquitto is installed)',
  () => {
    beforeAll(async () => {
      broker = await Broker.start()
      house = await SimulatedHouse.connect(broker)
      node = await RunningNode.start([
        '--set',
        `devices.mqtt_url=${broker.url}`,
        '--set',
        `voice.follow_up_timeout_ms=${ANSWER_MS}`,
      ])
    }, 90_000)
    afterAll(async () => {
      await node?.dispose()
      await house?.close()
      await broker?.dispose()
    })

    it('are found by themselves, with their rooms and what they say', async () => {
      const { sources, devices: found } = await devices()
      expect(sources).toEqual([
        { source: broker.url, state: 'connected', reason: null, devices: 14, problems: [] },
      ])
      expect(found.find(({ id }) => id === 'light.reading_lamp')).toEqual({
        id: 'light.reading_lamp',
        name: 'Reading lamp',
        room: 'living room',
        kind: 'light',
        state: { on: false, can_dim: true, can_tune: true },
      })
      expect((await node.loqa('devices')).stdout).toMatch(/hallway +Front door +lock +locked/)
      expect((await node.loqa('doctor')).stdout).toMatch(/devices of mqtt:.*14 devices/)
    })

    const LIT = '{"state":"ON"}'
    const DARK = '{"state":"OFF"}'
    it.each<[string, readonly string[], RegExp]>([
      [
        'turn on the kitchen lights',
        [`kitchen_ceiling_light ${LIT}`, `kitchen_counter_light ${LIT}`],
        /kitchen are on/,
      ],
      ['turn on the reading lamp', [`reading_lamp ${LIT}`], /reading lamp is on/],
      [
        'set the kitchen lights to forty percent',
        [
          'kitchen_ceiling_light {"state":"ON","brightness":40}',
          'kitchen_counter_light {"state":"ON","brightness":40}',
        ],
        /forty percent/,
      ],
      [
        'brighten the lights',
        [
          'kitchen_ceiling_light {"state":"ON","brightness":65}',
          'kitchen_counter_light {"state":"ON","brightness":65}',
        ],
        /brighter/i,
      ],
      [
        'dim the reading lamp to ten percent',
        ['reading_lamp {"state":"ON","brightness":10}'],
        /reading lamp is at ten percent/,
      ],
      [
        'make the living room lights warm white',
        ['reading_lamp {"state":"ON","color_temp":2700}'],
        /warm white/,
      ],
      ['turn off the counter light', [`kitchen_counter_light ${DARK}`], /counter light is off/],
      ['lights on in the bedroom', ['bedroom_light ON'], /bedroom is on/],
      [
        'turn off all the lights',
        [
          'bedroom_light OFF',
          `kitchen_ceiling_light ${DARK}`,
          `kitchen_counter_light ${DARK}`,
          `reading_lamp ${DARK}`,
        ],
        /off/,
      ],
      ['turn on the fan', ['fan ON'], /fan is on/],
      ['turn the coffee machine on', ['coffee_machine ON'], /coffee machine is on/],
      [
        'turn off everything in the kitchen',
        ['coffee_machine OFF', `kitchen_ceiling_light ${DARK}`, `kitchen_counter_light ${DARK}`],
        /everything in the kitchen is off/i,
      ],
      ['open the blinds', ['blinds OPEN'], /opening the blinds/],
      ['open the blinds to thirty percent', ['blinds/position 30'], /thirty percent/],
      ['close the living room blinds', ['blinds CLOSE'], /closing the blinds/],
      [
        'set the temperature in the living room to twenty two degrees',
        ['thermostat 22'],
        /twenty two degrees/,
      ],
      ['make it warmer', ['thermostat 23'], /twenty three degrees/],
      [
        'lock all the doors',
        ['back_door LOCK', 'front_door LOCK'],
        /locking the front door and the back door/,
      ],
      ['start the movie scene', ['movie ON'], /movie/],
      ['how warm is it in the living room', [], /nineteen point five degrees/],
      ['is the front door locked', [], /front door is locked/],
    ])('"%s" is what they are told', async (said, expected, reply) => {
      const from = house.commands.length
      const turn = await ask(said)
      expect(turn.error).toBeUndefined()
      expect(turn.reply).toMatch(reply)
      expect(await house.since(from, expected.length)).toEqual([...expected].sort())
      await caughtUp()
    })

    it('hears them by voice too', async () => {
      const spoken: readonly [string, readonly string[]][] = [
        ['turn on the kitchen lights', [`kitchen_ceiling_light ${LIT}`, `kitchen_counter_light ${LIT}`]],
        ['turn on the fan', ['fan ON']],
        ['close the blinds', ['blinds CLOSE']],
        ['turn off the heater', ['heater OFF']],
        ['set the temperature in the living room to twenty degrees', ['thermostat 20']],
        ['start the movie scene', ['movie ON']],
      ]
      const from = house.commands.length
      const turns = await Promise.all(
        spoken.map(async ([text], index) => {
          const file =
            index === 0 ? fixture('turn-on-the-kitchen-lights.wav') : join(node.data, `${index}.wav`)
          if (index > 0) await node.loqa('say', text, '-o', file)
          return node.json<TurnView>('listen', file, '--room', `place ${index}`)
        }),
      )
      expect(turns.map(({ transcript }) => transcript)).toEqual(spoken.map(([text]) => text))
      const expected = spoken.flatMap(([, commands]) => commands)
      expect(await house.since(from, expected.length)).toEqual([...expected].sort())
      await caughtUp()
    }, 90_000)

    describe('"unlock the front door"', () => {
      let from: number
      const wanted = async (session: string): Promise<void> => {
        from = house.commands.length
        const turn = await ask('unlock the front door', session, 'hallway')
        expect(turn.intent).toBe('door.unlock')
        expect(turn.reply).toMatch(/^shall I unlock the front door\?$/i)
        expect(house.commands.length).toBe(from)
      }
      /** Nothing was told the door by then: what is told something else afterwards would come behind it. */
      const nothing = async (): Promise<void> => {
        await ask('turn on the heater', 'other')
        expect(await house.since(from, 1)).toEqual(['heater ON'])
        await caughtUp()
        expect(await stateOf('lock.front_door')).toMatchObject({ state: 'locked' })
      }

      it('asks back, and a no leaves it locked', async () => {
        await wanted('a')
        expect((await ask('no', 'a', 'hallway')).reply).not.toMatch(/unlock/i)
        await nothing()
      })
      it('silence and a late yes leave it locked', async () => {
        await wanted('b')
        await new Promise((done) => setTimeout(done, ANSWER_MS + 200))
        expect((await ask('yes', 'b', 'hallway')).reply).not.toMatch(/unlock/i)
        await nothing()
      })
      it('a yes of somebody else, and to something else, leaves it locked', async () => {
        await wanted('c')
        await ask('yes', 'another', 'kitchen')
        await ask('what time is it', 'c', 'hallway')
        await ask('yes', 'c', 'hallway')
        await nothing()
      })
      it('a yes in time unlocks it', async () => {
        await wanted('d')
        expect((await ask('yes', 'd', 'hallway')).reply).toMatch(/unlocking the front door/i)
        expect(await house.since(from, 1)).toEqual(['front_door UNLOCK'])
        await caughtUp()
        expect(await stateOf('lock.front_door')).toMatchObject({ state: 'unlocked' })
      })
      it('so does the garage door; closing it asks nothing', async () => {
        from = house.commands.length
        expect((await ask('open the garage door', 'e', 'garage')).reply).toMatch(
          /shall I open the garage door/i,
        )
        await ask('yes', 'e', 'garage')
        await ask('close the garage door', 'e', 'garage')
        expect(await house.since(from, 2)).toEqual(['garage_door CLOSE', 'garage_door OPEN'])
      })
    })

    it('a name that is new is understood, one that is gone is not, and one out of reach says so', async () => {
      await house.announce('christmas tree', 'switch', 'Living Room', {})
      await until(async () => (await ask('turn on the christmas tree')).intent === 'device.on')
      await house.say('christmas_tree/online', 'offline')
      await caughtUp()
      const from = house.commands.length
      expect((await ask('turn on the christmas tree')).reply).toMatch(/christmas tree does not answer/i)
      expect(house.commands.length).toBe(from)
      await house.takeBack('christmas tree', 'switch')
      await until(async () => (await ask('turn on the christmas tree')).intent !== 'device.on')
    })

    it('a broker that goes leaves them known and out of reach; nothing said meanwhile is sent when it is back', async () => {
      await broker.stop()
      await until(async () => (await devices()).sources[0]?.state === 'away')
      const from = house.commands.length
      expect((await ask('turn off the fan')).reply).toMatch(/does not answer/)
      await broker.start()
      await until(async () => (await devices()).sources[0]?.state === 'connected')
      await house.again()
      await caughtUp()
      expect((await ask('turn on the heater')).reply).toMatch(/heater is on/)
      expect(await house.since(from, 1)).toEqual(['heater ON'])
    })
  },
)

/** All that the devices have said so far is known. */
async function caughtUp(): Promise<void> {
  const mark = await house.mark()
  await until(async () => (await stateOf('sensor.marker'))?.value === mark)
}
