/** Our side of the trees benchmark. Arguments: file, rows, columns, threads, trees, depth. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { predict, trainTrees } from '../../src/learning/trees/index.ts';

const [file = '', ...numbers] = process.argv.slice(2);
const [rows = 0, columns = 0, threads = 1, trees = 1, depth = 1] = numbers.map(Number);
const READ_BYTES = 2 ** 26;

const features = new Float32Array(new SharedArrayBuffer(rows * columns * 4));
const floats = new Float32Array(rows);
const input = openSync(file, 'r');
for (const target of [features, floats]) {
  const bytes = new Uint8Array(target.buffer);
  for (let at = 0; at < bytes.length; ) at += readSync(input, bytes, at, Math.min(READ_BYTES, bytes.length - at), null);
}
closeSync(input);
const labels = Float64Array.from(floats);

function mebibytes(line: string): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${line}:\\s*(\\d+)`, 'm').exec(status)?.[1]) / 1024;
}

const before = mebibytes('VmRSS');
const cpu = process.cpuUsage();
const startedMs = performance.now();
const model = await trainTrees(
  { features, rows, columns, labels },
  { loss: { kind: 'logistic' }, trees, depth, rate: 0.1, minChildWeight: 1, threads },
);
const trainedMs = performance.now();
const { user, system } = process.cpuUsage(cpu);
const memoryMiB = mebibytes('VmHWM') - before;
const scoringMs = performance.now();
const predictions = predict(model, features, rows);
const scoredMs = performance.now();
let sum = 0;
for (let row = 0; row < rows; row++) sum -= Math.log(labels[row] === 1 ? predictions[row]! : 1 - predictions[row]!);

process.stdout.write(
  JSON.stringify({
    trainSeconds: (trainedMs - startedMs) / 1000,
    cpuSeconds: (user + system) / 1e6,
    scoreSeconds: (scoredMs - scoringMs) / 1000,
    memoryMiB,
    logLoss: sum / rows,
    version: process.version,
  }),
);
