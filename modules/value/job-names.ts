/** The computation of everything. */
export const REFRESH_JOB = 'value.refresh';
/** Computations wait for one another here. */
export const REFRESH_QUEUE = 'value.refresh';
