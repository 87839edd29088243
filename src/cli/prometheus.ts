/** Reads Prometheus text far enough to show it: values, and quantiles of histograms. Pure. */

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly samples: readonly Sample[]
}

export interface Bucket {
  readonly below: number
  /** Values at or below `below`. */
  readonly count: number
}

export interface Row {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** A histogram's number of values. */
  readonly value: number
  readonly buckets?: readonly Bucket[]
}

export function parsePrometheus(text: string): readonly Family[] {
  const families: { name: string; type: string; samples: Sample[] }[] = []
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)/.exec(line)
    if (type) families.push({ name: type[1]!, type: type[2]!, samples: [] })
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line)
    if (sample)
      families
        .at(-1)
        ?.samples.push({ name: sample[1]!, labels: labelsOf(sample[2]), value: numberOf(sample[3]!) })
  }
  return families
}

const numberOf = (text: string): number => (text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text))

const labelsOf = (text: string | undefined): Record<string, string> =>
  Object.fromEntries(
    [...(text ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name!, value!]),
  )

/** One row per series; the many lines of a histogram become one. */
export function rowsOf(family: Family): readonly Row[] {
  if (family.type !== 'histogram')
    return family.samples.map(({ name, labels, value }) => ({ name, labels, value }))
  const rows = new Map<string, { labels: Record<string, string>; buckets: Bucket[]; value: number }>()
  for (const sample of family.samples) {
    const { le, ...labels } = sample.labels
    const key = JSON.stringify(labels)
    const row = rows.get(key) ?? { labels, buckets: [], value: 0 }
    rows.set(key, row)
    if (sample.name.endsWith('_bucket'))
      row.buckets.push({ below: numberOf(le ?? '+Inf'), count: sample.value })
    if (sample.name.endsWith('_count')) row.value = sample.value
  }
  return [...rows.values()].map((row) => ({ name: family.name, ...row }))
}

/** Linear within the bucket; null when there are no values. */
export function quantile(buckets: readonly Bucket[], share: number): number | null {
  const total = buckets.at(-1)?.count ?? 0
  if (total === 0) return null
  const rank = share * total
  let below = 0
  let counted = 0
  for (const bucket of buckets) {
    if (bucket.count >= rank) {
      if (!Number.isFinite(bucket.below)) return below
      const within = bucket.count === counted ? 1 : (rank - counted) / (bucket.count - counted)
      return below + (bucket.below - below) * within
    }
    below = bucket.below
    counted = bucket.count
  }
  return below
}
