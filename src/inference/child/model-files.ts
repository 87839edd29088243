/** The files of a model as its adapter needs them: there, whole, and with the metadata without which a library would end the process. */
import { LoqaError } from '../../host/errors.ts'
import type { ModelFiles } from '../engine.ts'
import { onnxMetadata } from './onnx-metadata.ts'

export const invalid = (model: ModelFiles, why: string): LoqaError =>
  new LoqaError('model-invalid', `The model ${model.id} cannot be used: ${why}`, {
    hint: 'Fetch it again, or correct its entry in manifest.json.',
  })

/** Errors: `LoqaError` `model-invalid`. */
export function pathOf(model: ModelFiles, role: string): string {
  const path = model.paths[role]
  if (path === undefined) throw invalid(model, `it has no ${role} file`)
  return path
}

/** The metadata of an ONNX file, `required` among it. Errors: `LoqaError` `model-invalid` that says what is missing. */
export function describedIn(
  model: ModelFiles,
  role: string,
  required: readonly string[] = [],
): ReadonlyMap<string, string> {
  const metadata = onnxMetadata(pathOf(model, role))
  if (metadata === undefined) throw invalid(model, `its ${role} file is damaged or not an ONNX model`)
  const missing = required.filter((key) => !metadata.has(key))
  if (missing.length > 0) throw invalid(model, `its ${role} file lacks the metadata ${missing.join(', ')}`)
  return metadata
}
