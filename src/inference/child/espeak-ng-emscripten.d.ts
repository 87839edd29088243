/** The library ships no types; what is used of it is described where it is used. */
declare module '@echogarden/espeak-ng-emscripten' {
  export default function open(): Promise<unknown>
}
