/** The suite itself: a front-end that keeps the contract passes, and each planted bug is found. */
import { describe, expect, it } from 'vitest';
import { SimFrontend } from './frontend.sim.ts';
import { type Answer, type FrontendDriver, frontendSuite, type Offered } from './frontend.suite.ts';

/** A front-end between the suite and a good one, which spoils what passes. */
class Spoiled implements FrontendDriver {
  readonly slots: number;
  #good: FrontendDriver;
  #spoil: Spoil;

  constructor(good: FrontendDriver, spoil: Spoil) {
    this.#good = good;
    this.#spoil = spoil;
    this.slots = good.slots;
  }

  issue(count: number) {
    return this.#good.issue(count);
  }
  async offered() {
    const offered = await this.#good.offered();
    return this.#spoil.offered?.(offered) ?? offered;
  }
  complete(request: Offered, status: number, stamp: number) {
    return this.#good.complete(request, this.#spoil.status?.(status) ?? status, stamp);
  }
  async answers() {
    const answers = await this.#good.answers();
    return this.#spoil.answers?.(answers) ?? answers;
  }
  leave() {
    return this.#spoil.staying === true ? Promise.resolve() : this.#good.leave();
  }
  close() {
    return this.#good.close();
  }
}

interface Spoil {
  readonly offered?: (offered: readonly Offered[]) => readonly Offered[];
  readonly status?: (status: number) => number;
  readonly answers?: (answers: readonly Answer[]) => readonly Answer[];
  readonly staying?: boolean;
}

const BUGS: Readonly<Record<string, Spoil>> = {
  'forgets that a write is to be durable': {
    offered: (offered) => offered.map((each) => ({ ...each, fua: false })),
  },
  'hands a request over twice': {
    offered: (offered) => [...offered, ...offered.slice(-1)],
  },
  'loses a request': { offered: (offered) => offered.slice(1) },
  'puts two requests into one slot': {
    offered: (offered) => offered.map((each) => ({ ...each, slot: offered[0]?.slot ?? 0 })),
  },
  'is off by a block': {
    offered: (offered) => offered.map((each) => ({ ...each, offset: each.offset + 4096 })),
  },
  'hands over what another client wrote': {
    offered: (offered) => offered.map((each) => ({ ...each, stamp: each.stamp && 1 })),
  },
  'answers twice': { answers: (answers) => [...answers, ...answers.slice(0, 1)] },
  'answers one and means another': {
    answers: (answers) => answers.map((each, i) => ({ ...each, id: answers[i ^ 1]?.id ?? 0 })),
  },
  'hides a failure': { status: () => 0 },
  'brings a read what was there before': {
    answers: (answers) => answers.map((each) => ({ ...each, stamp: 0 })),
  },
  'answers who is gone': { staying: true },
};

/** Names of the suite's tests that fail. */
async function failures(make: () => Promise<FrontendDriver>): Promise<string[]> {
  const tests: { name: string; run: () => Promise<void> }[] = [];
  frontendSuite((name, run) => tests.push({ name, run }), make);
  const failed: string[] = [];
  for (const { name, run } of tests) await run().catch(() => failed.push(name));
  return failed;
}

describe('the suite of the front-end', () => {
  it('passes a front-end that nobody spoiled', async () => {
    expect(await failures(async () => new Spoiled(new SimFrontend(), {}))).toEqual([]);
  });

  for (const [bug, spoil] of Object.entries(BUGS)) {
    it(`fails one that ${bug}`, async () => {
      const failed = await failures(async () => new Spoiled(new SimFrontend(), spoil));
      expect(failed).not.toEqual([]);
    });
  }
});
