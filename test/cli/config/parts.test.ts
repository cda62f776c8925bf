import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../cli/config/error.ts';
import { readConfig } from '../../../cli/config/load.ts';
import { configTemplate } from '../../../cli/config/template.ts';

const MIB = 1 << 20;
const TEMPLATE = configTemplate({
  ...{ cluster: 'demo', volumeUuid: '0d'.repeat(16), size: '64MiB', port: 7411 },
});
const PARTS = `    parts:
      - { name: pages, size: 40MiB }
      - { name: log, size: 8MiB }
`;

/** The template with a volume in parts; the second replica has its paths in another order. */
const text = TEMPLATE.replace('    size: 64MiB\n', PARTS)
  .replace('a: { path: a/data.img }', 'a: { paths: { pages: a/pages, log: a/log }, meta: a/meta }')
  .replace('b: { path: b/data.img }', 'b: { paths: { log: b/log, pages: /dev/vg/pages } }');

function wrong(from: string, to: string): readonly string[] {
  expect(text).toContain(from);
  try {
    readConfig(text.replace(from, to), '/etc/demo.yaml');
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ line, field, reason, remedy }) => {
      expect(line).toBeGreaterThan(1);
      return `${field}: ${reason}. ${remedy}`;
    });
  }
  return [];
}

describe('a configuration with a volume in parts', () => {
  it('gives each replica the path of each part, in the order of the parts', () => {
    const { config } = readConfig(text, '/etc/demo.yaml');
    const [volume] = config.volumes;
    expect(volume?.sizeBytes).toBe(48 * MIB);
    expect(volume?.parts).toEqual([
      { name: 'pages', sizeBytes: 40 * MIB },
      { name: 'log', sizeBytes: 8 * MIB },
    ]);
    expect(volume?.replicas).toEqual([
      { node: 1, path: '/etc/a/log', parts: ['/etc/a/pages', '/etc/a/log'], meta: '/etc/a/meta' },
      { node: 2, path: '/etc/b/log', parts: ['/dev/vg/pages', '/etc/b/log'], meta: '' },
    ]);
  });

  it('says nothing of parts where there are none', () => {
    const [volume] = readConfig(TEMPLATE, '/etc/demo.yaml').config.volumes;
    expect(Object.keys(volume ?? {})).not.toContain('parts');
    expect(Object.keys(volume?.replicas[0] ?? {})).not.toContain('parts');
  });

  it('takes no name of a part for a path that nobody gave', () => {
    for (const name of ['constructor', 'toString', 'valueOf']) {
      expect(wrong('name: pages', `name: ${name}`)).toContainEqual(
        expect.stringContaining(`.paths: the path of part "${name}" is missing`),
      );
    }
  });

  it('has a size or parts, and not both, and not neither', () => {
    expect(wrong(PARTS, `    size: 48MiB\n${PARTS}`)).toEqual([
      'volumes.data.size: the volume has parts, which have sizes. leave out size: here',
    ]);
    const neither = wrong(PARTS, '');
    expect(neither[0]).toContain('volumes.data: this volume has no size. give it a size:, or');
    expect(neither[1]).toContain('the volume has no parts. give the replica one path:');
  });

  it('names the part whose path is missing, unknown, shared, or one for all', () => {
    expect(wrong('{ pages: a/pages, log: a/log }', '{ pages: a/pages }')).toEqual([
      'volumes.data.replicas.a.paths: the path of part "log" is missing. give it paths: with one ' +
        'path for each of pages, log',
    ]);
    expect(wrong('log: a/log', 'log: a/log, wal: a/wal')).toEqual([
      'volumes.data.replicas.a.paths.wal: the volume has no part "wal". use one of: pages, log',
    ]);
    expect(wrong('log: a/log', 'log: a/pages')).toEqual([
      'volumes.data.replicas.a.paths.log: /etc/a/pages is used by data already. give each ' +
        'replica a file or device of its own',
    ]);
    expect(wrong('paths: { pages: a/pages, log: a/log }', 'path: a/all').join()).toContain(
      'volumes.data.replicas.a.path: the volume has several parts. give it paths: with one path',
    );
  });

  it('has parts of whole MiB, each with a name of its own', () => {
    expect(wrong('size: 8MiB', 'size: 8196KiB')[0]).toContain(
      'volumes.data.parts.1.size: the size of part log, 8392704 bytes, is no whole number of MiB',
    );
    const twice = text.replaceAll(/, log: a\/log|log: b\/log, /g, '');
    const same = twice.replace('name: log', 'name: pages');
    expect(() => readConfig(same, '/etc/demo.yaml')).toThrow('two parts of the volume are called');
    const one = wrong('      - { name: log, size: 8MiB }\n', '');
    expect(one[0]).toContain('volumes.data.parts');
  });
});
