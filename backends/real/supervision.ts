/**
 * What core and monitor say to each other. Both beat once a second; whoever misses three beats of
 * the other ends it and starts a new one (reference/cluster.md §3.6).
 */

import type { ControlDecision, ControlInput } from '../../engine/cluster/interface.ts';
import type { Epoch, Micros } from '../../engine/core/units.ts';
import { type ProcessIdentity, parseIdentity } from './process-identity.ts';

export const BEAT_MS = 1000;
export const MISSES_MAX = 3;

/** A state of an application, as the engine wants to hear it. */
export type ApplicationState = Extract<ControlInput, { kind: 'application' }>;
/** An order about an application, as the engine gives it. */
export type ApplicationOrder = Extract<ControlDecision, { kind: 'application' }>;

/** How the guardian fares, for `status` and for the core, which writes its deadline. */
export interface GuardianReport {
  readonly process: ProcessIdentity | null;
  /** Watchdog device, 'none' when nothing would reset this host. */
  readonly watchdog: string;
  readonly restarts: number;
}

export type MonitorMessage =
  | { readonly kind: 'hello'; readonly process: ProcessIdentity }
  | {
      readonly kind: 'beat';
      readonly guardian: GuardianReport;
      readonly coreRestarts: number;
    }
  | ApplicationState
  /**
   * Stop in good order: the person who started this host wants it to end. `quiet` when every
   * application is proved stopped; else the watchdog has to stay armed.
   */
  | { readonly kind: 'shut-down'; readonly quiet: boolean };

export type CoreMessage =
  | { readonly kind: 'hello'; readonly process: ProcessIdentity; readonly api: string }
  | { readonly kind: 'beat' }
  | ApplicationOrder;

/** The other end is a process of ours, perhaps of the next version: null for what is unknown. */
export function parseMonitorMessage(
  value: Readonly<Record<string, unknown>>,
): MonitorMessage | null {
  switch (value['kind']) {
    case 'hello': {
      const process = parseIdentity(value['process']);
      return process === null ? null : { kind: 'hello', process };
    }
    case 'beat':
    case 'application':
    case 'shut-down':
      return value as unknown as MonitorMessage;
    default:
      return null;
  }
}

/** See {@link parseMonitorMessage}. */
export function parseCoreMessage(value: Readonly<Record<string, unknown>>): CoreMessage | null {
  switch (value['kind']) {
    case 'hello': {
      const process = parseIdentity(value['process']);
      return process === null ? null : { kind: 'hello', process, api: String(value['api']) };
    }
    case 'beat':
    case 'application':
      return value as unknown as CoreMessage;
    default:
      return null;
  }
}

/** An order with its deadline as the monitor sees it. */
export interface Term {
  readonly epoch: Epoch;
  readonly until: Micros;
}
