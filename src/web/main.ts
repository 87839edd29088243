/**
 * The page at `/`: puts its parts together. `conversation.ts` decides what is shown, `satellite.ts` hears and speaks, `access.ts` knows the way
 * to the node; here presses and keys become calls of those.
 */
import type { NodeEvent, NodeRow, StatusView, TurnView } from '../api/index.ts'
import { ask, NodeError, openSocket, securedAddress, takeTokenFromAddress, useToken } from './access.ts'
import { watchApprovals } from './approvals.ts'
import { type Conversation, type Happening, happened, QUIET } from './conversation.ts'
import { button, byId, element, forget, notice } from './elements.ts'
import { showRooms, showState, showStatus } from './house.ts'
import { type Mode, Satellite } from './satellite.ts'
import { Sound } from './sound.ts'
import { showConversation } from './transcript.ts'

const IDEAS = ['What time is it', 'Set a timer for five minutes', 'Add milk to the shopping list']
const ROOM = 'loqa.room'
/** How long a broken feed of the node's status waits before it is asked for again. */
const RETRY_MS = 2_000
/** More browsers watch than the node tells of itself: the others ask, not often. */
const OVERLOADED = 1013
const CROWDED_MS = 10_000

let conversation: Conversation = QUIET
let node: StatusView['node'] | undefined
let status: StatusView | undefined

const orb = byId<HTMLButtonElement>('orb')

// — what is shown —

function take(happening: Happening): void {
  const before = conversation
  conversation = happened(conversation, happening)
  if (conversation !== before) show()
}

function show(): void {
  const { phase, partial } = conversation
  document.body.dataset.phase = phase
  byId('heard').textContent = partial
  byId('hint').textContent = hint()
  showConversation(conversation)
}

function hint(): string {
  if (orb.disabled) return 'Typing works'
  const { phase } = conversation
  const isFree = satellite.mode !== 'hold'
  if (phase === 'thinking') return 'One moment'
  if (phase === 'speaking') return isFree ? 'Speak to interrupt' : 'Hold to interrupt'
  if (!isFree) return satellite.isOpen ? 'Listening' : 'Hold and speak'
  if (!satellite.isOpen) return 'Paused: press to listen'
  return satellite.mode === 'wake' && phase === 'idle' ? `Say “${wakeWord()}”` : 'Listening: just speak'
}

const wakeWord = (): string => status?.wake_words?.[0] ?? ''

const level = (value: number): void => document.documentElement.style.setProperty('--level', value.toFixed(3))

// — speaking —

const satellite = new Satellite(localStorage.getItem(ROOM) ?? '', {
  happened(happening) {
    take(happening)
    if (happening.type === 'playing' && !happening.on) level(0)
  },
  level: (value) => level(conversation.phase === 'speaking' ? Math.min(1, value * 4) : value),
  sending(on) {
    document.body.dataset.sending = String(on)
    orb.setAttribute('aria-pressed', String(on))
    if (on && satellite.mode !== 'hold') keepAwake()
    show()
  },
  line: (is_up) => {
    if (!is_up) showState('gone')
    else if (status !== undefined) showStatus(status)
  },
})

/** A phone that listens hands-free and goes to sleep hears nothing any more; browsers that cannot help let it. */
function keepAwake(): void {
  navigator.wakeLock?.request('screen').catch(() => undefined)
}

/** Presses fail where there is no microphone, or it is not allowed. */
async function begin(press: () => Promise<void>): Promise<void> {
  try {
    await press()
    forget('microphone')
  } catch (thrown) {
    const name = thrown instanceof Error ? thrown.name : ''
    const [heading, text] =
      name === 'NotAllowedError'
        ? [
            'The microphone is not allowed',
            'Allow it for this page in the browser’s address bar, then press again.',
          ]
        : name === 'NotFoundError'
          ? ['There is no microphone', 'Connect one, then press again. Typing works meanwhile.']
          : ['The microphone cannot be used', thrown instanceof Error ? thrown.message : String(thrown)]
    notice('microphone', { heading: heading!, text: text! })
  }
  show()
}

orb.addEventListener('pointerdown', (event) => {
  if (event.button !== 0 || satellite.mode !== 'hold') return
  orb.setPointerCapture(event.pointerId)
  void begin(() => satellite.press())
})
for (const end of ['pointerup', 'pointercancel'] as const) {
  orb.addEventListener(end, () => {
    if (satellite.mode === 'hold') satellite.release()
  })
}
orb.addEventListener('contextmenu', (event) => event.preventDefault())
orb.addEventListener('click', () => {
  if (satellite.mode !== 'hold') void begin(() => satellite.listen(!satellite.isOpen))
})

/** The space bar is the button, wherever nothing else wants it. */
const isForOrb = ({ target }: KeyboardEvent): boolean =>
  target === orb ||
  !(target instanceof HTMLElement && target.closest('input, button, summary, dialog') !== null)

/** Enter, too, where the button has the focus. */
const isTalkKey = ({ key, target }: KeyboardEvent): boolean =>
  key === ' ' || (key === 'Enter' && target === orb)

addEventListener('keydown', (event) => {
  if (event.key === 'Escape') satellite.hush()
  if (!isTalkKey(event) || !isForOrb(event) || satellite.mode !== 'hold' || orb.disabled) return
  event.preventDefault()
  if (!event.repeat) void begin(() => satellite.press())
})
addEventListener('keyup', (event) => {
  if (isTalkKey(event) && satellite.mode === 'hold') satellite.release()
})
addEventListener('blur', () => {
  if (satellite.mode === 'hold') satellite.release()
})

