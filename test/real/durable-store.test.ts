import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurableStore } from '../../backends/real/durable-store.ts';
import { HostError } from '../../backends/real/failure.ts';
import { PowerCut, VolatileFiles } from './support/volatile-files.ts';

const owner = { cluster: 'demo', node: 1 };

/** Writes documents 1, 2, … until the power fails; returns the last one reported durable. */
async function writeUntilCut(files: VolatileFiles, documents: number): Promise<number> {
  let durable = 0;
  const { store } = await DurableStore.open(files, owner);
  for (let n = 1; n <= documents; n++) {
    await new Promise<void>((resolve, reject) => {
      store.listen((token) => {
        durable = token;
        resolve();
      }, reject);
      store.persist(n, { n });
    }).catch((error: unknown) => {
      if (!(error instanceof PowerCut)) throw error;
    });
    if (files.dead) break;
  }
  return durable;
}

describe('the durable store', () => {
  it('holds the last reported document or the one after, whenever the power fails', async () => {
    // The n-th failure loop: cut at operation 1, 2, 3, … until none is left to cut.
    for (let cutAt = 1; ; cutAt++) {
      for (const seed of [1, 2, 3]) {
        const files = new VolatileFiles(cutAt, seed);
        let durable = 0;
        try {
          durable = await writeUntilCut(files, 3);
        } catch (error) {
          if (!(error instanceof PowerCut)) throw error;
        }
        const cut = files.dead;
        files.restart();
        const { durable: found, session } = await DurableStore.open(files, owner);
        const n = found === null ? 0 : (found['n'] as number);
        expect([durable, durable + 1]).toContain(n);
        expect(session).toBeGreaterThanOrEqual(cut && durable === 0 ? 1 : 2);
        if (!cut) return;
      }
    }
  });

  it('never gives the same session twice', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 8 }),
        async (cuts) => {
          const files = new VolatileFiles(0, 7);
          const sessions: number[] = [];
          for (const cut of cuts) {
            files.cutAt(cut);
            await DurableStore.open(files, owner).then(
              ({ session }) => sessions.push(session),
              (error: unknown) => {
                if (!(error instanceof PowerCut)) throw error;
              },
            );
            files.powerOff();
            files.restart();
          }
          expect(new Set(sessions).size).toBe(sessions.length);
        },
      ),
    );
  });

  it('refuses a damaged newest document and names the remedy, never taking the older', async () => {
    const files = new VolatileFiles(0, 1);
    await writeUntilCut(files, 4);
    const newest = files
      .names()
      .filter((name) => name.startsWith('control-'))
      .at(-1) as string;
    const bytes = files.bytes(newest);
    for (const at of [0, 10, bytes.length - 1]) {
      const damaged = Uint8Array.from(bytes);
      damaged[at] = (damaged[at] as number) ^ 1;
      files.put(newest, damaged);
      const failure = await DurableStore.open(files, owner).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(HostError);
      expect((failure as HostError).remedy).toContain('new voter');
    }
    files.put(newest, bytes.subarray(0, bytes.length >> 1));
    await expect(DurableStore.open(files, owner)).rejects.toBeInstanceOf(HostError);
  });

  it('does not mind damage to the document before the newest', async () => {
    const files = new VolatileFiles(0, 1);
    await writeUntilCut(files, 4);
    const [older] = files.names().filter((name) => name.startsWith('control-'));
    files.put(older as string, Buffer.from('rubbish'));
    expect((await DurableStore.open(files, owner)).durable).toEqual({ n: 4 });
  });

  it('refuses the folder of another node', async () => {
    const files = new VolatileFiles(0, 1);
    await writeUntilCut(files, 1);
    const failure = await DurableStore.open(files, { ...owner, node: 2 }).catch((e: unknown) => e);
    expect((failure as Error).message).toContain('node 1 of cluster "demo"');
  });

  it('merges documents that come faster than the disk', async () => {
    const files = new VolatileFiles(0, 1);
    const { store } = await DurableStore.open(files, owner);
    const before = files.operations;
    const tokens: number[] = [];
    await new Promise<void>((resolve, reject) => {
      store.listen((token) => {
        tokens.push(token);
        if (token === 100) resolve();
      }, reject);
      for (let n = 1; n <= 100; n++) store.persist(n, { n });
    });
    expect(tokens.at(-1)).toBe(100);
    expect(files.operations - before).toBeLessThan(30);
  });
});
