import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HOST_EVENTS } from '../../../backends/real/host-journal.ts';
import { DEFAULT_WORKLOAD } from '../../../backends/sim/client.ts';
import { FINDING_CODES, SIM_EVENTS } from '../../../backends/sim/events.ts';
import type { Fault } from '../../../backends/sim/fault.ts';
import { LAWS } from '../../../backends/sim/oracle/verdict.ts';
import { CLUSTER_EVENTS } from '../../../engine/cluster/events.ts';
import { MIRROR_EVENTS } from '../../../engine/mirror/catalogue.ts';
import { DEMO_CONFIG } from '../../../scenarios/demo.ts';
import { newWorld, runScenario } from '../../../scenarios/run.ts';
import type { Scenario } from '../../../scenarios/scenario.ts';
import { singleFaults } from '../../../scenarios/single-faults.ts';
import { CATALOGUES, placeholders, say, term } from '../../../viewer/src/catalogue/catalogue.ts';
import { KIND_LOOKS } from '../../../viewer/src/model/kinds.ts';
import { RULES } from '../../../viewer/src/model/rules.ts';

const { en, zh } = CATALOGUES;
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Kinds with their parameters, of every part that writes events. */
const declared = new Map<string, readonly string[]>([
  ...Object.entries(SIM_EVENTS),
  ...Object.entries(CLUSTER_EVENTS),
  ...Object.entries(MIRROR_EVENTS),
  ...Object.entries(HOST_EVENTS),
]);

function scenarioOf(fault: Fault): Scenario {
  return {
    name: 'single',
    title: '',
    about: '',
    config: DEMO_CONFIG,
    workload: DEFAULT_WORKLOAD,
    faults: [fault],
    laws: LAWS,
    seed: 1,
    duration: 40_000_000,
  };
}

/** Text of all sources below a folder, the catalogues left out. */
function sources(folder: string): string {
  if (!existsSync(join(root, folder))) return '';
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.ts$/.test(entry.name))
    .filter((entry) => !/(^|-)(en|zh)\.ts$/.test(entry.name))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

describe('the catalogue', () => {
  it('has the same codes in both languages', () => {
    expect(Object.keys(zh).sort()).toEqual(Object.keys(en).sort());
  });

  it('uses the same parameters in the same form in both languages', () => {
    const forms = (text: string) => [...text.matchAll(/\{[^}]*\}/g)].map(String).sort();
    for (const code of Object.keys(en))
      expect([code, forms(zh[code]!)]).toEqual([code, forms(en[code]!)]);
  });

  it.each([...declared.keys()])('says %s in words, and only with what the event has', (kind) => {
    for (const catalogue of [en, zh]) {
      const sentence = catalogue[`event.${kind}`];
      expect(sentence).toBeDefined();
      for (const name of placeholders(sentence!)) expect(declared.get(kind)).toContain(name);
    }
  });

  it('has no sentence for a kind that nobody writes', () => {
    const kinds = Object.keys(en)
      .filter((code) => code.startsWith('event.'))
      .map((code) => code.slice('event.'.length));
    expect(kinds.filter((kind) => !declared.has(kind))).toEqual([]);
  });

  it('draws and folds no kind that nobody writes', () => {
    const known = [...Object.keys(KIND_LOOKS), ...Object.keys(RULES)];
    expect(known.filter((kind) => !declared.has(kind))).toEqual([]);
  });

  it('says whatever simulated runs write, with nothing missing', { timeout: 240_000 }, () => {
    const world = newWorld();
    const unsaid = new Set<string>();
    for (const [index, { fault }] of singleFaults(DEMO_CONFIG).entries()) {
      // Every third of them: all kinds of faults, in a few seconds.
      if (index % 3 !== 0) continue;
      const { timeline } = runScenario(scenarioOf(fault), 100 + index, { timeline: true }, world);
      for (const { kind, d } of timeline) {
        for (const language of ['en', 'zh'] as const) {
          const code = `event.${kind}`;
          const lacks =
            CATALOGUES[language][code] === undefined || /‹/.test(say(language, code, d));
          if (lacks || !declared.has(kind)) unsaid.add(`${language} ${kind} ${Object.keys(d)}`);
        }
      }
    }
    expect([...unsaid]).toEqual([]);
  });

  it.each(Object.keys(FINDING_CODES))('has a term for the finding %s', (code) => {
    for (const language of ['en', 'zh'] as const) expect(term(language, code)).not.toBe(code);
  });

  it('has no words for the page that the page does not use', () => {
    const text = sources('viewer/src');
    const unused = Object.keys(en)
      .filter((code) => code.startsWith('page.'))
      .filter((code) => {
        const family = /^(page\.(?:attribute|colour|fault|live|shape)-)/.exec(code)?.[1];
        return !text.includes(`'${code}'`) && !(family && text.includes(`\`${family}\${`));
      });
    expect(unused).toEqual([]);
  });

  it('has words for every code that the page asks for', () => {
    const asked = [...sources('viewer/src').matchAll(/'(page\.[\w-]+)'/g)].map((one) => one[1]!);
    expect(asked.filter((code) => en[code] === undefined)).toEqual([]);
  });

  it('keeps to one word per idea in Chinese', () => {
    // «切换» alone does not say whether it was planned.
    const banned = /群集|(?<!故障|计划)切换(?!到中文)/;
    expect(Object.keys(zh).filter((code) => banned.test(zh[code]!))).toEqual([]);
  });
});

describe('a sentence', () => {
  const names = { node: (id: number) => ['', 'a', 'b', 'w'][id] ?? '?' };

  it('has names of nodes, words of codes and units', () => {
    const d = { group: 'mail', from: 1, to: 2, proof: 'lease-expired', epoch: 2 };
    expect(say('en', 'event.group.takeover', d, names)).toBe(
      'Decides: b takes mail over from a, epoch 2; proof: its lease has provably run out',
    );
    expect(say('zh', 'event.group.takeover', d, names)).toContain('b 从 a 接管 mail');
    const record = { volume: 'r0', epoch: 3, primary: 0, members: '1,2', generation: 0 };
    expect(say('en', 'event.volume.record', record, names)).toContain(
      'primary nobody, in sync a, b',
    );
  });

  it('shows a code that it does not know as it is', () => {
    expect(say('en', 'event.new.thing', { x: 1 })).toBe('new.thing (x=1)');
    expect(term('zh', 'never-heard')).toBe('never-heard');
  });

  it('shows a parameter that is not there by its name', () => {
    expect(say('en', 'event.peer.up', {}, names)).toBe('‹peer› is there');
  });
});
