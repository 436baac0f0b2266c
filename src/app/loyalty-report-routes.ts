import { allows, ScopeMissing } from '../core/access/index.ts';
import { InvalidInput } from '../core/errors.ts';
import { statusOf } from './server/errors.ts';
import { type Exchange, type Gate, type Route, sendJson } from './server/index.ts';

interface Reports {
  reportFile(days: { readonly from: string; readonly to: string }): Promise<string>;
}

const SCOPE = 'loyalty:read';
const DAY = /^\d{4}-\d\d-\d\d$/;

/** `GET /loyalty/report.csv?from=&to=`: the loyalty report of some days, one figure a line. */
export function loyaltyReportRoutes(gate: Gate, reports: Reports): Route[] {
  const handle = async (exchange: Exchange): Promise<void> => {
    const { req, res, url, correlationId } = exchange;
    let file: string;
    try {
      const principal = await gate.authenticate(req.headers.authorization);
      if (!allows(principal, SCOPE)) throw new ScopeMissing([SCOPE]);
      const day = (name: string): string => {
        const text = url.searchParams.get(name) ?? '';
        if (DAY.test(text)) return text;
        throw new InvalidInput(`"${name}" must be a day such as 2026-11-01.`, { path: [name] });
      };
      file = await reports.reportFile({ from: day('from'), to: day('to') });
    } catch (error) {
      sendJson(exchange, statusOf(error), { errors: gate.refuse(error, correlationId, null).errors });
      return;
    }
    res.writeHead(200, {
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': 'attachment; filename="loyalty-report.csv"',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-correlation-id': correlationId,
    });
    res.end(file);
  };
  return [{ method: 'GET', path: '/loyalty/report.csv', handle }];
}
