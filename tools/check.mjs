// `npm run check`: everything that can be known about the code without running the product. One line each, all of them
// run whatever fails, and what a failed one said is printed at the end.
import './require-node.mjs';
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (name) => `node_modules/.bin/${name}`;

/** Longest first, so that two cores are busy to the end. */
const checks = [
  { name: 'models', says: 'models, migrations and generated clients agree', run: ['node', 'tools/check-models.mjs'] },
  { name: 'codegen', says: 'generated operations are fresh', run: ['node', 'tools/codegen.mjs', '--check'] },
  { name: 'dead code', says: 'nothing is exported or installed for nobody', run: [bin('knip'), '--no-progress'] },
  { name: 'types', says: 'TypeScript, strict', run: [bin('tsc'), '--noEmit', '--pretty', 'false'] },
  { name: 'contract', says: 'the code prints schema.graphql, byte for byte', run: ['node', 'tools/sdl.ts', '--check'] },
  { name: 'breaking', says: 'nothing released was taken away', run: ['node', 'tools/check-breaking.ts'] },
  { name: 'boundaries', says: 'who may import whom', run: ['node', 'tools/check-boundaries.mjs'] },
  { name: 'style', says: 'formatted and linted', run: [bin('biome'), 'ci', '--colors=off', '--max-diagnostics=50'] },
];

/** Runs one check to its end and keeps what it said. */
function run({ run: [command, ...args] }) {
  return new Promise((resolve) => {
    const startedMs = performance.now();
    const output = [];
    const child = spawn(command === 'node' ? process.execPath : command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1' },
    });
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    const end = (ok) =>
      resolve({ ok, seconds: (performance.now() - startedMs) / 1000, said: Buffer.concat(output).toString() });
    child.on('error', (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

const only = process.argv.slice(2);
const queue = checks.filter(({ name }) => only.length === 0 || only.includes(name));
if (queue.length === 0) throw new Error(`no such check; there are: ${checks.map(({ name }) => name).join(', ')}`);

const failures = [];
const total = queue.length;
async function work() {
  for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
    const { ok, seconds, said } = await run(check);
    process.stdout.write(
      `${ok ? 'ok    ' : 'FAILED'} ${check.name.padEnd(10)} ${seconds.toFixed(1).padStart(5)} s  ${check.says}\n`,
    );
    if (!ok) failures.push({ check, said });
  }
}
await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, work));

for (const { check, said } of failures) {
  process.stdout.write(`\n--- ${check.name}: ${check.run.join(' ')}\n${said.trimEnd()}\n`);
}
process.stdout.write(`\n${total - failures.length} of ${total} checks passed\n`);
process.exitCode = failures.length === 0 ? 0 : 1;
