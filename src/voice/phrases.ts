/** The fixed sentences of the conversation: short, never blaming. They are rendered ahead and kept as audio. */
export const PHRASES = {
  notUnderstood: 'Sorry, I did not understand.',
  lostMeaning: 'Sorry, I cannot work that out just now. Please try again.',
  lostRecogniser: 'Sorry, I lost you. Please say that again.',
  skillSilent: 'Sorry, that takes too long. Please try again.',
  skillFailed: 'Sorry, that did not work.',
  okay: 'Okay.',
  notDone: "Okay, I won't.",
  nothingSaid: 'I have not said anything yet.',
  nothingAsked: 'I did not ask anything.',
  nothingToRepeat: 'I do not know what to do that with.',
  welcome: 'You are welcome.',
  help: 'You can ask for timers, reminders, the time and the date, or the shopping list. For example: set a timer for five minutes.',
  yesOrNo: 'Please say yes or no.',
  nowhere: 'Sorry, I cannot go on there just now.',
  nothingElsewhere: 'There is nothing to go on with.',
} as const

export const FIXED_PHRASES: readonly string[] = Object.values(PHRASES)

export const noSpeakerIn = (room: string): string => `There is no speaker in the ${room}.`
export const movedTo = (room: string): string => `Okay, I continue in the ${room}.`
