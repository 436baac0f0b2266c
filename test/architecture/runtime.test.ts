import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { root } from './sources.ts';

/** Runs a file of the checkout under a Node that says it is of another version. */
function runAs(version: string, args: readonly string[]): { status: number | null; stdout: string; stderr: string } {
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`;
  return spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(pretend)}`, ...args], {
    cwd: root,
    encoding: 'utf8',
  });
}

interface Manifest {
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly optionalDependencies: Record<string, string>;
}

describe('the runtime', () => {
  test.each(['src/holdfast.mjs', 'tools/check.mjs'])('%s says what to do under an old Node', (entry) => {
    const { status, stdout, stderr } = runAs('20.20.2', [entry]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/needs Node 24 or later, and this is Node 20\.20\.2/);
    expect(stderr).toContain('npm');
  });

  test('scripts run the Node that npm ci brought along, and hand it signals', () => {
    const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as Manifest;
    for (const [name, script] of Object.entries(scripts)) expect(`${name}: ${script}`).toMatch(/: exec node \S+/);
    expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(24);
  });

  test('every dependency is pinned', () => {
    const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
      readFileSync(`${root}package.json`, 'utf8'),
    ) as Manifest;
    const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
    expect(Object.entries(all).filter(([, version]) => !/^\d+\.\d+\.\d+/.test(version))).toEqual([]);
  });
});
