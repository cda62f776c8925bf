/** A volume grows: what is agreed on, shown, and in use. */
import { describe, expect, it } from 'vitest';
import type { ConfigChange } from '../../../engine/cluster/changes.ts';
import type { ControlDecision } from '../../../engine/cluster/interface.ts';
import { OWNED, ofKind, onlyRecord } from '../../support/control-fixtures.ts';
import {
  judge,
  on,
  restarts,
  SIZE,
  stateOf,
  volume,
  waits,
} from '../../support/reconfigure-node.ts';
import { TWO_OF_THREE as PAIR } from '../../support/trio-configs.ts';

describe('a change by which a volume grows', () => {
  const size = SIZE / 4;
  const volumes = PAIR.volumes.map((each) => ({ ...each, servedBytes: size }));
  const config = { ...PAIR, volumes };
  const GROW: ConfigChange = { kind: 'grow-volume', volume, servedBytes: 2 * size };
  const served = (decisions: readonly ControlDecision[]): readonly number[] =>
    ofKind(decisions, 'to-data').flatMap(({ command }) =>
      command.kind === 'serve' ? [command.bytes] : [],
    );

  it('begins with no node in particular, and is shown to nobody before', () => {
    const ordered = on(1, stateOf(GROW, [1, 2], 1, 'ordered'), { 3: 0 }, { config });
    expect(served(ordered.run())).toEqual([]);
    expect(ordered.steps()).toEqual(['begun']);
    const late = on(1, stateOf(GROW, [1, 2], 1, 'ordered'), { 2: 0, 3: 0 }, { config, able: [1] });
    late.run();
    expect([late.steps(), waits(late)]).toEqual([[], 'others-ready']);
  });

  it('is taken by all at once, and no core starts anew', () => {
    for (const node of [1, 2, 3]) {
      const host = on(node, stateOf(GROW, [1, 2]), { 1: 0, 2: 0, 3: 0 }, { config });
      const decisions = host.run();
      expect([node, restarts(decisions)]).toEqual([node, 0]);
      // Who holds none has nothing to show.
      expect(served(decisions)).toEqual(node === 3 ? [] : [2 * size]);
      const taken = ofKind(decisions, 'config-taken');
      expect(taken.map(({ version }) => version)).toEqual([1]);
      expect(host.reconfigure.version).toBe(1);
      expect(served(host.run())).toEqual([]);
    }
  });

  it('is done when all that are heard have it, whatever their disks do', () => {
    const state = stateOf(GROW, [1, 2]);
    const late = on(1, state, { 2: 0, 3: 1 }, { config });
    late.run();
    expect(late.steps()).toEqual([]);
    const done = on(1, state, { 2: 1, 3: 1 }, { config, whole: [1] });
    done.run();
    expect(done.steps()).toEqual(['done']);
    // Who is not heard takes it later.
    const away = on(1, state, { 3: 1 }, { config });
    away.run();
    expect(away.steps()).toEqual(['done']);
  });

  it('shows nothing with the guard off', () => {
    const canaries = ['size-untold'];
    const host = on(1, stateOf(GROW, [1, 2]), { 2: 1, 3: 1 }, { config, canaries });
    expect(served(host.run())).toEqual([]);
  });

  it('is told with the record to whoever is to lead, and before it', () => {
    const host = on(2, stateOf(GROW, [1, 2], 2), { 1: 1, 3: 1 }, { config });
    const local = host.volumes.get(volume);
    if (local === null) throw new Error('it holds one');
    host.volumes.record(local, { ...onlyRecord(OWNED), volume, epoch: 9, primary: 2 }, '');
    const told = ofKind(host.context.take(), 'to-data').map(({ command }) => command.kind);
    expect(told).toEqual(['serve', 'record']);
    // A data actor that starts anew goes by what its core was started with.
    host.volumes.started(volume);
    local.attached = true;
    host.volumes.record(local, { ...onlyRecord(OWNED), volume, epoch: 9, primary: 2 }, '');
    expect(served(host.context.take())).toEqual([2 * size]);
  });

  it('makes a volume show more, as much as its replicas have, and never less', () => {
    const size = SIZE / 4;
    const volumes = PAIR.volumes.map((each) => ({ ...each, servedBytes: size }));
    const config = { ...PAIR, volumes };
    const grow = (servedBytes: number): ConfigChange => ({
      kind: 'grow-volume',
      volume,
      servedBytes,
    });
    for (const bytes of [2 * size, size + 4096, SIZE]) {
      expect(judge(grow(bytes), [1, 2], config)).toBe('change');
    }
    for (const bytes of [size, size / 2, size + 512, SIZE + 4096, 2 ** 52, 0.5, -4096]) {
      expect(judge(grow(bytes), [1, 2], config)).toBe('size-not-possible');
    }
    expect(judge(grow(2 * SIZE), [1, 2], PAIR)).toBe('size-not-possible');
    // Whatever its replicas keep beside their data.
    const summed = volumes.map((each) => ({ ...each, checksums: true }));
    expect(judge(grow(2 * size), [1, 2], { ...config, volumes: summed })).toBe('change');
  });
});
