import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseWav, writeWav } from '../../src/voice/wav.ts'
import { type Live, live } from '../api/live.ts'
import { type ScriptedChannel, scriptedTurn, tone } from '../api/scripted-view.ts'
import { type Desk, desk } from './run.ts'

let node: Live
let ada: Desk
beforeEach(async () => {
  node = await live()
  ada = await desk(node.api.port)
})
afterEach(() => node.api.stop())

const samples = (pcm: Uint8Array) => new Int16Array(pcm.buffer, pcm.byteOffset, pcm.byteLength / 2)
const silence = (ms: number) => new Int16Array(ms * 16)
const join = (...parts: Int16Array[]) => new Int16Array(parts.flatMap((part) => [...part]))

const speech = join(silence(60), samples(tone(100)), silence(60))
const save = (name: string, sound: Int16Array, rate?: number) =>
  ada.disk.write(`/work/${name}`, writeWav(sound, rate))

/** A node that answers once it heard speech and then this much silence. It knows how long it waited, from speech to answer, ms. */
function answersAfter(silence_ms: number, reply = tone(40)): { waited_ms: number } {
  const seen = { waited_ms: 0 }
  node.view.onOpen = (channel) => {
    let loud = false
    let quiet_ms = 0
    let spoken_at = 0
    channel.onPush = () => {
      const chunk = samples(channel.pushed.at(-1)!.slice())
      if (chunk.some((sample) => Math.abs(sample) > 1_000)) {
        if (!loud) channel.listener.event({ type: 'speech-started' })
        loud = true
        quiet_ms = 0
        spoken_at = performance.now()
        channel.listener.event({ type: 'partial', text: 'set a timer' })
      } else quiet_ms += chunk.length / 16
      if (!loud || quiet_ms < silence_ms) return
      loud = false
      seen.waited_ms = performance.now() - spoken_at
      answer(channel, reply)
    }
  }
  return seen
}

function answer({ listener }: ScriptedChannel, reply: Uint8Array): void {
  listener.event({ type: 'final', text: scriptedTurn.transcript })
  listener.audio(new Uint8Array(640))
  listener.audio(reply)
  listener.event({ type: 'reply-end' })
  listener.event({ type: 'turn', turn: scriptedTurn })
}

describe('listening to a recording', () => {
  it('sends it as it is, then silence, and prints the turn', async () => {
    answersAfter(100)
    await save('command.wav', speech)
    const { code, out, err } = await ada.run(['listen', 'command.wav', '--room', 'attic', '--session', 's5'])
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(
      /^heard {4}set a timer for five minutes\nintent {3}timer\.set {2}duration=300\nreply /,
    )
    const channel = node.view.channels[0]!
    expect(channel.request).toEqual({ room: 'attic', session: 's5', wake: false })
    const sent = samples(new Uint8Array(Buffer.concat(channel.pushed)))
    expect(sent.slice(0, speech.length)).toEqual(speech)
    expect(sent.slice(speech.length).every((sample) => sample === 0)).toBe(true)
  })

  it('measures from the last speech sent to the first sound heard', async () => {
    const node_saw = answersAfter(200)
    await save('command.wav', speech)
    const turn = JSON.parse((await ada.run(['listen', 'command.wav', '--json'])).out)
    expect(turn).toMatchObject({ transcript: scriptedTurn.transcript, reply_wav: null })
    expect(turn.latency_ms).toMatchObject({ endpoint: 80, tts: 12 })
    // Sent before it arrived there, heard after it was answered. A sender that was held up catches up, so that 200 ms of silence may
    // arrive in less.
    expect(node_saw.waited_ms).toBeGreaterThan(0)
    expect(turn.latency_ms.total).toBeGreaterThanOrEqual(node_saw.waited_ms - 1)
  })

  it('keeps the reply as WAV', async () => {
    const reply = tone(40)
    answersAfter(60, reply)
    await save('command.wav', speech)
    const turn = JSON.parse((await ada.run(['listen', 'command.wav', '-o', 'reply.wav', '--json'])).out)
    expect(turn.reply_wav).toBe('reply.wav')
    const wav = parseWav(await ada.disk.read('/work/reply.wav'))
    expect([wav.sample_rate, wav.channels, wav.length]).toEqual([16_000, 1, 320 + 640])
    expect(Buffer.from(wav.data.subarray(640))).toEqual(Buffer.from(reply))
  })

  it('takes any rate, and standard input', async () => {
    answersAfter(60)
    const { code } = await ada.run(['listen', '-'], { input: writeWav(speech, 22_050) })
    expect(code).toBe(0)
  })

  it('prints one turn after the other, one object per line', async () => {
    answersAfter(60)
    await save('two.wav', join(speech, silence(200), speech))
    const { code, out } = await ada.run(['listen', 'two.wav', '--json', '-o', 'both.wav'])
    expect([code, out.trim().split('\n').length]).toEqual([0, 2])
    expect(parseWav(await ada.disk.read('/work/both.wav')).length).toBe(2 * (320 + 640))
  })

  it('shows the words as they come, on a terminal only, and takes them away', async () => {
    answersAfter(60)
    await save('command.wav', speech)
    const { err } = await ada.run(['listen', 'command.wav'], { errIsTty: true })
    expect(err).toContain('set a timer …')
    expect(err.endsWith('\r\u001b[2K')).toBe(true)
  })

  it('does not take an announcement for the reply', async () => {
    node.view.onOpen = (channel) => {
      channel.onPush = () => {
        if (channel.bytes !== speech.length * 2 + 3_200 - ((speech.length * 2) % 640)) return
        channel.listener.event({ type: 'announce', text: 'The pasta is done.' })
        channel.listener.audio(tone(40))
        channel.listener.event({ type: 'reply-end' })
        answer(channel, tone(20))
      }
    }
    await save('command.wav', speech)
    const { out, err } = await ada.run(['listen', 'command.wav', '-o', 'reply.wav', '--json'])
    expect(err).toContain('announced: The pasta is done.')
    expect(out.trim().split('\n')).toHaveLength(1)
    expect(parseWav(await ada.disk.read('/work/reply.wav')).length).toBe(320 + 320)
  })
})

