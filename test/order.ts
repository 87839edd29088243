/**
 * The order in which test files run: those that wait for real processes first, spread among the short ones, the short ones last. So
 * no worker is left alone with a long file at the end.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Folders whose files take seconds on purpose; those that wait most come first. */
const LONG = ['system', 'lan', 'process', 'sim', 'fuzz']
/** Short files behind each long one. */
const BETWEEN = 2

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const short = sorted.filter((file) => rank(file) === -1)
    const long = sorted.filter((file) => rank(file) !== -1).sort((a, b) => rank(a) - rank(b))
    const spread = long.flatMap((file) => [file, ...short.splice(0, BETWEEN)])
    return [...spread, ...short]
  }
}

const rank = ({ moduleId }: TestSpecification): number =>
  LONG.findIndex((folder) => moduleId.includes(`/test/${folder}/`))
