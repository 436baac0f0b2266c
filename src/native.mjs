// What native code reads from the environment, once, when it is first used: so it is said before anything else is loaded.

// The embedded ClickHouse runs statements on Node's worker threads, of which there are four for everything: four slow
// statements would hold up every file and every name look-up.
process.env.UV_THREADPOOL_SIZE ??= '24';

// How soon its allocator (jemalloc) gives memory back that is no longer used. Its own 5 s let what one statement has left
// pile up on what the next one takes.
process.env.JE_MALLOC_CONF ??= 'dirty_decay_ms:200,muzzy_decay_ms:0';
