/**
 * Hosts of a test with networks of their own: a network namespace each, two networks that join
 * them all, and any way between two of them can be cut so that nothing says so.
 */
import { spawnSync } from 'node:child_process';

/** A machine that is on no network: what is sent to it is lost without a word. */
const NOBODY = '02:00:00:00:00:99';
const NETWORKS = [1, 2] as const;

function ip(...words: readonly string[]): string | null {
  const { status, stderr, error } = spawnSync('ip', words, { encoding: 'utf8' });
  return status === 0 ? null : `ip ${words.join(' ')}: ${error?.message ?? stderr.trim()}`;
}

function must(...words: readonly string[]): void {
  const failure = ip(...words);
  if (failure !== null) throw new Error(failure);
}

/** Why there are no private networks to test with, or null. */
export function networksMissing(): string | null {
  if (process.geteuid?.() !== 0) return 'needs root for network namespaces';
  const probe = `understudy-${process.pid}`;
  const failure = ip('netns', 'add', probe);
  if (failure !== null) return `no network namespaces here (apt install iproute2): ${failure}`;
  const bridge = ip('-n', probe, 'link', 'add', 'probe', 'type', 'bridge');
  ip('netns', 'del', probe);
  return bridge === null ? null : `no bridges here: ${bridge}`;
}

export class PrivateNetworks {
  readonly #names: readonly string[];
  readonly #middle = `understudy-${process.pid}`;

  /** For hosts of these names; undone by {@link close}. */
  constructor(names: readonly string[]) {
    this.#names = names;
    must('netns', 'add', this.#middle);
    for (const network of NETWORKS) {
      must('-n', this.#middle, 'link', 'add', `net${network}`, 'type', 'bridge');
      must('-n', this.#middle, 'link', 'set', `net${network}`, 'up');
    }
    for (const name of names) this.#join(name);
  }

  #join(name: string): void {
    const space = this.#space(name);
    must('netns', 'add', space);
    must('-n', space, 'link', 'set', 'lo', 'up');
    for (const network of NETWORKS) {
      const [near, far] = [`eth${network}`, `${name}${network}`];
      const pair = ['type', 'veth', 'peer', 'name', far, 'netns', this.#middle];
      must('link', 'add', near, 'netns', space, ...pair);
      must('-n', this.#middle, 'link', 'set', far, 'master', `net${network}`, 'up');
      must('-n', space, 'addr', 'add', `${this.address(name, network)}/24`, 'dev', near);
      must('-n', space, 'link', 'set', near, 'up');
    }
  }

  #space(name: string): string {
    return `${this.#middle}-${name}`;
  }

  address(name: string, network: number): string {
    return `10.77.${network}.${this.#names.indexOf(name) + 1}`;
  }

  /**
   * What a program is started with so that it is on that host. Not by `ip netns exec`: that gives
   * it a copy of every mount there is, and what other tests have mounted is in use as long as it
   * runs.
   */
  on(name: string): readonly string[] {
    return ['nsenter', `--net=/run/netns/${this.#space(name)}`];
  }

  /** From now on nothing that `from` sends reaches `to`, on either network. */
  cut(from: string, to: string): void {
    for (const network of NETWORKS) {
      const where = ['lladdr', NOBODY, 'dev', `eth${network}`, 'nud', 'permanent'];
      must('-n', this.#space(from), 'neigh', 'replace', this.address(to, network), ...where);
    }
  }

  /** All reach all again. */
  heal(): void {
    for (const from of this.#names) {
      for (const to of this.#names) {
        for (const network of NETWORKS) {
          const where = ['dev', `eth${network}`];
          ip('-n', this.#space(from), 'neigh', 'del', this.address(to, network), ...where);
        }
      }
    }
  }

  /** Undoes it all; whoever still runs there keeps a network without others. */
  close(): void {
    for (const name of this.#names) ip('netns', 'del', this.#space(name));
    ip('netns', 'del', this.#middle);
  }
}
