/**
 * What core and monitor say to each other. Both beat once a second; whoever misses three beats of
 * the other ends it and starts a new one (reference/cluster.md §3.6).
 */

import type { ControlDecision, ControlInput } from '../../engine/cluster/interface.ts';
import type { Epoch, Micros } from '../../engine/core/units.ts';
import { APPLICATION_STATES } from '../../engine/ports/application.ts';
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

/**
 * The other end is a process of ours, perhaps of the next version, or something that strayed into
 * the folder: null for what is unknown or not whole.
 */
export function parseMonitorMessage(
  value: Readonly<Record<string, unknown>>,
): MonitorMessage | null {
  const { kind, group, epoch, state, quiet, coreRestarts } = value;
  switch (kind) {
    case 'hello': {
      const process = parseIdentity(value['process']);
      return process === null ? null : { kind, process };
    }
    case 'beat': {
      const guardian = parseGuardian(value['guardian']);
      if (guardian === null || !isCount(coreRestarts)) return null;
      return { kind, guardian, coreRestarts };
    }
    case 'application':
      if (typeof group !== 'string' || !isCount(epoch) || !isOneOf(APPLICATION_STATES, state))
        return null;
      return { kind, group, epoch, state };
    case 'shut-down':
      return typeof quiet === 'boolean' ? { kind, quiet } : null;
    default:
      return null;
  }
}

/** See {@link parseMonitorMessage}. */
export function parseCoreMessage(value: Readonly<Record<string, unknown>>): CoreMessage | null {
  const { kind, group, action, epoch, until, cause, api } = value;
  switch (kind) {
    case 'hello': {
      const process = parseIdentity(value['process']);
      return process === null || typeof api !== 'string' ? null : { kind, process, api };
    }
    case 'beat':
      return { kind };
    case 'application':
      if (typeof group !== 'string' || typeof cause !== 'string') return null;
      if (!isCount(epoch) || !Number.isSafeInteger(until) || !isOneOf(ACTIONS, action)) return null;
      return { kind, group, action, epoch, until: until as number, cause };
    default:
      return null;
  }
}

const ACTIONS = ['start', 'stop', 'renew'] as const;

function parseGuardian(value: unknown): GuardianReport | null {
  if (typeof value !== 'object' || value === null) return null;
  const { process, watchdog, restarts } = value as Record<string, unknown>;
  if (typeof watchdog !== 'string' || !isCount(restarts)) return null;
  if (process === null) return { process, watchdog, restarts };
  const identity = parseIdentity(process);
  return identity === null ? null : { process: identity, watchdog, restarts };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isOneOf<T extends string>(words: readonly T[], value: unknown): value is T {
  return (words as readonly unknown[]).includes(value);
}

/** An order with its deadline as the monitor sees it. */
export interface Term {
  readonly epoch: Epoch;
  readonly until: Micros;
}
