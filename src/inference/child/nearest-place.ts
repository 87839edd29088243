/** Which of the places where a language model keeps what it has read a prompt goes to. Pure. */

/** So few tokens in common are those every conversation begins with: not worth forgetting another one for. */
const MIN_COMMON = 8

/**
 * Index of the place that has read most of `prompt`; of those that have read none to speak of, the one unused the longest. A place
 * is worth more than it costs to overwrite only where a good part of what it keeps is gone on from.
 */
export function nearestPlace(
  prompt: readonly number[],
  places: readonly { readonly tokens: readonly number[]; readonly used: number }[],
): number {
  const ranked = places.map(({ tokens, used }, index) => {
    const common = commonLength(prompt, tokens)
    return { index, used, common: common >= MIN_COMMON && 2 * common >= tokens.length ? common : 0 }
  })
  ranked.sort((a, b) => b.common - a.common || a.used - b.used)
  return ranked[0]!.index
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length)
  let i = 0
  while (i < most && a[i] === b[i]) i += 1
  return i
}
