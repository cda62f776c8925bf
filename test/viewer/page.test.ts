/** The page itself, built and opened in a headless browser. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { encodeEvent, encodeHeader } from '../../engine/timeline/codec.ts';
// Only for the type of its element.
import type {} from '../../viewer/src/elements/viewer-page.ts';
import { sampleJournals } from '../support/sample-journals.ts';
import { sampleText, sampleTimeline } from '../support/sample-timeline.ts';

const CHROMIUM = process.env['UNDERSTUDY_CHROMIUM'] ?? '/usr/bin/chromium';
const root = fileURLToPath(new URL('../..', import.meta.url));
const missing = !existsSync(CHROMIUM);

const TYPES: { readonly [extension: string]: string } = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
};

describe('the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-viewer-'));
  const sample = sampleTimeline({ violation: true });
  let browser: Browser;
  let page: Page;
  let server: Server;
  let address = '';
  /** Whatever the browser complains of: errors, refused requests, breaches of the page's policy. */
  const complaints: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    if (missing) return;
    const outDir = join(folder, 'dist');
    // In a process of its own, as people build it: a test's environment makes another page.
    const vite = join(root, 'node_modules/vite/bin/vite.js');
    const built = spawnSync(process.execPath, [vite, 'build', 'viewer', '--outDir', outDir], {
      cwd: root,
      env: { ...process.env, NODE_ENV: 'production' },
      encoding: 'utf8',
    });
    expect(built.status, built.stderr).toBe(0);
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      if (pathname === '/timeline.jsonl') {
        response.end(sampleText({ violation: true }));
        return;
      }
      const file = join(outDir, pathname === '/' ? 'index.html' : pathname);
      response.writeHead(existsSync(file) ? 200 : 404, {
        'content-type': TYPES[extname(file)] ?? 'text/plain',
      });
      response.end(existsSync(file) ? readFileSync(file) : '');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await chromium.launch({
      executablePath: CHROMIUM,
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
    page = await browser.newPage({
      viewport: { width: 1500, height: 900 },
      colorScheme: 'dark',
      locale: 'en-US',
    });
    page.setDefaultTimeout(10_000);
    page.on('console', (message) => {
      if (message.type() !== 'info') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => requests.push(request.url()));
  });

  beforeEach((context) => {
    if (missing) context.skip(`there is no browser at ${CHROMIUM}`);
  });

  afterAll(async () => {
    if (missing) return;
    await browser.close();
    server.close();
    console.log(`pictures of the page: ${folder}`);
  });

  const picture = (name: string) => page.screenshot({ path: join(folder, `${name}.png`) });

  it('waits for a timeline with words of welcome', async () => {
    await page.goto(address);
    await page.getByRole('heading', { name: 'Open a timeline' }).waitFor();
    await picture('empty');
  });

  it('opens a timeline and draws its lanes', async () => {
    await page.goto(`${address}?file=/timeline.jsonl`);
    const titles = page.locator('timeline-plot li .title');
    await titles.first().waitFor();
    expect(await titles.allTextContents()).toEqual([
      'Who runs mail',
      'Faults and laws',
      'Node a',
      'r0 on a',
      'Node b',
      'r0 on b',
      'Witness w',
    ]);
    expect(await colours()).toBeGreaterThan(12);
    await picture('opened');
  });

  it('marks the broken law and lists it', async () => {
    const broken = page.locator('violation-list button');
    expect(await broken.count()).toBe(1);
    await broken.click();
    expect(await details()).toContain('LAW-acknowledged is broken');
    await picture('violation');
  });

  it('explains the failover by a walk of clicks, back to the fault', async () => {
    await page.getByRole('button', { name: 'Why did it fail over?' }).click();
    const steps = page.locator('event-details #walk button[data-ref]');
    const texts = await steps.allTextContents();
    expect(texts.map((text) => text.trim().replace(/\s+/g, ' ').slice(0, 30))).toEqual([
      'mail belongs to b, epoch 2: st',
      'Decides: b takes mail over fro',
      'Attests that the lease of a ha',
      'No link to a works: suspect; i',
      'Link 1 to a is down (nothing i',
    ]);
    await picture('why');
    await steps.nth(1).click();
    expect(await details()).toContain('b takes mail over from a');
    expect(await page.locator('event-details #reads button').count()).toBe(3);
    // The walk stays while its steps are visited.
    expect(await steps.count()).toBe(5);
    await page.locator('event-details #world button').first().click();
    expect(await details()).toContain('Fault: links cut');
  });

  it('selects the event under the pointer, and the event behind a state', async () => {
    await page.keyboard.press('f');
    const box = (await page.locator('timeline-plot #over').boundingBox())!;
    const { from, to } = await session<{ from: number; to: number }>('window');
    const x = ((8_000_000 - from) / (to - from)) * box.width;
    const row = (await page.locator('li[data-lane^="world"]').boundingBox())!;
    await page.mouse.click(box.x + x, row.y + 14);
    expect(await details()).toContain('Fault: links cut');
    const replica = (await page.locator('li[data-lane="volume|1|r0"]').boundingBox())!;
    const at = ((22_000_000 - from) / (to - from)) * box.width;
    await page.mouse.click(box.x + at, replica.y + 30);
    expect(await details()).toContain('Disk: Inconsistent');
  });

  it('says what holds at the cursor', async () => {
    await page.keyboard.press('y');
    const role = page.locator('state-table [data-row="volume|1|r0"] [data-attribute="role"] dd');
    expect((await role.textContent())?.trim()).toBe('Suspended');
    const serving = page.locator('state-table [data-attribute="serving"] dd');
    expect((await serving.textContent())?.trim()).toBe('nobody');
  });

  it('zooms, moves and steps by keys', async () => {
    await page.keyboard.press('f');
    const whole = await session<{ from: number; to: number }>('window');
    await page.keyboard.press('w');
    await page.keyboard.press('w');
    const near = await session<{ from: number; to: number }>('window');
    expect(near.to - near.from).toBeLessThan((whole.to - whole.from) * 0.6);
    await page.keyboard.press('d');
    expect((await session<{ from: number }>('window')).from).toBeGreaterThan(near.from);
    const before = await session<number>('selected');
    await page.keyboard.press('.');
    expect(await session<number>('selected')).toBe(before + 1);
    await page.keyboard.press('[');
    expect(await session<number>('selected')).toBeLessThan(before + 1);
  });

  it('plays to the end and stops there', async () => {
    await page.keyboard.press('Home');
    await page.locator('transport-bar select').selectOption('60');
    await page.locator('transport-bar #play').click();
    await page.waitForFunction(
      () => document.querySelector('viewer-page')!.session.playing === false,
    );
    expect(await session<number>('cursor')).toBe(27_435_000);
  });

  it('filters by words and shows how much is left', async () => {
    await page.keyboard.press('/');
    await page.keyboard.type('lease of a');
    await page.waitForFunction(
      () => document.querySelector('viewer-page')!.session.match.all.length === 2,
    );
    expect(await page.locator('event-list .row').count()).toBe(2);
    await picture('filter');
    await page.locator('event-list input[type=search]').fill('');
    await page.locator('timeline-plot #over').focus();
  });

  it('speaks Chinese and English without loading again, in dark and in light', async () => {
    await page.keyboard.press('y');
    await page.locator('#language').click();
    await page.getByRole('button', { name: '为什么发生故障切换？' }).waitFor();
    expect(await details()).toContain('mail 属于 b，纪元 2');
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN');
    await page.locator('#theme').click();
    await picture('chinese-light');
    await page.locator('#language').click();
    await page.locator('#theme').click();
  });

  it('explains its keys', async () => {
    await page.keyboard.press('?');
    await page.getByText('Next, previous trouble').waitFor();
    await picture('help');
    await page.getByText('Down, failed, nobody serves').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('Next, previous trouble').waitFor({ state: 'hidden' });
  });

  it('opens a file that somebody chooses, and says what is damaged in it', async () => {
    const whole = encodeHeader(sample.header) + sample.events.map(encodeEvent).join('');
    const text = `${whole}{"id":\n{"id"`;
    await page.locator('header input[type=file]').setInputFiles({
      name: 'torn.jsonl',
      mimeType: 'application/x-ndjson',
      buffer: Buffer.from(text),
    });
    await page.getByText(/Lines left out: 1/).waitFor();
    await page.getByText(/last line is torn/).waitFor();
  });

  it('opens several journals as one timeline, and says what is missing', async () => {
    const files = sampleJournals({ dead: true }).map(({ name, segments }) => ({
      name: name.replace('/', '-'),
      mimeType: 'application/x-ndjson',
      buffer: Buffer.from(
        segments
          .map(({ header, events }) => encodeHeader(header!) + events.map(encodeEvent).join(''))
          .join(''),
      ),
    }));
    await page.locator('header input[type=file]').setInputFiles(files.slice(0, 2));
    await page.getByText('journal of w is missing').waitFor();
    await page.locator('header input[type=file]').setInputFiles(files);
    await page.getByText('Journals: 3').waitFor();
    expect(await page.locator('journal-list #missing').count()).toBe(0);
    await page.getByRole('button', { name: 'Why did it fail over?' }).click();
    await page.getByText('What the journal of a says').waitFor();
    await page.getByText('Its journal ends there.').waitFor();
    await picture('cluster');
  });

  it('is all there in a narrow window, one part below the other', async () => {
    await page.setViewportSize({ width: 640, height: 900 });
    await picture('narrow');
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(640);
    for (const part of ['#language', '#help', '#why', 'event-list', 'state-table']) {
      const box = (await page.locator(part).first().boundingBox())!;
      expect(box.x).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(640);
      expect(box.height).toBeGreaterThan(10);
    }
    await page.setViewportSize({ width: 1500, height: 900 });
  });

  it('follows a live journal, and goes on after the connection was lost', async () => {
    const live = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    await new Promise((resolve) => live.once('listening', resolve));
    let sent = 40;
    live.on('connection', (socket) => {
      socket.send(encodeHeader(sample.header));
      socket.send(sample.events.slice(0, sent).map(encodeEvent).join(''));
    });
    const url = `ws://127.0.0.1:${(live.address() as AddressInfo).port}`;
    await page.goto(`${address}?live=${encodeURIComponent(url)}`);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await runLength()).toBe(40);
    expect(await colours()).toBeGreaterThan(12);
    sent = 60;
    for (const socket of live.clients) {
      socket.send(encodeEvent(sample.events[40]!));
      await page.waitForFunction(
        () => document.querySelector('viewer-page')!.session.run.length === 41,
      );
      socket.terminate();
    }
    await page.waitForFunction(
      () => document.querySelector('viewer-page')!.session.run.length === 60,
    );
    await picture('live');
    for (const socket of live.clients) socket.terminate();
    live.close();
  });

  it('asks nothing of any other server, and breaks no rule of its own policy', () => {
    expect(requests.filter((url) => !url.startsWith(address) && !url.startsWith('data:'))).toEqual(
      [],
    );
    expect(complaints).toEqual([]);
  });

  async function details(): Promise<string> {
    return (await page.locator('event-details .say').textContent()) ?? '';
  }

  async function session<Value>(name: 'window' | 'selected' | 'cursor'): Promise<Value> {
    return (await page.evaluate(
      (key) => document.querySelector('viewer-page')!.session[key],
      name,
    )) as Value;
  }

  function runLength(): Promise<number> {
    return page.evaluate(() => document.querySelector('viewer-page')!.session.run.length);
  }

  /** How many colours the picture has: an empty one has few. */
  function colours(): Promise<number> {
    return page.evaluate(async () => {
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      const plot = document
        .querySelector('viewer-page')!
        .shadowRoot!.querySelector('timeline-plot')!;
      const canvas = plot.shadowRoot!.querySelector<HTMLCanvasElement>('#plot')!;
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
      return new Set(new Uint32Array(data.buffer)).size;
    });
  }
});
