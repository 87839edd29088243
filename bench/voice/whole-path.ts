/** A text's intent as the node finds it: the templates' reading if there is one, else the intent model's answer, checked. */
import { LlamaEngine } from '../../src/inference/child/llama.ts'
import {
  answerSchema,
  compileGrammar,
  interpretAnswer,
  languagePrompt,
  read,
} from '../../src/skills/intents/index.ts'
import { readGrammarSources } from '../../training/grammar.ts'

const ROOT = new URL('../..', import.meta.url).pathname
const NONE = 'none'

export class WholePath {
  readonly #grammar = compileGrammar(readGrammarSources(ROOT))
  readonly #schema = answerSchema(this.#grammar)
  readonly #engine = new LlamaEngine()

  static async open(): Promise<WholePath> {
    const path = new WholePath()
    await path.#engine.load({
      id: 'intent-starter',
      kind: 'llm',
      engine: 'llama',
      paths: { model: `${ROOT}models/intent-starter.gguf` },
      parameters: { threads: 1, context_tokens: 256 },
    })
    return path
  }

  /** The intent's name, `none` if there is none. */
  async intentOf(text: string): Promise<string> {
    const reading = read(this.#grammar, text)
    if (reading.intent.name !== NONE && reading.complete) return reading.intent.name
    const asked = languagePrompt(text, reading, this.#schema)
    if (asked === undefined) return NONE
    return interpretAnswer(this.#grammar, await this.answer(asked.prompt), text)?.name ?? NONE
  }

  /** What the model alone says to a prompt; empty if it does not come to an end. */
  async answer(prompt: string): Promise<string> {
    return await new Promise((resolve, reject) => {
      let text = ''
      const request = { kind: 'llm', prompt, schema: this.#schema, max_tokens: 96, temperature: 0 } as const
      this.#engine.open(request, (event) => {
        if (event.type === 'token') text += event.text
        if (event.type === 'final') text = event.text
        if (event.type === 'done') resolve(text)
        if (event.type === 'failed')
          event.error.code === 'output-incomplete' ? resolve('') : reject(new Error(event.error.message))
      })
    })
  }

  async close(): Promise<void> {
    await this.#engine.unload()
  }
}
