/** What went wrong, for a person: what happened, what to do, and the exit code a script can tell it by. */
import { errorShape, LoqaError } from '../host/errors.ts'
import { EXIT, type ExitCode, type Terminal } from './world.ts'

/** No node answers: `what` says where it was looked for. */
export class NoNodeError extends LoqaError {
  constructor(what: string, cause?: unknown) {
    super('no-node', what, {
      hint: 'Start one with: loqa-node (in a clone: npm start). If it runs elsewhere, add --data DIR or --url http://127.0.0.1:7420',
      retryable: true,
      cause,
    })
  }
}

export class UsageError extends LoqaError {
  constructor(message: string, hint?: string) {
    super('usage', message, { hint })
  }
}

/** The node answered with an error. */
export class NodeError extends LoqaError {
  constructor(shape: { code: string; message: string; hint?: string }) {
    super(shape.code, shape.message, { hint: shape.hint })
  }
}

const EXIT_OF: Readonly<Record<string, ExitCode>> = {
  'no-node': EXIT.unreachable,
  usage: EXIT.usage,
  'config-invalid': EXIT.config,
  'store-key-wrong': EXIT.config,
  'store-key-sealed': EXIT.config,
  'store-key-missing': EXIT.config,
  'store-key-exposed': EXIT.config,
  'store-key-damaged': EXIT.config,
  'data-directory-busy': EXIT.busy,
  'models-busy': EXIT.busy,
  overloaded: EXIT.busy,
  'rate-limited': EXIT.busy,
  'enrolment-locked': EXIT.busy,
  interrupted: EXIT.interrupted,
}

export const exitCodeOf = (thrown: unknown): ExitCode =>
  (thrown instanceof LoqaError ? EXIT_OF[thrown.code] : undefined) ?? EXIT.failed

/** Prints an error; with `json` as one object, else as sentences. `LOQA_DEBUG` adds where a defect happened. */
export function report(
  terminal: Terminal,
  thrown: unknown,
  options: { json: boolean; debug: boolean },
): void {
  const { code, message, hint } = errorShape(thrown)
  if (code === 'interrupted') return
  if (options.json) {
    terminal.err(`${JSON.stringify({ error: { code, message, ...(hint === undefined ? {} : { hint }) } })}\n`)
  } else {
    const [red, dim, reset] = terminal.color ? ['\u001b[31m', '\u001b[2m', '\u001b[0m'] : ['', '', '']
    // A defect has no words of its own; on the person's own terminal those of the program may be shown.
    const defect = code === 'unexpected' && thrown instanceof Error ? `: ${thrown.message}` : ''
    terminal.err(`${red}${message}${defect}${reset}\n`)
    if (code === 'unexpected') {
      if (!options.debug) terminal.err(`${dim}LOQA_DEBUG=1 shows where; please report it.${reset}\n`)
    } else if (hint !== undefined) terminal.err(`${dim}${hint}${reset}\n`)
  }
  if (options.debug && thrown instanceof Error) terminal.err(`${thrown.stack ?? thrown.message}\n`)
}
