/**
 * The record interface between a data actor and whatever carries out its decisions.
 *
 * One turn is: the backend fills event records, the actor's `step` answers with decision records.
 * Records are 32 bytes, little-endian:
 *
 *     i32 op | i32 slot | i32 link | i32 flags | f64 offset | u32 length | i32 status
 *
 * A *slot* is a payload buffer that the backend owns; the engine names it and never reads it.
 * Each slot has a 64-byte header that the engine does read and write. Small things that the
 * engine must read (metadata pages, peer messages) travel in 4 KiB *pages* of two arenas: in-pages
 * are filled by the backend and valid during one step; out-pages are filled by the engine and
 * copied by the backend before the next step.
 *
 * native/src/abi.h is the same table in C++; a test compares the two.
 */

/** Version of this interface; the addon refuses another one. */
export const ABI_VERSION = 6;

/** Bytes of one event or decision record. */
export const RECORD_BYTES = 32;
/** Bytes of one slot header. */
export const HEADER_BYTES = 64;
/** Bytes of one arena page, and of one metadata page on disk. */
export const PAGE_BYTES = 4096;

/** What a backend tells a data actor. */
export const Event = {
  /** Front-end read of [offset, offset+length) into `slot`. */
  ReqRead: 1,
  /** Front-end write from `slot`; flags may hold {@link Flag.Fua}, Zero, Unmap. */
  ReqWrite: 2,
  /** Front-end flush; `slot` identifies the request and has no payload. */
  ReqFlush: 3,
  /**
   * A LocalRead or LocalWrite of `slot` ended with `status` (0 or an errno); the range is that of
   * all that the slot's parts have come to by now. After a LocalRead with
   * Flag.Zero the flags hold Zero when every byte that was read is zero, and after one with
   * Flag.Digest they hold Digest when the slot's header has the digest of what was read. With
   * Flag.Sums in flags, `link` is an in-page with the CRC32C of each whole block, 32 bits each.
   */
  LocalDone: 10,
  /** A LocalFlush ended; `length` is its token, `status` 0 or an errno. */
  FlushDone: 11,
  /** A MetaRead (in-page `slot`) or MetaWrite ended; `offset` metadata page, `length` token. */
  MetaDone: 12,
  /** A peer's write arrived in `slot` (header filled in), with the flags it was sent with. */
  PeerWrite: 13,
  /** A peer answered our PeerWrite: `slot` is OUR slot, `offset` its sequence, `status`. */
  PeerAck: 14,
  /** A peer's engine message: in-page `slot`, `length` bytes (1..PAGE_BYTES). */
  PeerMessage: 15,
  /** Link incarnation `link` to node `offset` is up. Link numbers are never used twice. */
  LinkUp: 16,
  /** Link incarnation `link` is down for good; the backend holds no slot for it any more. */
  LinkDown: 17,
  /** The armed timer is due. */
  Timer: 18,
  /** A message of the control actor: index `slot` of {@link Mailboxes.inbox}. */
  Control: 19,
  /**
   * A peer asks for [offset, offset+length): `slot`, of ours, is empty, its header filled in. With
   * Digest in flags it asks for the digest alone.
   */
  PeerRead: 20,
  /**
   * A peer answered our PeerRead: `slot` is OUR slot, `offset` its sequence; with status 0 it
   * holds `length` bytes of payload, whose checksum stands in its header. With Digest in flags the
   * digest of so many bytes stands in the header, and nothing came with it. With Sums in flags the
   * peer's own checksum map agrees with all of it.
   */
  PeerData: 21,
} as const;

/** What a data actor tells its backend. */
export const Decision = {
  /**
   * Read [offset, offset+length) of the replica into `slot`, from byte `link` of it on; answered by
   * LocalDone. The range lies within page `status` of the metadata area, at its place within a
   * block, or at its own place when that is 0.
   */
  LocalRead: 1,
  /**
   * Write `slot`, or zeroes (Flag.Zero); Fua in flags means durable before LocalDone. `link` and
   * `status` say what they say of a LocalRead.
   */
  LocalWrite: 2,
  /** Make every write whose LocalDone was delivered durable; `length` token, FlushDone. */
  LocalFlush: 3,
  /** Read metadata page `offset`; `length` token; answered by MetaDone. */
  MetaRead: 4,
  /** Write out-page `slot` to metadata page `offset`, durable before MetaDone; token `length`. */
  MetaWrite: 5,
  /** Send `slot` (header, and payload unless Zero) on `link`; arrives as PeerWrite, in order. */
  PeerWrite: 6,
  /** Answer a peer's write: `slot` is the PEER's slot, `offset` its sequence, `status`. */
  PeerAck: 7,
  /** Send out-page `slot`, first `length` bytes, on `link`; in order with PeerWrite. */
  PeerMessage: 8,
  /** Answer the front-end request in `slot` with `status` and let go of the slot. */
  Complete: 9,
  /** Let go of a slot that a PeerWrite or PeerRead event brought. */
  Free: 10,
  /** Close `link`; LinkDown follows unless it is already on its way. */
  LinkClose: 11,
  /** Deliver Timer at `offset` (µs, the step's clock). Replaces the timer armed before. */
  ArmTimer: 12,
  /** A message for the control actor: index `slot` of {@link Mailboxes.outbox}. */
  Report: 13,
  /**
   * Ask on `link` for [offset, offset+length) into `slot` (header filled in), or with Digest in
   * flags for its digest. The slot is the backend's until PeerData, or until LinkDown: one of the
   * two comes, and nothing of the link touches the slot afterwards.
   */
  PeerRead: 14,
  /**
   * Answer a peer's read: `slot` is OUR slot, which PeerRead brought, `offset` its sequence. With
   * status 0 its first `length` bytes go along, or with Digest in flags, as the question had it,
   * the digest in its header.
   */
  PeerData: 15,
} as const;

