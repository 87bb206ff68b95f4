// Runs a WASI program in node: `node .ci/wasi.mjs PROGRAM ARGS`. It sees this repository and nothing else.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const repository = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");
const wasi = new WASI({
  version: "preview1",
  args: process.argv.slice(2),
  env: { PWD: repository },
  preopens: { [repository]: repository },
});
const program = await WebAssembly.compile(await readFile(process.argv[2]));
process.exitCode = wasi.start(await WebAssembly.instantiate(program, wasi.getImportObject()));
