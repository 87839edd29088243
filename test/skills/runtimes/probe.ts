// The same skill as probe.assembly beside it.
import {
  type Answer,
  announce,
  ask,
  cards,
  clock,
  config,
  confirm,
  count,
  type DueTimer,
  devices,
  durationWords,
  type Heard,
  http,
  type Invocation,
  joinWords,
  language,
  numberWords,
  ordinalWords,
  personal,
  questions,
  random,
  say,
  sentence,
  silence,
  speakable,
  storage,
  timers,
  topics,
} from 'loqa'

const deep = (n: number): number => (n === -1 ? 0 : deep(n + 1) + 1)

const verbs: Readonly<Record<string, (invocation: Invocation) => Answer>> = {
  echo: ({ intent, room, session, confirmed, slots }) =>
    say(
      `${intent} ${room} ${session} ${confirmed ? 'yes' : 'no'} ${slots.word} ${slots.many} ${(slots.list as string[]).join('+')}`,
    ),
  ask: () => ask('word', 'Which word?'),
  confirm: () => confirm('Really?'),
  silence: () => silence(),
  long: () => say('word '.repeat(300)),
  store() {
    const had = storage.get('old')
    storage.put('new', 'ä ☕ 😀')
    storage.remove('old')
    storage.remove('never')
    return say(
      `${had ?? '-'} ${storage.get('new') ?? '-'} ${storage.get('none') ?? '-'} ${storage.keys().join('+')} ${storage.keys('k').join('+')}`,
    )
  },
  full: () =>
    say(
      `${storage.put('big', 'x'.repeat(16000)) ? 'kept' : 'full'} ${storage.put('', 'x') ? 'kept' : 'refused'} ${storage.put('long', 'x'.repeat(16385)) ? 'kept' : 'refused'}`,
    ),
  timers() {
    const set = timers.set('egg', 60_000)
    timers.cancel('tea')
    const far = timers.set('far', 604_800_001)
    return say(
      `${set ? 'set' : 'not'} ${timers.left('egg')} ${timers.left('none')} ${timers.list().join('+')} ${far ? 'far' : 'too far'}`,
    )
  },
  speak() {
    announce('Hello.', 'kitchen')
    announce('Hello all.')
    return silence()
  },
  clock() {
    const { year, month, day, weekday, hour, minute } = clock.local()
    return say(`${year}-${month}-${day} ${weekday} ${hour}:${minute} ${clock.local(1).day}`)
  },
  random: () => say(`${random.draw()} ${random.draw()} ${random.name()}`),
  devices() {
    const names = devices.list().map(({ name, state }) => `${name}=${state.on === true ? 'on' : 'off'} `)
    devices.command('lamp', 'off')
    devices.command('heat', 'set', 21)
    devices.command('lamp', 'colour', 'red')
    return say(names.join(''))
  },
  outside() {
    http.get('one', 'https://example.com/x')
    http.send('two', { method: 'POST', url: 'https://example.com/y', headers: { A: 'b' }, body: '{"c":1}' })
    language.ask('three', 'Say something.', 64)
    questions.put('four', 'May I?', 'kitchen')
    topics.publish('cat.came', 'tom')
    cards.show({ title: 'Cat' }, 'kitchen')
    return say('asked')
  },
  personal() {
    const had = personal.get('name')
    personal.put('name', 'Anna')
    personal.remove('old')
    return say(`${had ?? '-'} ${personal.keys().join('+')}`)
  },
  config: () =>
    say(`${config.text('place')} ${config.flag('loud') ? 'loud' : 'quiet'} ${config.text('none')}`),
  words: () =>
    say(
      [
        numberWords(342),
        ordinalWords(21),
        ordinalWords(30),
        count(1, 'egg'),
        count(2, 'egg'),
        durationWords(3670),
        joinWords(['a', 'b', 'c']),
        sentence('hi'),
        speakable('short'),
      ].join(', '),
    ),
  storm() {
    for (let i = 0; i < 1000; i += 1) storage.keys()
    return say('done')
  },
  loop() {
    for (;;);
  },
  deep: () => say(String(deep(0))),
  memory() {
    const all: Uint8Array[] = []
    for (;;) all.push(new Uint8Array(100_000))
  },
  trap() {
    throw new Error('no')
  },
  much: () => ({ speech: '', card: { text: 'x'.repeat(40_000) } }),
}

export const handle = (invocation: Invocation): Answer =>
  verbs[invocation.verb]?.(invocation) ?? say('unknown')

export function due({ timer, late_ms, missed }: DueTimer): Answer {
  announce(`${timer} ${late_ms} ${missed ? 'missed' : 'in time'}`)
  return silence()
}

export function heard({ id, of, ok, value, error }: Heard): Answer {
  announce(
    `${id} ${of} ${ok ? `${value.status ?? 0} ${value.body ?? value.text ?? value.data ?? ''}` : error!.code}`,
  )
  return silence()
}
