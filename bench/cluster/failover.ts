/**
 * Nodes lost in the middle of an answer, on a LAN of namespaces: two nodes without engines, two with all of them, a satellite on a machine of
 * its own that speaks to one of the former. Who is at work is killed, or told to end, and is back before the next turn.
 *
 *   node bench/cluster/failover.ts [--n 20] [--roles session,skill,stt,llm,tts] [--signals SIGKILL,SIGTERM]
 *
 * `session`: the node of the conversation, with a second of the answer heard; `skill`: the same, when the words are final and a skill is asked;
 * `stt`: whoever recognises, with half of the sentence said; `llm`: whoever understands, in a sentence without a template, when its last
 * word was heard; `tts`: whoever speaks, when the words are final.
 *
 * Prints JSON lines, one a role: `complete`: answers with all their words; `hit`: runs in which work was taken from the node that was lost,
 * or the conversation went on elsewhere; `added_ms`: from the last word said to the end of the answer as a loudspeaker plays it, beyond the
 * median of undisturbed turns; `longest_gap_ms`: the longest silence within an answer; `repeated`, `missing`: samples, against an undisturbed
 * answer. Needs root, `ip` and `curl`.
 */
import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { FailingHouse, LONG } from '../../test/lan/failing-house.ts'
import { type LanNode, ROOT } from '../../test/lan/rig.ts'
import { differenceOf, type HeardTurn, type Satellite } from '../../test/lan/satellite.ts'
import { quantile } from '../voice/score.ts'

const TURN_MS = 60_000
const STEP_MS = 30_000
/** Worth a look at how it came about. */
const LONG_GAP_MS = 1_000
/** Undisturbed turns of each sentence, before and after. */
const CALM = 3
/** No template has it: the language model is asked, as soon as its last word was heard. */
const FREE = 'remind-me-what-we-need-to-buy'
const LAST_WORD = ' buy'

type Role = 'session' | 'skill' | 'stt' | 'llm' | 'tts'
type Signal = 'SIGKILL' | 'SIGTERM'

function option(name: string, otherwise: string): string {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? otherwise : (process.argv[at + 1] ?? otherwise)
}

const round = (value: number): number => Math.round(value * 10) / 10
const sentenceOf = (role: Role): string => (role === 'llm' ? FREE : LONG)

/** Resolves at the moment in which the node of that role is to be lost. */
function moment(role: Role, satellite: Satellite): Promise<void> {
  const came = (type: string) => () => satellite.lines.some((line) => line.type === type)
  switch (role) {
    case 'session':
      return satellite.until(() => satellite.heard >= 16_000, STEP_MS, 'a second of the answer')
    case 'stt':
      return satellite.until(came('half'), STEP_MS, 'half of the sentence')
    case 'llm':
      return satellite.until(
        () =>
          satellite.lines.some(({ type, text }) => type === 'partial' && String(text).endsWith(LAST_WORD)),
        STEP_MS,
        'the last word',
      )
    default:
      return satellite.until(came('final'), STEP_MS, 'the final words')
  }
}

class Bench {
  readonly #house: FailingHouse
  readonly #calm = new Map<string, { readonly end_ms: number; readonly reference: HeardTurn }>()

  constructor(house: FailingHouse) {
    this.#house = house
    this.#ears = house.nodes[0]!
  }

