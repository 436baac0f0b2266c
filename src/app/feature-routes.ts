import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { allows, ScopeMissing } from '../core/access/index.ts';
import { InvalidInput } from '../core/errors.ts';
import { statusOf } from './server/errors.ts';
import { type Exchange, type Gate, type Route, sendJson } from './server/index.ts';

interface FeatureFiles {
  featureFile(snapshotId: string): Promise<Readable>;
  featureMetadata(snapshotId: string): Promise<object>;
}

const SCOPE = 'value:read';
const PATH = /^\/features\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/features\.(parquet|json)$/;

/** `GET /features/<id of the snapshot>/features.parquet`, and `features.json`, which describes that file. */
export function featureRoutes(gate: Gate, files: FeatureFiles): Route[] {
  const handle = async (exchange: Exchange): Promise<void> => {
    const { req, res, url, correlationId } = exchange;
    let file: Readable;
    try {
      const principal = await gate.authenticate(req.headers.authorization);
      if (!allows(principal, SCOPE)) throw new ScopeMissing([SCOPE]);
      const [, id, kind] = PATH.exec(url.pathname) ?? [];
      if (id === undefined) {
        throw new InvalidInput('The path is /features/<id of a snapshot>/features.parquet or features.json.', {
          path: ['id'],
        });
      }
      if (kind === 'json') {
        sendJson(exchange, 200, await files.featureMetadata(id));
        return;
      }
      file = await files.featureFile(id);
    } catch (error) {
      sendJson(exchange, statusOf(error), { errors: gate.refuse(error, correlationId, null).errors });
      return;
    }
    res.writeHead(200, {
      'content-type': 'application/vnd.apache.parquet',
      'content-disposition': 'attachment; filename="features.parquet"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': correlationId,
    });
    // A reader that goes away ends the export; there is nobody left to tell.
    await pipeline(file, res).catch(() => undefined);
  };
  return [{ method: 'GET', path: '/features/*', handle }];
}
