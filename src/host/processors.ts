/** What the machine's processors have done since it started: the one number of the machine that placement looks at. */

export interface ProcessorTimes {
  /** Of all processors together, ms. Both only grow. */
  readonly busy_ms: number
  readonly all_ms: number
}

/** The door; `real-processors.ts` opens it onto the machine. */
export type Processors = () => ProcessorTimes
