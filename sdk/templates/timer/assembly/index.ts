import { announce, durationWords, Invocation, say, silence, timers } from 'loqa'

/** Carries out an intent of skill.yaml. */
export function handle(): i32 {
  const invocation = Invocation.read()
  if (invocation.verb == 'left') {
    const left = timers.left('tea')
    return say(left < 0 ? 'There is no tea.' : 'In ' + durationWords((left + 999) / 1000) + '.')
  }
  const seconds = i64(invocation.number('duration'))
  if (!timers.set('tea', seconds * 1000)) return say('I cannot wait that long.')
  return say('I will call you in ' + durationWords(seconds) + '.')
}

/** A timer rang. */
export function due(): i32 {
  announce('Your tea is ready.')
  return silence()
}
