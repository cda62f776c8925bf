/**
 * Finds an event by its id without a map of a million strings: ids are "node.session.seq", where
 * seq may begin with the letter of the actor that counts, and within one actor's session the
 * numbers rise in the order of the file.
 */
interface Session {
  seqs: number[];
  refs: number[];
}

export class IdIndex {
  #sessions = new Map<string, Session>();
  /** Ids of another form, or out of order. */
  #others = new Map<string, number>();

  /** Notes that the event of this id stands at `ref`; `false` when the id is known already. */
  add(id: string, ref: number): boolean {
    const [name, seq] = split(id);
    if (seq < 0) return this.#addOther(id, ref);
    let session = this.#sessions.get(name);
    if (session === undefined) {
      session = { seqs: [], refs: [] };
      this.#sessions.set(name, session);
    }
    const last = session.seqs.at(-1) ?? -1;
    if (seq <= last) return this.find(id) >= 0 ? false : this.#addOther(id, ref);
    session.seqs.push(seq);
    session.refs.push(ref);
    return true;
  }

  /** Where the event of this id stands, -1 when it is not in the file. */
  find(id: string): number {
    const [name, seq] = split(id);
    const session = this.#sessions.get(name);
    if (session !== undefined && seq >= 0) {
      let low = 0;
      let high = session.seqs.length;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (session.seqs[middle]! < seq) low = middle + 1;
        else high = middle;
      }
      if (session.seqs[low] === seq) return session.refs[low]!;
    }
    return this.#others.get(id) ?? -1;
  }

  #addOther(id: string, ref: number): boolean {
    if (this.#others.has(id)) return false;
    this.#others.set(id, ref);
    return true;
  }
}

/** The id's session with its actor, and its number; a number of -1 when it has none. */
export function split(id: string): [session: string, seq: number] {
  const end = id.search(/(?<!\d)(0|[1-9]\d{0,14})$/);
  return end > 0 ? [id.slice(0, end), Number(id.slice(end))] : [id, -1];
}
