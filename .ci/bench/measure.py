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
    # By way of a process of its own, which is small: a command's peak memory begins with what its parent has when it forks.
    launcher = subprocess.run([sys.executable, __file__, *command], stdout=subprocess.PIPE, stderr=log, check=True)
    wall, rss, status = launcher.stdout.split()
    if int(status) != 0:
        sys.exit("%s: status %d; see %s" % (" ".join(command), int(status), log.name))
    return float(wall), int(rss)


def launch(command):
    """Runs a command and prints its wall seconds, peak memory in bytes, and status."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    print(time.perf_counter() - start, usage.ru_maxrss * 1024, os.waitstatus_to_exitcode(status))


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


if __name__ == "__main__":
    launch(sys.argv[1:])
