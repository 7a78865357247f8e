// Measures files: compress.mjs [--keep] FILE...
//
// Prints one object a file, with its length in bytes as it is, after gzip at level 9 and after Brotli
// at level 11 in a window of 22 bits. With --keep the Brotli form is written beside the file.

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const files = process.argv.slice(2);
const keep = files[0] === '--keep';
if (keep) files.shift();

const sizes = files.map((file) => {
  const content = readFileSync(file);
  const brotli = brotliCompressSync(content, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 22,
      [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
    },
  });
  if (keep) {
    // In one move, so that an interrupted run leaves no half of a file under the final name.
    writeFileSync(`${file}.tmp`, brotli);
    renameSync(`${file}.tmp`, `${file}.br`);
  }
  return { raw: content.length, gzip: gzipSync(content, { level: 9 }).length, brotli: brotli.length };
});
process.stdout.write(JSON.stringify(sizes));
