/**
 * The network ports: replication between data actors, datagrams between control actors.
 *
 * Replication (PeerWrite, PeerAck, PeerRead, PeerData, PeerMessage, LinkClose; LinkUp, LinkDown).
 * Suite: test/compliance/link.suite.ts.
 *
 * * A link is one incarnation of a connection between two nodes. Its number is never used again
 *   while the process lives, so nothing that is late can be taken for something that is new.
 * * Order: what one side decides arrives in that order, each once, intact (payloads are checked
 *   against their CRC32C, whole frames against their authentication), or the link goes down.
 *   There are no silent losses on a link.
 * * LinkDown is delivered once for each LinkUp, after everything else of that link, and means that
 *   the backend holds no slot for it any more. The two ends learn it at different times, and either
 *   end may have sent what the other never saw.
 * * A slot that asks (PeerRead) is the backend's until PeerData or LinkDown, whichever comes: the
 *   engine has it back once. Which slot is answered says the asking side's own list, by sequence,
 *   never the wire. A PeerData with a status other than 0 leaves anything in the slot.
 * * A question for a digest is answered with one, a question for payload with payload: an answer of
 *   the other kind ends the link.
 * * Where a side has no slot for a peer's write or read, it takes nothing more from the link until
 *   one is free: what was sent waits, in order.
 * * Peers are authenticated with the cluster key before LinkUp.
 *
 * Control datagrams (`send` decision, `message` input): may be lost, delayed, duplicated and
 * reordered between links, never forged, never accepted twice after a restart of either end, at
 * most {@link CONTROL_BYTES_MAX} long.
 */
import { Decision, Event } from '../data/abi.ts';

/** What a data actor may ask of its links. */
export const LINK_DECISIONS: readonly number[] = [
  Decision.PeerWrite,
  Decision.PeerAck,
  Decision.PeerRead,
  Decision.PeerData,
  Decision.PeerMessage,
  Decision.LinkClose,
];

/** What links may tell a data actor. */
export const LINK_EVENTS: readonly number[] = [
  Event.PeerWrite,
  Event.PeerAck,
  Event.PeerRead,
  Event.PeerData,
  Event.PeerMessage,
  Event.LinkUp,
  Event.LinkDown,
];

/** Longest control message in bytes of JSON; one UDP datagram holds it. */
export const CONTROL_BYTES_MAX = 60_000;
