/** Several commands whose code is in one file. */
import type { Run } from '../call.ts'

/** From how the file is loaded and which of its runs is meant, to what a command loads when it runs. */
export const oneOf =
  <Module>(load: () => Promise<Module>) =>
  (pick: (module: Module) => Run) =>
  async (): Promise<{ readonly run: Run }> => ({ run: pick(await load()) })
