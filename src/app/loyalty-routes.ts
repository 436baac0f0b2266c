import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AccountNotFound } from '../../modules/loyalty/contract.ts';
import { allows, ScopeMissing } from '../core/access/index.ts';
import { InvalidInput } from '../core/errors.ts';
import { statusOf } from './server/errors.ts';
import { type Exchange, type Gate, type Route, sendJson } from './server/index.ts';

interface Statements {
  statementFile(accountId: string, period: { readonly from: Date | null; readonly to: Date | null }): Promise<Readable>;
}

const SCOPE = 'loyalty:read';
const PATH = /^\/loyalty\/accounts\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/statement\.csv$/;

/** `GET /loyalty/accounts/<id>/statement.csv?from=&to=`: a statement of account, as a file of any size. */
export function loyaltyRoutes(gate: Gate, statements: Statements): Route[] {
  const handle = async (exchange: Exchange): Promise<void> => {
    const { req, res, url, correlationId } = exchange;
    let file: Readable;
    try {
      const principal = await gate.authenticate(req.headers.authorization);
      if (!allows(principal, SCOPE)) throw new ScopeMissing([SCOPE]);
      const id = PATH.exec(url.pathname)?.[1];
      if (id === undefined) {
        throw new InvalidInput('The path is /loyalty/accounts/<id of an account>/statement.csv.', { path: ['id'] });
      }
      const instant = (name: string) => readInstant(name, url.searchParams.get(name));
      file = await statements.statementFile(id, { from: instant('from'), to: instant('to') });
    } catch (error) {
      sendJson(exchange, error instanceof AccountNotFound ? 404 : statusOf(error), {
        errors: gate.refuse(error, correlationId, null).errors,
      });
      return;
    }
    res.writeHead(200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="statement.csv"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': correlationId,
    });
    // A reader that goes away ends the export; there is nobody left to tell.
    await pipeline(file, res).catch(() => undefined);
  };
  return [{ method: 'GET', path: '/loyalty/accounts/*', handle }];
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

function readInstant(name: string, text: string | null): Date | null {
  if (text === null) return null;
  const at = new Date(INSTANT.test(text) ? text : Number.NaN);
  if (!Number.isNaN(at.getTime())) return at;
  throw new InvalidInput(`"${name}" is no instant such as 2026-11-01T00:00:00Z.`, { path: [name] });
}
