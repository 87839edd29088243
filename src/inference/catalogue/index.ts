/**
 * The catalogue of models, and how their files come here.
 *
 * Promises: a file gets its name only after size, format and SHA-256 were found right; a download that was cut off in any way
 * goes on where it stopped; a checksum nobody published is recorded at the first download and enforced from then on; nothing is
 * fetched unless a person asked. Fetching happens in the program the person started, not in the node: a node opens no connection
 * out of the house by itself, and it may be that none runs yet. When the terminal closes, the same command goes on later.
 *
 * Read `entries.ts` (what there is), then `download.ts` (the life of one download, pure), `fetch.ts` (its hands), `shelf.ts`
 * (what is here and what was chosen). The doors to the network are the command line's.
 */
export { type Advice, adviceFor, type Machine } from './advice.ts'
export { MAX_REDIRECTS, readAnswer, redirectOf } from './answers.ts'
export type { DownloadEvent } from './course.ts'
export { CATALOGUE } from './entries.ts'
export { type Entry, type EntryFile, isPinned, sizeOf } from './entry.ts'
export { type Connection, type FetchDoors, fetchFile, SourceError } from './fetch.ts'
export { FORMAT_WORDS, type Format, formatOf, HEAD_BYTES } from './formats.ts'
export { type AddedLibrary, BUILT_IN, enginesDirectory, LIBRARIES } from './libraries.ts'
export { preparedOf } from './prepared.ts'
export { NO_PACE, type Pace, paced, rateOf, secondsLeft, sizeText } from './progress.ts'
export { ENGINES, entryOf, type Pulled, pullEntry } from './pull.ts'
export {
  type Chosen,
  dropModel,
  isChosenKind,
  pulledDirectory,
  putChosen,
  putModel,
  readShelf,
  type Shelf,
} from './shelf.ts'
