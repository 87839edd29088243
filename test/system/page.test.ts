/**
 * The page at `/` in a real browser, with a real node: a person holds the button, talks hands-free, speaks over an answer, types; it can be
 * installed, and says where it may not hear and why. The microphone is a file, heard from its beginning whenever the page opens it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Chromium, findChromium } from './chromium.ts'
import { fixture, RunningNode } from './running-node.ts'
import { pcmOf, wavOf } from './wav.ts'

const TOKEN = 'a-token-of-the-test-that-is-long-enough'
const program = findChromium()

let node: RunningNode
let browser: Chromium
let folder: string
const microphone = (): string => join(folder, 'microphone.wav')

/** Seconds of silence, and recordings, one after the other. */
function record(...parts: readonly (number | string)[]): void {
  const pcm = Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? Buffer.alloc(2 * Math.round(part * 16_000)) : pcmOf(fixture(part)),
    ),
  )
  const samples = Float64Array.from({ length: pcm.length / 2 }, (_, i) => pcm.readInt16LE(2 * i) / 32_768)
  writeFileSync(microphone(), wavOf(samples, { rate: 48_000, bits: 16 }))
}

const line = (who: string, words: RegExp): string =>
  `[...document.querySelectorAll('#lines .${who}')].some((line) => ${words}.test(line.innerText))`

const request = (path: string, body?: object): Promise<Response> =>
  fetch(`${node.http}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })

const ready = `document.querySelector('#health').textContent.startsWith('ready')`

/** One of the ways to speak. */
async function choose(mode: 'hold' | 'free' | 'wake'): Promise<void> {
  const choice = `#modes [value=${mode}]`
  await browser.until(ready)
  await browser.click(choice)
  await browser.until(`document.querySelector('${choice}').checked`)
}

/** Of the certificate that is shown there. */
function fingerprintAt(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { host: '127.0.0.1', port: Number(new URL(url).port), rejectUnauthorized: false },
      () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.end()
      },
    )
    socket.once('error', reject)
  })
}

/** From here on the page notes what it shows while somebody is heard, and the phases it goes through. */
const NOTE = `
  window.seen = { heard: [], phases: [] }
  const note = (list, value) => { if (value && list.at(-1) !== value) list.push(value) }
  new MutationObserver(() => {
    note(seen.heard, document.querySelector('#heard').textContent)
    note(seen.phases, document.body.dataset.phase)
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
`
type Seen = { readonly heard: readonly string[]; readonly phases: readonly string[] }

