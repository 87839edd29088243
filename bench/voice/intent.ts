/**
 * How well requests are understood that no template was written for.
 *
 *   node bench/voice/intent.ts [--card] [--quick]
 *
 * The sentences come from the held-out phrasings (training/phrasings.ts), never trained on. Two things are measured on
 * each: the intent model alone, under its JSON grammar, and the whole path: templates first, then the model, then the
 * check of its answer. The three kinds of phrasings are also reported apart (training/phrasings.ts says what they are). Prints one JSON line each and writes bench/voice/intent.svg; `--card` fills the model card's table.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { drawCommands } from '../../training/commands.ts'
import { readGrammar, type Sentence } from '../../training/grammar.ts'
import { heldOutSentences, knownSentences, type MeasuredSentence } from '../../training/phrases.ts'
import { seeded } from '../../training/seeded.ts'
import { barChart } from '../plot.ts'
import { quantile } from './score.ts'
import { WholePath } from './whole-path.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const quick = process.argv.includes('--quick')

interface Result {
  readonly set: string
  readonly n: number
  readonly right_percent: number
  readonly goal_percent?: number
  readonly ms_p50?: number
  readonly ms_p95?: number
}

async function main(): Promise<void> {
  const whole = await WholePath.open()

  const sentences = heldOutSentences(quick ? 200 : 3_000)
  const requests = sentences.filter((sentence) => sentence.intent !== 'none')
  const talk = sentences.filter((sentence) => sentence.intent === 'none')
  const known = knownSentences(quick ? 150 : 900)
  const templates = drawCommands(readGrammar(ROOT), seeded(45), { train: 0, test: quick ? 150 : 600 }).test
  const took: number[] = []
  const alone = async (sentence: Sentence): Promise<boolean> => {
    const began = performance.now()
    const answer = await whole.answer(` ${sentence.text}\n`)
    took.push(performance.now() - began)
    return named(answer) === sentence.intent
  }
  const path = async (sentence: Sentence): Promise<boolean> => {
    const found = await whole.intentOf(sentence.text)
    if (found !== sentence.intent && process.env.SHOW_WRONG)
      console.error(`${sentence.text} | ${found} | ${sentence.intent}`)
    return found === sentence.intent
  }
  const asked = await rightOnes(requests, path)
  const ofKind = (kind: string): MeasuredSentence[] => requests.filter((one) => one.kind === kind)
  const results: Result[] = [
    await measure('intent model alone, requests', requests, alone),
    await measure('intent model alone, other talk', talk, alone),
    { ...share('whole path, requests', requests, asked), goal_percent: 98 },
    share('whole path, requests as usually asked', ofKind('everyday'), asked),
    share('whole path, requests in other frames', ofKind('frame'), asked),
    share('whole path, requests in other idioms', ofKind('idiom'), asked),
    await measure('whole path, other talk', talk, path),
    await measure('whole path, phrasings trained on', known, path),
    await measure('whole path, template sentences', templates, path),
  ]
  const timed = { ms_p50: Math.round(quantile(took, 0.5)), ms_p95: Math.round(quantile(took, 0.95)) }
  for (const result of results) {
    console.log(
      JSON.stringify({
        bench: 'intent',
        ...place(),
        ...result,
        ...(result.set.includes('alone') ? timed : {}),
      }),
    )
  }
  writeFileSync(new URL('intent.svg', import.meta.url), chart(results))
  if (process.argv.includes('--card')) writeCard(results, timed)
  await whole.close()
}

async function measure(
  set: string,
  sentences: readonly Sentence[],
  right: (one: Sentence) => Promise<boolean>,
): Promise<Result> {
  return share(set, sentences, await rightOnes(sentences, right))
}

async function rightOnes(
  sentences: readonly Sentence[],
  right: (one: Sentence) => Promise<boolean>,
): Promise<Set<Sentence>> {
  const found = new Set<Sentence>()
  for (const sentence of sentences) if (await right(sentence)) found.add(sentence)
  return found
}

function share(set: string, sentences: readonly Sentence[], right: ReadonlySet<Sentence>): Result {
  const count = sentences.filter((sentence) => right.has(sentence)).length
  const right_percent = Math.round((1000 * count) / Math.max(1, sentences.length)) / 10
  return { set, n: sentences.length, right_percent }
}

function named(answer: string): string {
  return /"intent":\s*"([^"]+)"/.exec(answer)?.[1] ?? ''
}

function chart(results: readonly Result[]): string {
  return barChart({
    title: 'Starter intent model: held-out phrasings understood',
    subtitle: 'Right intent, in percent; the red line is what is promised of the whole path.',
    unit: '%',
    most: 100,
    bars: results.map((result) => ({
      label: result.set,
      value: result.right_percent,
      text: `${result.right_percent.toFixed(1)} % of ${result.n}`,
      group: result.set.startsWith('whole') ? 'path' : 'model',
      ...(result.goal_percent === undefined ? {} : { goal: result.goal_percent }),
    })),
  })
}

function writeCard(results: readonly Result[], timed: { ms_p50: number; ms_p95: number }): void {
  const path = `${ROOT}models/intent-starter.md`
  const rows = results.map(
    (result) => `| ${result.set} | ${result.n} | ${result.right_percent.toFixed(1)} % |`,
  )
  const table = [
    '| set | n | right intent |',
    '|---|---|---|',
    ...rows,
    '',
    `An answer takes ${timed.ms_p50} ms (p50), ${timed.ms_p95} ms (p95).`,
  ]
  const between = /(<!-- measured by bench\/voice\/intent\.ts -->\n)[\s\S]*?(<!-- end -->)/
  writeFileSync(path, readFileSync(path, 'utf8').replace(between, `$1${table.join('\n')}\n$2`))
}

function place(): { machine: string; commit: string } {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  return { machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`, commit }
}

await main()
