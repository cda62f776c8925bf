import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineHash, hashOfSources } from '../../backends/real/engine-hash.ts';

describe('the hash of an engine', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'us-engine-'));
    mkdirSync(join(folder, 'core'));
    writeFileSync(join(folder, 'core', 'one.ts'), 'export const one = 1;\n');
    writeFileSync(join(folder, 'two.ts'), 'export const two = 2;\n');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is another one when any source changes its text, name or place, and else the same', () => {
    const before = hashOfSources(folder);
    expect(before).toMatch(/^[0-9a-f]{16}$/);
    const copy = join(folder, 'copy');
    const changed = (change: () => void): string => {
      rmSync(copy, { recursive: true, force: true });
      mkdirSync(copy);
      cpSync(join(folder, 'core'), join(copy, 'core'), { recursive: true });
      cpSync(join(folder, 'two.ts'), join(copy, 'two.ts'));
      change();
      return hashOfSources(copy);
    };
    expect(changed(() => {})).toBe(before);
    expect(changed(() => writeFileSync(join(copy, 'notes.md'), 'no source'))).toBe(before);
    const others = [
      changed(() => writeFileSync(join(copy, 'two.ts'), 'export const two = 3;\n')),
      changed(() => renameSync(join(copy, 'two.ts'), join(copy, 'three.ts'))),
      changed(() => renameSync(join(copy, 'two.ts'), join(copy, 'core', 'two.ts'))),
      changed(() => writeFileSync(join(copy, 'more.ts'), '')),
    ];
    expect(new Set([before, ...others]).size).toBe(5);
  });

  it('is the same for a program that was compiled from these sources', async () => {
    const tool = new URL('../../tools/compiled.mjs', import.meta.url).href;
    const { compiledCommand } = (await import(tool)) as { compiledCommand(): string };
    const script = new URL('../backends/real/engine-hash.js', compiledCommand()).href;
    const code = `import(${JSON.stringify(script)}).then((m) => console.log(m.engineHash()))`;
    const { stdout } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' });
    expect(stdout.trim()).toBe(engineHash());
    const sources = fileURLToPath(new URL('../../engine', import.meta.url));
    expect(engineHash()).toBe(hashOfSources(sources));
  });
});
