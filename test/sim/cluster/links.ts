/** Which links are cut or held and which streams are open, for every ordered pair; each end of a stream sees it on its own. */
export class Links {
  readonly size: number
  /** How many cuts lie on a link: partitions may overlap. */
  readonly #cuts: Uint8Array
  readonly #heldUntil: Float64Array
  /** The stream each end believes in: the same number at both ends while it lives, 0 for none. */
  readonly #sessions: Int32Array
  #connected = 0
  #sessionNumber = 0

  constructor(size: number) {
    this.size = size
    this.#cuts = new Uint8Array(size * size)
    this.#heldUntil = new Float64Array(size * size)
    this.#sessions = new Int32Array(size * size)
  }

  cut(from: number, to: number): void {
    this.#cuts[from * this.size + to]! += 1
  }

  mend(from: number, to: number): void {
    const link = from * this.size + to
    this.#cuts[link] = Math.max(0, this.#cuts[link]! - 1)
  }

  isCut(from: number, to: number): boolean {
    return this.#cuts[from * this.size + to]! > 0
  }

  hold(from: number, to: number, until: number): void {
    this.#heldUntil[from * this.size + to] = until
  }

  heldFor(from: number, to: number, now: number): number {
    return Math.max(0, this.#heldUntil[from * this.size + to]! - now)
  }

  healAll(): void {
    this.#cuts.fill(0)
    this.#heldUntil.fill(0)
  }

  session(end: number, peer: number): number {
    return this.#sessions[end * this.size + peer]!
  }

  isConnected(a: number, b: number): boolean {
    const session = this.session(a, b)
    return session !== 0 && session === this.session(b, a)
  }

  connect(a: number, b: number): void {
    this.#sessionNumber += 1
    this.#set(a, b, this.#sessionNumber)
    this.#set(b, a, this.#sessionNumber)
  }

  /** This end knows that its stream is gone. */
  close(end: number, peer: number): void {
    this.#set(end, peer, 0)
  }

  allOpen(): boolean {
    return this.#connected === this.size * (this.size - 1)
  }

  /** Ends that believe in a stream whose other end is gone count as open; only dialling notices, and dials again. */
  #set(end: number, peer: number, session: number): void {
    if (end === peer) return
    const link = end * this.size + peer
    const before = this.#sessions[link]!
    this.#sessions[link] = session
    if (before === 0 && session !== 0) this.#connected += 1
    if (before !== 0 && session === 0) this.#connected -= 1
  }
}
