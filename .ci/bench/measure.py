"""Times whole commands side by side: each in turn, several rounds, so that a machine whose speed drifts is fair to all."""

import os
import shutil
import statistics
import subprocess
import sys
import time


class Measurement:
    """Wall seconds and peak memory of a command, one entry a round."""

    def __init__(self):
        self.wall, self.rss = [], []

    def seconds(self):
        return statistics.median(self.wall)

    def megabytes(self):
        return statistics.median(self.rss) / 1e6


def run_once(command, log):
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=log, stderr=log)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        sys.exit("%s: status %d; see %s" % (" ".join(command), status, log.name))
    return wall, usage.ru_maxrss * 1024


def side_by_side(commands, outputs, rounds=5, warm_up=True, log="bench.log"):
    """Runs {name: argument list} in turn and returns {name: Measurement}. outputs are removed before every run."""
    results = {name: Measurement() for name in commands}
    with open(log, "ab") as log_file:
        for i in range(rounds + warm_up):
            for name, command in commands.items():
                for path in outputs:
                    shutil.rmtree(path, ignore_errors=True)
                    if os.path.isfile(path):
                        os.remove(path)
                wall, rss = run_once(command, log_file)
                if i >= warm_up:
                    results[name].wall.append(wall)
                    results[name].rss.append(rss)
    return results


def table(title, results, reference):
    """Prints medians, and each command's time as a multiple of the reference's."""
    print("\n%s (medians of %d, %d CPUs)\n" % (title, len(results[reference].wall), os.cpu_count()))
    print("| | wall | against %s | peak memory |\n|---|---|---|---|" % reference)
    for name, m in results.items():
        print("| %s | %.2f s | %.2f× | %.0f MB |" % (name, m.seconds(), m.seconds() / results[reference].seconds(), m.megabytes()))
    sys.stdout.flush()
