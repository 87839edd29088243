import { announce, config, Heard, http, Invocation, say, silence } from 'loqa'

/** Carries out an intent of skill.yaml. Nothing waits here: the answer of the server comes to `heard`. */
export function handle(): i32 {
  Invocation.read()
  const url = 'https://api.example.com/weather?place=' + encodeURIComponent(config.text('place'))
  return say(http.get('weather', url) ? 'One moment.' : 'I have asked too much already.')
}

/** What came of something that took time: here the server's answer, or why there is none. */
export function heard(): i32 {
  const answer = Heard.read()
  if (!answer.ok) announce('The weather service cannot be reached.', answer.room)
  else if (answer.status != 200) announce('The weather service does not know.', answer.room)
  else announce(answer.text, answer.room)
  return silence()
}
