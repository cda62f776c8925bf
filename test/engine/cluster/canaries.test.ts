import { describe, expect, it } from 'vitest';
import { type CanaryId, CLUSTER_CANARIES, flagsOf } from '../../../engine/cluster/canaries.ts';
import type { ControlNet } from '../../support/control-net.ts';
import {
  blankOwner,
  blankWitness,
  isolatedOwner,
  outdatedReplica,
  quickReboot,
  rebootedStandby,
  restartedVoter,
  restlessVoters,
  splitPair,
} from '../../support/control-scenarios.ts';
import { swarm } from '../../support/control-swarm.ts';

type Scenario = (seed: number, canaries: readonly string[]) => ControlNet;

/** Which schedule shows which planted bug, in which seeds. */
const SHOWN: readonly (readonly [CanaryId, Scenario, number, number])[] = [
  ['RULE-01', splitPair, 1, 3],
  ['RULE-06', rebootedStandby, 1, 3],
  ['RULE-09', quickReboot, 1, 3],
  ['attest-early-after-restart', restartedVoter, 1, 10],
  ['single-attestation', restartedVoter, 1, 10],
  ['lease-never-checked', isolatedOwner, 1, 3],
  ['vote-not-persisted', restlessVoters, 70, 400],
  ['stale-leader-commits', restlessVoters, 1, 60],
  ['blank-voter-votes', blankWitness, 1, 3],
  ['boot-rule-skipped', quickReboot, 1, 3],
  ['outdated-promoted', outdatedReplica, 1, 3],
  ['blank-core-clean', blankOwner, 1, 3],
];

/** These need the chance of a whole schedule. */
const IN_SWARMS: readonly (readonly [CanaryId, number])[] = [
  ['holder-from-receipt', 600],
  ['lease-epoch-ignored', 600],
  ['start-before-stop', 200],
  ['epoch-not-raised', 50],
];

/**
 * Shown elsewhere: by exploring the lease rules (lease.test.ts), by what the entry says
 * (transfer.test.ts), by reports in every order (volumes.test.ts), by what people are answered
 * (operator.test.ts, quiescence.test.ts), by how often a
 * start is asked for (applications.test.ts), by every pair of branches (split-brain.test.ts), by
 * orders of one moment (resolution.test.ts), by changes of the configuration (state.test.ts,
 * reconfigure.test.ts, readiness.test.ts) or in worlds with applications
 * (test/scenarios/library.test.ts), because no law of this small world depends on it.
 */
const ELSEWHERE: readonly CanaryId[] = [
  'attest-keeps-renewing',
  'attest-not-persisted',
  'generation-kept',
  'attached-by-state',
  'any-word-answers',
  'failure-forgotten',
  'lacking-like-power',
  'command-repeated',
  'quiesce-trusted',
  'path-given-up',
  'path-hammered',
  'path-over-clients',
  'split-guessed',
  'split-by-order',
  'split-half-kept',
  'clean-while-running',
  'guardian-never-armed',
  'RULE-22',
  'kept-unjudged',
  'order-unchecked',
  'order-voided',
  'policy-repeats',
  'take-back-any',
  'any-taker',
  'doubted-taken',
  'half-copy-taken',
  'late-refusal',
  'taken-again',
  'taken-from-members',
  'others-unready',
  'leaver-counted',
  'removed-admitted',
  'last-copy-removed',
  'copy-unseen',
  'second-change',
  'size-untold',
  'begun-unconfirmed',
  'unlaid-forgotten',
  'unopened-counted',
  'failed-counted',
  'led-by-own-file',
  'ready-for-good',
  'lost-disk-awaited',
  'branch-of-new',
  'other-disk-counts',
  'other-disk-leads',
  'deaf-renewed',
  'want-without-lease',
  'overstay-petted',
];

describe('planted bugs', () => {
  it('are each shown somewhere', () => {
    const shown = [...SHOWN.map(([id]) => id), ...IN_SWARMS.map(([id]) => id), ...ELSEWHERE];
    expect(shown.sort()).toEqual(CLUSTER_CANARIES.map(({ id }) => id).sort());
  });

  it('are off unless switched on', () => {
    expect(Object.values(flagsOf(new Set())).some((on) => on)).toBe(false);
    expect(flagsOf(new Set(['RULE-06']))['RULE-06']).toBe(true);
  });

  for (const [id, scenario, first, last] of SHOWN) {
    it(`break a law when '${id}' is planted, and none when it is not`, () => {
      let found = false;
      for (let seed = first; seed <= last && !found; seed++) {
        found = scenario(seed, [id]).violations.length > 0;
        if (found) expect(scenario(seed, []).violations).toEqual([]);
      }
      expect(found).toBe(true);
    });
  }

  for (const [id, seeds] of IN_SWARMS) {
    it(`are found in random schedules when '${id}' is planted`, () => {
      let found = false;
      for (let seed = 1; seed <= seeds && !found; seed++) {
        found = swarm(seed, { canaries: [id] }).violations.length > 0;
      }
      expect(found).toBe(true);
    });
  }
});
