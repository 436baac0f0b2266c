import { SingleBar } from 'cli-progress';
import { type ImportView, progressOf } from './view.ts';

/** Shows how an import comes along: a bar for a person at a terminal, one line for each phase in a log. */
export interface Meter {
  show(view: ImportView): void;
  stop(): void;
}

const STEPS = 1_000;

/** On stderr, so that stdout holds the reports alone. */
export function createMeter(stream: NodeJS.WriteStream = process.stderr): Meter {
  return stream.isTTY ? barMeter(stream) : lineMeter(stream);
}

function barMeter(stream: NodeJS.WriteStream): Meter {
  const bar = new SingleBar({
    format: '  {bar} {percentage} %  {label}  {rows}',
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: false,
    stream,
  });
  let started = false;
  return {
    show(view) {
      const { share, label } = progressOf(view);
      const rows = view.rowsTotal ?? view.rowsDone;
      const payload = { label, rows: rows === 0 ? '' : `${rows.toLocaleString('en')} rows` };
      if (!started) bar.start(STEPS, 0, payload);
      started = true;
      bar.update(Math.round(share * STEPS), payload);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}

function lineMeter(stream: NodeJS.WriteStream): Meter {
  let last = '';
  return {
    show(view) {
      const { share, label } = progressOf(view);
      if (label === last) return;
      last = label;
      stream.write(`  ${String(Math.round(share * 100)).padStart(3)} %  ${label}\n`);
    },
    stop() {},
  };
}
