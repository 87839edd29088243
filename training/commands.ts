/**
 * Commands composed from the grammar, on two sides that never mix: a sentence is for training or for measuring by its
 * hash alone, whatever the seed and however the grammar grows.
 */
import { compose, type Grammar, type IntentGrammar, type Sentence, surround } from './grammar.ts'
import { type Seeded, textHash } from './seeded.ts'

/** Intents used most in a house are drawn more often. */
const WEIGHT: Readonly<Record<string, number>> = {
  'timer.set': 6,
  'list.add': 5,
  'timer.remind': 3,
  'light.on': 3,
  'light.off': 3,
  'light.set': 3,
  'session.answer': 4,
  'device.on': 2,
  'device.off': 2,
  'climate.set': 3,
  'timer.extend': 3,
  'list.remove': 2,
  'opening.open': 2,
  'opening.close': 2,
  'session.also': 2,
  'timer.left': 2,
  'timer.cancel': 2,
  'scene.start': 2,
  'media.play': 2,
}

/** Distinct commands. A phrase without slots or surroundings always trains: it has no unseen combination to test. */
export function drawCommands(
  grammar: Grammar,
  random: Seeded,
  count: { readonly train: number; readonly test: number },
): { train: Sentence[]; test: Sentence[] } {
  const train = new Map<string, Sentence>()
  const test = new Map<string, Sentence>()
  const urn = grammar.intents
    .filter(({ follows }) => !follows)
    .flatMap((intent) => Array.from({ length: WEIGHT[intent.intent] ?? 1 }, () => intent))
  for (let tries = 0; tries < 400_000 && (train.size < count.train || test.size < count.test); tries += 1) {
    const sentence = drawCommand(grammar, random.one(urn), random)
    const tests = !sentence.plain && textHash(sentence.text) % 8 === 0
    const { plain: _, ...rest } = sentence
    if (tests && test.size < count.test) test.set(sentence.text, rest)
    if (!tests && train.size < count.train) train.set(sentence.text, rest)
  }
  return { train: [...train.values()], test: [...test.values()] }
}

function drawCommand(grammar: Grammar, intent: IntentGrammar, random: Seeded): Sentence & { plain: boolean } {
  const core = compose(grammar, intent, random.one(intent.templates), random)
  // An answer such as "five minutes" is said bare.
  const text =
    intent.intent.startsWith('session.') && random.chance(0.7)
      ? core.text
      : surround(grammar, core.text, random)
  return { ...core, text, plain: text === core.text && Object.keys(core.slots).length === 0 }
}
