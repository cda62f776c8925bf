/** The corpus in each runtime. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';
import { type CorpusOrder, type CorpusRun, runCorpus } from './corpus.ts';
import type { Attempt } from './verdict.ts';

/** Runtimes by name, in the order in which they run; the first is what the others are held to. */
export const RUNTIMES = ['node', 'node-again', 'deno', 'chromium'] as const;
export type Runtime = (typeof RUNTIMES)[number];

interface Ran {
  readonly version: string;
  readonly runs: readonly CorpusRun[];
}

const root = fileURLToPath(new URL('../..', import.meta.url));
const deno = `${root}node_modules/deno/bin.cjs`;
const browser = process.env['UNDERSTUDY_CHROMIUM'] ?? '/usr/bin/chromium';
const LIMIT = 300_000;

/** Does the corpus in one runtime; never throws. */
export async function attempt(runtime: Runtime, runs: number, planted: boolean): Promise<Attempt> {
  const absent = missing(runtime);
  if (absent !== null) return { state: 'missing', runtime, reason: absent };
  const began = performance.now();
  try {
    // The second time in Node is in the other order, so that no run can lean on the one before it.
    const order = { runs, reversed: runtime === 'node-again', planted };
    const ran = await run(runtime, order);
    const seconds = (performance.now() - began) / 1000;
    return { state: 'ran', runtime: `${runtime} ${ran.version}`, runs: ran.runs, seconds };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { state: 'failed', runtime, reason };
  }
}

function missing(runtime: Runtime): string | null {
  if (runtime === 'deno' && !existsSync(deno)) return 'node_modules/deno is not installed';
  if (runtime === 'chromium' && !existsSync(browser)) return `there is no browser at ${browser}`;
  return null;
}

function run(runtime: Runtime, order: CorpusOrder): Ran | Promise<Ran> {
  switch (runtime) {
    case 'deno':
      return onDeno(order);
    case 'chromium':
      return inChromium(order);
    default:
      return { version: process.versions.node, runs: runCorpus(order) };
  }
}

/** Modules that are imported by name need no permission, and the corpus needs nothing else. */
async function onDeno(order: CorpusOrder): Promise<Ran> {
  const script = fileURLToPath(new URL('./on-deno.ts', import.meta.url));
  const words = [deno, 'run', '--quiet', '--no-prompt', script, JSON.stringify(order)];
  const { stdout } = await $({
    cwd: root,
    timeout: LIMIT,
    quiet: true,
  })`${process.execPath} ${words}`;
  return JSON.parse(stdout) as Ran;
}

/** Built and made small as the viewer is; a data: address needs no server and no temporary file. */
async function inChromium(order: CorpusOrder): Promise<Ran> {
  // Loaded when needed: they take longer to load than a run takes.
  const { chromium } = await import('playwright-core');
  const code = Buffer.from(await bundle()).toString('base64');
  const instance = await chromium.launch({
    executablePath: browser,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const watch = setTimeout(() => instance.close(), LIMIT);
  try {
    const page = await instance.newPage();
    const address = JSON.stringify(`data:text/javascript;base64,${code}`);
    // As text: a function that passed through the loader of Node leans on helpers of that loader.
    const runs = await page.evaluate<readonly CorpusRun[]>(
      `import(${address}).then(({ runCorpus }) => runCorpus(${JSON.stringify(order)}))`,
    );
    return { version: instance.version(), runs };
  } finally {
    clearTimeout(watch);
    await instance.close();
  }
}

async function bundle(): Promise<string> {
  const { build } = await import('vite');
  const entry = fileURLToPath(new URL('corpus.ts', import.meta.url));
  const built = await build({
    configFile: false,
    root,
    logLevel: 'error',
    build: { write: false, minify: true, target: 'es2023', lib: { entry, formats: ['es'] } },
  });
  const [output] = [built].flat();
  const chunks = output !== undefined && 'output' in output ? output.output : [];
  const codes = chunks.flatMap((chunk) => (chunk.type === 'chunk' ? [chunk.code] : []));
  if (codes.length !== 1) throw new Error(`vite made ${codes.length} files of the corpus`);
  return codes[0] as string;
}
