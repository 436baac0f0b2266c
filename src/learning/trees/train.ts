import { prepare } from './prepare.ts';
import { trainHere, trainOnThreads } from './threads.ts';
import type { TrainingData, TrainingOptions, TreeModel } from './types.ts';

/** Values times trees up to which a training takes some 50 ms, less than threads need to start. */
const SMALL = 10_000_000;
/** Values that keep a thread busy for longer than it takes to wait for another one. */
const VALUES_PER_THREAD = 500_000;

/**
 * Trains boosted trees. Large data are trained on worker threads and leave the caller's thread free; small data are
 * trained in it, being quicker done than handed over.
 *
 * The same data, options and version give the same model byte for byte, on any number of threads.
 *
 * @throws TreeInputError (as a rejection) when data or options cannot be used; `field` names which.
 */
export async function trainTrees(data: TrainingData, options: TrainingOptions): Promise<TreeModel> {
  const training = prepare(data, options);
  const { names, settings, base } = training;
  const { rows, columns, categorical } = training.data;
  const small = rows * columns * settings.trees <= SMALL;
  const useful = Math.max(1, Math.floor((rows * columns) / VALUES_PER_THREAD));
  const trees = small ? trainHere(training) : await trainOnThreads(training, Math.min(settings.threads, useful));
  return { loss: settings.loss, columns, names, categorical, base, trees };
}
