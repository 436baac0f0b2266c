import pino from 'pino';

export type Logger = pino.Logger;

/** Where a secret could stand in what is logged. */
const REDACTED = ['req.headers.authorization', 'req.headers.cookie', 'headers.authorization', '*.password', '*.secret'];

/**
 * JSON lines on stderr, so that stdout stays for answers of the command line.
 * @param level pino's level, or `silent`
 */
export function createLogger(level: string): Logger {
  return pino(
    { level, base: null, redact: REDACTED, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}
