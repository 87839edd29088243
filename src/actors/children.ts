/**
 * The children of one actor in start order, linked through the children themselves: adding, removing and asking cost the
 * same whatever their number, and a child costs two pointers.
 */
export interface Sibling<Self> {
  elder: Self | undefined
  younger: Self | undefined
  /** The family it belongs to, until it is removed. */
  family: unknown
}

export class Children<Child extends Sibling<Child>> {
  #eldest: Child | undefined = undefined
  #youngest: Child | undefined = undefined
  size = 0

  /** Adds the youngest. */
  add(child: Child): void {
    child.family = this
    child.elder = this.#youngest
    if (this.#youngest === undefined) this.#eldest = child
    else this.#youngest.younger = child
    this.#youngest = child
    this.size += 1
  }

  has(child: Child): boolean {
    return child.family === this
  }

  delete(child: Child): void {
    if (!this.has(child)) return
    if (child.elder === undefined) this.#eldest = child.younger
    else child.elder.younger = child.younger
    if (child.younger === undefined) this.#youngest = child.elder
    else child.younger.elder = child.elder
    child.elder = undefined
    child.younger = undefined
    child.family = undefined
    this.size -= 1
  }

  /** Eldest first. */
  all(): Child[] {
    const children: Child[] = []
    for (let child = this.#eldest; child !== undefined; child = child.younger) children.push(child)
    return children
  }
}
