import { describe, expect, it } from 'vitest';
import { TimelineReader } from '../../../engine/timeline/codec.ts';
import type { TimelineEvent } from '../../../engine/timeline/event.ts';
import { Run } from '../../../viewer/src/model/run.ts';
import { stateAt } from '../../../viewer/src/model/state.ts';
import { faultsAt, takeOver, walkBack } from '../../../viewer/src/model/why.ts';
import { sampleText, sampleTimeline } from '../../support/sample-timeline.ts';

const sample = sampleTimeline({ violation: true });

function read(text: string): Run {
  const run = new Run();
  const reader = new TimelineReader(run);
  reader.push(text);
  reader.end();
  return run;
}

const run = read(sampleText({ violation: true }));

/** What the table says of one thing at a second. */
function at(seconds: number, kind: string, node: number): { [attribute: string]: unknown } {
  const row = stateAt(run, seconds * 1_000_000).find(
    (one) => one.kind === kind && one.node === node,
  );
  return Object.fromEntries(row!.cells.map(({ attribute, value }) => [attribute, value]));
}

describe('a run', () => {
  it('has a lane for the group, the world, each node and each replica, in that order', () => {
    expect(run.lanes.list.map((lane) => `${lane.kind} ${lane.node} ${lane.object}`)).toEqual([
      'owner 0 mail',
      'world 0 ',
      'node 1 ',
      'volume 1 r0',
      'node 2 ',
      'volume 2 r0',
      'node 3 ',
    ]);
  });

  it('folds events into roles, disks, links, leases and the leader', () => {
    expect(at(5, 'volume', 1)).toMatchObject({
      role: 'Primary',
      disk: 'UpToDate',
      link: 'Connected',
      epoch: 1,
    });
    expect(at(10, 'volume', 1)).toMatchObject({ role: 'Suspended', link: 'Connecting' });
    expect(at(22, 'volume', 1)).toMatchObject({
      role: 'Secondary',
      disk: 'Inconsistent',
      link: 'SyncTarget',
    });
    expect(at(22, 'volume', 2)).toMatchObject({ role: 'Primary', link: 'SyncSource', dirty: 768 });
    expect(at(26, 'volume', 1)).toMatchObject({ disk: 'UpToDate', link: 'Connected', epoch: 3 });
    expect(at(10, 'node', 1)).toMatchObject({ state: 'up', rank: 'follower', lease: 'lapsed' });
    expect(at(10, 'node', 2)).toMatchObject({ rank: 'leader', lease: 'held' });
  });

  it('tells who serves apart from who owns, so that an outage can be seen', () => {
    expect(at(5, 'group', 0)).toMatchObject({ serving: '1', owner: 1, service: 'online' });
    expect(at(10, 'group', 0)).toMatchObject({ serving: '0', owner: 1 });
    expect(at(12, 'group', 0)).toMatchObject({ serving: '0', owner: 2, service: 'starting' });
    expect(at(13, 'group', 0)).toMatchObject({ serving: '2', owner: 2, ownerEpoch: 2 });
  });

  it('shows two that serve at once as two', () => {
    const twice: TimelineEvent = {
      id: '1.world.9999',
      t: 27_500_000,
      node: 1,
      kind: 'world.application-running',
      d: { group: 0 },
    };
    const broken = read(`${sampleText()}${JSON.stringify(twice)}\n`);
    const lease = broken.tracks.at('lease', 1, '', 27_500_000);
    expect(lease).toBe('held');
    expect(broken.tracks.at('serving', 0, 'mail', 27_500_000)).toBe('1,2');
  });

  it('does not let a node that applies an old entry late move the owner back', () => {
    const late: TimelineEvent = {
      id: '3.1.c99999',
      t: 27_500_000,
      node: 3,
      kind: 'group.owner',
      d: { group: 'mail', owner: 1, epoch: 1, phase: 'online' },
    };
    const odd = read(`${sampleText()}${JSON.stringify(late)}\n`);
    expect(odd.tracks.at('owner', 0, 'mail', odd.end)).toBe(2);
  });

  it('leaves out what it knows already, as after a feed that reconnected', () => {
    const twice = read(sampleText() + sampleText());
    expect(twice.length).toBe(sampleTimeline().events.length);
  });

  it('gives every event back as it was written', () => {
    for (const event of sample.events) expect(run.at(run.find(event.id))).toEqual(event);
  });

  it('keeps the order of the file on the axis when clocks do not agree', () => {
    const events = [
      { id: '1.1.c1', t: 1000, node: 1, kind: 'core.start', d: {} },
      { id: '2.1.c1', t: 900, node: 2, kind: 'core.start', d: {} },
      // A host that started anew counts from zero again.
      { id: '1.2.c1', t: 5, node: 1, kind: 'core.start', d: {} },
      { id: '1.2.c2', t: 2_000_005, node: 1, kind: 'link.up', d: {} },
    ];
    const shifted = read(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    const times = events.map((_, ref) => shifted.time(ref));
    expect(times).toEqual([...times].sort((one, other) => one - other));
  });
});

describe('the walk back', () => {
  it('leads from the take-over over proof and suspicion to the first cause', () => {
    const ref = takeOver(run, run.end);
    expect(run.at(ref).id).toBe(sample.owned);
    const { steps, missing, cut } = walkBack(run, ref);
    expect(steps.map((step) => run.kind(step))).toEqual([
      'group.owner',
      'group.takeover',
      'lease.attested',
      'peer.suspect',
      'link.down',
    ]);
    expect([missing, cut]).toEqual(['', false]);
  });

  it('names the faults of the simulated world behind the first cause', () => {
    const root = walkBack(run, takeOver(run, run.end)).steps.at(-1)!;
    expect(faultsAt(run, run.time(root)).map((ref) => run.at(ref).id)).toEqual([sample.cut]);
    expect(faultsAt(run, 4_000_000)).toEqual([]);
    expect(faultsAt(run, 26_000_000)).toEqual([]);
  });

  it('says which cause is not in the file, and ends in a damaged circle', () => {
    const lines = [
      { id: '1.1.c1', t: 1, node: 1, kind: 'link.up', cause: '9.9.c9', d: {} },
      { id: '1.1.c2', t: 2, node: 1, kind: 'link.up', cause: '1.1.c3', d: {} },
      { id: '1.1.c3', t: 3, node: 1, kind: 'link.up', cause: '1.1.c2', d: {} },
    ];
    const odd = read(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    expect(walkBack(odd, 0)).toMatchObject({ steps: [0], missing: '9.9.c9' });
    expect(walkBack(odd, 2).steps).toEqual([2, 1]);
  });

  it('finds effects as well as causes', () => {
    const takeover = run.find(sample.takeover);
    expect(run.effects(takeover).map((ref) => run.kind(ref))).toEqual([
      'group.owner',
      'group.owner',
    ]);
  });

  it('counts broken laws and take-overs', () => {
    expect(run.violations.map((ref) => run.at(ref).id)).toEqual([sample.violated]);
    expect(run.takeOvers.map((ref) => run.at(ref).id)).toEqual([sample.owned]);
  });
});
