/**
 * How far a comparison of replicas has come, as nodes remember it: whoever leads the volume next,
 * and each core that restarts, can go on there. Notes are no entries of the log, since nothing
 * agreed on rests upon them: the newest that is heard of wins, and a lost one costs a few gibibytes
 * that are looked at twice.
 */
import type { Micros } from '../core/units.ts';
import type { VerifyLevel, VerifyReport, VerifyTally } from '../data/messages.ts';

export interface VerifyNote extends VerifyTally {
  /** Rises with each note of the volume, whoever writes it. */
  readonly serial: number;
  /** The order's number; 0 for none. */
  readonly id: number;
  readonly level: VerifyLevel;
  readonly repair: boolean;
  readonly bytesPerSecond: number;
  /** An open one is gone on with by whoever can; a stopped one when people say so. */
  readonly state: 'open' | 'stopped' | 'done';
  /** Everything before this block was looked at. */
  readonly cursor: number;
  /** How long ago it ended, as far as whoever led has counted; absent at its end. */
  readonly rested?: Micros;
}

/** The note of a volume that was never compared. */
export const NO_NOTE: VerifyNote = {
  serial: 0,
  id: 0,
  level: 'digest',
  repair: false,
  bytesPerSecond: 0,
  state: 'done',
  cursor: 0,
  checked: 0,
  differing: 0,
  repaired: 0,
  unreadable: 0,
  findings: [],
};

/** Findings that a note keeps. */
export const NOTE_FINDINGS_MAX = 12;
/** Findings that one datagram carries: those of all volumes travel together. */
const SENT_FINDINGS_MAX = 120;

/** The note as it is sent beside those of so many volumes. */
export function sentOf(note: VerifyNote, volumes: number): VerifyNote {
  const most = Math.floor(SENT_FINDINGS_MAX / Math.max(1, volumes));
  return note.findings.length <= most ? note : { ...note, findings: note.findings.slice(0, most) };
}

/** Whether `note` is to take the place of `known`. */
export function isNewer(note: VerifyNote, known: VerifyNote | null): boolean {
  return known === null || note.serial > known.serial;
}

/** What was found, as much of it as a note keeps. */
export function keptOf({ findings, ...counts }: VerifyTally): VerifyTally {
  const { checked, differing, repaired, unreadable } = counts;
  const kept = findings.slice(0, NOTE_FINDINGS_MAX);
  return { checked, differing, repaired, unreadable, findings: kept };
}

/** The note after `note`, once the data actor has reported. */
export function noteAfter(note: VerifyNote, report: VerifyReport): VerifyNote {
  const state = report.state === 'done' ? 'done' : note.state;
  const { cursor } = report;
  return { ...note, ...keptOf(report), serial: note.serial + 1, state, cursor };
}
