/**
 * What a control actor must find again when its core starts anew: the whole of it, as one value
 * that its host keeps. A later version that reads it must know `version` 1.
 */
import { invariant } from '../core/invariant.ts';
import type { Running } from './executor.ts';
import type { FormationDurable } from './formation.ts';
import type { Durable } from './interface.ts';
import type { Attestation } from './lease.ts';
import type { PathLooks } from './lost-path.ts';
import type { RaftDurable } from './raft.ts';
import type { Doubted, Noted } from './volumes.ts';

export interface Document {
  readonly version: 1;
  readonly identity: number;
  readonly raft: RaftDurable;
  readonly formation: FormationDurable;
  readonly attested: readonly Attestation[];
  readonly running: readonly Running[];
  // Absent in documents of before.
  readonly doubted?: readonly Doubted[];
  readonly verify?: readonly Noted[];
  /** Absent also where no path was lost. */
  readonly paths?: PathLooks;
}

/** What an earlier life of this core left; null for nothing. */
export function documentOf(durable: Durable | null): Document | null {
  if (durable === null) return null;
  const document = durable as unknown as Document;
  invariant(document.version === 1, 'the durable document is one that we know');
  return document;
}
