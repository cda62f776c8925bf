import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Applications } from '../../../engine/cluster/applications.ts';
import { APPLICATION_STATES } from '../../../engine/ports/application.ts';
import { contextOf, ofKind } from '../../support/control-fixtures.ts';
import { GROUP } from '../../support/control-host.ts';

function setup(canaries: readonly string[] = []) {
  const { context, marks } = contextOf(1, canaries);
  const applications = new Applications(context);
  const unit = context.units[0];
  if (unit === undefined) throw new Error('there is a group');
  const actions = (): readonly string[] =>
    ofKind(context.take(), 'application').map((d) => `${d.action} ${d.epoch}`);
  return { context, applications, unit, actions, marks };
}

describe('an application', () => {
  it('is started once, and asked again only after a while without an answer', () => {
    const { context, applications, unit, actions } = setup();
    applications.start(unit, 3, 9_000_000, '');
    applications.start(unit, 3, 9_000_000, '');
    expect(actions()).toEqual(['start 3']);
    context.now = 1_000_000;
    applications.start(unit, 3, 9_000_000, '');
    expect(actions()).toEqual(['start 3']);
    applications.report(GROUP, 3, 'running');
    context.now = 5_000_000;
    applications.start(unit, 3, 9_000_000, '');
    expect(actions()).toEqual([]);
    expect(applications.get(unit).runs(3)).toBe(true);
  });

  it('is not quiet from the asking for a start until a stop is confirmed', () => {
    const { context, applications, unit } = setup();
    expect(applications.get(unit).quiet).toBe(true);
    context.now = 1000;
    applications.start(unit, 3, 9_000_000, '');
    expect(applications.get(unit).quiet).toBe(false);
    // A report that crossed the order: it tells of before.
    applications.report(GROUP, 0, 'stopped');
    expect(applications.get(unit).quiet).toBe(false);
    context.now = 2000;
    applications.stop(unit, 'test', '');
    applications.report(GROUP, 0, 'stopped');
    expect(applications.get(unit).quiet).toBe(true);
  });

  it('is asked to stop until it has', () => {
    const { context, applications, unit, actions } = setup();
    applications.report(GROUP, 3, 'running');
    for (const now of [1, 2, 1_000_001, 2_000_001]) {
      context.now = now;
      applications.stop(unit, 'test', '');
    }
    expect(actions()).toEqual(['stop 3', 'stop 3', 'stop 3']);
    applications.report(GROUP, 3, 'stop-failed');
    expect(applications.get(unit).quiet).toBe(false);
  });

  it('is restarted in place three times in ten minutes, then fails for good', () => {
    const { context, applications, unit, marks } = setup();
    for (let i = 0; i < 4; i++) {
      context.now += 1_000_000;
      applications.report(GROUP, 3, 'running');
      applications.report(GROUP, 3, 'failed');
      expect(applications.get(unit).failedIn(3)).toBe(i === 3);
    }
    expect(marks.filter((mark) => mark === 'group-restart-in-place').length).toBe(3);
    expect(applications.get(unit).failedIn(4)).toBe(false);
  });

  it('forgets failures that lie long back', () => {
    const { context, applications, unit } = setup();
    for (let i = 0; i < 12; i++) {
      context.now += 301_000_000;
      applications.report(GROUP, 3, 'running');
      applications.report(GROUP, 3, 'failed');
    }
    expect(applications.get(unit).failedIn(3)).toBe(false);
  });

  it('may still run after a restart of the core that left it', () => {
    const { applications, unit, actions } = setup();
    applications.begin(unit, 5);
    expect(applications.get(unit).quiet).toBe(false);
    applications.renew(unit, 7_000_000);
    expect(actions()).toEqual(['renew 5']);
  });

  /** Most starts asked for within a second while a monitor speaks of epochs before ours. */
  function startsInASecond(
    words: readonly { readonly state: number; readonly epoch: number; readonly after: number }[],
    canaries: readonly string[] = [],
  ): number {
    const { context, applications, unit, actions } = setup(canaries);
    const asked: number[] = [];
    context.now = 1;
    for (const { state, epoch, after } of words) {
      context.now += after;
      applications.report(GROUP, epoch, APPLICATION_STATES[state] ?? 'running');
      applications.start(unit, 9, 90_000_000, '');
      for (const action of actions()) if (action === 'start 9') asked.push(context.now);
    }
    const inSecond = (from: number) => asked.filter((at) => at >= from && at < from + 1_000_000);
    return Math.max(0, ...asked.map((from) => inSecond(from).length));
  }

  it('is asked to start once a second, whatever is said of earlier epochs', () => {
    const word = fc.record({
      // Stopping and stop-failed are worth a stop, and a start after that.
      state: fc.constantFrom(0, 1, 2, 4),
      epoch: fc.integer({ min: 0, max: 8 }),
      after: fc.nat(300_000),
    });
    const words = fc.array(word, { maxLength: 40 });
    fc.assert(
      fc.property(words, (said) => startsInASecond(said) <= 1),
      { numRuns: 500 },
    );
  });

  it('is asked without end when any word is taken for an answer (planted)', () => {
    const running = { state: 2, epoch: 3, after: 200 };
    const said = new Array<typeof running>(50).fill(running);
    expect(startsInASecond(said)).toBe(1);
    expect(startsInASecond(said, ['any-word-answers'])).toBe(50);
  });
});
