/** English that is no command, from two Debian packages: fortunes (sentences) and wamerican (words). */
import { readdirSync, readFileSync } from 'node:fs'

export interface English {
  /** Stretches of sentences. */
  readonly talk: readonly string[]
  readonly dictionary: readonly string[]
}

/** @throws when the two packages are not installed. */
export function readEnglish(): English {
  return { talk: readTalk(), dictionary: readDictionary() }
}

/** Stretches of three to ten words from Debian's fortune files. */
export function readTalk(): string[] {
  const folder = '/usr/share/games/fortunes/'
  const files = readdirSync(folder).filter((name) => !name.includes('.') && name !== 'ascii-art')
  const sentences = files.flatMap((name) =>
    readFileSync(folder + name, 'utf8').split(/[.!?;:%"()[\]]|\n\n|--/),
  )
  return sentences
    .map((sentence) => sentence.toLowerCase().replace(/\s+/g, ' ').trim())
    .filter((sentence) => /^[a-z' ,-]+$/.test(sentence))
    .map((sentence) =>
      sentence.replace(/[,-]/g, ' ').replace(/\s+/g, ' ').trim().split(' ').slice(0, 9).join(' '),
    )
    .filter((sentence) => sentence.split(' ').length >= 3 && sentence.length <= 60)
}

export function readDictionary(): string[] {
  return readFileSync('/usr/share/dict/words', 'utf8')
    .split('\n')
    .filter((word) => /^[a-z]{2,10}$/.test(word))
}
