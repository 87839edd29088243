/** Skills in words for people. Pure. */
import type { RevokedRow, SkillDetail, SkillView, TrustedRow } from '../api/index.ts'
import { type Column, facts, paint, type Style, table } from './table.ts'

const LEVELS: Readonly<Record<SkillView['level'], string>> = {
  program: 'came with the node',
  official: 'official',
  vetted: 'vetted',
  own: 'the household',
  folder: 'a folder of this node',
  none: 'nobody',
}

const COLUMNS: readonly Column[] = [
  { title: 'skill' },
  { title: 'version' },
  { title: 'vouched for by', flexible: true },
  { title: 'zone', align: 'right' },
  { title: 'state', paint: (state) => (state === 'ready' ? 'green' : 'red') },
  { title: 'what', flexible: true },
]

export function skillsText(skills: readonly SkillView[], style: Style): string {
  const rows = skills.map((skill) => [
    skill.name,
    `${skill.version}${skill.pinned ? ' (pinned)' : ''}`,
    LEVELS[skill.level],
    String(skill.zone),
    skill.state,
    whatOf(skill),
  ])
  return table(COLUMNS, rows, style)
}

function whatOf({ problem, waiting, summary }: SkillView): string {
  if (problem !== null) return problem
  return waiting === null ? summary : `${waiting} waits: loqa skill grant`
}

export function skillText(skill: SkillDetail, style: Style): string {
  const known = facts(
    [
      ['skill', `${skill.name} ${skill.version}`],
      ['what', skill.summary],
      ['publisher', skill.publisher],
      ['vouched for', `${LEVELS[skill.level]}${skill.until === null ? '' : `, until ${skill.until}`}`],
      ...optional('key', skill.key),
      ['zone', String(skill.zone)],
      ['licence', skill.licence],
      ['state', skill.problem === null ? skill.state : `${skill.state}: ${skill.problem}`],
      ...optional('waiting', skill.waiting),
      ...optional(
        'added',
        skill.added_at === null ? null : `${skill.added_at.slice(0, 10)} at ${skill.added_by}`,
      ),
      ['intents', skill.intents.join(', ')],
      ['digest', skill.digest],
    ],
    style,
  )
  return `${known}\n${asksText(skill.asks, style)}`
}

const optional = (name: string, value: string | null): readonly (readonly [string, string])[] =>
  value === null ? [] : [[name, value]]

interface AskLine {
  readonly means: string
  readonly why: string
  readonly serious: boolean
  readonly granted?: boolean
}

/** What a person reads before they decide. */
export function asksText(asks: readonly AskLine[], style: Style): string {
  if (asks.length === 0) return 'It may answer, and nothing else.\n'
  const lines = asks.map(({ means, why, serious, granted }) => {
    const mark = serious ? paint(style, 'yellow', '!') : ' '
    const fresh = granted === false ? paint(style, 'cyan', ' (new)') : ''
    return `  ${mark} ${means}${fresh}${why === '' ? '' : paint(style, 'dim', `, because it ${why}`)}`
  })
  return `It may:\n${lines.join('\n')}\n`
}

const REVOKED_COLUMNS: readonly Column[] = [
  { title: 'revoked', flexible: true },
  { title: 'since' },
  { title: 'why', flexible: true },
]

export const revokedText = (rows: readonly RevokedRow[], style: Style): string =>
  rows.length === 0
    ? 'Nothing was revoked.\n'
    : table(
        REVOKED_COLUMNS,
        rows.map(({ what, at, why }) => [what, at.slice(0, 10), why]),
        style,
      )

const TRUSTED_COLUMNS: readonly Column[] = [
  { title: 'publisher' },
  { title: 'key', flexible: true },
  { title: 'until' },
]

export const trustedText = (rows: readonly TrustedRow[], style: Style): string =>
  rows.length === 0
    ? 'This household vouches for nobody. To vouch for a publisher: loqa skill trust NAME KEY\n'
    : table(
        TRUSTED_COLUMNS,
        rows.map(({ publisher, key, until }) => [publisher, key, until]),
        style,
      )
