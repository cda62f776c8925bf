/** The addon in Workers, and what is left when a thread or a process ends in the middle of work. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BUILT, hasProgram, Rig } from './support/rig.ts';

const QEMU = hasProgram('qemu-io');
const host = fileURLToPath(new URL('./support/echo-host.ts', import.meta.url));

describe.skipIf(!BUILT || !QEMU)('a process with reactors in Workers', () => {
  let rig: Rig;
  let children: ChildProcess[];
  beforeEach(() => {
    rig = new Rig();
    children = [];
  });
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL');
    rig.end();
  });

  /** Starts a process that serves each replica by a Worker; answers once all are open. */
  const start = async (names: readonly string[], mode = 'serve') => {
    const options = { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] };
    const child = fork(host, [rig.folder, mode, ...names], options as object);
    children.push(child);
    let said = '';
    child.stderr?.on('data', (data) => {
      said += data;
    });
    let open = 0;
    child.on('message', () => {
      open += 1;
    });
    await rig.until(() => open === names.length || child.exitCode !== null, 30_000);
    return { child, said: () => said };
  };
  const uri = (name: string) => `nbd+unix:///vol?socket=${rig.path(`${name}.sock`)}`;
  const write = (name: string) => rig.run('qemu-io', '-f', 'raw', '-c', 'write 0 64k', uri(name));

  it('serves several volumes side by side', async () => {
    for (const name of ['a', 'b', 'c']) rig.replica(name);
    const { child } = await start(['a', 'b', 'c']);
    for (const name of ['a', 'b', 'c']) expect(await write(name)).toContain('wrote 65536');
    expect(child.exitCode).toBe(null);
  });

  it('ends without a fault while requests, links and timers are under way', async () => {
    for (const mode of ['exit', 'terminate', 'throw']) {
      rig.replica('a');
      const { child, said } = await start(['a'], mode);
      const client = write('a').catch(() => '');
      await rig.until(() => child.exitCode !== null || child.signalCode !== null);
      await client;
      expect([mode, child.signalCode, child.exitCode, said()]).toEqual([mode, null, 0, '']);
    }
  });

  it('lets another process have its replica and its socket as soon as it was killed', async () => {
    rig.replica('a');
    for (let round = 0; round < 3; round += 1) {
      const { child, said } = await start(['a'], 'load');
      expect([child.exitCode, said()]).toEqual([null, '']);
      expect(await write('a')).toContain('wrote 65536');
      child.kill('SIGKILL');
    }
  });
});