/** Bits of `flags`. */
export const Flag = {
  /** Force unit access: stable before it is acknowledged. */
  Fua: 1,
  /** A resync copy, not an application write; with Digest, a question that may spare one. */
  Resync: 2,
  /** LocalRead: what is read must have the checksum in the slot's header, else Status.Differs. */
  Check: 4,
  /**
   * Of a write: the range is to read as zeroes; the slot has no payload, and the range may be
   * longer than a slot. Of a LocalRead: say whether all is zero.
   */
  Zero: 8,
  /** Of a write with Zero: the space behind the range may be given back. */
  Unmap: 16,
  /**
   * LocalRead: leaves the digest of what was read in the slot's header; with Check it is the digest
   * that stood there, not the checksum, that decides. PeerRead and PeerData: a digest in place of
   * the payload. The range is part of what a digest is taken of.
   */
  Digest: 32,
  /**
   * LocalRead, LocalWrite: LocalDone is to bring the checksums of the blocks that the range covers
   * whole, of what was read or is to be there. PeerData: see there.
   */
  Sums: 64,
  /**
   * PeerWrite of a resync: the sender's disk holds something else than its checksums say, and no
   * other copy is known. What was there is lost; the range is to read as an error.
   */
  Lost: 128,
  /**
   * LocalRead, LocalWrite: more of the slot is to come, so nothing is said of it yet. What Zero,
   * Check, Digest and Sums ask is asked of all that the slot holds once the last part is there.
   */
  Part: 256,
  /**
   * Of LocalRead, LocalWrite, MetaRead and MetaWrite: offset or page are those of the side area. A
   * LocalWrite there has Fua.
   */
  Side: 512,
  /**
   * PeerWrite of a client's write: whoever gets it may answer once nothing stands before its own
   * LocalWrite any more, rather than when that is done.
   */
  Receipt: 1024,
  /**
   * PeerWrite: the payload is the link's own from this decision on, and no PeerAck answers. The
   * engine may be done with the slot at once; when another request gets it, the backend decides.
   */
  Detached: 2048,
} as const;

/** Values of `status` that the engine tells apart; 0 is success, others are passed through. */
export const Status = {
  Ok: 0,
  /** Input/output error (EIO). */
  Io: 5,
  /** Device gone (ENXIO). */
  Gone: 6,
  /** Out of the device's range (EINVAL). */
  Invalid: 22,
  /** The medium gave no data (ENODATA): what is written there again may be readable. */
  Medium: 61,
  /** What was read is not what the slot's header says (EBADMSG). */
  Differs: 74,
  /** The medium gave data that its own check refuses (EILSEQ). */
  Protection: 84,
  /** Not the primary, or fenced: the client must go elsewhere (ESHUTDOWN). */
  Fenced: 108,
  /** A peer refused an epoch lower than the highest it has durably seen (ESTALE). */
  StaleEpoch: 116,
} as const;

/** Byte offsets within a slot header. Offsets 0-31 are f64, safe integers. */
export const Header = {
  /** Epoch under which the write was issued. */
  Epoch: 0,
  /** Position among the writes, or the reads, sent on this link, from 1, without gaps. */
  Sequence: 8,
  /** Generation of the sender's data. */
  Generation: 16,
  /** The front-end's request id, 0 for a resync copy. */
  Request: 24,
  /** 128-bit digest of the payload where one was ordered, else zero. */
  Digest: 32,
  /** CRC32C of the payload, filled in and checked by the backend. */
  Checksum: 48,
  /** Reserved, zero. */
  Reserved: 52,
} as const;

/**
 * Sizes agreed between an actor and its backend when the actor is made.
 *
 * Slots are numbered: front-end requests first (the backend hands them out), then peer receives
 * (the backend hands them out), then the engine's own for resync.
 */
export interface AbiLayout {
  /** Most event records in one turn. */
  readonly events: number;
  /** Most decision records in one turn; at least 8 × events + 64. */
  readonly decisions: number;
  /** Slots for front-end requests. */
  readonly frontSlots: number;
  /** Slots for writes and reads received from peers. */
  readonly peerSlots: number;
  /** Slots of the engine's own, for resync and repair. */
  readonly engineSlots: number;
  /** Payload bytes of one slot; the largest request. */
  readonly slotBytes: number;
  /** Pages that the backend may fill in one turn. */
  readonly inPages: number;
  /** Pages that the engine may fill in one turn. */
  readonly outPages: number;
}

/** Where each part of the shared buffer begins, in bytes. */
export interface AbiOffsets {
  readonly events: number;
  readonly decisions: number;
  readonly headers: number;
  readonly inPages: number;
  readonly outPages: number;
  /** Size of the whole buffer. */
  readonly total: number;
}

/** All slots of a layout together. */
export function slotCount(layout: AbiLayout): number {
  return layout.frontSlots + layout.peerSlots + layout.engineSlots;
}

/** The one place that says how the shared buffer is laid out. */
export function abiOffsets(layout: AbiLayout): AbiOffsets {
  const events = 0;
  const decisions = events + layout.events * RECORD_BYTES;
  const headers = decisions + layout.decisions * RECORD_BYTES;
  const headersEnd = headers + slotCount(layout) * HEADER_BYTES;
  // Pages are copied to disk with O_DIRECT by some backends: keep them aligned.
  const inPages = Math.ceil(headersEnd / PAGE_BYTES) * PAGE_BYTES;
  const outPages = inPages + layout.inPages * PAGE_BYTES;
  return {
    events,
    decisions,
    headers,
    inPages,
    outPages,
    total: outPages + layout.outPages * PAGE_BYTES,
  };
}