describe('a recording that is no command', () => {
  it.each([
    ['nothing', new Uint8Array(0), 'The file is empty'],
    ['text', new TextEncoder().encode('hello, this is not sound at all'), 'This is not a WAV file'],
    ['no samples', writeWav(new Int16Array(0)), 'holds no sound'],
    ['silence', writeWav(silence(200)), 'holds only silence'],
  ])('%s fails at once, with the reason', async (_, bytes, reason) => {
    await ada.disk.write('/work/odd.wav', bytes)
    const { code, out, err } = await ada.run(['listen', 'odd.wav'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(reason)
    expect(node.view.channels).toEqual([])
  })

  it('is not there', async () => {
    const { code, err } = await ada.run(['listen', 'gone.wav'])
    expect([code, err]).toEqual([1, expect.stringContaining('/work/gone.wav does not exist')])
  })

  it('whose reply has no folder to lie in', async () => {
    await save('command.wav', speech)
    const { code, err } = await ada.run(['listen', 'command.wav', '-o', 'nowhere/reply.wav'])
    expect([code, err]).toEqual([1, expect.stringContaining('there is no folder /work/nowhere')])
    expect(node.view.channels).toEqual([])
  })

  it('that the node says it heard nothing in ends then', async () => {
    await save('command.wav', speech)
    node.view.onOpen = (channel) => {
      channel.onPush = () => {
        if (channel.pushed.length * 320 <= speech.length + 640) return
        const message = 'No speech was heard in the recording'
        channel.listener.event({ type: 'error', code: 'nothing-heard', message })
      }
    }
    const { code, err } = await ada.run(['listen', 'command.wav', '--wait', '600'])
    expect([code, err]).toEqual([1, expect.stringContaining('heard no command')])
  })

  it('that the node hears nothing in ends by itself', async () => {
    await save('command.wav', speech)
    const { code, err } = await ada.run(['listen', 'command.wav', '--wait', '0.5'])
    expect([code, err]).toEqual([1, expect.stringContaining('heard no command')])
  })
})

describe('a conversation that breaks off', () => {
  it('by Ctrl-C ends at once with 130 and no word', async () => {
    await save('long.wav', join(...Array.from({ length: 50 }, () => speech)))
    node.view.onOpen = () => ada.controller.abort()
    const { code, out, err } = await ada.run(['listen', 'long.wav'])
    expect([code, out, err]).toEqual([130, '', ''])
  })

  it('because the node stops says so', async () => {
    await save('long.wav', join(...Array.from({ length: 50 }, () => speech)))
    node.view.onOpen = () => void node.api.stop()
    const { code, err } = await ada.run(['listen', 'long.wav'])
    expect([code, err]).toEqual([1, expect.stringContaining('The node stops')])
  })

  it('because the node refuses says why', async () => {
    await save('command.wav', speech)
    const { code, err } = await ada.run(['listen', 'command.wav', '--room', 'nowhere'])
    expect([code, err]).toEqual([1, expect.stringContaining('This room does not exist')])
  })
})
