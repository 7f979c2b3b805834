/** The instances that have no request. The warmest is taken first, so that the others stay cold, as on Lambda. */
export class IdleStack<Instance> {
  readonly #stack: Instance[] = [];
  /** So many at the bottom have had no request since the last look. */
  #unneeded = 0;

  push(instance: Instance): void {
    this.#stack.push(instance);
  }

  pop(): Instance | undefined {
    const warmest = this.#stack.pop();
    this.#unneeded = Math.min(this.#unneeded, this.#stack.length);
    return warmest;
  }

  has(instance: Instance): boolean {
    return this.#stack.includes(instance);
  }

  remove(instance: Instance): void {
    const index = this.#stack.indexOf(instance);
    if (index < 0) return;
    this.#stack.splice(index, 1);
    if (index < this.#unneeded) this.#unneeded -= 1;
  }

  /** Removes and returns those that have had no request since the last call. */
  takeUnneeded(): Instance[] {
    const unneeded = this.#stack.splice(0, this.#unneeded);
    this.#unneeded = this.#stack.length;
    return unneeded;
  }
}
