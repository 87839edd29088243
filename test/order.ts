/**
 * The order in which test files run. Those that start processes wait half of their time, the others are busy all of it: mixed, there is
 * always somebody to use a processor that others leave alone. Long ones first on both sides, so that no worker is left with one in the end.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Folders whose files start processes and wait for them; those that wait most come first. */
const WAITING = ['system', 'lan', 'process']
/** Folders whose files compute for seconds. */
const BUSY = ['contract', 'sim', 'fuzz', 'property']

export default class Mixed extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const waiting = ranked(sorted, WAITING)
    const busy = ranked(sorted, BUSY)
    const short = sorted.filter((file) => !waiting.includes(file) && !busy.includes(file))
    return evenly(waiting, evenly(busy, short))
  }
}

const ranked = (files: readonly TestSpecification[], folders: readonly string[]): TestSpecification[] => {
  const rank = ({ moduleId }: TestSpecification): number =>
    folders.findIndex((folder) => moduleId.includes(`/test/${folder}/`))
  return files.filter((file) => rank(file) !== -1).sort((a, b) => rank(a) - rank(b))
}

/** Both in their order, the fewer spread among the more. */
function evenly<T>(some: readonly T[], others: readonly T[]): T[] {
  const all = some.length + others.length
  const rest = [...others]
  return some
    .flatMap((one, i) => [
      one,
      ...rest.splice(0, Math.floor(((i + 1) * all) / some.length) - Math.floor((i * all) / some.length) - 1),
    ])
    .concat(rest)
}
