/** What a skill is called with. */
import { Host } from '@extism/as-pdk'
import { Json, Kind, parse } from './json'

/** `handle` was called: carry out an intent. */
export class Invocation {
  intent: string = ''
  /** The part behind the dot: `set` of `timer.set`. */
  verb: string = ''
  room: string = ''
  session: string = ''
  /** The person said yes to the question the manifest's `confirm` asks. */
  confirmed: bool = false
  private slots: Map<string, Json> = new Map<string, Json>()

  static read(): Invocation {
    const json = parse(Host.inputString())
    const invocation = new Invocation()
    invocation.intent = textOf(json.field('intent'))
    invocation.verb = invocation.intent.substring(invocation.intent.indexOf('.') + 1)
    invocation.room = textOf(json.field('room'))
    invocation.session = textOf(json.field('session'))
    const confirmed = json.field('confirmed')
    invocation.confirmed = confirmed !== null && confirmed.boolean
    const slots = json.field('slots')
    if (slots !== null) invocation.slots = slots.fields
    return invocation
  }

  has(slot: string): bool {
    return this.slots.has(slot)
  }

  /** A text slot; empty when it was not said. */
  text(slot: string): string {
    return this.has(slot) ? textOf(this.slots.get(slot)) : ''
  }

  /** A number slot, or a duration in seconds; `otherwise` when it was not said. */
  number(slot: string, otherwise: f64 = 0): f64 {
    if (!this.has(slot)) return otherwise
    const json = this.slots.get(slot)
    return json.kind == Kind.Number ? json.number : otherwise
  }

  /** A slot that takes many values, in the order they were said. A single value is a list of one. */
  texts(slot: string): string[] {
    if (!this.has(slot)) return []
    const json = this.slots.get(slot)
    if (json.kind != Kind.List) return json.text.length == 0 ? [] : [json.text]
    const texts: string[] = []
    for (let i = 0; i < json.items.length; i++) texts.push(json.items[i].text)
    return texts
  }
}

/** `due` was called: a timer rang. */
export class DueTimer {
  timer: string = ''
  /** How long ago it was due, ms. */
  late_ms: f64 = 0
  /** It fell due while the node was not running. */
  missed: bool = false

  static read(): DueTimer {
    const json = parse(Host.inputString())
    const due = new DueTimer()
    due.timer = textOf(json.field('timer'))
    const late = json.field('late_ms')
    if (late !== null) due.late_ms = late.number
    const missed = json.field('missed')
    due.missed = missed !== null && missed.boolean
    return due
  }
}

/** `heard` was called: what came of something that took time. */
export class Heard {
  /** As the skill named it; the topic for what was said on one. */
  id: string = ''
  /** http, language, question, topic, device or approval. */
  of: string = ''
  ok: bool = false
  room: string = ''
  session: string = ''
  /** http: the status. */
  status: i32 = 0
  /** http: the body; language: what the model wrote; topic: what was said. */
  text: string = ''
  /** question: the person said yes. */
  yes: bool = false
  /** Why not, where it is not `ok`: a code, and a sentence. */
  code: string = ''
  message: string = ''

  static read(): Heard {
    const json = parse(Host.inputString())
    const heard = new Heard()
    heard.id = textOf(json.field('id'))
    heard.of = textOf(json.field('of'))
    const ok = json.field('ok')
    heard.ok = ok !== null && ok.boolean
    heard.room = textOf(json.field('room'))
    heard.session = textOf(json.field('session'))
    const value = json.field('value')
    if (value !== null) heard.take(value)
    const error = json.field('error')
    if (error !== null) {
      heard.code = textOf(error.field('code'))
      heard.message = textOf(error.field('message'))
    }
    return heard
  }

  private take(value: Json): void {
    const status = value.field('status')
    if (status !== null) this.status = i32(status.number)
    const yes = value.field('yes')
    this.yes = yes !== null && yes.boolean
    this.text = textOf(value.field('text'))
    if (value.field('body') !== null) this.text = textOf(value.field('body'))
    if (value.field('data') !== null) this.text = textOf(value.field('data'))
  }
}

function textOf(json: Json | null): string {
  return json === null ? '' : json.text
}
