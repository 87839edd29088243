/** What there is below `/v1`, for the documentation. Shapes are those of OpenAI's API; what is not kept of them is refused by name. */
export const OPENAI_PATHS = [
  { method: 'GET', path: '/v1/models', summary: "As OpenAI's API: the models that answer in the household." },
  { method: 'GET', path: '/v1/models/:id', summary: "As OpenAI's API: one of them." },
  {
    method: 'POST',
    path: '/v1/chat/completions',
    summary: "As OpenAI's API: the language model; streaming, tools, JSON schemas.",
  },
  {
    method: 'POST',
    path: '/v1/audio/transcriptions',
    summary: "As OpenAI's API: words of a WAV file, in five formats, streaming.",
  },
  { method: 'POST', path: '/v1/audio/speech', summary: "As OpenAI's API: a text spoken, as WAV or PCM." },
  {
    method: 'POST',
    path: '/v1/embeddings',
    summary: "As OpenAI's API: texts as vectors of the language model.",
  },
] as const
