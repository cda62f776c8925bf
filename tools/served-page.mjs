/**
 * Fetches what a served viewer consists of, as a browser would: `node tools/served-page.mjs URL`.
 * The page, all that it names, and the timeline that it is to show; exits with 1 and the reason
 * where something is missing.
 */
const address = new URL(process.argv[2] ?? '');

async function textOf(path) {
  const url = new URL(path, address);
  const response = await fetch(url);
  const text = await response.text();
  if (!response.ok || text === '') throw new Error(`${url}: ${response.status}, ${text.length} B`);
  return text;
}

try {
  const page = await textOf(address.href);
  const parts = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].flatMap(([, path]) =>
    path.startsWith('data:') ? [] : [path],
  );
  for (const path of parts) await textOf(path);
  const file = address.searchParams.get('file') ?? '/timeline.jsonl';
  const [head, ...events] = (await textOf(file))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const taken = events.filter(({ kind }) => kind === 'group.online').length;
  if (head.schema === undefined || taken === 0) throw new Error(`${file} is no timeline of a run`);
  console.log(`served: a page of ${parts.length} parts, and a timeline of ${events.length} events`);
  if (parts.length === 0) throw new Error('the page has no program');
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
}
