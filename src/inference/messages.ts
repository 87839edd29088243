/**
 * The `infer` port: how behaviours ask for engine work. `to` is a capability (`stt`, `llm`, `tts`, or a full tag);
 * the pool picks the replica. Each `outcome` chunk carries one `EngineEvent`; the last event is the `done` body.
 */
import type { OutsideEffect } from '../actors/index.ts'
import type { RequestId } from '../host/index.ts'
import type { EngineInput, EngineRequest } from './engine.ts'

type Infer = OutsideEffect<'infer'>

/** Starts a run. `deadline_ms` bounds the whole run; the pool fails it with `timeout`. */
export const openRun = (id: RequestId, to: string, request: EngineRequest, deadline_ms?: number): Infer => ({
  type: 'infer',
  id,
  to,
  op: 'open',
  body: request,
  ...(deadline_ms === undefined ? {} : { deadline_ms }),
})

export const feedRun = (id: RequestId, to: string, input: EngineInput): Infer => ({
  type: 'infer',
  id,
  to,
  op: 'feed',
  body: input,
})

export const finishRun = (id: RequestId, to: string): Infer => ({ type: 'infer', id, to, op: 'finish' })
