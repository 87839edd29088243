/** The bounds of a package. They stand against archives that unfold without end; what one skill of ours takes is below 40 KB. */
import { assert } from '../../host/index.ts'
import { MAX_ASSETS, MAX_MANIFEST_BYTES } from '../manifest/index.ts'
import { MAX_MODULE_BYTES } from '../wasm.ts'

/** A `.loqa` file. It is kept by every node of the household. */
export const MAX_PACKAGE_BYTES = 4 * 1024 * 1024
/** What it unfolds to: a large module, its manifest and some pictures. */
export const MAX_UNPACKED_BYTES = 8 * 1024 * 1024
/** The signature, with the chain of who vouches for its key. */
export const MAX_SIGNATURE_BYTES = 16 * 1024
/** Manifest, module and assets. */
export const MAX_FILES = MAX_ASSETS + 2

assert(
  MAX_MANIFEST_BYTES + MAX_MODULE_BYTES + MAX_SIGNATURE_BYTES < MAX_UNPACKED_BYTES,
  'the largest module fits with its manifest',
)
