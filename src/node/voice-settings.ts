/** The settings of voice, in its own words. */
import type { Config } from '../config.ts'
import { limits } from '../host/index.ts'

export function voiceSettings({ voice, node }: Config) {
  return {
    capabilities: { stt: 'stt', llm: 'llm', tts: 'tts' },
    voice: voice.voice === '' ? undefined : voice.voice,
    room: node.room,
    endpointing: {
      complete_ms: voice.pause_complete_ms,
      extendable_ms: voice.pause_extendable_ms,
      open_ms: voice.pause_open_ms,
      yielded_ms: voice.pause_yielded_ms,
      unfinished_ms: voice.pause_incomplete_ms,
      unknown_ms: voice.pause_incomplete_ms,
      wordless_ms: voice.pause_unheard_ms,
      longest_ms: Math.min(voice.utterance_max_ms, limits.MAX_UTTERANCE_MS),
    },
    waits: { answer_ms: voice.follow_up_timeout_ms },
    play_ahead_ms: voice.play_ahead_ms,
    reply_cache_bytes: voice.reply_cache_mb * 1024 * 1024,
    session_idle_ms: voice.session_idle_timeout_s * 1000,
  }
}
