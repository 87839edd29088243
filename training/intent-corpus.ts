/**
 * Writes what the intent model learns from and is measured with.
 *
 *   node training/intent-corpus.ts     writes training/out/corpus/
 *     intent.train.jsonl               {text, intent, slots}: templates, phrasings, other talk (intent "none")
 *     intent.test.jsonl                the same and {kind}, held-out phrasings only
 *     intent.development.jsonl         training phrasings left out, when LEAVE_OUT is set
 *
 *   LEAVE_OUT=0.12 node training/intent-corpus.ts    leaves an eighth of the training phrasings out, to tune with
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { developmentSentences, heldOutSentences, trainingSentences } from './phrases.ts'

const OUT = process.env.CORPUS_OUT ?? new URL('out/corpus/', import.meta.url).pathname
const TRAIN = 300_000
const TEST = 3_000
const leaveOut = Number(process.env.LEAVE_OUT ?? 0)

function writeLines(name: string, lines: readonly unknown[]): void {
  writeFileSync(`${OUT}${name}`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
}

mkdirSync(OUT, { recursive: true })
const train = trainingSentences(TRAIN, leaveOut)
writeLines('intent.train.jsonl', train)
writeLines('intent.test.jsonl', heldOutSentences(TEST))
if (leaveOut > 0) writeLines('intent.development.jsonl', developmentSentences(TEST, leaveOut))
const none = train.filter((line) => line.intent === 'none').length
console.log(`${train.length} to train, ${Math.round((100 * none) / train.length)} % of them none`)
