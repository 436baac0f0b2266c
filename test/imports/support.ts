import { setTimeout as delay } from 'node:timers/promises';
import type { TestApp } from '../support/app.ts';

/** A line of a report, as the tests look at it. */
export interface ShownFinding {
  readonly rule: string;
  readonly severity: string;
  readonly column: string | null;
  readonly count: number;
}

export interface ShownJob {
  readonly id: string;
  readonly state: string;
  readonly phase: string;
  readonly rowsTotal: number | null;
  readonly rowsRefused: number;
  readonly quality: {
    readonly rows: number;
    readonly rowsWithErrors: number;
    readonly score: number;
    readonly categories: readonly { readonly category: string; readonly findings: readonly ShownFinding[] }[];
  } | null;
  readonly cleaning: {
    readonly customers: number;
    readonly orders: number;
    readonly stages: readonly { readonly rowsIn: number; readonly rowsOut: number }[];
    readonly revenue: readonly { readonly currency: string; readonly before: string; readonly after: string }[];
    readonly returns: {
      readonly rows: number;
      readonly matched: number;
      readonly partly: number;
      readonly unmatched: number;
    };
    readonly capping: { readonly rows: number; readonly quantities: number; readonly prices: number };
  } | null;
  readonly result: {
    readonly rowsStored: number;
    readonly rowsRefused: number;
    readonly customersCreated: number;
    readonly ordersCreated: number;
    readonly ordersChanged: number;
    readonly recordsCreated: number;
    readonly recordsChanged: number;
    readonly ignoredColumns: readonly string[];
    readonly sameAs: string | null;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly rejects: {
    readonly edges: readonly {
      readonly node: {
        readonly line: number;
        readonly column: string | null;
        readonly rule: string;
        readonly value: string;
        readonly message: string;
      };
    }[];
  };
}

const JOB = /* GraphQL */ `
  fragment Job on ImportJob {
    id state phase rowsTotal rowsRefused
    quality { rows rowsWithErrors score categories { category findings { rule severity column count } } }
    cleaning {
      customers orders stages { rowsIn rowsOut } revenue { currency before after }
      returns { rows matched partly unmatched } capping { rows quantities prices }
    }
    result {
      rowsStored rowsRefused customersCreated ordersCreated ordersChanged recordsCreated recordsChanged
      ignoredColumns sameAs
    }
    error { code message }
    rejects(first: 100) { edges { node { line column rule value message } } }
  }
`;

export interface StartAnswer {
  readonly startImport: {
    readonly __typename: string;
    readonly code?: string;
    readonly message?: string;
    readonly path?: readonly string[];
    readonly job?: ShownJob;
  };
}

export const START = /* GraphQL */ `
  ${JOB}
  mutation Start($input: StartImportInput!) {
    startImport(input: $input) {
      __typename
      ... on StartImportSuccess { job { ...Job } }
      ... on DomainError { code message path }
    }
  }
`;

/** Sends a file as a partner would. */
export async function upload(app: TestApp, file: string | Buffer, key: string = app.adminKey) {
  const response = await fetch(`${app.server.url}/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: typeof file === 'string' ? file : new Uint8Array(file),
  });
  const answer = (await response.json()) as { uploadId: string; errors?: readonly { extensions: { code: string } }[] };
  return { status: response.status, ...answer };
}

/** Uploads a file and asks for its import; answers what the API says at once. */
export async function start(app: TestApp, file: string | Buffer, input: object): Promise<StartAnswer['startImport']> {
  const { uploadId } = await upload(app, file);
  const { startImport } = await app.query<StartAnswer>(START, { input: { uploadId, ...input } });
  return startImport;
}

export async function findJob(app: TestApp, id: string): Promise<ShownJob> {
  const { importJob } = await app.query<{ importJob: ShownJob }>(
    `${JOB} query ($id: ID!) { importJob(id: $id) { ...Job } }`,
    { id },
  );
  return importJob;
}

/** The same, followed until nothing more happens by itself. */
export async function importFile(app: TestApp, file: string | Buffer, input: object): Promise<ShownJob> {
  const answer = await start(app, file, input);
  if (answer.job === undefined) throw new Error(`${answer.code}: ${answer.message}`);
  return untilAtRest(app, answer.job.id);
}

/** Looks until the import is at rest; the worker of the test is at work beside it. */
export async function untilAtRest(app: TestApp, id: string): Promise<ShownJob> {
  const signal = AbortSignal.timeout(150_000);
  for (;;) {
    const job = await findJob(app, id);
    if (!['QUEUED', 'RUNNING'].includes(job.state)) return job;
    await delay(50, undefined, { signal });
  }
}

/** Findings of a report that say more than "all well". */
export const findingsOf = (job: ShownJob): string[] =>
  (job.quality?.categories ?? []).flatMap(({ category, findings }) =>
    findings.map(({ rule, column, count }) => `${category} ${rule}${column === null ? '' : ` (${column})`}: ${count}`),
  );

export const rejectsOf = (job: ShownJob): string[] =>
  job.rejects.edges.map(({ node }) => `${node.line} ${node.column ?? '-'} ${node.rule}: ${node.value}`);

/** CSV of rows under a header. */
export const csv = (header: string, ...rows: readonly string[]): string => `${[header, ...rows].join('\n')}\n`;
