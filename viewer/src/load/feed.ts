/** Brings text into the session's run: from a file, from an address, or from a live journal. */
import { TimelineReader } from '../../../engine/timeline/codec.ts';
import { type Journal, JournalReader } from '../../../engine/timeline/journal.ts';
import { mergedLines, mergeJournals } from '../../../engine/timeline/merge.ts';
import type { TimeWindow } from '../model/window.ts';
import type { Session } from '../session.ts';

/** Characters taken between two frames, so that the page answers while it loads. */
const PIECE_CHARS = 1024 * 1024;
/** A live page begins with this much in its window, in microseconds. */
const LIVE_SPAN = 30_000_000;
/** A lost feed is tried again after this long, in milliseconds. */
const RETRY_MS = 1500;

/** Loads what the address bar asks for: `?file=` or `?live=`. */
export function loadFromAddress(session: Session, search: string): void {
  const query = new URLSearchParams(search);
  const live = query.get('live');
  const file = query.get('file');
  if (live !== null && /^wss?:\/\//.test(live)) attach(session, live);
  else if (file !== null) void fetchFile(session, file);
}

/** Loads a timeline that the page's own server has. */
export async function fetchFile(session: Session, url: string): Promise<void> {
  const name = url.split('/').at(-1) ?? url;
  try {
    const response = await fetch(url);
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const of = Number(response.headers.get('content-length') ?? 0);
    await read(session, name, response.body, of);
  } catch (error) {
    session.setSource({ kind: 'failed', name, reason: reasonOf(error) });
  }
}

/** Loads what a person chose or dropped: a timeline, or several journals as one. */
export async function openFiles(session: Session, files: readonly File[]): Promise<void> {
  const [first] = files;
  if (first === undefined) return;
  const name = files.map((file) => file.name).join(', ');
  try {
    if (files.length === 1) await read(session, name, first.stream(), first.size);
    else await readMerged(session, name, files);
  } catch (error) {
    session.setSource({ kind: 'failed', name, reason: reasonOf(error) });
  }
}

/** Journals are merged as the command line does it; files of one name are told apart by number. */
async function readMerged(session: Session, name: string, files: readonly File[]): Promise<void> {
  const of = files.reduce((sum, { size }) => sum + size, 0);
  const run = session.begin({ kind: 'loading', name, done: 0, of });
  const journals: Journal[] = [];
  let done = 0;
  for (const [at, file] of files.entries()) {
    const alone = files.every((other) => other === file || other.name !== file.name);
    const journal = new JournalReader(alone ? file.name : `${file.name} (${at + 1})`);
    journal.push(await file.text());
    journal.endFile();
    if (session.run !== run) return;
    journals.push(journal.journal);
    done += file.size;
    session.setSource({ kind: 'loading', name, done, of });
    await nextFrame();
  }
  const reader = new TimelineReader(run);
  for (const line of mergedLines(mergeJournals(journals))) reader.push(line);
  reader.end();
  session.setSource({ kind: 'file', name }, reader);
  session.setCursor(run.end);
  showAll(session, null);
}

async function read(
  session: Session,
  name: string,
  body: ReadableStream<Uint8Array>,
  of: number,
): Promise<void> {
  const run = session.begin({ kind: 'loading', name, done: 0, of });
  const reader = new TimelineReader(run);
  const decoder = new TextDecoder();
  const source = body.getReader();
  let done = 0;
  let unseen = 0;
  let shown: TimeWindow | null = null;
  for (;;) {
    const piece = await source.read();
    // Another file was opened meanwhile.
    if (session.run !== run) return void source.cancel();
    if (piece.done) break;
    reader.push(decoder.decode(piece.value, { stream: true }));
    done += piece.value.length;
    unseen += piece.value.length;
    if (unseen < PIECE_CHARS) continue;
    unseen = 0;
    session.setSource({ kind: 'loading', name, done, of });
    shown = showAll(session, shown);
    await nextFrame();
  }
  reader.push(decoder.decode());
  reader.end();
  session.setSource({ kind: 'file', name }, reader);
  // At the end everything is known; playing from there begins at the start.
  if (session.selected < 0) session.setCursor(run.end);
  showAll(session, shown);
}

/** Shows all that is there, unless the reader has moved on from what was shown last. */
function showAll(session: Session, shown: TimeWindow | null): TimeWindow | null {
  if (shown !== null && session.window !== shown) return shown;
  session.fit();
  return session.window;
}

/**
 * Attaches to a live journal: each message is text of the same form as a file, in any pieces that
 * end with a whole line. After a break the feed may begin anew; known events are left out.
 */
export function attach(session: Session, url: string): void {
  const run = session.begin({ kind: 'live', name: url, state: 'connecting' });
  session.setWindow({ from: -LIVE_SPAN, to: 0 });
  session.setFollow(true);
  const connect = (): void => {
    if (session.run !== run) return;
    const reader = new TimelineReader(run);
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      session.setSource({ kind: 'live', name: url, state: 'open' }, reader);
    });
    socket.addEventListener('message', ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (session.run !== run) return socket.close();
      const text = typeof data === 'string' ? data : new TextDecoder().decode(data);
      reader.push(text.endsWith('\n') ? text : `${text}\n`);
      session.arrived = performance.now();
      session.changed();
    });
    socket.addEventListener('close', () => {
      if (session.run !== run) return;
      session.setSource({ kind: 'live', name: url, state: 'lost' });
      setTimeout(connect, RETRY_MS);
    });
  };
  connect();
}

function nextFrame(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => resolve()));
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
