import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { PUT_IN, PUT_IN_TABLE, root, type Source, textsOf } from './sources.ts';

/** Which module declares which table: `@@map` of the models in prisma/models/<module>.prisma or <module>-<part>.prisma. */
export function tableOwners(): Map<string, string> {
  const owners = new Map<string, string>();
  for (const path of globSync('prisma/models/*.prisma', { cwd: root }).sort()) {
    const models = readFileSync(`${root}${path}`, 'utf8').matchAll(/^model (\w+) \{(.*?)^\}/gms);
    for (const [, model, body] of models) {
      const table = /@@map\("([^"]+)"\)/.exec(body ?? '')?.[1] ?? model ?? '';
      if (owners.has(table))
        throw new Error(`${path} declares the table ${table}, which ${owners.get(table)} declares`);
      owners.set(table, basename(path, '.prisma').split('-')[0] ?? '');
    }
  }
  return owners;
}

/** Tables of ClickHouse, which have no models. */
export function analyticsTables(): Set<string> {
  const tables = new Set<string>();
  for (const path of globSync('{src,modules}/**/*.sql', { cwd: root })) {
    for (const name of created(readFileSync(`${root}${path}`, 'utf8'))) tables.add(name);
  }
  return tables;
}

const NAME = String.raw`((?:"?[\w$]+"?\.)?"?[\w$]+"?)`;
const CREATE = new RegExp(
  String.raw`\bcreate\s+(?:(?:temporary|temp|unlogged|or\s+replace)\s+)*table\s+(?:if\s+not\s+exists\s+)?${NAME}`,
  'gi',
);
/** Statements that change a table. English has these verbs too, so each asks for the words that follow in SQL. */
const WRITES = [
  String.raw`\binsert\s+into\s+(?:table\s+)?${NAME}`,
  String.raw`\bupdate\s+(?:only\s+)?${NAME}(?:\s+(?:as\s+)?(?!set\b)\w+)?\s+set\b`,
  String.raw`\bdelete\s+from\s+(?:only\s+)?${NAME}`,
  String.raw`\bmerge\s+into\s+(?:only\s+)?${NAME}`,
  String.raw`\bcopy\s+${NAME}\s*(?:\([^)]*\)\s*)?from\b`,
  String.raw`\btruncate\s+(?:table\s+)?(?:only\s+)?${NAME}\s*(?:,|;|$|cascade|restart)`,
].map((pattern) => new RegExp(pattern, 'gi'));

function created(sql: string): string[] {
  return [...sql.matchAll(CREATE)].map((match) => plain(match[1]));
}

function plain(name = ''): string {
  return name.replaceAll('"', '');
}

/** Tables that a file changes, those it creates for itself left out. */
export function tablesWritten(source: Source): string[] {
  const texts = textsOf(source);
  const own = new Set(texts.flatMap(({ text }) => created(text)));
  const written = texts.flatMap(({ text, forAnalytics, namesTable }) => {
    if (namesTable) return [text.split(' ')[0] ?? ''];
    const tables = WRITES.flatMap((write) => [...text.matchAll(write)].map((match) => plain(match[1])));
    // Staging tables of ClickHouse are named while running. A name that is some `table` was written out elsewhere.
    return tables.filter((table) => !(forAnalytics && table.includes(PUT_IN)) && !table.includes(PUT_IN_TABLE));
  });
  return [...new Set(written)].filter((table) => !own.has(table));
}

/** Whose file this is, and so whose tables it may change. */
export function ownerOf(path: string): string {
  return /^modules\/([^/]+)\//.exec(path)?.[1] ?? 'core';
}

/** Folders that handle any table: the client of ClickHouse, whose callers name them, and backup and restore. */
const ANY_TABLE = ['src/core/analytics/', 'src/app/backup/'];

/** Tables that a file may not change, each with the reason. */
export function trespasses(
  source: Source,
  owners: ReadonlyMap<string, string>,
  analytics: ReadonlySet<string>,
): string[] {
  const owner = ownerOf(source.path);
  const anyTable = ANY_TABLE.some((folder) => source.path.startsWith(folder));
  return tablesWritten(source).flatMap((table) => {
    const declaredBy = owners.get(table);
    if (declaredBy === owner || (declaredBy === undefined && (anyTable || analytics.has(table)))) return [];
    if (declaredBy !== undefined) return [`${source.path} writes ${table}, which belongs to ${declaredBy}`];
    if (table.includes(PUT_IN)) return [`${source.path} writes a table whose name it puts together: ${table}`];
    return [`${source.path} writes ${table}, which no model and no migration declares`];
  });
}
