/** How a suite defines a test: vitest's `it`, or one that skips with a reason. */
export type Define = (name: string, run: () => Promise<void>) => void;
