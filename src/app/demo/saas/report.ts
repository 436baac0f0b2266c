import { count, percent } from '../../imports/report.ts';
import { table } from '../../imports/table.ts';
import type { ImportView } from '../../imports/view.ts';

/** Data quality of several files, a line each. */
export function qualityInShort(views: readonly ImportView[]): string {
  const rows = views.map(({ fileName, quality, result }) => [
    fileName,
    count(quality?.rows ?? 0),
    quality === null ? '' : percent(quality.score),
    count(result?.rowsRefused ?? 0),
    (quality?.categories ?? [])
      .flatMap(({ findings }) => findings.filter((finding) => finding.count > 0))
      .map((finding) => `${count(finding.count)} ${finding.rule} (${finding.severity.toLowerCase()})`)
      .join(', ') || 'nothing',
  ]);
  return `Data quality\n${table(['file', 'rows', 'quality', 'refused', 'found'], rows, ['left', 'right', 'right', 'right', 'left'])}`;
}
