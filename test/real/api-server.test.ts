import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { fetchStatus, sendCommand } from '../../backends/real/api-client.ts';
import { ApiServer } from '../../backends/real/api-server.ts';
import { HostError } from '../../backends/real/failure.ts';
import type { HostStatus } from '../../backends/real/host-status.ts';
import { TimelineFile } from '../../backends/real/timeline-file.ts';
import type { OperatorCommand } from '../../engine/cluster/interface.ts';
import { decodeTimeline } from '../../engine/timeline/codec.ts';
import { TIMELINE_SCHEMA } from '../../engine/timeline/event.ts';
import { freePorts, waitFor } from './support/hosts.ts';

let folder = '';
let server: ApiServer;
let timeline: TimelineFile;
let commands: OperatorCommand[] = [];
let port = 0;

const event = (seq: number) => ({ id: `1.1.c${seq}`, t: seq, node: 1, kind: 'core.start', d: {} });
const header = () => ({
  schema: TIMELINE_SCHEMA,
  build: '0',
  engineHash: 'dev',
  configHash: '',
  config: null,
  clockMap: [{ node: 1, mono: 0, wall: 0 }],
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'us-api-'));
  commands = [];
  timeline = new TimelineFile(join(folder, 'timeline.jsonl'), header);
  server = new ApiServer(join(folder, 'api.sock'), () => undefined, {
    status: () => ({ node: 'a' }) as unknown as HostStatus,
    command: async (command) => {
      commands.push(command);
      return { ok: true };
    },
    watch: (onlooker) => timeline.watch(onlooker),
  });
  [port] = (await freePorts(1)) as [number];
  await server.open(`127.0.0.1:${port}`);
});

afterEach(async () => {
  server.close();
  timeline.close();
  await rm(folder, { recursive: true });
});

/** Status code of a request to the console. */
function ask(method: string, path: string, headers = {}, body = ''): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('the local door of a core', () => {
  it('tells its state and takes commands through the socket in the folder', async () => {
    expect(await fetchStatus(folder)).toEqual({ node: 'a' });
    const command = { kind: 'switch', group: 'service', to: 2 } as const;
    expect(await sendCommand(folder, command)).toEqual({ ok: true });
    expect(commands).toEqual([command]);
  });

  it('takes orders to compare replicas, and only whole ones', async () => {
    const order = {
      kind: 'verify',
      volume: 'v',
      level: 'digest',
      from: 7,
      repair: true,
      bytesPerSecond: 0,
    } as const;
    await sendCommand(folder, order);
    await sendCommand(folder, { kind: 'verify-stop', volume: 'v' });
    await sendCommand(folder, { kind: 'verify-resume', volume: 'v' });
    const others = ['verify-stop', 'verify-resume'].map((kind) => ({ kind, volume: 'v' }));
    expect(commands).toEqual([order, ...others]);
    for (const change of [
      { level: 'deep' },
      { from: -1 },
      { from: 0.5 },
      { repair: 1 },
      { volume: 3 },
    ]) {
      await sendCommand(folder, { ...order, ...change } as unknown as OperatorCommand);
    }
    expect(commands).toHaveLength(3);
  });

  it('takes orders for a quiesce point, and only whole ones', async () => {
    const order = { kind: 'quiesce', volumes: ['v'], micros: 5 } as const;
    await sendCommand(folder, order);
    await sendCommand(folder, { kind: 'resume', point: 9 });
    expect(commands).toEqual([order, { kind: 'resume', point: 9 }]);
    for (const bad of [
      { ...order, volumes: [] },
      { ...order, volumes: 'v' },
      { ...order, volumes: [1] },
      { ...order, micros: 0 },
      { kind: 'resume', point: '9' },
    ]) {
      await sendCommand(folder, bad as unknown as OperatorCommand);
    }
    expect(commands).toHaveLength(2);
  });

  it('takes an order to give a branch up, or its end, only with everything named', async () => {
    const named = { keep: 1, keeps: 20, discards: 30, epoch: 9, atMost: -1, adopt: false };
    const order = { kind: 'resolve', volume: 'v', ...named } as const;
    const back = { kind: 'take-back', volume: 'v', order: 9 } as const;
    for (const whole of [order, back]) {
      await sendCommand(folder, whole);
      for (const field of Object.keys(whole)) {
        const { [field as keyof typeof whole]: _, ...rest } = whole;
        await sendCommand(folder, rest as unknown as OperatorCommand);
        await sendCommand(folder, { ...whole, [field]: -2 } as unknown as OperatorCommand);
      }
    }
    expect(commands).toEqual([order, back]);
  });

  it('refuses what is no command', async () => {
    for (const bad of [{ kind: 'reboot' }, { kind: 'switch', group: 'g' }, 7, 'x'.repeat(9000)]) {
      await sendCommand(folder, bad as unknown as OperatorCommand);
    }
    expect(commands).toEqual([]);
  });

  it('shows the console what is so, and lets it change nothing', async () => {
    expect(await ask('GET', '/status')).toBe(200);
    expect(await ask('POST', '/command', {}, '{"kind":"status"}')).toBe(403);
    expect(await ask('GET', '/etc/passwd')).toBe(404);
    expect(commands).toEqual([]);
  });

  it('is closed to pages of other sites', async () => {
    expect(await ask('GET', '/status', { host: 'evil.example' })).toBe(403);
    expect(await ask('GET', '/status', { origin: 'http://evil.example' })).toBe(403);
    expect(await ask('GET', '/status', { origin: 'http://127.0.0.1:8080' })).toBe(200);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/timeline`, {
      origin: 'http://evil.example',
    });
    const outcome = new Promise((resolve) => {
      socket.on('error', () => resolve('refused'));
      socket.on('open', () => resolve('open'));
    });
    expect(await outcome).toBe('refused');
  });

  it('gives an onlooker the recent events and then each new one', async () => {
    timeline.write(event(1));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/timeline`);
    let text = '';
    socket.on('message', (piece) => {
      text += String(piece);
    });
    await waitFor('the recent events', () => decodeTimeline(text).events.length === 1);
    timeline.write(event(2));
    await waitFor('the new event', () => decodeTimeline(text).events.length === 2);
    const seen = decodeTimeline(text);
    expect(seen.header?.schema).toBe(TIMELINE_SCHEMA);
    expect(seen.events.map(({ t }) => t)).toEqual([1, 2]);
    socket.close();
  });

  it('says what to do when no node answers', async () => {
    server.close();
    await expect(fetchStatus(join(folder, 'nowhere'))).rejects.toBeInstanceOf(HostError);
  });
});
