/** Aligned tables, times and bars for people. Pure: colour and width are given. */

export interface Style {
  readonly color: boolean
  readonly columns: number
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const
export type Paint = keyof typeof CODES

export const paint = (style: Style, code: Paint, text: string): string =>
  style.color && text !== '' ? `\u001b[${CODES[code]}m${text}\u001b[0m` : text

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
  /** May be cut when the terminal is narrow. */
  readonly flexible?: boolean
  readonly paint?: (value: string) => Paint | undefined
}

const GAP = 2
const MIN_FLEXIBLE = 8

/** Rows under titles. The flexible columns give way when the terminal is narrow; nothing wraps. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): string {
  const widths = columns.map((column, index) =>
    Math.max(widthOf(column.title), ...rows.map((row) => widthOf(row[index] ?? ''))),
  )
  shrink(columns, widths, style.columns)
  const line = (cells: readonly string[], painted: (index: number) => Paint | undefined): string =>
    columns
      .map((column, index) => {
        const text = cut(oneLine(cells[index] ?? ''), widths[index]!)
        const code = painted(index)
        const shown = code === undefined ? text : paint(style, code, text)
        const space = ' '.repeat(Math.max(0, widths[index]! - widthOf(text)))
        return column.align === 'right' ? `${space}${shown}` : `${shown}${space}`
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  const titles = line(
    columns.map((column) => column.title),
    () => 'dim',
  )
  const body = rows.map((row) => line(row, (index) => columns[index]!.paint?.(row[index] ?? '')))
  return `${[titles, ...body].join('\n')}\n`
}

/** Takes what is too much from the widest flexible columns. */
function shrink(columns: readonly Column[], widths: number[], available: number): void {
  const total = (): number => widths.reduce((sum, width) => sum + width, GAP * (widths.length - 1))
  while (total() > available) {
    let widest: number | undefined
    for (const [index, column] of columns.entries()) {
      if (column.flexible !== true || widths[index]! <= MIN_FLEXIBLE) continue
      if (widest === undefined || widths[index]! > widths[widest]!) widest = index
    }
    if (widest === undefined) return
    widths[widest]! -= 1
  }
}

/** Two columns without titles: names and values. A value too long for its line goes on below its own beginning. */
export function facts(rows: readonly (readonly [string, string])[], style: Style): string {
  const width = Math.max(0, ...rows.map(([name]) => widthOf(name)))
  const indent = ' '.repeat(width + GAP)
  return rows
    .map(([name, value]) => {
      const lines = wrap(value, style.columns - width - GAP)
      return `${paint(style, 'dim', name.padEnd(width))}${' '.repeat(GAP)}${lines.join(`\n${indent}`)}\n`
    })
    .join('')
}

/** Less room than this is no column: a terminal so narrow breaks the lines itself. */
const MIN_WRAPPED = 16

/** Breaks a text between words into lines of at most `width` letters, not counting colours; a longer word stays whole. */
export function wrap(text: string, width: number): readonly string[] {
  if (width < MIN_WRAPPED || widthOf(withoutColors(text)) <= width) return [text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line === '' || widthOf(withoutColors(longer)) <= width) line = longer
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}

const withoutColors = (text: string): string =>
  text
    .split('\u001b[')
    .map((part, index) => (index === 0 ? part : part.slice(part.indexOf('m') + 1)))
    .join('')

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ')
const widthOf = (text: string): number => [...oneLine(text)].length

function cut(text: string, width: number): string {
  const letters = [...text]
  return letters.length <= width ? text : `${letters.slice(0, Math.max(0, width - 1)).join('')}…`
}

/** `3 d 4 h`, `1 h 2 min`, `5 min 3 s`, `12 s`. */
export function duration(seconds: number): string {
  const whole = Math.floor(seconds)
  const parts: readonly [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor(whole / 3_600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's'],
  ]
  const first = parts.findIndex(([count]) => count > 0)
  if (first === -1) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ')
}

/** Milliseconds with as many digits as matter. */
export const milliseconds = (ms: number | null): string =>
  ms === null ? '–' : ms < 10 ? ms.toFixed(1) : String(Math.round(ms))

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of at most `width` letters, exact to an eighth of a letter. */
export function bar(value: number, most: number, width: number): string {
  if (most <= 0 || value <= 0) return ''
  const eighths = Math.round(Math.min(1, value / most) * width * 8)
  return `${'█'.repeat(Math.floor(eighths / 8))}${EIGHTHS[eighths % 8]}`
}
