import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchResult } from './main.ts';

const COLUMNS = 33;
const TREES = 100;
const DEPTH = 6;
const CEILINGS = { time: 1.3, memory: 1, scoring: 0.1 };
/** Debian's Python, whose xgboost this is, and whatever comes first otherwise. */
const PYTHONS = ['/usr/bin/python3', 'python3'];

/** What one side says of one training. */
interface Run {
  readonly trainSeconds: number;
  readonly cpuSeconds: number;
  readonly scoreSeconds: number;
  /** What training took beyond the data, at its peak. */
  readonly memoryMiB: number;
  readonly logLoss: number;
  readonly version: string;
}

/** What is trained. */
interface Shape {
  readonly rows: number;
  readonly columns: number;
  readonly trees: number;
  readonly depth: number;
  readonly threads: number;
  readonly quick: boolean;
}

const execute = promisify(execFile);
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const median = (numbers: readonly number[]): number => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? 0;
const round = (value: number): number => Math.round(value * 1000) / 1000;

/**
 * Trains 100 trees of depth 6 on a million rows of 33 columns, from the matrix in memory to the model, against XGBoost's
 * `hist` with as many threads, and scores the same rows. Each side runs in a process of its own, in turn.
 */
export async function run(options: { readonly quick: boolean }): Promise<BenchResult> {
  const rows = options.quick ? 100_000 : 1_000_000;
  const rounds = options.quick ? 1 : 3;
  const threads = availableParallelism();
  const folder = mkdtempSync(path.join(tmpdir(), 'holdfast-trees-'));
  try {
    const file = path.join(folder, 'data.f32');
    await writeData(file, rows);
    const python = await findPython();
    if (python === null) say('no python3-xgboost here: our own figures only');
    const args = [file, rows, COLUMNS, threads, TREES, DEPTH].map(String);
    const ours: Run[] = [];
    const theirs: Run[] = [];
    for (let turn = 1; turn <= rounds; turn++) {
      ours.push(await side(process.execPath, 'trees/holdfast.ts', args));
      say(`round ${turn}: Holdfast ${JSON.stringify(ours.at(-1))}`);
      if (python === null) continue;
      theirs.push(await side(python, 'trees/limit.py', args));
      say(`round ${turn}: XGBoost  ${JSON.stringify(theirs.at(-1))}`);
    }
    return resultOf(ours, theirs, {
      rows,
      columns: COLUMNS,
      trees: TREES,
      depth: DEPTH,
      threads,
      quick: options.quick,
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function resultOf(ours: readonly Run[], theirs: readonly Run[], shape: Shape): BenchResult {
  const middle = (runs: readonly Run[], of: (run: Run) => number): number => round(median(runs.map(of)));
  const summary = (runs: readonly Run[]) => ({
    trainSeconds: middle(runs, (one) => one.trainSeconds),
    cpuSeconds: middle(runs, (one) => one.cpuSeconds),
    scoreSeconds: middle(runs, (one) => one.scoreSeconds),
    memoryMiB: middle(runs, (one) => one.memoryMiB),
    logLoss: runs[0]?.logLoss,
    version: runs[0]?.version,
  });
  const paired = (of: (run: Run) => number): number =>
    round(median(ours.map((one, turn) => of(one) / of(theirs[turn]!))));
  const scoring = middle(ours, (one) => one.scoreSeconds / one.trainSeconds);
  const compared = theirs.length > 0;
  const { time, memory } = CEILINGS;
  // On few rows the threads of Node themselves take more memory than the work, so that ratio says nothing there.
  const ceilings = { ...(compared && { time, ...(!shape.quick && { memory }) }), scoring: CEILINGS.scoring };
  return {
    ratios: {
      ...(compared && { time: paired((one) => one.trainSeconds), memory: paired((one) => one.memoryMiB) }),
      scoring,
    },
    bars: {},
    ceilings,
    figures: {
      ...shape,
      holdfast: summary(ours),
      xgboost: compared ? summary(theirs) : null,
      ...(compared && { cpuRatio: paired((one) => one.cpuSeconds) }),
    },
  };
}

/** XGBoost's threads wait without spinning, so that neither side is slowed by what else the machine does. */
async function side(command: string, script: string, args: readonly string[]): Promise<Run> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const { stdout } = await execute(command, [file, ...args], { env: { ...process.env, OMP_WAIT_POLICY: 'PASSIVE' } });
  return JSON.parse(stdout) as Run;
}

async function findPython(): Promise<string | null> {
  for (const python of PYTHONS) {
    const found = await execute(python, ['-c', 'import numpy, xgboost']).then(
      () => true,
      () => false,
    );
    if (found) return python;
  }
  return null;
}

/** Seeded rows of 32-bit floats, and after them the labels: a third of the columns matter, some of them together. */
async function writeData(file: string, rows: number): Promise<void> {
  let state = 12_345;
  // Numerical Recipes' generator: quick, and good enough to look like data.
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const out = createWriteStream(file);
  const labels = new Float32Array(rows);
  const block = 10_000;
  for (let start = 0; start < rows; start += block) {
    const values = new Float32Array(block * COLUMNS);
    for (let row = 0; row < block; row++) {
      const at = row * COLUMNS;
      for (let column = 0; column < COLUMNS; column++) values[at + column] = random() + random() + random() - 1.5;
      let signal = 0;
      for (let column = 0; column < 12; column++) {
        signal += values[at + column]! * Math.sin(1.7 * column + 1);
        if (column % 3 === 0) signal += values[at + column]! * values[at + column + 1]!;
      }
      labels[start + row] = random() < 1 / (1 + Math.exp(-2 * signal)) ? 1 : 0;
    }
    if (!out.write(new Uint8Array(values.buffer))) await once(out, 'drain');
  }
  out.end(new Uint8Array(labels.buffer));
  await finished(out);
}
