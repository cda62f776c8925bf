/**
 * Messages between control actors. In production each travels as one authenticated UDP datagram
 * of JSON (cli and tests never build them by hand); in simulation as the object itself, treated
 * as immutable.
 *
 * The cluster engine owns this file; everything else only carries `ControlMessage`.
 */

/** Any control message. `kind` routes it; `event` is the sender's event id, for causes. */
export interface ControlMessage {
  readonly kind: string;
  /** Boot of the sender's host. */
  readonly boot: number;
  /** The sender's timeline event behind it, '' when none. */
  readonly event: string;
  readonly [field: string]: unknown;
}
