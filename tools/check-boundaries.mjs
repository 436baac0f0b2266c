// Holds the import rules of .dependency-cruiser.cjs against the code, and first proves that they bite: each rule is run
// over a planted tree that breaks it. (With an unsupported compiler dependency-cruiser sees no modules and finds no
// fault, so that a green answer alone says nothing.)
import './require-node.mjs';
import { globSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise } from 'dependency-cruiser';

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const { forbidden, options, plants } = createRequire(import.meta.url)('../.dependency-cruiser.cjs');
const { enhancedResolveOptions, ...cruiseOptions } = options;
const failures = [];

/** Every violation of the rules in the tree at `baseDir`, and the modules that were seen there. */
async function violations(baseDir, folders) {
  process.chdir(baseDir);
  const { output } = await cruise(
    folders,
    { ...cruiseOptions, baseDir, validate: true, ruleSet: { forbidden } },
    { ...enhancedResolveOptions, bustTheCache: true },
  );
  return output;
}

for (const { name, plant } of plants) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-plant-')));
  try {
    const files = { 'package.json': '{"name":"plant"}', ...plant };
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(folder, dirname(path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const folders = ['src', 'modules', 'web', 'test'].filter((top) =>
      Object.keys(plant).some((path) => path.startsWith(`${top}/`)),
    );
    const broken = (await violations(folder, folders)).summary.violations.map((violation) => violation.rule.name);
    if (!broken.includes(name)) failures.push(`rule ${name} did not catch its planted violation (caught: ${broken})`);
  } finally {
    process.chdir(root);
    rmSync(folder, { recursive: true, force: true });
  }
}

const folders = ['src', 'modules', 'test', 'bench', 'web'].filter(
  (folder) => globSync(`${folder}/**/*.ts`, { cwd: root }).length > 0,
);
const { modules, summary } = await violations(root, folders);
for (const { rule, from, to, cycle } of summary.violations) {
  const path = cycle?.length ? [from, ...cycle.map((step) => step.name)].join(' → ') : `${from} → ${to}`;
  failures.push(`${rule.name}: ${path}\n    ${forbidden.find(({ name }) => name === rule.name)?.comment ?? ''}`);
}

const seen = new Set(modules.map((module) => module.source));
const files = globSync('{src,modules}/**/*.ts', { cwd: root }).filter((file) => !file.startsWith('src/generated/'));
const unseen = files.filter((file) => !seen.has(file));
if (unseen.length > 0) failures.push(`${unseen.length} files were not seen at all, for example ${unseen[0]}`);
const withoutImports = modules.filter((module) => files.includes(module.source) && module.dependencies.length === 0);
if (withoutImports.length > files.length / 2) failures.push('most files seem to import nothing: they were not parsed');

for (const failure of failures) process.stdout.write(`${failure}\n`);
if (failures.length === 0) {
  process.stdout.write(`${files.length} files keep ${forbidden.length} rules, and each rule catches its plant\n`);
}
process.exitCode = failures.length === 0 ? 0 : 1;
