/**
 * How soon a change of a skill is in a running node, and what it costs those who speak with it meanwhile:
 * `node bench/skills/reload.ts`. A real node and a real `loqa skill dev` on a skill of each kind; the file is written, and
 * the clock runs from then until a call answers with the new words. Meanwhile two people keep asking. Beside it, what a build
 * takes in a process of its own.
 */
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { percentiles, print } from './measure.ts'

const ROUNDS = 25
const BUILDS = 7
const root = fileURLToPath(new URL('../..', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'loqa-reload-'))
const environment = {
  ...process.env,
  LOQA_DATA: join(place, 'data'),
  LOQA_CLUSTER_DISCOVERY: 'false',
  // The two people and the watch ask more than a person may; a refused watch would look like a change that never comes.
  LOQA_API_REQUESTS_PER_MINUTE: '1000000',
  NO_COLOR: '1',
}
const later = (ms: number): Promise<void> => new Promise((done) => void setTimeout(done, ms))

const loqa = (args: readonly string[]): string =>
  execFileSync(`${root}bin/loqa`, args, { cwd: place, env: environment, encoding: 'utf8' })

/** Starts a command and waits for its words. */
async function started(name: string, args: readonly string[], words: string) {
  const child = spawn(`${root}bin/${name}`, args, { cwd: place, env: environment })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
  }
  while (!output.includes(words)) {
    if (child.exitCode !== null) throw new Error(output)
    await later(20)
  }
  const end = async (): Promise<void> => {
    child.kill('SIGINT')
    if (child.exitCode === null) await new Promise((done) => child.once('exit', done))
  }
  return { end, output: () => output }
}

const KINDS = [
  { template: 'typescript', file: 'mine.ts', from: 'Good. The', sentence: 'the cat went out' },
  {
    template: 'timer',
    file: 'assembly/index.ts',
    from: 'I will call you in ',
    sentence: 'tea for five minutes',
  },
] as const

try {
  const off = ['stt', 'llm', 'tts'].flatMap((kind) => ['--set', `inference.${kind}=off`])
  const node = await started('loqa-node', ['--port', '0', '--http-port', '0', ...off], 'is ready')
  const { http } = JSON.parse(readFileSync(join(place, 'data/runtime.json'), 'utf8')) as { http: number }
  const ask = async (text: string, session: string): Promise<{ reply: string; error?: unknown }> => {
    const response = await fetch(`http://127.0.0.1:${http}/api/v1/ask`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ text, session }),
    })
    const answer = (await response.json()) as { reply?: string; error?: unknown }
    if (session === 'watch' && answer.reply === undefined) throw new Error(JSON.stringify(answer))
    return { ...answer, reply: answer.reply ?? '' }
  }

  for (const { template, file, from, sentence } of KINDS) {
    loqa(['skill', 'init', 'mine', '--template', template, '--dir', template])
    const path = join(place, template, file)
    const text = readFileSync(path, 'utf8')
    const dev = await started('loqa', ['skill', 'dev', template], 'is in the node')
    let [asked, failed, asking] = [0, 0, true]
    const people = ['one', 'two'].map(async (session) => {
      while (asking) {
        const { reply, error } = await ask(sentence, session)
        asked += 1
        if (error !== undefined || reply === '' || reply.startsWith('Sorry')) failed += 1
        await later(120)
      }
    })
    const spans: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const words = `Take ${round}. ${from}`
      const begin = performance.now()
      writeFileSync(path, text.replace(from, words))
      while (!(await ask(sentence, 'watch')).reply.includes(`Take ${round}.`)) await later(5)
      spans.push(performance.now() - begin)
      await later(150)
    }
    const [before] = [dev.output().split('The version before answers on').length]
    writeFileSync(path, text.replace('export function handle', 'export functio handle'))
    while (dev.output().split('The version before answers on').length === before) await later(20)
    const kept = (await ask(sentence, 'watch')).reply.includes(`Take ${ROUNDS - 1}.`)
    asking = false
    await Promise.all(people)
    await dev.end()
    const { n, p50, p90, p99 } = percentiles(spans)
    print(`skills/reload ${template}, written to answered, ms`, {
      ...{ n, p50, p90, p99, max: Math.round(Math.max(...spans)) },
      ...{ calls_meanwhile: asked, failed, broken_version_refused_old_one_answers: kept },
    })

    writeFileSync(path, text)
    const builds: number[] = []
    const whole: number[] = []
    for (let round = 0; round < BUILDS; round += 1) {
      const begin = performance.now()
      builds.push((JSON.parse(loqa(['skill', 'build', template, '--json'])) as { ms: number }).ms)
      whole.push(performance.now() - begin)
    }
    print(`skills/build ${template}, in a fresh process, ms`, percentiles(builds))
    print(`skills/loqa skill build ${template}, the whole command, ms`, percentiles(whole))
  }
  await node.end()
} finally {
  rmSync(place, { recursive: true, force: true })
}
