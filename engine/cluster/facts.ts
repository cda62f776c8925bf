/** What a node tells all others of itself, and whether there is anything new to tell. */
import { samePlain } from '../core/plain.ts';
import type { Context } from './context.ts';
import type { Executor } from './executor.ts';
import type { LeaseVoter } from './lease.ts';
import type { FactsMessage } from './messages.ts';
import type { Volumes } from './volumes.ts';

/** Where the facts come from. */
export interface FactSources {
  readonly started: boolean;
  readonly formed: boolean;
  readonly voter: LeaseVoter;
  readonly volumes: Volumes;
  readonly executor: Executor;
  /** Version of the configuration in use, 0 for that of the file. */
  readonly config: number;
  /** Version by which the next core could run. */
  readonly ready: number;
}

export function factsOf(
  { boot, life, identity, started: event }: Context,
  version: number,
  { started, formed, voter, volumes, executor, config, ready }: FactSources,
): FactsMessage {
  const facts: FactsMessage = {
    kind: 'facts',
    boot,
    life,
    event,
    version,
    identity,
    formed,
    attested: voter.attested,
    volumes: started ? volumes.facts() : [],
    groups: started ? executor.facts() : [],
  };
  const used = config === 0 ? facts : { ...facts, config };
  return ready > config ? { ...used, ready } : used;
}

/** Whether facts differ in nothing but their version. */
export function saysNothingNew(next: FactsMessage, told: FactsMessage): boolean {
  return (
    next.identity === told.identity &&
    next.formed === told.formed &&
    next.config === told.config &&
    next.ready === told.ready &&
    samePlain(next.attested, told.attested) &&
    samePlain(next.volumes, told.volumes) &&
    samePlain(next.groups, told.groups)
  );
}
