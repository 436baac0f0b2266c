"""The limit of the trees benchmark: XGBoost on the same file. Arguments: file, rows, columns, threads, trees, depth."""
import json
import sys
import time

import numpy
import xgboost

file, rows, columns, threads, trees, depth = sys.argv[1], *map(int, sys.argv[2:])
data = numpy.fromfile(file, dtype=numpy.float32)
features, labels = data[: rows * columns].reshape(rows, columns), data[rows * columns :]


def mebibytes(line):
    with open("/proc/self/status") as status:
        return next(int(text.split()[1]) for text in status if text.startswith(line)) / 1024


before = mebibytes("VmRSS")
started, cpu_started = time.perf_counter(), time.process_time()
matrix = xgboost.DMatrix(features, labels, nthread=threads)
options = {"objective": "binary:logistic", "tree_method": "hist", "max_bin": 256, "max_depth": depth, "eta": 0.1}
model = xgboost.train({**options, "nthread": threads}, matrix, trees)
trained, cpu_trained = time.perf_counter(), time.process_time()
memory = mebibytes("VmHWM") - before
predictions = model.inplace_predict(features)
scored = time.perf_counter()
likely = numpy.where(labels == 1, predictions, 1 - predictions)
print(
    json.dumps(
        {
            "trainSeconds": trained - started,
            "cpuSeconds": cpu_trained - cpu_started,
            "scoreSeconds": scored - trained,
            "memoryMiB": memory,
            "logLoss": float(-numpy.log(likely.astype(float)).mean()),
            "version": xgboost.__version__,
        }
    )
)
