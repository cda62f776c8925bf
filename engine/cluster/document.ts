/**
 * What a control actor must find again when its core starts anew: the whole of it, as one value
 * that its host keeps. A later version that reads it must know both values of `version`.
 */
import { invariant } from '../core/invariant.ts';
import type { Taken } from './changes.ts';
import type { Running } from './executor.ts';
import type { FormationDurable } from './formation.ts';
import type { Durable } from './interface.ts';
import type { Attestation } from './lease.ts';
import type { PathLooks } from './lost-path.ts';
import type { RaftDurable } from './raft.ts';
import type { ClusterState } from './state.ts';
import type { Doubted, Noted } from './volumes.ts';

export interface Document {
  /**
   * 2 where the configuration was changed online: a program that knows nothing of that would run by
   * its file, and follow records without a guard of who was removed.
   */
  readonly version: 1 | 2;
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
  /** What of the agreed configuration this node has taken into use; absent for nothing. */
  readonly taken?: Taken;
}

/** What an earlier life of this core left; null for nothing. */
export function documentOf(durable: Durable | null): Document | null {
  if (durable === null) return null;
  const document = durable as unknown as Document;
  invariant(
    document.version === 1 || document.version === 2,
    'the durable document is one that we know',
  );
  return document;
}

/** The version of a document with this state, and what of the configuration is in use. */
export function documentVersion({ agreed }: ClusterState, taken: Taken | undefined): 1 | 2 {
  return agreed === undefined && taken === undefined ? 1 : 2;
}
