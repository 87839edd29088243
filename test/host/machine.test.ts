/** What a machine says of itself is read as far as it is understood, and nothing else is made of it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { batteryOf, boardOf, processorOf, soundDevicesOf } from '../../src/host/machine.ts'
import { realHost } from '../../src/host/real.ts'
import { readMachine } from '../../src/host/real-machine.ts'
import { machineText, measuredTags, soundTags } from '../../src/node/hardware.ts'

describe('what Linux writes down', () => {
  it('names the processor and what makes models faster', () => {
    const x64 =
      'processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx avx2 fma\n\nprocessor\t: 1\nmodel name\t: other\n'
    expect(processorOf(x64)).toEqual({ name: 'AMD EPYC', features: ['avx', 'avx2', 'fma'] })
    const arm = 'processor\t: 0\nFeatures\t: fp asimd asimddp\n\nModel\t\t: Raspberry Pi 5 Model B Rev 1.0\n'
    expect(processorOf(arm)).toEqual({
      name: 'Raspberry Pi 5 Model B Rev 1.0',
      features: ['asimd', 'asimddp'],
    })
    expect(boardOf('NVIDIA Jetson Orin Nano Developer Kit\u0000')).toBe(
      'NVIDIA Jetson Orin Nano Developer Kit',
    )
    expect(boardOf('')).toBeNull()
  })

  it('names what records and what plays', () => {
    const pcm = [
      '00-00: ALC295 Analog : ALC295 Analog : playback 1 : capture 1',
      '01-03: HDMI 0 : HDMI 0 : playback 1',
      '02-00: USB Audio : USB Audio : capture 1',
    ].join('\n')
    expect(soundDevicesOf(pcm)).toEqual({
      microphones: ['ALC295 Analog', 'USB Audio'],
      loudspeakers: ['ALC295 Analog', 'HDMI 0'],
    })
  })

  it('tells a battery from a plug', () => {
    expect(batteryOf('Battery\n', '81\n', 'Discharging\n')).toEqual({ percent: 81, charging: false })
    expect(batteryOf('Battery\n', '100\n', 'Full\n')).toEqual({ percent: 100, charging: true })
    expect([
      batteryOf('Mains\n', '', ''),
      batteryOf('Battery\n', 'x', ''),
      batteryOf('Battery\n', '400', ''),
    ]).toEqual([null, null, null])
  })

  it('may be anything: names stay short and few, and nothing throws', () => {
    let named = 0
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc
            .array(fc.string(), { maxLength: 60 })
            .map((parts) => parts.map((part) => `00-00: ${part} : ${part} : capture 1`).join('\n')),
        ),
        (text) => {
          const { microphones, loudspeakers } = soundDevicesOf(text)
          named += microphones.length
          for (const name of [
            ...microphones,
            ...loudspeakers,
            boardOf(text) ?? 'x',
            processorOf(text).name ?? 'x',
          ]) {
            expect(name.length).toBeGreaterThan(0)
            expect(name.length).toBeLessThanOrEqual(64)
          }
          expect(microphones.length).toBeLessThanOrEqual(32)
          batteryOf(text, text, text)
        },
      ),
      { seed: 20_261_127, numRuns: 200 },
    )
    expect(named).toBeGreaterThan(100)
  })
})

it('this machine has a processor and memory, and its files are left alone', async () => {
  const facts = await readMachine(realHost().disk)
  expect(facts.cores).toBeGreaterThan(0)
  expect(facts.processor).not.toBe('')
  expect(facts.memory_mb).toBeGreaterThan(100)
  expect(facts.free_memory_mb).toBeLessThanOrEqual(facts.memory_mb)
  expect(
    machineText({
      ...facts,
      board: 'Board',
      processor: 'P',
      cores: 1,
      features: [],
      memory_mb: 8_200,
      free_memory_mb: 5_100,
    }),
  ).toBe('Board, P, 1 core, 5.1 of 8.2 GB memory free')
})

describe('tags', () => {
  const row = (tag: string, real_time_factor: number | null, state: 'ready' | 'failed' = 'ready') => ({
    ...{ name: tag, tag, model: 'm', state, p95_ms: 1, real_time_factor, tokens_per_s: null },
    ...{ restarts: 0, rss_mb: null, load: 0 },
  })

  it('say that an engine keeps up only where it takes less than half the time of speech', () => {
    expect(
      measuredTags([
        row('stt.whisper:base', 0.49),
        row('stt.whisper:tiny', 0.1),
        row('stt.sherpa:s', 0.5),
        row('tts.formant:f', 0.1, 'failed'),
        row('llm.llama:l', null),
      ]),
    ).toEqual(['stt.whisper:rt'])
  })

  it('say where there is something for sound', () => {
    expect(soundTags({ microphones: ['a'], loudspeakers: [] }, 'Living Room')).toEqual(['mic:living-room'])
    expect(soundTags({ microphones: ['a'], loudspeakers: ['b'] }, 'home')).toEqual([
      'mic:home',
      'speaker:home',
    ])
  })
})
