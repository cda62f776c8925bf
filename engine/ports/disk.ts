/**
 * The disk port: one replica's data area, its metadata area, and its side area where it has one.
 *
 * Operations (engine/data/abi.ts): LocalRead, LocalWrite, LocalFlush, MetaRead, MetaWrite, answered
 * by LocalDone, FlushDone, MetaDone. Suite: test/compliance/disk.suite.ts.
 *
 * * Units: offsets and lengths in bytes, multiples of the volume's logical block; metadata in pages
 *   of 4096 bytes, numbered from 0. Data offset 0 is the device's offset 0.
 * * Order: none between operations in flight. The engine never has two overlapping data operations
 *   in flight, of which one is a write.
 * * Durability: a LocalWrite is *done* when the device has taken it, not when it is durable. Until
 *   a later LocalFlush is done, a loss of power may keep it, lose it, or tear it at any 512-byte
 *   boundary, each sector on its own. A flush covers every write whose LocalDone was delivered to
 *   the actor before the flush was decided. With Flag.Fua, LocalDone means durable. A MetaWrite is
 *   durable when MetaDone says so; before that it may be torn at 512 bytes.
 * * Parts: the data may stand on several disks, one behind the other. An operation may have more
 *   than one of them, a flush is one of all, and what one disk fails has failed.
 * * Side area: with Flag.Side an offset, or a page, is one of the side area. The engine owns its
 *   layout, and uses no place of it both by pages and by slots. A LocalWrite there has Fua, and a
 *   payload; a LocalFlush says nothing about it.
 * * Failure: a status other than 0 leaves each sector old or new, and a read's slot with anything.
 *   What it means, the actor decides; the backend retries nothing.
 * * A LocalRead with Flag.Check reads from the device, not from a cache, and answers
 *   Status.Differs when the CRC32C of what it read is not the one in the slot's header.
 * * A LocalRead with Flag.Digest reads from the device too. Done with status 0 or Differs, the
 *   slot's header has the digest of the range and of what was read there. With Flag.Check as well,
 *   the answer is Status.Differs when another digest stood in the header before. Equal ranges with
 *   equal bytes have equal digests on every host; anything else has another one (128 bits). With
 *   Flag.Resync as well, that is so between the two ends of the link by which the slot asked for a
 *   digest last, or was asked, and on no other one: nobody can choose two contents beforehand that
 *   have one digest there (docs/decisions/0034).
 * * With Flag.Sums a LocalRead, and a LocalWrite of payload, brings the CRC32C of each block of
 *   4096 bytes that its range covers whole: of what was read, with status 0 or Differs, or of what
 *   was in the slot when the write was decided. They stand, 32 bits each, in the in-page that
 *   `link` names, and Flag.Sums in the flags says so.
 * * Completion: every operation is answered exactly once, or the process ends. A slot is the
 *   backend's until then, however late the answer.
 */
import { Decision, Event } from '../data/abi.ts';

/** What the engine may ask of the port. */
export const DISK_DECISIONS: readonly number[] = [
  Decision.LocalRead,
  Decision.LocalWrite,
  Decision.LocalFlush,
  Decision.MetaRead,
  Decision.MetaWrite,
];

/** What the port may answer. */
export const DISK_EVENTS: readonly number[] = [Event.LocalDone, Event.FlushDone, Event.MetaDone];
