import type { Logger } from '../../core/logger.ts';

/** Longer than this and the process ends whatever is still open. */
const STOP_MS = 10_000;

/**
 * Keeps a command running until SIGINT or SIGTERM, or until `lost` settles, then stops it. A second signal, or a stop
 * that takes longer than ten seconds, ends the process at once.
 * @param lost settles when something the command cannot do without is gone
 */
export async function untilStopped(options: {
  readonly stop: () => Promise<void>;
  readonly logger: Logger;
  readonly lost?: Promise<void>;
}): Promise<void> {
  const { logger } = options;
  const reason = await new Promise<string>((resolve) => {
    const onSignal = (signal: string) => {
      process.once('SIGINT', () => process.exit(130)).once('SIGTERM', () => process.exit(143));
      resolve(signal);
    };
    process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
    void options.lost?.then(() => resolve('an engine is gone'));
  });
  logger.info({ reason }, 'stopping');
  const hardStop = setTimeout(() => {
    logger.error('stopping took too long');
    process.exit(1);
  }, STOP_MS);
  await options.stop();
  clearTimeout(hardStop);
  if (reason === 'an engine is gone') {
    logger.error('the embedded PostgreSQL ended; start again to recover');
    process.exitCode = 1;
  }
}
