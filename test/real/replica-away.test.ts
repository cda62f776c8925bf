/** What the data actor of a replica that cannot be reached says and does. */
import { MessageChannel } from 'node:worker_threads';
import { describe, expect } from 'vitest';
import type { FromData, ToData } from '../../backends/real/data-messages.ts';
import { hasNative } from '../../backends/real/native.ts';
import { runAway } from '../../backends/real/replica-away.ts';
import type { DataCommand, DataReport, VolumeRecord } from '../../engine/data/messages.ts';
import { testConfig, VOLUME } from '../support/control-host.ts';
import { itUnless, waitFor } from './support/hosts.ts';

const missing = hasNative() ? null : 'the native addon is not built (npm run build:native)';
const BOOT = 11;

function away() {
  const [volume] = testConfig().volumes;
  if (volume === undefined) throw new Error('the test configuration has a volume');
  const { port1: core, port2: thread } = new MessageChannel();
  const reports: DataReport[] = [];
  const listen = { node: 1, host: '127.0.0.1', port: 0 };
  const self = { volume, node: 1, boot: BOOT, session: 1, key: new Uint8Array(32) };
  const start = {
    ...self,
    listen,
    peers: [],
    flight: '',
    memory: '',
    build: 'test',
    before: null,
    sizes: [],
    conversion: '',
  };
  const tell = (message: FromData): void => {
    if (message.kind === 'reports') reports.push(...message.reports);
  };
  const ended = runAway(start, thread, tell);
  const say = (message: ToData): void => core.postMessage(message);
  const command = (command: DataCommand): void => say({ kind: 'command', command });
  const of = (kind: DataReport['kind']) => reports.filter((report) => report.kind === kind);
  const close = async (): Promise<void> => {
    say({ kind: 'close' });
    await ended;
    core.close();
  };
  return { command, of, close };
}

const RECORD: VolumeRecord = {
  volume: VOLUME,
  epoch: 4,
  primary: 1,
  members: [
    { node: 1, boot: BOOT },
    { node: 2, boot: 12 },
  ],
  generation: 7,
};

describe('a replica that cannot be reached', () => {
  const it = itUnless(missing);

  it('is said to be lost for its path, and never to be in doubt for that', async () => {
    const { of, close } = away();
    expect(of('attached')).toMatchObject([{ disk: 'Failed', doubted: false }]);
    const said = { disk: 'Failed', role: 'Idle', pathLost: true };
    expect(of('state').at(-1)).toMatchObject(said);
    await close();
  });

  it('is given up when that is asked for, in the epoch that is asked for', async () => {
    const { command, of, close } = away();
    command({ kind: 'record', record: RECORD, cause: '1.1.c1' });
    command({ kind: 'demote', epoch: 3, cause: '1.1.c2' });
    command({ kind: 'demote', epoch: 4, cause: '1.1.c3' });
    await waitFor('its word', () => of('stopped').length > 0, 5000);
    expect(of('stopped')).toMatchObject([{ volume: VOLUME, epoch: 4 }]);
    expect(of('active')).toEqual([]);
    await close();
  });

  it('lets nobody wait for a quiesce point', async () => {
    const { command, of, close } = away();
    const order = { id: 5, until: Number.MAX_SAFE_INTEGER };
    command({ kind: 'quiesce', order, cause: '1.1.c1' });
    await waitFor('its word', () => of('quiesce').length > 0, 5000);
    expect(of('quiesce')).toMatchObject([{ id: 5, state: 'ended' }]);
    await close();
  });
});
