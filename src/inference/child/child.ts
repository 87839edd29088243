/**
 * An engine process: one engine, chosen by the `load` message, behind the pipe on file descriptor 3. It may die in any way
 * at any time; the node sees the pipe close. When the node goes, the pipe ends and so does this process.
 */
import { flushCompileCache } from 'node:module'
import { Socket } from 'node:net'
import { errorShape, LoqaError } from '../../host/errors.ts'
import type { Engine, EngineEvent, EngineStream, ModelFiles } from '../engine.ts'
import {
  decodeToChild,
  encodeAudioOut,
  encodeJson,
  type Frame,
  FrameCutter,
  type ToChild,
} from '../frames.ts'

/** Writing what was compiled stops everything else for a tenth of a second or two: not while the node starts. */
const KEEP_COMPILED_MS = 5_000

const channel = new Socket({ fd: 3, readable: true, writable: true })
const streams = new Map<number, EngineStream>()
let engine: Engine | undefined

const say = (message: object): void => {
  channel.write(encodeJson(message))
}

/** Adapters are imported on demand: each drags in a native library. */
async function adapter(name: string): Promise<Engine> {
  switch (name) {
    case 'sherpa':
      return new (await import('./sherpa.ts')).SherpaEngine()
    case 'formant':
      return new (await import('./formant.ts')).FormantEngine()
    case 'kokoro':
      return new (await import('./kokoro.ts')).KokoroEngine()
    case 'llama':
      return new (await import('./llama.ts')).LlamaEngine()
    case 'openai':
      return new (await import('./openai.ts')).OpenAiEngine()
    case 'sherpa-offline':
      return new (await import('./sherpa-offline.ts')).SherpaOfflineEngine()
    case 'sherpa-speaker':
      return new (await import('./sherpa-speaker.ts')).SherpaSpeakerEngine()
    case 'sherpa-tts':
      return new (await import('./sherpa-tts.ts')).SherpaVoiceEngine()
    case 'sherpa-vad':
      return new (await import('./sherpa-vad.ts')).SherpaVadEngine()
    case 'wyoming':
      return new (await import('./wyoming.ts')).WyomingEngine()
    case 'whisper':
      return new (await import('./whisper.ts')).WhisperEngine()
    default:
      throw new LoqaError('engine-unavailable', `There is no engine called ${JSON.stringify(name)}`)
  }
}

async function load(model: ModelFiles): Promise<void> {
  try {
    const loading = await adapter(model.engine)
    await loading.load(model)
    engine = loading
    say({ type: 'loaded', admits: loading.admits })
    // It will end by SIGKILL; what it compiled is for the next one all the same.
    setTimeout(flushCompileCache, KEEP_COMPILED_MS)
  } catch (thrown) {
    console.error(thrown)
    say({ type: 'load-failed', error: loadError(model, thrown) })
  }
}

/** A library that is missing is told apart from a model it cannot use. */
function loadError(model: ModelFiles, thrown: unknown) {
  if (thrown instanceof LoqaError) return errorShape(thrown)
  const reason = thrown instanceof Error ? thrown.message.split('\n')[0]!.slice(0, 300) : 'unknown reason'
  const missing = /Cannot find (module|package)|ERR_MODULE_NOT_FOUND|ERR_DLOPEN_FAILED|Could not find/.test(
    String(thrown),
  )
  return missing
    ? {
        code: 'engine-unavailable',
        message: `The engine ${model.engine} is not installed for this machine`,
        retryable: false,
        hint: 'Run npm install again, or choose another engine.',
      }
    : {
        code: 'model-invalid',
        message: `The engine ${model.engine} cannot load the model ${model.id}: ${reason}`,
        retryable: false,
        hint: 'Check that the file is the model it claims to be, or fetch it again.',
      }
}

function report(stream: number, event: EngineEvent): void {
  if (!streams.has(stream)) return
  if (event.type === 'done' || event.type === 'failed') streams.delete(stream)
  if (event.type === 'embedding')
    say({ type: 'event', stream, event: { ...event, vector: [...event.vector] } })
  else if (event.type === 'audio') channel.write(encodeAudioOut(stream, event.samples, event.sample_rate))
  else say({ type: 'event', stream, event })
}

function open(message: Extract<ToChild, { type: 'open' }>): void {
  const { stream, request } = message
  // Registered before it is opened: an engine may report at once.
  streams.set(stream, NOT_YET_OPEN)
  try {
    if (engine === undefined) throw new LoqaError('engine-unavailable', 'No model is loaded')
    const opened = engine.open(
      request,
      (event) => report(stream, event),
      (audio_ms) => {
        if (streams.has(stream)) say({ type: 'heard', stream, audio_ms })
      },
    )
    if (streams.has(stream)) streams.set(stream, opened)
  } catch (thrown) {
    report(stream, { type: 'failed', error: errorShape(thrown) })
  }
}

const NOT_YET_OPEN: EngineStream = { feed() {}, finish() {}, cancel() {} }

async function cancel(stream: number): Promise<void> {
  const run = streams.get(stream)
  streams.delete(stream)
  await run?.cancel()
  say({ type: 'released', stream })
}

async function measure(): Promise<void> {
  if (engine !== undefined) say({ type: 'measured', measurement: await engine.measure() })
}

async function unload(): Promise<void> {
  await engine?.unload()
  leave()
}

/** SIGKILL instead of `process.exit`: native threads have been seen to hold up an orderly exit for ever. */
const leave = (): void => {
  process.kill(process.pid, 'SIGKILL')
}

function receive(frame: Frame): void {
  const message = decodeToChild(frame)
  switch (message.type) {
    case 'load':
      void load(message.model)
      break
    case 'open':
      open(message)
      break
    case 'audio':
      streams.get(message.stream)?.feed({ type: 'audio', samples: message.samples })
      break
    case 'text':
      streams.get(message.stream)?.feed({ type: 'text', text: message.text })
      break
    case 'finish':
      streams.get(message.stream)?.finish()
      break
    case 'cancel':
      void cancel(message.stream)
      break
    case 'measure':
      void measure()
      break
    case 'ping':
      say({ type: 'pong', ping: message.ping, rss_bytes: process.memoryUsage.rss() })
      break
    case 'unload':
      void unload()
      break
  }
}

// Ctrl-C and service managers signal every process of the node at once; it still needs its engines to finish what is said.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)

const cutter = new FrameCutter(receive)
channel.on('data', (chunk: Buffer) => {
  if (!cutter.push(chunk)) leave()
})
channel.on('end', leave)
channel.on('close', leave)
channel.on('error', leave)
say({ type: 'started' })
