import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ImportNotFound } from '../../modules/customers/imports/contract.ts';
import { allows, ScopeMissing } from '../core/access/index.ts';
import { InvalidInput } from '../core/errors.ts';
import { statusOf } from './server/errors.ts';
import { type Exchange, type Gate, type Route, sendJson } from './server/index.ts';

interface RejectsFiles {
  rejectsFile(importId: string): Promise<Readable>;
}

const PATH = /^\/imports\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/rejects\.csv$/;

/** `GET /imports/<id>/rejects.csv`: what an import refused or took out, as a file of any size. */
export function importRoutes(gate: Gate, files: RejectsFiles): Route[] {
  const handle = async (exchange: Exchange): Promise<void> => {
    const { req, res, url, correlationId } = exchange;
    let file: Readable;
    try {
      const principal = await gate.authenticate(req.headers.authorization);
      if (!allows(principal, 'imports:write')) throw new ScopeMissing(['imports:write']);
      const importId = PATH.exec(url.pathname)?.[1];
      if (importId === undefined)
        throw new InvalidInput('The path is /imports/<id of the import>/rejects.csv.', { path: ['id'] });
      file = await files.rejectsFile(importId);
    } catch (error) {
      sendJson(exchange, error instanceof ImportNotFound ? 404 : statusOf(error), {
        errors: gate.refuse(error, correlationId, null).errors,
      });
      return;
    }
    res.writeHead(200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="rejects.csv"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': correlationId,
    });
    // A reader that goes away ends the export; there is nobody left to tell.
    await pipeline(file, res).catch(() => undefined);
  };
  return [{ method: 'GET', path: '/imports/*', handle }];
}
