declare module '@echogarden/fvad-wasm' {
  /** Instantiates the module; its members are described where it is used. */
  export default function open(): Promise<unknown>
}
