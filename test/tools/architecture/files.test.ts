import { describe, expect, it } from 'vitest';
import { checkNames, checkRegistries, checkSizes } from '../../../tools/architecture/files.ts';

describe('the size of files', () => {
  it('refuses the 601st line of a source file, and of no other', () => {
    const text = 'x\n'.repeat(600);
    for (const path of ['engine/a.ts', 'native/a.cc', 'native/a.h']) {
      expect(checkSizes([{ path, text }])).toEqual([]);
      expect(checkSizes([{ path, text: `${text}x\n` }]), path).toHaveLength(1);
    }
    expect(checkSizes([{ path: 'docs/a.md', text: `${text}x\n` }])).toEqual([]);
  });

  it('refuses the 101st character of a line, counted as a reader counts', () => {
    const path = 'engine/a.ts';
    expect(checkSizes([{ path, text: `a\n${'副'.repeat(100)}\n` }])).toEqual([]);
    expect(checkSizes([{ path, text: `a\n${'x'.repeat(101)}\n` }])).toMatchObject([{ line: 2 }]);
    expect(checkSizes([{ path: 'docs/a.md', text: 'x'.repeat(101) }])).toEqual([]);
  });
});

describe('the names of files', () => {
  it('refuses words that say nothing, in folders too', () => {
    for (const path of [
      'engine/utils.ts',
      'engine/disk-helpers.ts',
      'engine/helper/disk.ts',
      'engine/resource-manager.ts',
      'test/common/x.ts',
    ]) {
      expect(checkNames([{ path, text: '' }]), path).toHaveLength(1);
    }
    expect(checkNames([{ path: 'engine/mirror/dirty-bitmap.ts', text: '' }])).toEqual([]);
  });
});

describe('package registries', () => {
  // Put together here, so that this file does not itself name one.
  const host = ['registry', 'example', 'org'].join('.');

  it('may be named in no file', () => {
    for (const text of [
      `see https://${host}/left-pad`,
      `a\n${'registry'}=https://example.org/`,
      `//example.org/:${'_authToken'}=abc`,
      `"${'resolved'}": "https://example.org/left-pad.tgz"`,
    ]) {
      expect(checkRegistries([{ path: '.npmrc', text }]), text).toHaveLength(1);
    }
  });

  it('are looked for by the name of the one this machine uses', () => {
    const file = { path: 'a.md', text: 'from packages.example.org' };
    expect(checkRegistries([file], ['packages.example.org'])).toHaveLength(1);
    expect(checkRegistries([file], [''])).toEqual([]);
  });

  it('are not meant by the word', () => {
    const text = 'omit-lockfile-registry-resolved=true\na registry of services; registry.get(x)';
    expect(checkRegistries([{ path: '.npmrc', text }])).toEqual([]);
  });
});
