/**
 * The front-end port: where applications read and write the volume.
 *
 * Requests ReqRead, ReqWrite, ReqFlush come in, Complete goes out; in between the slot is the
 * engine's. Suite: test/compliance/frontend.suite.ts.
 *
 * * A request is within the volume, a multiple of the logical block, and at most
 *   REQUEST_BYTES_MAX or the slot's size long, whichever is less; others are refused by the engine
 *   with Status.Invalid.
 * * Every request is completed exactly once, also when its client is gone: the backend then drops
 *   the answer.
 * * A completed write is on every replica of the in-sync set, and volatile; a completed flush makes
 *   every write that was completed before the flush came in stable on all of them. Flag.Fua asks
 *   the same of one write.
 * * Status.Fenced means: this host may not serve the volume (any more), go elsewhere. The request
 *   had no effect that a later primary's clients could see appear: it took effect before the
 *   take-over or never will.
 */
import { Decision, Event } from '../data/abi.ts';
import type { DataReport } from '../data/messages.ts';

/** What the front-end may bring. */
export const FRONTEND_EVENTS: readonly number[] = [Event.ReqRead, Event.ReqWrite, Event.ReqFlush];

/** How it is answered. */
export const FRONTEND_DECISIONS: readonly number[] = [Decision.Complete];

/**
 * Whether the volume is offered here after `report`: while its actor serves, and never otherwise. A
 * suspended primary keeps its clients waiting; every other role sends them away.
 */
export function isOffered(before: boolean, report: DataReport): boolean {
  if (report.kind === 'active') return true;
  if (report.kind === 'stopped') return false;
  if (report.kind !== 'state') return before;
  return before && (report.role === 'Primary' || report.role === 'Suspended');
}
