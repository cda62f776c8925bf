/**
 * The writes and reads of one incarnation of a link, counted, so that neither side takes one for
 * another. Sends nothing.
 */
export class Stream {
  /** Writes sent, and received. */
  sent = 0;
  received = 0;
  /** The numbers of the last write sent, and of the last received. */
  last = 0;
  #lastReceived = 0;
  /** Reads asked for, and those that the peer asked for. */
  readsSent = 0;
  readsReceived = 0;

  /** The link is a new one: both sides count from the beginning. */
  reset(): void {
    this.sent = 0;
    this.received = 0;
    this.last = 0;
    this.#lastReceived = 0;
    this.readsSent = 0;
    this.readsReceived = 0;
  }

  /** A write with this number is sent. */
  sends(number: number): void {
    this.sent += 1;
    this.last = number;
  }

  /**
   * A write of the peer arrived: whether it may follow the one before it. Between two replicas
   * there are no gaps; among several, where all links count together, there are.
   */
  takes(number: number, gaps: boolean): boolean {
    this.received += 1;
    const last = this.#lastReceived;
    this.#lastReceived = number;
    return gaps ? number > last : number === last + 1;
  }
}
