// `npm test` and `npm run test:storm`: runs vitest and ends with one line that any reader of logs understands,
// "N passed, N failed" (and ", N skipped"). Arguments go to vitest: `npm test -- modules/loyalty -t award`.
import './require-node.mjs';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const storm = args.includes('--storm');
const folder = mkdtempSync(join(tmpdir(), 'holdfast-test-'));
const report = join(folder, 'report.json');

const vitest = spawn(
  process.execPath,
  [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...args.filter((arg) => arg !== '--storm'),
  ],
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, HOLDFAST_STORM: storm ? '1' : '' } },
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => vitest.kill(signal));
const code = await new Promise((resolve) => vitest.on('exit', (status, signal) => resolve(signal ? 1 : status)));

let passed = 0;
let failed = 0;
const skipped = [];
try {
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
    const of = (status) => file.assertionResults.filter((test) => test.status === status);
    passed += of('passed').length;
    failed += of('failed').length;
    // A file can fail without a failed test: it does not load, or it leaves a handle open.
    if (file.status === 'failed' && of('failed').length === 0) failed += 1;
    for (const test of file.assertionResults) {
      if (test.status !== 'passed' && test.status !== 'failed') skipped.push({ file: file.name, name: test.fullName });
    }
  }
} catch (error) {
  process.stdout.write(`vitest wrote no report: ${error.message}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
// Whatever went wrong outside of tests (no test found, an unhandled error, a crash) is a failure too.
if (code !== 0 && failed === 0) failed = 1;

for (const { file, name } of skipped) process.stdout.write(`skipped: ${relative(root, file)}: ${name}\n`);
process.stdout.write(
  `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}\n`,
  () => process.exit(failed === 0 ? 0 : 1),
);
