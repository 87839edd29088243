/**
 * The part of @fugood/whisper.node used here. The package points its types at its TypeScript sources, which do not pass our
 * compiler settings; `tsconfig.json` points them here instead.
 */
export interface WhisperContext {
  /** s16 mono 16 kHz. */
  transcribeData(
    samples: ArrayBuffer,
    options: Readonly<Record<string, unknown>>,
  ): { readonly stop: () => Promise<void>; readonly promise: Promise<{ readonly result: string }> }
  release(): Promise<void>
}

export function initWhisper(
  options: { readonly filePath: string; readonly useGpu: boolean; readonly useFlashAttn: boolean },
  variant: 'default' | 'vulkan' | 'cuda',
): Promise<WhisperContext>

export function toggleNativeLog(on: boolean): Promise<void>
