import { statfsSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import path from 'node:path';

const MIB = 1024 * 1024;
/** Longest path of a socket that every system takes (107 bytes on Linux, 103 on macOS). */
const MAX_SOCKET_PATH = 103;
/** Containers give shared memory 64 MB unless told; parallel queries need more than that at times. */
const ENOUGH_SHARED_MEMORY = 256 * MIB;

/** What the server is started with; on the command line, so that nothing is written into the cluster. */
export function serverSettings(options: { port: number; dataDir: string; durable: boolean }): Record<string, string> {
  const memoryMib = totalmem() / MIB;
  const sharedBuffersMib = Math.round(Math.min(Math.max(memoryMib / 16, 64), 512));
  return {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: socketFolder(options.dataDir, options.port),
    max_connections: '100',
    shared_buffers: `${sharedBuffersMib}MB`,
    effective_cache_size: `${Math.round(Math.max(memoryMib / 2, 128))}MB`,
    work_mem: '16MB',
    maintenance_work_mem: '128MB',
    // Few, long checkpoints: bulk imports write much at once.
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
    wal_compression: 'on',
    // Disks of our time; and statements here are short, so compiling them costs more than it gains.
    random_page_cost: '1.1',
    jit: 'off',
    dynamic_shared_memory_type: sharedMemory(),
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    log_min_messages: 'warning',
    log_line_prefix: '%m [%p] %d ',
    logging_collector: 'off',
    log_destination: 'stderr',
    ...(options.durable
      ? { fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }
      : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
}

/** The socket lies in the cluster's own folder, which only its user may enter; too deep a path does without. */
function socketFolder(dataDir: string, port: number): string {
  const socket = path.join(dataDir, `.s.PGSQL.${port}.lock`);
  return Buffer.byteLength(socket) > MAX_SOCKET_PATH || dataDir.includes(',') ? '' : dataDir;
}

function sharedMemory(): string {
  if (process.platform !== 'linux') return 'posix';
  try {
    const { blocks, bsize } = statfsSync('/dev/shm');
    const isOpenToAll = (statSync('/dev/shm').mode & 0o002) !== 0;
    return isOpenToAll && blocks * bsize >= ENOUGH_SHARED_MEMORY ? 'posix' : 'mmap';
  } catch {
    return 'mmap';
  }
}
