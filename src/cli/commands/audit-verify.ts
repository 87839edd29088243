/** `loqa audit verify` and `loqa audit acknowledge`: is the log what the node wrote, and if not, from where on. */
import type { AuditVerification } from '../../api/index.ts'
import type { Call, Run } from '../call.ts'
import { UsageError } from '../failures.ts'
import { facts, paint, type Style } from '../table.ts'
import { EXIT, type ExitCode } from '../world.ts'
import { plural } from './status.ts'

/** So many are shown to people; `--json` has up to a hundred. */
const SHOWN = 10

type Fault = AuditVerification['faults'][number]

/** Exit 1 as long as there is a fault that nobody acknowledged. */
export const run: Run = async (call) =>
  show(call, await (await call.client()).get<AuditVerification>('/api/v1/audit/verify'))

export const acknowledge: Run = async (call) => {
  if (call.options.yes !== true) {
    throw new UsageError(
      'This says that a person has seen what is wrong with the audit log, and is content with it',
      'See it with loqa audit verify, keep a copy with loqa audit export; then: loqa audit acknowledge --yes',
    )
  }
  return show(call, await (await call.client()).post<AuditVerification>('/api/v1/audit/acknowledge', {}))
}

function show({ world, json, style }: Call, verification: AuditVerification): ExitCode {
  world.terminal.out(json ? `${JSON.stringify(verification)}\n` : verificationText(verification, style))
  return verification.faults.every(({ acknowledged }) => acknowledged) ? EXIT.ok : EXIT.failed
}

export function verificationText(found: AuditVerification, style: Style): string {
  const { newest_checkpoint: newest } = found
  const rows: [string, string][] = [
    ['audit log', `${plural(found.records, 'record')}, ${verdictOf(found, style)}`],
    ['signed', signedText(found)],
  ]
  if (found.begins_after !== null)
    rows.push(['begins', `after record ${found.begins_after}, which was taken away when it was old enough`])
  if (newest !== null) {
    const held = newest.held_by.join(', ')
    rows.push(['last signed', `record ${newest.seq} on ${newest.time}, held by ${held}`])
  }
  for (const fault of found.faults.slice(0, SHOWN)) rows.push([`line ${fault.line}`, faultText(fault, style)])
  const more = found.faulty - Math.min(SHOWN, found.faults.length)
  if (more > 0) rows.push(['', `and ${plural(more, 'fault')} more`])
  return facts(rows, style)
}

function verdictOf({ ok, faults }: AuditVerification, style: Style): string {
  if (ok) return paint(style, 'green', 'unbroken')
  const open = faults.filter(({ acknowledged }) => !acknowledged).length
  return open === 0
    ? paint(style, 'yellow', 'broken where it is known to be')
    : paint(style, 'red', `broken: ${plural(open, 'fault')}`)
}

const signedText = ({ ok, signed_until, records, begins_after }: AuditVerification): string =>
  signed_until === 0
    ? 'no record yet is borne out by a checkpoint'
    : ok && signed_until === records + (begins_after ?? 0)
      ? 'all of them, as checkpoints say'
      : `up to record ${signed_until}, as checkpoints say`

function faultText(fault: Fault, style: Style): string {
  const { reason, shown_by, signed_until, acknowledged } = fault
  const shown = shown_by.length === 0 ? '' : ` (held by ${shown_by.join(', ')})`
  const sure = signed_until === 0 ? '' : `; up to record ${signed_until} all is as it was signed`
  const known = acknowledged ? '; acknowledged' : ''
  return `${paint(style, acknowledged ? 'yellow' : 'red', reason)}${shown}${sure}${known}`
}
