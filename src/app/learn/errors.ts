import { DomainError } from '../../core/errors.ts';

/** Where in a file something is wrong. */
export interface Place {
  readonly file: string;
  readonly column?: string;
  /** Physical line; the header is line 1. */
  readonly line?: number;
  readonly value?: string | number;
}

/** A file or an option that nothing can be learnt from. The message names file, column, line, value and remedy. */
export class UnusableData extends DomainError {
  constructor(place: Place, problem: string, remedy: string) {
    const { file, column, line, value } = place;
    const where = [
      file,
      ...(line === undefined ? [] : [`line ${line}`]),
      ...(column === undefined ? [] : [`column "${column}"`]),
    ].join(', ');
    const shown = value === undefined ? '' : `"${String(value).slice(0, 80)}" `;
    super('LEARN_DATA_UNUSABLE', `${where}: ${shown}${problem} ${remedy}`.trimEnd(), {
      path: ['data'],
      details: { ...place },
    });
  }
}

/** An option of the command line that makes no sense. */
export class UnusableOption extends DomainError {
  constructor(option: string, value: string, remedy: string) {
    super('LEARN_OPTION_UNUSABLE', `${option} is "${value}". ${remedy}`, {
      path: [option.replace(/^--/, '')],
      details: { option, value },
    });
  }
}
