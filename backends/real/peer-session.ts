/**
 * What this core knows of one peer's core: its session, and what was already heard of it. Pure: the
 * transport sends what it asks for.
 *
 * A message is accepted only when it was sealed for *our* session by the session that we learned in
 * a hello exchange, and only once. So nothing that was recorded before either end restarted is ever
 * taken for new. A session that was replaced is never accepted again.
 */
import { ReplayWindow } from './replay-window.ts';

/** Replaced sessions that are remembered; a peer that restarts more often was long forgotten. */
const RETIRED_MAX = 64;

/** Why an authentic datagram was not taken; the names are counters in `understudy status`. */
export type SessionFault = 'staleSession' | 'unknownSession' | 'replayed';

/** One peer, as seen by one session of ours. */
export class PeerSession {
  /** The peer's session, '' until learned. */
  session = '';
  #nonce = '';
  #retired = new Set<string>();
  #windows = new Map<number, ReplayWindow>();
  #sent = new Map<number, number>();

  /** The number to ask with; the same until it is answered, so that one answer settles all. */
  ask(draw: () => string): string {
    if (this.#nonce === '') this.#nonce = draw();
    return this.#nonce;
  }

  /** Whether `nonce` answers the question that is open. */
  isAsked(nonce: string): boolean {
    return nonce !== '' && nonce === this.#nonce;
  }

  /** Takes the answer to a hello; true when the peer's session is new to us. */
  learn(session: string, nonce: string): boolean {
    if (!this.isAsked(nonce)) return false;
    this.#nonce = '';
    if (session === this.session || this.#retired.has(session)) return false;
    if (this.session !== '') this.#retire(this.session);
    this.session = session;
    this.#windows.clear();
    this.#sent.clear();
    return true;
  }

  /** Sequence number for the next message on `link`. */
  nextSequence(link: number): number {
    const sequence = (this.#sent.get(link) ?? 0) + 1;
    this.#sent.set(link, sequence);
    return sequence;
  }

  /** Judges an authentic message; null means: take it. */
  judge(
    head: { session: string; toSession: string; link: number; seq: number },
    ownSession: string,
  ): SessionFault | null {
    if (head.toSession !== ownSession) return 'staleSession';
    if (this.session === '' || head.session !== this.session) return 'unknownSession';
    let window = this.#windows.get(head.link);
    if (window === undefined) {
      window = new ReplayWindow();
      this.#windows.set(head.link, window);
    }
    return window.accept(head.seq) ? null : 'replayed';
  }

  #retire(session: string): void {
    if (this.#retired.size >= RETIRED_MAX) {
      const [oldest] = this.#retired;
      if (oldest !== undefined) this.#retired.delete(oldest);
    }
    this.#retired.add(session);
  }
}
