/** A small writer of SVG bar charts for the benches: one horizontal bar a row, with its value and, if any, its goal. */

export interface Bar {
  readonly label: string
  /** In the chart's unit, from 0 to `most`. */
  readonly value: number
  /** Written behind the bar; the value with one decimal if left out. */
  readonly text?: string
  /** A line across this bar: what was promised. */
  readonly goal?: number
  readonly group?: string
}

export interface Chart {
  readonly title: string
  readonly subtitle?: string
  readonly unit: string
  /** The value at the right edge. */
  readonly most: number
  readonly bars: readonly Bar[]
}

const WIDTH = 760
const LABEL_WIDTH = 210
const VALUE_WIDTH = 110
const ROW = 24
const TOP = 62
const COLOURS = ['#3b6ea5', '#5b9a68', '#b0793d', '#8a5a9e', '#777777'] as const

/** The chart as a whole SVG document, readable on light and dark pages. */
export function barChart(chart: Chart): string {
  const groups = [...new Set(chart.bars.map((bar) => bar.group ?? ''))]
  const height = TOP + chart.bars.length * ROW + 26
  const rows = chart.bars.map((bar, row) => barRow(bar, row, chart, groups.indexOf(bar.group ?? '')))
  const subtitle =
    chart.subtitle === undefined ? '' : text(16, 44, chart.subtitle, { size: 12, opacity: 0.7 })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${escaped(chart.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(16, 26, chart.title, { size: 16, weight: 600 }),
    subtitle,
    ...rows,
    text(LABEL_WIDTH, height - 8, `0 … ${chart.most} ${chart.unit}`, { size: 11, opacity: 0.6 }),
    '</svg>',
    '',
  ].join('\n')
}

function barRow(bar: Bar, row: number, chart: Chart, group: number): string {
  const y = TOP + row * ROW
  const room = WIDTH - LABEL_WIDTH - VALUE_WIDTH
  const scale = (value: number): number => (Math.max(0, Math.min(value, chart.most)) / chart.most) * room
  const fill = COLOURS[group % COLOURS.length]
  const goal = bar.goal === undefined ? '' : line(LABEL_WIDTH + scale(bar.goal), y + 1, y + ROW - 3)
  return [
    text(LABEL_WIDTH - 8, y + 15, bar.label, { size: 12, anchor: 'end' }),
    `<rect x="${LABEL_WIDTH}" y="${y + 3}" width="${scale(bar.value).toFixed(1)}" height="${ROW - 8}" rx="2" fill="${fill}"/>`,
    goal,
    text(WIDTH - VALUE_WIDTH + 8, y + 15, bar.text ?? `${bar.value.toFixed(1)} ${chart.unit}`, { size: 12 }),
  ].join('')
}

function line(x: number, from: number, to: number): string {
  return `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${from}" y2="${to}" stroke="#c0392b" stroke-width="1.5"/>`
}

interface TextStyle {
  readonly size: number
  readonly weight?: number
  readonly anchor?: 'start' | 'end'
  readonly opacity?: number
}

function text(x: number, y: number, content: string, style: TextStyle): string {
  const weight = style.weight === undefined ? '' : ` font-weight="${style.weight}"`
  const anchor = style.anchor === undefined ? '' : ` text-anchor="${style.anchor}"`
  const opacity = style.opacity === undefined ? '' : ` opacity="${style.opacity}"`
  return `<text x="${x}" y="${y}" font-size="${style.size}" fill="#222222"${weight}${anchor}${opacity}>${escaped(content)}</text>`
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
