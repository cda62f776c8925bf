/** The corpus on Deno, with no permission at all: the order comes as an argument, as JSON. */
import { type CorpusOrder, runCorpus } from './corpus.ts';

declare const Deno: {
  readonly args: readonly string[];
  readonly version: { readonly deno: string };
};

const order = JSON.parse(Deno.args[0] ?? '') as CorpusOrder;
console.log(JSON.stringify({ version: Deno.version.deno, runs: runCorpus(order) }));
