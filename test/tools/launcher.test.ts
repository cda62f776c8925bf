import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';

const launcher = new URL('../../tools/launcher.mjs', import.meta.url).href;

/** A program that imports the launcher and runs `body`. */
function programme(body: string): string[] {
  return ['--input-type=module', '-e', `import * as launcher from '${launcher}';\n${body}`];
}

/** A program that hands over to a child, which runs `child`, and takes over its exit code. */
function handOver(child: string): string[] {
  const run = `launcher.run(process.execPath, ['-e', ${JSON.stringify(child)}])`;
  return programme(`process.exitCode = await ${run};`);
}

async function firstWords(child: ChildProcess): Promise<string> {
  const [data] = await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  return String(data);
}

describe('the launcher', () => {
  it('takes over the exit code of what it started', () => {
    for (const code of [0, 2, 7]) {
      const child = spawnSync(process.execPath, handOver(`process.exit(${code})`));
      expect(child.status).toBe(code);
    }
  });

  it('leaves standard output to what it started', () => {
    const { stdout } = spawnSync(process.execPath, handOver("console.log('{}')"));
    expect(String(stdout)).toBe('{}\n');
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('passes %s on and waits', async (signal) => {
    const child = `process.on('${signal}', () => process.exit(9)); setInterval(() => {}, 1e6);
      console.log('ready');`;
    const parent = spawn(process.execPath, handOver(child), {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    expect(await firstWords(parent)).toContain('ready');
    parent.kill(signal);
    expect(await once(parent, 'exit')).toEqual([9, null]);
  });

  it('dies by the signal that what it started died by', async () => {
    const parent = spawn(process.execPath, handOver("process.kill(process.pid, 'SIGKILL')"));
    expect(await once(parent, 'exit')).toEqual([null, 'SIGKILL']);
  });

  it('knows which Node can run the sources', () => {
    const versions = ['18.20.4', '20.18.3', '20.19.0', '20.20.2', '22.0.0', '24.1.0'];
    const { stdout } = spawnSync(
      process.execPath,
      programme(`for (const version of ${JSON.stringify(versions)})
        console.log(version, launcher.isNodeSupported(version));`),
      { encoding: 'utf8' },
    );
    expect(stdout.trim().split('\n')).toEqual([
      '18.20.4 false',
      '20.18.3 false',
      '20.19.0 true',
      '20.20.2 true',
      '22.0.0 true',
      '24.1.0 true',
    ]);
  });

  it('says what to do on a Node that is too old', () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      programme("launcher.requireNode('18.20.4'); console.log('went on');"),
      { encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('needs Node 20.19 or newer; this is 18.20.4');
  });
});
