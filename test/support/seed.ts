import fc from 'fast-check';

/** Property tests roll the same dice every time; FAST_CHECK_SEED rolls others, to look further. */
fc.configureGlobal({ seed: Number(process.env.FAST_CHECK_SEED ?? 20_261_127) });
