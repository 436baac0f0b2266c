import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { z } from 'zod';
import { allows, ScopeMissing } from '../../core/access/index.ts';
import type { Analytics } from '../../core/analytics/index.ts';
import type { Database } from '../../core/database/index.ts';
import { InvalidInput, Overloaded } from '../../core/errors.ts';
import { RequestRefused, retryAfterOf, statusOf } from '../server/errors.ts';
import { readBody } from '../server/http.ts';
import { type Exchange, type Gate, type Route, sendJson } from '../server/index.ts';
import { backup } from './backup.ts';

const SCOPE = 'operations:write';
const MAX_BODY_BYTES = 16_384;
const RETRY_AFTER_MS = 30_000;

const bodySchema = z.strictObject({
  folder: z.string().refine(path.isAbsolute, 'must be an absolute path on the machine of the server'),
});

/**
 * `POST /backup` with `{ folder }`: what `holdfast backup` asks of the server it runs beside. Only for operators on this
 * machine, because the folder is a place on this machine.
 */
export function backupRoutes(options: {
  readonly gate: Gate;
  readonly database: Pick<Database, 'pool'>;
  readonly analytics: Analytics;
  readonly dataFolder: string;
}): Route[] {
  const { gate } = options;
  let running = false;

  const run = async ({ req }: Exchange) => {
    const principal = await gate.authenticate(req.headers.authorization);
    if (!allows(principal, SCOPE)) throw new ScopeMissing([SCOPE]);
    if (!isLocal(req)) {
      throw new RequestRefused(403, 'REQUEST_NOT_LOCAL', 'Run "holdfast backup" on the machine of the server.');
    }
    const folder = readFolder(await readBody(req, MAX_BODY_BYTES));
    if (running) throw new Overloaded('Backing up', RETRY_AFTER_MS);
    running = true;
    try {
      return await backup({ ...options, folder });
    } finally {
      running = false;
    }
  };

  const handle = async (exchange: Exchange) => {
    try {
      sendJson(exchange, 200, await run(exchange));
    } catch (error) {
      const retryAfter = retryAfterOf(error);
      if (retryAfter !== null) exchange.res.setHeader('retry-after', String(retryAfter));
      sendJson(exchange, statusOf(error), { errors: gate.refuse(error, exchange.correlationId, null).errors });
    }
  };
  return [{ method: 'POST', path: '/backup', handle }];
}

/** Both ends have one address: a caller of this machine, whichever of its addresses the server listens on. */
const isLocal = ({ socket }: IncomingMessage): boolean => socket.remoteAddress === socket.localAddress;

function readFolder(body: Buffer): string {
  try {
    return bodySchema.parse(JSON.parse(body.toString('utf8'))).folder;
  } catch (error) {
    throw new InvalidInput('Send JSON with "folder", an absolute path on the machine of the server.', {
      path: ['folder'],
      cause: error,
    });
  }
}
