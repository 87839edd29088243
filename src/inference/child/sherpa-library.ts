/**
 * The only importer of sherpa-onnx-node. It ships no types: each adapter says which part of it it uses.
 *
 * It ends its process on files it does not like (SIGABRT, `_Exit(255)`), so adapters look at files before it sees them.
 */
import { createRequire } from 'node:module'

/** Errors: those of a module that is not there, or not for this machine. */
export const sherpaLibrary = <T>(): T => createRequire(import.meta.url)('sherpa-onnx-node') as T
