export { backup } from './backup.ts';
export { BackupFolderNotEmpty, BackupUnusable, RestoreTargetNotEmpty } from './errors.ts';
export { restore } from './restore.ts';
export { backupRoutes } from './route.ts';
export type { BackupSummary } from './summary.ts';
