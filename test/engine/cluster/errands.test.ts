import { describe, expect, it } from 'vitest';
import { isErrand } from '../../../engine/cluster/errands.ts';
import type { OperatorCommand } from '../../../engine/cluster/interface.ts';
import { ControlNet, S, VOLUME } from '../../support/control-net.ts';

const HOW = { level: 'digest', from: 0, repair: false, bytesPerSecond: 0 } as const;
const ERRANDS: readonly OperatorCommand[] = [
  { kind: 'verify', volume: VOLUME, ...HOW },
  { kind: 'verify-stop', volume: VOLUME },
  { kind: 'verify-resume', volume: VOLUME },
  { kind: 'quiesce', volumes: [VOLUME], micros: S },
  { kind: 'resume', point: 1 },
];

describe('what the leader’s data actors are asked for', () => {
  it('is no matter for the log', () => {
    for (const command of ERRANDS)
      expect([command.kind, isErrand(command)]).toEqual([command.kind, true]);
    expect(isErrand({ kind: 'status' })).toBe(false);
    expect(isErrand({ kind: 'stop-group', group: 'g' })).toBe(false);
  });

  it('is answered by the node that was asked, whatever it is', () => {
    const net = new ControlNet({ seed: 4 });
    net.await(() => net.whole(), 20 * S);
    net.pass(S);
    const { committed } = net.status(2);
    for (const [at, command] of ERRANDS.entries()) net.command(2, at + 1, command);
    net.pass(S / 10);
    for (const at of ERRANDS.keys()) expect(net.answers.get(at + 1)).toMatchObject({ ok: false });
    expect(net.status(2).committed).toBe(committed);
  });
});
