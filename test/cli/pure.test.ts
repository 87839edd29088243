import { describe, expect, it } from 'vitest'
import { frameOf, pace } from '../../src/cli/pace.ts'
import { parsePrometheus, quantile, rowsOf } from '../../src/cli/prometheus.ts'
import { holdsSpeech, isAudible, lastSpeechSample, speechWindows } from '../../src/cli/speech-clock.ts'
import { bar, duration, facts, paint, table, wrap } from '../../src/cli/table.ts'
import { heardText } from '../../src/cli/turn-text.ts'
import { simulatedHost } from '../../src/host/simulated/index.ts'

const plain = { color: false, columns: 80 }

describe('the honest clock', () => {
  const level = (amplitude: number, ms: number) => new Int16Array(ms * 16).fill(amplitude)
  const join = (...parts: Int16Array[]) => new Int16Array(parts.flatMap((part) => [...part]))

  it('finds the end of the last window with speech', () => {
    expect(lastSpeechSample(join(level(0, 50), level(8_000, 30), level(0, 40)))).toBe(80 * 16)
  })
  it('takes what is 45 dB below the peak for silence, what is above it for speech', () => {
    const peak = 16_000
    const faint = (db: number) => Math.round(peak * 10 ** (db / 20))
    expect(lastSpeechSample(join(level(peak, 10), level(faint(-44), 10)))).toBe(320)
    expect(lastSpeechSample(join(level(peak, 10), level(faint(-46), 10)))).toBe(160)
  })
  it('finds none in silence and in faint noise', () => {
    expect(lastSpeechSample(level(0, 100))).toBeUndefined()
    expect(lastSpeechSample(level(20, 100))).toBeUndefined()
    expect(lastSpeechSample(new Int16Array(0))).toBeUndefined()
  })
  it('counts a window that is not whole', () => {
    expect(lastSpeechSample(new Int16Array(170).fill(5_000))).toBe(170)
  })
  it('knows which samples touch speech', () => {
    const windows = speechWindows(join(level(0, 20), level(8_000, 10), level(0, 30)))
    expect([
      holdsSpeech(windows, 0, 320),
      holdsSpeech(windows, 320, 640),
      holdsSpeech(windows, 640, 960),
    ]).toEqual([false, true, false])
  })
  it('hears a reply above −50 dBFS', () => {
    expect([isAudible(level(100, 1)), isAudible(level(-110, 1))]).toEqual([false, true])
  })
})

describe('the pace of speech', () => {
  it('sends a frame when its last sample was spoken, never early, and catches up after a stall', () => {
    const { clock } = simulatedHost(1)
    const begin = clock.monotonic()
    const sent: [number, number][] = []
    pace(clock, (index) => {
      sent.push([index, clock.monotonic() - begin])
      return index < 9
    })
    clock.advance(100)
    expect(sent).toEqual([0, 1, 2, 3, 4].map((index) => [index, (index + 1) * 20]))
    clock.advance(1_000)
    expect(sent).toHaveLength(10)
  })
  it('fills the last frame and all after the end with zeros', () => {
    const samples = new Int16Array(330).fill(7)
    expect([...frameOf(samples, 1)].filter((sample) => sample === 7)).toHaveLength(10)
    expect(frameOf(samples, 2)).toEqual(new Int16Array(320))
  })
})

describe('numbers for people', () => {
  it.each([
    [0, '0 s'],
    [59.9, '59 s'],
    [61, '1 min 1 s'],
    [3_600, '1 h'],
    [90_061, '1 d 1 h'],
  ])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text))

  it('bars are exact to an eighth', () => {
    expect([bar(1, 2, 4), bar(1, 16, 4), bar(0, 5, 4), bar(9, 5, 2)]).toEqual(['██', '▎', '', '██'])
  })

  it('tables cut the widest flexible column first', () => {
    const columns = [{ title: 'a', flexible: true }, { title: 'b' }]
    expect(table(columns, [['x'.repeat(30), 'keep']], { ...plain, columns: 16 })).toBe(
      `a           b\n${'x'.repeat(9)}…  keep\n`,
    )
  })
})

describe('Prometheus text', () => {
  const text = `# HELP h ms
# TYPE h histogram
h_bucket{le="10",hop="tts"} 5
h_bucket{le="20",hop="tts"} 10
h_bucket{le="+Inf",hop="tts"} 10
h_sum{hop="tts"} 100
h_count{hop="tts"} 10
# TYPE g gauge
g{q="a \\"b\\""} 1.5
`
  it('becomes one row per series, histograms with quantiles', () => {
    const [histogram, gauge] = parsePrometheus(text).map(rowsOf)
    expect(histogram).toHaveLength(1)
    expect(histogram![0]).toMatchObject({ name: 'h', labels: { hop: 'tts' }, value: 10 })
    expect(quantile(histogram![0]!.buckets!, 0.5)).toBe(10)
    expect(quantile(histogram![0]!.buckets!, 0.75)).toBe(15)
    expect(gauge![0]).toMatchObject({ name: 'g', value: 1.5 })
  })
  it('of nothing has no quantile', () => expect(quantile([], 0.5)).toBeNull())
})

describe('a long value', () => {
  it('is broken between words, colours not counted', () => {
    expect(wrap('one two three four five', 16)).toEqual(['one two three', 'four five'])
    const style = { color: true, columns: 80 }
    const painted = paint(style, 'red', 'one two three four')
    expect(wrap(painted, 18)).toEqual([painted])
    expect(wrap(painted, 17)).toEqual(['\u001b[31mone two three', 'four\u001b[0m'])
  })
  it('stays whole where nothing can be broken, or there is no room to speak of', () => {
    expect(wrap('a'.repeat(40), 20)).toEqual(['a'.repeat(40)])
    expect(wrap('one two three four five', 9)).toEqual(['one two three four five'])
    expect(wrap('one two', Number.POSITIVE_INFINITY)).toEqual(['one two'])
  })
  it('goes on below its own beginning', () => {
    expect(facts([['note', 'one two three four']], { color: false, columns: 22 })).toBe(
      'note  one two three\n      four\n',
    )
  })
})

it('a word the recogniser does not know is a gap', () => {
  expect(heardText('turn on the <unk> please')).toBe('turn on the … please')
  expect(heardText('')).toBe('(nothing)')
})
