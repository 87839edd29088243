/** The recogniser's graph finds the sentence in its sounds, and calls unknown what nobody would say to a house. */
import { describe, expect, test } from 'vitest'
import { COSTS, decodingGraph, type Lexicon } from '../../training/decoding-graph.ts'
import { readGrammar } from '../../training/grammar.ts'
import { likely } from '../../training/likely.ts'
import { encodeFst, type State } from '../../training/openfst.ts'
import { sayable, walk, weigh } from '../../training/sayable.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const house = sayable(readGrammar(ROOT))
const says = (text: string): boolean => walk(house, text.split(' ')) !== undefined

describe('what can be said', () => {
  test.each([
    'set a timer for five minutes',
    'hey can you please turn on the kitchen lights thank you',
    'add dog food and milk to my shopping list',
    'set a two and a half minute timer',
    'remind me in an hour and a half to feed the cat',
    'one hour and ten minutes',
    'no thanks',
  ])('includes %j', (text) => expect(says(text)).toBe(true))

  test.each([
    'set a timer for five minute',
    'set a timer for five minutes in the kitchen',
    'turn on the',
    'lights the on',
    '',
  ])('does not include %j', (text) => expect(says(text)).toBe(false))
})

// Two words that begin alike, two that sound the same, one that repeats a sound, and a sound no word has.
const SAID: Readonly<Record<string, string[]>> = {
  lights: ['l', 'aI', 't', 's'],
  light: ['l', 'aI', 't'],
  to: ['t', 'u'],
  two: ['t', 'u'],
  on: ['0', 'n'],
}
const SOUNDS = [...new Set(Object.values(SAID).flat()), 'Z']
const lexicon: Lexicon = {
  sounds: new Map(SOUNDS.map((sound, i) => [sound, i + 1])),
  blank: SOUNDS.length + 1,
  said: new Map(Object.entries(SAID)),
  words: new Map([...Object.keys(SAID), '<unk>'].map((word, i) => [word, i + 1])),
}
/** "lights on" and "on light two". */
const small = {
  next: [
    new Map([
      ['lights', 1],
      ['on', 3],
    ]),
    new Map([['on', 2]]),
    new Map<string, number>(),
    new Map([['light', 4]]),
    new Map([['two', 2]]),
  ],
  ends: new Set([2]),
}
const free = likely([['on', 'on', 'lights']], Object.keys(SAID), 1)
const habits = weigh(small, [['lights', 'on']])
const graph = decodingGraph({ sentences: small, habits, free }, lexicon, COSTS)

/** The cheapest words for one label a step; another label than the heard one costs `doubt`. Viterbi (1967), without a beam. */
function decode(states: readonly State[], heard: readonly number[], doubt = 8): string {
  type Path = { cost: number; words: readonly number[] }
  const better = (paths: Map<number, Path>, state: number, path: Path): boolean => {
    if (path.cost >= (paths.get(state)?.cost ?? Number.POSITIVE_INFINITY)) return false
    paths.set(state, path)
    return true
  }
  const along = ({ words, cost }: Path, arc: State['arcs'][number], more: number): Path => ({
    cost: cost + arc.cost + more,
    words: arc.output === 0 ? words : [...words, arc.output],
  })
  const skip = (paths: Map<number, Path>): Map<number, Path> => {
    const queue = [...paths.keys()]
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (const arc of states[state]!.arcs) {
        if (arc.input === 0 && better(paths, arc.to, along(paths.get(state)!, arc, 0))) queue.push(arc.to)
      }
    }
    return paths
  }
  let paths = skip(new Map([[0, { cost: 0, words: [] }]]))
  for (const label of heard) {
    const next = new Map<number, Path>()
    for (const [state, path] of paths) {
      for (const arc of states[state]!.arcs) {
        if (arc.input !== 0) better(next, arc.to, along(path, arc, arc.input === label ? 0 : doubt))
      }
    }
    paths = skip(next)
  }
  const ends = [...paths].map(([state, path]) => ({ ...path, cost: path.cost + states[state]!.final }))
  const best = ends.sort((a, b) => a.cost - b.cost)[0]
  const spelled = new Map([...lexicon.words].map(([word, label]) => [label, word]))
  return (best?.words ?? []).map((label) => spelled.get(label)).join(' ')
}

/** One step for each sound, `-` for silence. */
const steps = (said: string): number[] =>
  said.split(' ').map((sound) => (sound === '-' ? lexicon.blank : (lexicon.sounds.get(sound) ?? 0)))

describe('what is usual', () => {
  test('is what was said more often, and nothing is impossible', () => {
    expect(habits[0]?.get('lights')).toBeCloseTo(2 / 3)
    expect(habits[0]?.get('on')).toBeCloseTo(1 / 3)
    expect(habits[2]?.get('')).toBe(1)
  })
})

describe('what is likely', () => {
  const { after, anywhere } = likely(
    [
      ['on', 'lights'],
      ['on', 'to'],
    ],
    Object.keys(SAID),
    1,
  )

  test('adds up to one, behind a word and behind none', () => {
    const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0)
    expect(sum(anywhere.values())).toBeCloseTo(1)
    for (const { next, otherwise } of after.values()) {
      const elsewhere = [...anywhere].filter(([word]) => !next.has(word)).map(([, p]) => p * otherwise)
      expect(sum(next.values()) + sum(elsewhere)).toBeCloseTo(1)
    }
  })

  test('expects a pair it has heard before one it has not', () => {
    const { next, otherwise } = after.get('on')!
    expect(next.get('lights')).toBeGreaterThan(otherwise * anywhere.get('two')!)
  })
})

describe('the graph', () => {
  test('finds a sentence, whether its sounds last or silence lies between them', () => {
    expect(decode(graph, steps('- l aI t s 0 n -'))).toBe('lights on')
    expect(decode(graph, steps('l l aI aI aI - t s - - 0 0 - n n'))).toBe('lights on')
  })

  test('takes of two words that sound alike the one that fits', () => {
    expect(decode(graph, steps('0 n l aI t t u'))).toBe('on light two')
  })

  test('forgives one sound in a whole sentence', () => {
    expect(decode(graph, steps('l aI Z s 0 n'), 3)).toBe('lights on')
  })

  test('hears loose words where no sentence fits', () => {
    expect(decode(graph, steps('0 n - 0 n - l aI t s'))).toBe('on on lights')
  })

  test('calls unknown what no word explains', () => {
    expect(decode(graph, steps('Z aI Z l 0 Z t Z'))).toBe('<unk>')
  })

  test('says nothing in silence', () => {
    expect(decode(graph, steps('- - - -'))).toBe('')
  })

  test('shows whole words only while somebody speaks', () => {
    expect(decode(graph, steps('l aI t s 0'))).toBe('lights')
  })

  test('is written as OpenFst counts it', () => {
    const bytes = encodeFst(graph)
    const arcs = graph.reduce((sum, state) => sum + state.arcs.length, 0)
    expect(bytes.readInt32LE(0)).toBe(2_125_659_606)
    expect(bytes.readBigInt64LE(bytes.length - graph.length * 12 - arcs * 16 - 16)).toBe(BigInt(graph.length))
    expect(bytes.readBigInt64LE(bytes.length - graph.length * 12 - arcs * 16 - 8)).toBe(BigInt(arcs))
  })
})
