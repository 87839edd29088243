/** A transcript in the formats of the API. Pure. */

export interface Segment {
  /** Seconds from the beginning of the recording. */
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Transcript {
  readonly segments: readonly Segment[]
  /** Of the recording. */
  readonly seconds: number
}

export const FORMATS = ['json', 'text', 'srt', 'verbose_json', 'vtt'] as const
export type TranscriptFormat = (typeof FORMATS)[number]

export const textOf = (segments: readonly Segment[]): string => segments.map(({ text }) => text).join(' ')

export const usageOf = (seconds: number) => ({ type: 'duration', seconds: Math.ceil(seconds) })

export function formatted(
  { segments, seconds }: Transcript,
  format: TranscriptFormat,
): { readonly type: string; readonly body: string | object } {
  const text = textOf(segments)
  switch (format) {
    case 'json':
      return { type: 'application/json', body: { text, usage: usageOf(seconds) } }
    case 'verbose_json':
      return {
        type: 'application/json',
        body: {
          task: 'transcribe',
          language: 'english',
          duration: Math.round(seconds * 1_000) / 1_000,
          text,
          // What the recogniser does not tell (probabilities, its own tokens) is left out.
          segments: segments.map((segment, id) => ({ id, ...segment })),
          usage: usageOf(seconds),
        },
      }
    case 'text':
      return { type: 'text/plain; charset=utf-8', body: `${text}\n` }
    case 'srt':
      return {
        type: 'text/plain; charset=utf-8',
        body: segments
          .map(
            ({ start, end, text: words }, index) =>
              `${index + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${words}\n\n`,
          )
          .join(''),
      }
    default:
      return {
        type: 'text/vtt; charset=utf-8',
        body: `WEBVTT\n\n${segments
          .map(({ start, end, text: words }) => `${clock(start, '.')} --> ${clock(end, '.')}\n${words}\n\n`)
          .join('')}`,
      }
  }
}

function clock(seconds: number, point: ',' | '.'): string {
  const ms = Math.round(seconds * 1_000)
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0')
  const whole = `${two(ms / 3_600_000)}:${two((ms / 60_000) % 60)}:${two((ms / 1_000) % 60)}`
  return `${whole}${point}${String(ms % 1_000).padStart(3, '0')}`
}
