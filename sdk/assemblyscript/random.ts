/** Random numbers. They come from the call's seed: a call repeated draws the same ones. */
import { random } from './imports'

/** Letters and digits that nobody mixes up. */
const LETTERS: string = '0123456789abcdefghjkmnpqrstvwxyz'

/** Uniform in [0, 2³²). */
export function draw(): u32 {
  return random()
}

/** A name of six letters and digits, one of a thousand million: for what is told apart by nothing else, also on nodes that cannot talk. */
export function name(): string {
  let drawn = draw()
  let text = ''
  for (let i = 0; i < 6; i++) {
    text += LETTERS.charAt(i32(drawn & 31))
    drawn >>= 5
  }
  return text
}
