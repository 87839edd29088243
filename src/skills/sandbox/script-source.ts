/**
 * What a sandbox needs to run a script, as one payload: QuickJS, the kit, the skill. The engine travels with the order so that
 * a sandbox needs no file for it. Pure, shared by both sides.
 */
export interface ScriptSource {
  /** QuickJS as WebAssembly, 0.5 MB. */
  readonly engine: Uint8Array
  /** TypeScript, UTF-8: the module `loqa`. */
  readonly kit: Uint8Array
  /** TypeScript, UTF-8: the skill. */
  readonly skill: Uint8Array
}

/** `u32 length of the engine | u32 length of the kit | engine | kit | skill`, big endian. */
export function packScript({ engine, kit, skill }: ScriptSource): Uint8Array {
  const packed = new Uint8Array(8 + engine.length + kit.length + skill.length)
  const view = new DataView(packed.buffer)
  view.setUint32(0, engine.length)
  view.setUint32(4, kit.length)
  packed.set(engine, 8)
  packed.set(kit, 8 + engine.length)
  packed.set(skill, 8 + engine.length + kit.length)
  return packed
}

/** Errors: `RangeError` for what `packScript` did not make. */
export function unpackScript(packed: Uint8Array): ScriptSource {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength)
  const kit = 8 + view.getUint32(0)
  const skill = kit + view.getUint32(4)
  if (skill > packed.length) throw new RangeError('a script is cut off')
  return {
    engine: packed.subarray(8, kit),
    kit: packed.subarray(kit, skill),
    skill: packed.subarray(skill),
  }
}
