import { describe, expect, it } from 'vitest';
import { ConfigError, type ConfigProblem } from '../../../cli/config/error.ts';
import { readConfig } from '../../../cli/config/load.ts';
import { configTemplate } from '../../../cli/config/template.ts';

const template = configTemplate({
  cluster: 'demo',
  volumeUuid: '00112233445566778899aabbccddeeff',
  size: '64MiB',
  port: 7411,
});

/** The problems of the template with `from` replaced by `to`, and the 1-based line of `to`. */
function problemsAfter(
  from: string,
  to: string,
): { problems: readonly ConfigProblem[]; line: number } {
  expect(template).toContain(from);
  const text = template.replace(from, to);
  const line = template.slice(0, template.indexOf(from)).split('\n').length;
  try {
    readConfig(text, '/etc/understudy/demo.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems, line };
    throw error;
  }
  return { problems: [], line };
}

describe('a configuration', () => {
  it('as init writes it is sound, and its paths start at its folder', () => {
    const { config, keyPath, dataFolders } = readConfig(template, '/etc/understudy/demo.yaml');
    expect(config.nodes.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(config.volumes[0]?.sizeBytes).toBe(64 * 1024 * 1024);
    expect(config.volumes[0]?.replicas[0]?.path).toBe('/etc/understudy/a/data.img');
    expect(config.timing.grant).toBe(3_200_000);
    expect(keyPath).toBe('/etc/understudy/understudy.key');
    expect(dataFolders.get('w')).toBe('/etc/understudy/w');
  });

  it('has room to grow where it says so, and no size beyond it', () => {
    const volumeWith = (room: string) => {
      const text = template.replace('    # room: 10GiB', `    room: ${room}`);
      expect(text).not.toBe(template);
      return readConfig(text, '/etc/demo.yaml').config.volumes[0];
    };
    const { sizeBytes, servedBytes } = volumeWith('1GiB') ?? {};
    expect([sizeBytes, servedBytes]).toEqual([1 << 30, 64 << 20]);
    expect(volumeWith('64MiB')).toEqual(readConfig(template, '/etc/demo.yaml').config.volumes[0]);
    const written = configTemplate({
      ...{ cluster: 'demo', volumeUuid: '00112233445566778899aabbccddeeff', port: 7411 },
      ...{ size: '64MiB', room: '1GiB' },
    });
    expect(readConfig(written, '/etc/demo.yaml').config.volumes[0]).toEqual(volumeWith('1GiB'));
    const { problems, line } = problemsAfter('    # room: 10GiB', '    room: 32MiB');
    expect(problems.map((problem) => problem.line)).toEqual([line - 3]);
    expect(problems[0]?.reason).toContain('the room for');
    const crooked = problemsAfter('    # room: 10GiB', '    room: 1000000001B');
    expect(crooked.problems.map((problem) => problem.line)).toEqual([crooked.line]);
  });

  it('is synchronous unless it says otherwise, whether it says so or not', () => {
    const mode = (line: string) => {
      const text = template.replace('    mode: sync\n', line);
      return readConfig(text, '/etc/demo.yaml').config.volumes[0];
    };
    expect(template).toContain('    mode: sync\n');
    expect(mode('    mode: sync\n')).toEqual(mode(''));
    expect(mode('')).not.toHaveProperty('mode');
    expect(mode('    mode: semi-sync\n')?.mode).toBe('semi-sync');
    const { config } = readConfig(
      configTemplate({
        cluster: 'd',
        volumeUuid: '0d'.repeat(16),
        size: '1MiB',
        port: 1,
        mode: 'semi-sync',
      }),
      '/etc/demo.yaml',
    );
    expect(config.volumes[0]?.mode).toBe('semi-sync');
  });

  it('may have its replicas compared by themselves', () => {
    const commented = '    # verify: { every: 7d, level: digest, rate: 50MiB }';
    const read = (line: string) => {
      const { config } = readConfig(template.replace(commented, line), '/etc/demo.yaml');
      return config.volumes[0]?.verify;
    };
    expect(template).toContain(commented);
    expect(read(commented)).toBe(undefined);
    const rate = 50 * 1024 * 1024;
    const week = { every: 7 * 86_400_000_000, level: 'digest', bytesPerSecond: rate };
    expect(read(commented.replace('# ', ''))).toEqual(week);
    const plain = { every: 3_600_000_000, level: 'digest', bytesPerSecond: 2 * rate };
    expect(read('    verify: { every: 1h }')).toEqual(plain);
  });

  it('may have asynchronous replicas, and say how far they may be behind', () => {
    const plain = '      b: { path: b/data.img }\n';
    const far = '      b: { path: b/data.img, mode: async, sideSize: 64MiB }\n';
    const read = (lag: string) => {
      const text = template.replace(plain, far).replace('    nbd:\n', `${lag}    nbd:\n`);
      return readConfig(text, '/etc/demo.yaml').config.volumes[0];
    };
    expect(template).toContain(plain);
    const [a, b] = read('')?.replicas ?? [];
    expect(a).not.toHaveProperty('mode');
    expect([b?.mode, b?.sideBytes]).toEqual(['async', 64 * 1024 * 1024]);
    expect(read('')).not.toHaveProperty('lag');
    const mib = 1024 * 1024;
    expect(read('    lag: {}\n')?.lag).toEqual({
      bytes: 64 * mib,
      atLimit: 'copy',
      pointEvery: 1_000_000,
    });
    expect(read('    lag: { bytes: 8MiB, atLimit: wait, pointEvery: 250ms }\n')?.lag).toEqual({
      bytes: 8 * mib,
      atLimit: 'wait',
      pointEvery: 250_000,
    });
  });

  it('may have a spill, and with it be behind by 64 GiB', () => {
    const plain = '      b: { path: b/data.img }\n';
    const read = (spill: string, lag: string) => {
      const far = `      b: { path: b/data.img, mode: async, sideSize: 64MiB${spill} }\n`;
      const text = template.replace(plain, far).replace('    nbd:\n', `${lag}    nbd:\n`);
      return readConfig(text, '/etc/demo.yaml').config.volumes[0];
    };
    const [a, b] =
      read(', spill: { folder: later }', '    lag: { bytes: 64GiB }\n')?.replicas ?? [];
    expect(a).not.toHaveProperty('spill');
    expect(b?.spill).toBe('/etc/later');
    expect(() => read('', '    lag: { bytes: 1025MiB }\n')).toThrow(
      /^\/etc\/demo\.yaml:\d+: volumes\.data\.lag\.bytes: a lag .* no spill\. Remedy: .*folder/,
    );
    expect(() => read(', spill: { folder: x }', '    lag: { bytes: 65GiB }\n')).toThrow(
      'write a size from 1MiB to 1GiB, or to 64GiB with a spill',
    );
    expect(() => read(', spill: /var/spill', '')).toThrow('volumes.data.replicas.b.spill');
    expect(() => read(', spill: { folder: "" }', '')).toThrow('volumes.data.replicas.b.spill');
    expect(read('', '    lag: { bytes: 1GiB }\n')?.lag?.bytes).toBe(2 ** 30);
  });

  const mistakes: readonly (readonly [what: string, from: string, to: string, field: string])[] = [
    ['an unknown field', 'heartbeat: 500ms', 'hartbeat: 500ms', 'timing.hartbeat'],
    ['an unknown field above others', '    nbd:', '    ndb:', 'volumes.data.ndb'],
    ['a mode that there is not', 'mode: sync', 'mode: async', 'volumes.data.mode'],
    [
      'an asynchronous replica without a place for its image',
      'b: { path: b/data.img }',
      'b: { path: b/data.img, mode: async }',
      'volumes.data.replicas.b.sideSize',
    ],
    [
      'a mode of a replica that there is not',
      'b: { path: b/data.img }',
      'b: { path: b/data.img, mode: later }',
      'volumes.data.replicas.b.mode',
    ],
    [
      'a lag that is too small',
      '    nbd:\n',
      '    lag: { bytes: 1KiB }\n    nbd:\n',
      'volumes.data.lag.bytes',
    ],
    [
      'images too often',
      '    nbd:\n',
      '    lag: { pointEvery: 1ms }\n    nbd:\n',
      'volumes.data.lag.pointEvery',
    ],
    [
      'a word for its limit that there is not',
      '    nbd:\n',
      '    lag: { atLimit: drop }\n    nbd:\n',
      'volumes.data.lag.atLimit',
    ],
    ['a duration without unit', 'pet: 1s', 'pet: 1', 'timing.pet'],
    ['a size in decimal units', 'size: 64MiB', 'size: 64MB', 'volumes.data.size'],
    [
      'comparisons without rest',
      '# verify: { every: 7d,',
      'verify: { every: 1s,',
      'volumes.data.verify.every',
    ],
    [
      'no such way to end a split brain',
      'splitBrain: manual',
      'splitBrain: discard-mine',
      'volumes.data.splitBrain',
    ],
    ['an uneven size', 'size: 64MiB', 'size: 1048577B', 'volumes.data.size'],
    ['an unknown version', 'version: 1', 'version: 2', 'version'],
    [
      'a replica on an unknown node',
      'b: { path: b/data.img }',
      'c: { path: b/data.img }',
      'volumes.data.replicas.c',
    ],
    ['a group on an unknown node', 'nodes: [a, b]', 'nodes: [a, x]', 'groups.service.nodes.1'],
    ['an unknown volume', 'volume: data', 'volume: date', 'groups.service.volume'],
    ['a node number used twice', 'id: 2', 'id: 1', 'nodes.b.id'],
    ['a node number out of range', 'id: 2', 'id: 65', 'nodes.b.id'],
    [
      'a wrong logical block',
      'logicalBlock: 512',
      'logicalBlock: 1000',
      'volumes.data.logicalBlock',
    ],
    ['an export open to the network', "'127.0.0.1:7416'", "'0.0.0.0:7416'", 'volumes.data.nbd.a.1'],
  ];
  for (const [what, from, to, field] of mistakes) {
    it(`with ${what} is refused at its line and field, with a remedy`, () => {
      const { problems, line } = problemsAfter(from, to);
      expect(problems.length).toBeGreaterThan(0);
      const problem = problems.find((one) => one.field === field);
      expect(problem, JSON.stringify(problems)).toBeDefined();
      expect(problem?.line).toBe(line);
      expect(problem?.reason).not.toBe('');
      expect(problem?.remedy).not.toBe('');
    });
  }

  it('with an alias of nothing, or of far too much, is refused at its line, with a remedy', () => {
    const refused = (text: string) => {
      try {
        readConfig(text, 'understudy.yaml');
      } catch (error) {
        if (error instanceof ConfigError) return error.problems;
        throw error;
      }
      throw new Error('it was read');
    };
    expect(refused('cluster: demo\nkey: *secret\n')).toMatchObject([
      { line: 2, reason: expect.stringContaining('Unresolved alias') },
    ]);
    const letters = [...'abcdefgh'];
    const nested = letters.map((name, i) => {
      const item = i === 0 ? 'x' : `*${letters[i - 1]}`;
      return `${name}: &${name} [${Array.from({ length: 9 }, () => item).join(', ')}]\n`;
    });
    const [problem] = refused(nested.join(''));
    expect(problem?.reason).toContain('Excessive alias count');
    expect(problem?.remedy).toContain('write the values themselves');
  });

  it('with a text that is empty, or a list too short, is told what to give', () => {
    const empty = problemsAfter('a: { path: a/data.img }', "a: { path: '' }");
    expect(empty.problems.map(({ line }) => line)).toEqual([empty.line]);
    expect(empty.problems[0]?.remedy).toBe('give at least 1 character');
    const short = problemsAfter('    replicas:', '    parts: []\n    replicas:');
    expect(short.problems[0]?.remedy).toBe('give at least 2 entries');
  });

  it('whose timing breaks the inequality is refused with the arithmetic shown', () => {
    const { problems } = problemsAfter('grant: 3200ms', 'grant: 3s');
    const text = problems.map(({ reason }) => reason).join(' ');
    expect(text).toContain('3103');
  });

  it('that is no YAML is refused at the line of the mistake', () => {
    const { problems, line } = problemsAfter('nodes:\n  #', 'nodes: [\n  #');
    expect(problems[0]?.line).toBeGreaterThanOrEqual(line);
  });

  it('that does not exist is refused with the command that makes one', async () => {
    const { loadConfig } = await import('../../../cli/config/load.ts');
    expect(() => loadConfig('/nowhere/at/all.yaml')).toThrow(/understudy init/);
  });
});
