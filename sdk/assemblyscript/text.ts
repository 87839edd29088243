/** Texts across the border to the node: UTF-8 in the kernel's memory on its side, strings on ours. */
import { Memory } from '@extism/as-pdk'
import { length } from './imports'

/** The offset of a new block that holds the text. */
export function give(text: string): u64 {
  return Memory.allocateString(text).offset
}

/** The text of a block the node gave us. */
export function take(offset: u64): string {
  return new Memory(offset, length(offset)).toString()
}

/** The names of a list, one per line; an empty text is no names. */
export function takeLines(offset: u64): string[] {
  const text = take(offset)
  return text.length == 0 ? [] : text.split('\n')
}
