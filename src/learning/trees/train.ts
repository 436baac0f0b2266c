import type { TrainingData, TrainingOptions, TreeModel } from './types.ts';

/**
 * Trains boosted trees. Large data are trained on worker threads and leave the caller's thread free; small data are
 * trained in it, being quicker done than handed over.
 *
 * The same data, options and version give the same model byte for byte, on any number of threads.
 *
 * @throws TreeInputError (as a rejection) when data or options cannot be used; `field` names which.
 */
export async function trainTrees(_data: TrainingData, _options: TrainingOptions): Promise<TreeModel> {
  throw new Error('not built yet');
}