for (const choice of document.querySelectorAll<HTMLInputElement>('#modes input')) {
  choice.addEventListener('change', () => void begin(() => satellite.choose(choice.value as Mode)))
}

// — typing —

async function type(text: string): Promise<void> {
  if (text.trim() === '') return
  take({ type: 'typed', text: text.trim() })
  const room = localStorage.getItem(ROOM)
  try {
    const turn = await ask<TurnView>('/api/v1/ask', {
      text,
      ...(room === null ? {} : { room }),
      ...(satellite.session === undefined ? {} : { session: satellite.session }),
    })
    take({ type: 'answered', turn })
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) throw thrown
    take({
      type: 'trouble',
      message: thrown.message,
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
    })
    if (thrown.status === 401) askForToken()
  }
}

byId<HTMLFormElement>('type').addEventListener('submit', (event) => {
  event.preventDefault()
  const words = byId<HTMLInputElement>('words')
  void type(words.value)
  words.value = ''
})
for (const idea of IDEAS) {
  const press = button(idea, 'plain', () => void type(idea))
  press.className = ''
  byId('ideas').append(element('li', {}, press))
}

// — the node —

/** Follows the node's status for as long as the page is open. */
async function follow(): Promise<void> {
  try {
    status = await ask<StatusView>('/api/v1/status')
  } catch (thrown) {
    const isLocked = thrown instanceof NodeError && thrown.status === 401
    showState(isLocked ? 'locked' : 'gone')
    if (isLocked) askForToken()
    else setTimeout(() => void follow(), RETRY_MS)
    return
  }
  unlock()
  learn(status)
  const socket = openSocket('/api/v1/events')
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    const event = JSON.parse(data) as NodeEvent
    if (event.type === 'status') learn(event.status)
  }
  socket.onclose = ({ code }) => {
    if (code !== OVERLOADED) showState('gone')
    setTimeout(() => void follow(), code === OVERLOADED ? CROWDED_MS : RETRY_MS)
  }
}

function learn(news: StatusView): void {
  status = news
  showStatus(news)
  const [word] = news.wake_words ?? []
  const wake = byId('wake')
  wake.hidden = word === undefined
  wake.dataset.word = word ?? ''
  wake.querySelector('span')!.textContent = `“${word}”`
  if (node?.id === news.node.id) return
  node = news.node
  document.title = `loqa · ${node.room}`
  byId<HTMLInputElement>('room').placeholder = node.room
  ask<readonly NodeRow[]>('/api/v1/nodes').then(
    (rows) => showRooms(rows.map(({ room }) => room)),
    () => undefined,
  )
}

function unlock(): void {
  forget('token')
  delete document.body.dataset.locked
}

function askForToken(): void {
  document.body.dataset.locked = ''
  const input = element('input')
  input.type = 'password'
  input.autocomplete = 'current-password'
  input.setAttribute('aria-label', 'Token')
  const enter = (): void => {
    useToken(input.value)
    unlock()
    void follow()
  }
  input.addEventListener('keydown', (event) => event.key === 'Enter' && enter())
  notice(
    'token',
    {
      heading: 'This node wants its token',
      text: 'The first line of the file that api.token_file names on the node. It is kept in this browser only.',
    },
    element('div', { class: 'choices' }, input, button('Use it', 'firm', enter)),
  )
  input.focus()
}

const sheet = byId<HTMLDialogElement>('sheet')
byId('house').addEventListener('click', () => sheet.showModal())
sheet.addEventListener('click', (event) => event.target === sheet && sheet.close())

const room = byId<HTMLInputElement>('room')
room.value = localStorage.getItem(ROOM) ?? ''
room.addEventListener('change', () => {
  const chosen = room.value.trim()
  if (chosen === '') localStorage.removeItem(ROOM)
  else localStorage.setItem(ROOM, chosen)
  void satellite.move(chosen)
})

// — where the page may not hear —

function explainSilence(): void {
  const { missing } = Sound
  if (missing === undefined) return
  orb.disabled = true
  byId('modes').hidden = true
  if (missing === 'unsupported') {
    notice('silence', {
      heading: 'This browser has no microphone for pages',
      text: 'Any current Chrome, Firefox or Safari has.',
    })
    return
  }
  const here = `http://localhost:${location.port || '80'}`
  notice(
    'silence',
    {
      heading: 'No microphone at this address',
      text:
        `Browsers let a page hear only over https, or on the node’s own machine (${here}). Over https the node vouches for itself: ` +
        'the browser warns once, and shows a certificate whose SHA-256 is what the node printed at its start.',
    },
    element(
      'div',
      { class: 'choices' },
      button('Open it over https', 'firm', () => location.assign(securedAddress())),
    ),
  )
}

// — as an app —

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>
}

addEventListener('beforeinstallprompt', (event) => {
  event.preventDefault()
  const install = byId('install')
  install.hidden = false
  install.onclick = () => {
    install.hidden = true
    void (event as InstallPrompt).prompt()
  }
})

if (window.isSecureContext && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/service-worker.js').catch((error: unknown) => {
    // The page works without; it only does not open while the node is away.
    console.warn('The page is not kept for offline use', error)
  })
}

takeTokenFromAddress()
explainSilence()
show()
watchApprovals()
void follow()
