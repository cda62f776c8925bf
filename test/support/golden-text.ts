/** Pages as golden files have them: bytes in hexadecimal, and runs of one byte as `(00*12)`. */

/** The page that a golden text describes. */
export function bytesOf(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const [, one, run, count] of text.matchAll(/([0-9a-f]{2})|\((..)\*(\d+)\)/g)) {
    if (one !== undefined) bytes.push(Number.parseInt(one, 16));
    else for (let i = 0; i < Number(count); i += 1) bytes.push(Number.parseInt(run ?? '', 16));
  }
  return Uint8Array.from(bytes);
}
