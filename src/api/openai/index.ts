/**
 * The node as programs made for OpenAI's API see it, below `/v1`: models, chat, transcription, speech, embeddings. What answers is
 * what the household has: its language model, its recogniser, its voice. Nothing is sent anywhere.
 *
 * Promises: the official client works unchanged; what cannot be kept is refused with a reason, in that API's own shape, and never
 * left out in silence where it would change the answer; every size is bounded before anything is read.
 *
 * Read `routes.ts` first, then `chat-prompt.ts` (what the model is asked) and `chat-answer.ts` (what its tokens become).
 */
export { isOpenAiPath, openAiError } from './errors.ts'
export { OPENAI_PATHS } from './paths.ts'
export { openAiRoutes } from './routes.ts'