  #other(): LanNode {
    const [first, second] = this.#house.nodes as [LanNode, LanNode]
    return this.#ears === first ? second : first
  }

  /** The node that is spoken to: one of the two without engines, the other one while it is coming back. */
  #ears: LanNode

  async calm(sentence: string): Promise<void> {
    const turns: HeardTurn[] = []
    for (let i = 0; i < CALM; i += 1) turns.push(await this.#house.speak(this.#ears, sentence).turn(TURN_MS))
    const ends = turns.map(({ end_ms }) => end_ms)
    this.#calm.set(sentence, { end_ms: quantile(ends, 0.5), reference: turns.at(-1)! })
    console.error(sentence, ends.map(Math.round), turns.at(-1)?.view?.reply)
  }

  /** Runs begun so far, by who was asked for them: whichever node the conversation was on asks. */
  async #begun(capability: string): Promise<ReadonlyMap<string, number>> {
    const pattern = new RegExp(
      `^loqa_work_begun_total\\{capability="${capability}",node="(.*?)"\\} (\\S+)`,
      'gm',
    )
    const begun = new Map<string, number>()
    for (const node of this.#house.nodes) {
      const text = await this.#house.get(node, '/metrics')
      for (const [, id, count] of text.matchAll(pattern))
        begun.set(id!, (begun.get(id!) ?? 0) + Number(count))
    }
    return begun
  }

  /** Who does it now: the node that is asked for it in an undisturbed turn. */
  async #atWork(role: Role, sentence: string): Promise<LanNode> {
    if (role === 'session' || role === 'skill') return this.#ears
    const before = await this.#begun(role)
    await this.#house.speak(this.#ears, sentence).turn(TURN_MS)
    const after = await this.#begun(role)
    const [id] = [...after].find(([node, count]) => count > (before.get(node) ?? 0)) ?? []
    const node = this.#house.nodes.find((each) => each.id === id)
    if (node === undefined) throw new Error(`nobody is asked for ${role}`)
    return node
  }

  async run(role: Role, signal: Signal, n: number): Promise<void> {
    const sentence = sentenceOf(role)
    const { end_ms, reference } = this.#calm.get(sentence)!
    const turns: (HeardTurn & { readonly hit: boolean })[] = []
    for (let i = 0; i < n; i += 1) {
      await this.#house.linked()
      const victim = await this.#atWork(role, sentence)
      const since = Date.now()
      const satellite = this.#house.speak(this.#ears, sentence)
      await moment(role, satellite)
      const at_loss = Date.now()
      const ended = victim.end(signal)
      const turn = await satellite.turn(TURN_MS)
      await ended
      const moved = turn.lines.some(
        ({ type, node, at }) => type === 'moved' && node !== null && at >= at_loss,
      )
      const hit =
        moved ||
        this.#house.nodes.some(({ lines }) =>
          lines.some(({ at, message }) => at >= since && message === 'Work went to another node'),
        )
      turns.push({ ...turn, hit })
      console.error(
        role,
        signal,
        i,
        hit,
        Math.round(turn.end_ms - end_ms),
        Math.round(turn.longest_gap_ms),
        turn.view?.reply === reference.view?.reply,
        differenceOf(turn.samples, reference.samples),
      )
      victim.start()
      if (victim === this.#ears) this.#ears = this.#other()
      if (turn.longest_gap_ms > LONG_GAP_MS) {
        for (const line of turn.lines) if (line.type !== 'audio') console.error(JSON.stringify(line))
      }
    }
    const added = turns.map((turn) => turn.end_ms - end_ms)
    const more = turns.map(({ samples }) => samples.length - reference.samples.length)
    const complete = turns.filter(
      ({ view, samples }) =>
        view?.reply === reference.view?.reply && samples.length >= reference.samples.length,
    )
    const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
    }).trim()
    console.log(
      JSON.stringify({
        ...{ bench: 'cluster/failover', role, signal, n, complete: complete.length },
        hit: turns.filter(({ hit }) => hit).length,
        added_ms: {
          p50: round(quantile(added, 0.5)),
          p95: round(quantile(added, 0.95)),
          most: round(Math.max(...added)),
        },
        longest_gap_ms: round(Math.max(...turns.map(({ longest_gap_ms }) => longest_gap_ms))),
        repeated: Math.max(0, ...more),
        missing: Math.max(0, ...more.map((count) => -count)),
        same_samples: turns.filter(
          ({ samples }) => differenceOf(samples, reference.samples).differs_at === null,
        ).length,
        load: round(loadavg()[0]!),
        machine: `${cpus().length} × ${cpus()[0]?.model.trim()}`,
        commit,
      }),
    )
  }
}

const house = new FailingHouse()
try {
  await house.start(2, 2)
  const bench = new Bench(house)
  const roles = option('roles', 'session,skill,stt,llm,tts').split(',') as Role[]
  const signals = option('signals', 'SIGKILL,SIGTERM').split(',') as Signal[]
  for (const sentence of new Set(roles.map(sentenceOf))) await bench.calm(sentence)
  for (const signal of signals)
    for (const role of roles) await bench.run(role, signal, Number(option('n', '20')))
} finally {
  await house.close()
}
