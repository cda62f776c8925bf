/** The guest that tests of shared disks run in: what its array does, and what a command sees. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { type Guest, guestMissing, startGuest } from './support/guest.ts';
import { itUnless } from './support/hosts.ts';

const missing = guestMissing();
const it = itUnless(missing);
const disks = fileURLToPath(new URL('support/scsi-disk.py', import.meta.url));

let guest: Guest;

beforeAll(async () => {
  if (missing === null) guest = await startGuest({ disks: ['X', 'Y', 'Z'], sectorBytes: 4096 });
});

afterAll(async () => {
  await guest?.close();
});

/** What each step gave: `NEXUS1_X write 0 7` and the like, by scsi-disk.py. */
async function ask(...steps: readonly string[]): Promise<string[]> {
  const words = steps.map((step) => `"$${step}"`).join(' ');
  const { code, stdout, stderr } = await guest.run(['sh', '-c', `python3 ${disks} ${words}`]);
  expect(stderr).toBe('');
  expect(code).toBe(0);
  return stdout.trimEnd().split('\n');
}

describe('a disk of the guest', () => {
  it('is one disk, by whichever nexus it is reached', async () => {
    const units = await ask('NEXUS1_X unit', 'NEXUS2_X unit', 'NEXUS1_Y unit', 'NEXUS2_Y unit');
    expect(units).toEqual(['X', 'X', 'Y', 'Y'].map((name) => `understudy-${name}`));
    expect(await ask('NEXUS1_X write 4096 7', 'NEXUS2_X read 4096')).toEqual(['ok', '7']);
  });

  it('refuses another nexus once it is reserved', async () => {
    const reserve = ['NEXUS1_Y register 1', 'NEXUS1_Y reserve 1'];
    expect(await ask(...reserve, 'NEXUS2_Y keys', 'NEXUS2_Y holder')).toEqual([
      ...['ok', 'ok'],
      ...['1', 'key 1 type 5'],
    ]);
    const writes = ['NEXUS1_Y write 0 1', 'NEXUS2_Y write 0 2', 'NEXUS2_Y read 0'];
    expect(await ask(...writes, 'NEXUS2_Y reserve 2')).toEqual(['ok', 'EBADE', '1', 'conflict']);
    expect(await ask('NEXUS2_X write 0 2')).toEqual(['ok']);
  });

  it('refuses its former holder once another nexus has preempted it', async () => {
    const before = ['NEXUS1_Z register 1', 'NEXUS1_Z reserve 1', 'NEXUS1_Z write 0 1'];
    expect(await ask(...before, 'NEXUS2_Z register 2')).toEqual(['ok', 'ok', 'ok', 'ok']);
    const after = ['NEXUS2_Z preempt-abort 2 1', 'NEXUS2_Z keys', 'NEXUS2_Z holder'];
    expect(await ask(...after)).toEqual(['ok', '2', 'key 2 type 5']);
    const writes = ['NEXUS1_Z write 0 3', 'NEXUS2_Z write 0 4', 'NEXUS1_Z read 0'];
    expect(await ask(...writes, 'NEXUS1_Z reserve 1')).toEqual(['EBADE', 'ok', '4', 'conflict']);
  });
});

describe('a command in the guest', () => {
  it('gives back its code and what it said', async () => {
    const result = await guest.run(['sh', '-c', 'echo "$WORD"; echo no >&2; exit 3'], {
      env: { WORD: "it's" },
    });
    expect(result).toEqual({ code: 3, stdout: "it's\n", stderr: 'no\n' });
  });

  it('runs the programs of this machine on the files of this machine', async () => {
    const script = 'console.log(process.version, require("./package.json").name)';
    const { stdout } = await guest.run([process.execPath, '-e', script]);
    const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(stdout).toBe(`${process.version} ${name}\n`);
  });

  it('changes nothing of this machine but what is in the shared folder', async () => {
    writeFileSync(join(guest.shared, 'in'), 'one');
    const script = `date > written-in-a-guest && ls written-in-a-guest && cd '${guest.shared}' &&
      sed s/one/two/ in > out`;
    const { code, stdout } = await guest.run(['sh', '-c', script]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'written-in-a-guest\n' });
    expect(existsSync('written-in-a-guest')).toBe(false);
    expect(readFileSync(join(guest.shared, 'out'), 'utf8')).toBe('two');
  });

  it('may run beside others', async () => {
    const order = join(guest.shared, 'go');
    const waits = guest.run(['sh', '-c', `until [ -e ${order} ]; do sleep 0.1; done; echo went`]);
    expect((await guest.run(['touch', order])).code).toBe(0);
    expect((await waits).stdout).toBe('went\n');
  });

  it('ends with the guest where it has no end, and the console is told', async () => {
    const endless = guest.run(['sh', '-c', 'echo last words > /dev/kmsg; sleep 1000'], {
      limitMs: 3_000,
    });
    await expect(endless).rejects.toThrow(/no end within 3000 ms.*last words/s);
    await expect(guest.run(['true'])).rejects.toThrow('no end within 3000 ms');
  });
});
