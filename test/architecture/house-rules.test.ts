import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chain, memberName, root, type Source, type SyntaxNode, sourceOf, sourcesOf } from './sources.ts';

/** Lines of a source file at which it has to be split. */
const LINES_MAX = 400;

const program = sourcesOf(['src/**/*.ts', 'modules/**/*.ts']);
const modules = program.filter(({ path }) => path.startsWith('modules/'));

/** Files among `sources` with a node that `matches`, and how often. */
function findings(sources: readonly Source[], matches: (node: SyntaxNode) => boolean): string[] {
  return sources.flatMap((source) => {
    const count = [...source.nodes()].filter(matches).length;
    return count === 0 ? [] : [`${source.path} × ${count}`];
  });
}

const readsEnvironment = (node: SyntaxNode) => memberName(node) === 'process.env';

const readsMachineClock = (node: SyntaxNode) =>
  memberName(node) === 'Date.now' ||
  (node.type === 'NewExpression' &&
    (node.callee as SyntaxNode).value === 'Date' &&
    ((node.arguments as unknown[] | null) ?? []).length === 0);

const rollsDice = (node: SyntaxNode) => memberName(node) === 'Math.random';

/** `x.prisma.model.create(...)` and its like: records are written by SQL in services, so that rules live in one place. */
function writesByPrisma(node: SyntaxNode): boolean {
  if (node.type !== 'CallExpression') return false;
  const [method, model, client] = chain(node.callee);
  return (
    model !== undefined &&
    client === 'prisma' &&
    /^(create|update|upsert|delete)|^\$(execute|transaction)/.test(method ?? '')
  );
}

describe('rules of the house that no other tool sees', () => {
  test('only src/config.ts reads the environment', () => {
    const others = program.filter(({ path }) => path !== 'src/config.ts');
    expect(findings(others, readsEnvironment)).toEqual([]);
    expect(
      findings([sourceOf('a.ts', 'const a = process.env.A; const { env } = process;')], readsEnvironment),
    ).toHaveLength(1);
  });

  test('modules ask an injected clock', () => {
    expect(findings(modules, readsMachineClock)).toEqual([]);
    expect(findings([sourceOf('a.ts', 'f(new Date(), Date.now(), new Date(0))')], readsMachineClock)).toEqual([
      'a.ts × 2',
    ]);
  });

  test('modules and numerics roll no dice', () => {
    expect(findings([...modules, ...sourcesOf(['src/learning/**/*.ts'])], rollsDice)).toEqual([]);
    expect(findings([sourceOf('a.ts', 'Math.random()')], rollsDice)).toHaveLength(1);
  });

  test('Prisma reads and never writes', () => {
    expect(findings(program, writesByPrisma)).toEqual([]);
    expect(
      findings([sourceOf('a.ts', 'db.prisma.customer.createMany({}); prisma.customer.findMany()')], writesByPrisma),
    ).toEqual(['a.ts × 1']);
  });

  test(`no file is longer than ${LINES_MAX} lines`, () => {
    const all = sourcesOf(['{src,modules,test,bench,tools}/**/*.{ts,mjs}'], { tests: true });
    const long = all.filter(({ text }) => text.split('\n').length > LINES_MAX + 1);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  test('no file names a place of somebody’s machine', () => {
    const files = globSync(['*', '{src,modules,test,bench,tools,prisma,templates,web,docs,.ci,.github}/**/*'], {
      cwd: root,
    })
      .filter((path) => /\.(ts|mjs|cjs|json|md|sql|prisma|graphql|hbs|yml|html|sh)$|^\.ci\/run$/.test(path))
      .filter((path) => !path.includes('node_modules/'));
    const places = new RegExp(`(^|[\\s'"\`(=:])/(${['work', 'Users', 'root'].join('|')}|home/(?!you\\b)\\w+)/`, 'm');
    expect(files.filter((path) => places.test(readFileSync(`${root}${path}`, 'utf8')))).toEqual([]);
    expect(places.test(`see "/${'work'}/main"`)).toBe(true);
  });
});

describe('codes of failures', () => {
  const CODE = /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/;

  /** Codes that classes of a source hand to DomainError: the first argument of `super` when it looks like a code. */
  function codesOf(source: Source): string[] {
    return [...source.nodes()].flatMap((node) => {
      if (node.type !== 'CallExpression' || (node.callee as SyntaxNode).type !== 'Super') return [];
      const first = (node.arguments as { expression: SyntaxNode }[])[0]?.expression;
      return first?.type === 'StringLiteral' && CODE.test(String(first.value)) ? [String(first.value)] : [];
    });
  }

  const codes = program.flatMap((source) => codesOf(source).map((code) => ({ code, path: source.path })));

  test('are there', () => {
    expect(codes.length).toBeGreaterThan(5);
  });

  test('mean one thing each', () => {
    const seen = new Map<string, string>();
    const twice = codes.filter(({ code, path }) => {
      const before = seen.get(code);
      seen.set(code, path);
      return before !== undefined;
    });
    expect(twice).toEqual([]);
  });

  test('begin with the name of their module', () => {
    const strangers = codes.filter(({ code, path }) => {
      const module = /^modules\/([^/]+)\//.exec(path)?.[1];
      return module !== undefined && !code.startsWith(`${module.toUpperCase()}_`);
    });
    expect(strangers).toEqual([]);
  });
});
