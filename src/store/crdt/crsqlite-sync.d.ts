/** The package ships no types for its builds; what is used of this one stands in `engine.ts`. */
declare module '@vlcn.io/wa-sqlite/dist/crsqlite-sync.mjs' {
  const open: (options: object) => Promise<unknown>
  export default open
}
