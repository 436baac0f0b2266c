export { plainArray, textArray } from './arrays.ts';
export { createDatabase, type Database, type DatabaseOptions, type Queryable, type Tx } from './database.ts';
export { createGroupCommit, type GroupCommitOptions } from './group-commit.ts';
export { countingStatements, type StatementCount } from './statements.ts';
export { type Write, writeTogether } from './together.ts';