describe.skipIf(program === undefined)('the page in Chromium', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'loqa-page-'))
    record(1)
    ;[node, browser] = await Promise.all([
      RunningNode.start((data) => {
        writeFileSync(join(data, 'token'), TOKEN)
        const set = (key: string, value: string): string[] => ['--set', `${key}=${value}`]
        return [
          ...set('api.token_file', join(data, 'token')),
          ...set('api.allowed_hosts', 'insecure.test'),
          ...set('api.host', '0.0.0.0'),
        ]
      }),
      Chromium.start(program!, microphone(), ['--host-resolver-rules=MAP insecure.test 127.0.0.1']),
    ])
  }, 120_000)

  afterAll(async () => {
    await browser?.dispose()
    await node?.dispose()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('asks for the token the node wants, and takes it from an address without leaving it there', async () => {
    await browser.open(node.http)
    await browser.until(`document.querySelector('[data-name=token]') !== null`)
    expect(await browser.value('document.querySelector("#place").textContent')).toBe('')
    await browser.open(`${node.http}/#token=${TOKEN}`)
    await browser.until(ready)
    expect(await browser.value('document.querySelector("#place").textContent')).toBe('kitchen · tester')
    expect(await browser.value('location.href')).toBe(`${node.http}/`)
    // What it complained of was asked without the token.
    expect(
      browser.complaints.splice(0).filter((text) => !text.includes('401') && !text.includes('WebSocket')),
    ).toEqual([])
  })

  it('held, it hears until it is let go, and the answer comes at once; a typed word belongs to the same conversation', async () => {
    record(0.3, 'set-a-timer.wav', 60)
    await browser.value(NOTE)
    await browser.mouse('mousePressed', '#orb')
    await browser.until(`/set a timer/.test(document.querySelector('#heard').textContent)`)
    await browser.mouse('mouseReleased', '#orb')
    await browser.until(line('house', /for how long/i))
    await browser.until(`document.body.dataset.sending === 'false'`)
    await browser.until(`document.body.dataset.phase === 'idle'`)
    const { phases } = await browser.value<Seen>('seen')
    expect(phases).toEqual(expect.arrayContaining(['listening', 'thinking', 'speaking', 'idle']))
    await browser.value(
      `document.querySelector('#words').value = 'five minutes'; document.querySelector('#type').requestSubmit()`,
    )
    // Where the skill is late on a busy machine: that it was asked says as much.
    await browser.until(line('house', /five minutes|timer skill/i))
  })

  it('hands-free, it shows what it hears as it hears it, is silent when somebody speaks over it, and answers them; each answer shows where its time went', async () => {
    for (const item of [
      'milk',
      'bread',
      'eggs',
      'butter',
      'cheese',
      'apples',
      'rice',
      'tea',
      'coffee',
      'sugar',
    ])
      expect((await request('/api/v1/ask', { text: `add ${item} to the shopping list` })).status).toBe(200)
    record(0.3, 'what-is-on-the-shopping-list.wav', 2.5, 'what-time-is-it.wav', 60)
    // Where a skill is late on a busy machine there is nothing to speak over: it is said again.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await browser.open(node.http)
      await browser.value(NOTE)
      await choose('free')
      await browser.until(line('person', /what time is it/))
      await browser.until(`document.querySelectorAll('#lines details').length === 2`)
      if (!(await browser.value<boolean>(line('house', /took too long/)))) break
    }
    expect(await browser.value(line('house', /It is/))).toBe(true)
    const { heard, phases } = await browser.value<Seen>('seen')
    const first = heard.filter((text) => /^what is/.test(text))
    expect(first.length).toBeGreaterThan(1)
    expect(first.at(-1)).toBe('what is on the shopping list')
    // Somebody speaks while it speaks.
    expect(phases.join(' ')).toMatch(/speaking (idle )?listening/)
    expect(await browser.value(`document.querySelectorAll('#lines .interrupted').length`)).toBe(1)
    const bars = await browser.value<{ hop: string; width: number }[]>(
      `[...document.querySelectorAll('#lines li:last-child .lane .bar')].map((bar) => ({ hop: bar.dataset.hop, width: bar.getBoundingClientRect().width }))`,
    )
    expect(bars.map(({ hop }) => hop)).toEqual(expect.arrayContaining(['endpoint', 'stt', 'skill', 'tts']))
    expect(
      await browser.value(`document.querySelector('#lines li:last-child summary b').textContent`),
    ).toMatch(/^[\d.]+ m?s$/)
    await choose('hold')
    await browser.until(`document.body.dataset.sending === 'false'`)
  })

  it('waits for the wake word where it is told to, and hears what follows it', async () => {
    record(0.5, 'what-is-on-the-shopping-list.wav', 1, 'hey-loqa.wav', 0.3, 'what-time-is-it.wav', 60)
    await browser.open(node.http)
    await browser.until(`document.querySelector('#wake').innerText.includes('hey loqa')`)
    await choose('wake')
    await browser.until(line('house', /It is|clock skill/))
    expect(await browser.value(`document.querySelectorAll('#lines .person').length`)).toBe(1)
    await choose('hold')
  })

  it('can be installed, fits a small phone, and has nothing to complain of', async () => {
    expect((await browser.send('Page.getAppManifest')).errors).toEqual([])
    await browser.value(`navigator.serviceWorker.ready.then(() => true)`)
    expect((await browser.send('Page.getInstallabilityErrors')).installabilityErrors).toEqual([])
    await browser.send('Emulation.setDeviceMetricsOverride', {
      width: 320,
      height: 568,
      deviceScaleFactor: 1,
      mobile: true,
    })
    expect(await browser.value('document.documentElement.scrollWidth')).toBe(320)
    expect(await browser.value(`document.querySelector('#orb').getBoundingClientRect().bottom`)).toBeLessThan(
      568,
    )
    await browser.send('Emulation.clearDeviceMetricsOverride')
    expect(browser.complaints).toEqual([])
  })

  it('says where it may not hear, and what to do; typing works there', async () => {
    await browser.open(`${node.http.replace('127.0.0.1', 'insecure.test')}/#token=${TOKEN}`)
    await browser.until(
      `document.querySelector('[data-name=silence]')?.innerText.includes('http://localhost:') === true`,
    )
    expect(await browser.value(`document.querySelector('#orb').disabled`)).toBe(true)
    await browser.value(`document.querySelector('#ideas button').click()`)
    await browser.until(line('house', /It is|clock skill/))
  })

  it('hears over https from there, once a person has agreed to the certificate that the node printed', async () => {
    const [, fingerprint] = /SHA-256 ((?:[0-9A-F]{2}:){31}[0-9A-F]{2})/.exec(node.output)!
    const address = `https://insecure.test:${new URL(node.http).port}`
    await expect
      .poll(() => browser.send('Page.navigate', { url: address }))
      .toMatchObject({
        errorText: 'net::ERR_CERT_AUTHORITY_INVALID',
      })
    await browser.open(`${node.http.replace('127.0.0.1', 'insecure.test')}/#token=${TOKEN}`)
    await browser.until(`document.querySelector('[data-name=silence] button') !== null`)
    await browser.send('Security.setIgnoreCertificateErrors', { ignore: true })
    record(0.3, 'what-time-is-it.wav', 60)
    await browser.click('[data-name=silence] button')
    await browser.until(`location.protocol === 'https:' && document.body?.dataset.phase !== undefined`)
    await browser.until(ready)
    expect(await browser.value('location.href')).toBe(`${address}/`)
    await choose('free')
    await browser.until(line('person', /what time is it/))
    await browser.until(line('house', /It is|clock skill/))
    await choose('hold')
    expect(await fingerprintAt(address)).toBe(fingerprint)
  })

  it('opens when the node is gone, and says so', async () => {
    const url = node.http
    await node.end('SIGKILL')
    await browser.open(url)
    await browser.until(`document.querySelector('#health').textContent === 'not reachable'`)
  })
})
