"""Times whole commands side by side: each in turn, several rounds, so that a machine whose speed drifts is fair to all."""

import os
import shutil
import statistics
import subprocess
import sys
import time


class Measurement:
    """Wall seconds, processor seconds, peak memory and bytes written of a command, one entry a round."""

    def __init__(self):
        self.wall, self.cpu, self.rss, self.written = [], [], [], []

    def seconds(self):
        return statistics.median(self.wall)

    def megabytes(self):
        return statistics.median(self.rss) / 1e6

    def processor_seconds(self):
        return statistics.median(self.cpu)

    def megabytes_written(self):
        return statistics.median(self.written) / 1e6


def run_once(command, log):
    # By way of a process of its own, which is small: a command's peak memory begins with what its parent has when it forks.
    launcher = subprocess.run([sys.executable, __file__, *command], stdout=subprocess.PIPE, stderr=log, check=True)
    *numbers, status = launcher.stdout.split()
    if int(status) != 0:
        sys.exit("%s: status %d; see %s" % (" ".join(command), int(status), log.name))
    return [float(n) for n in numbers]


def launch(command):
    """Runs a command and prints its wall seconds, processor seconds, peak memory and bytes written, and status."""
    before = bytes_written()
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    print(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, bytes_written() - before, os.waitstatus_to_exitcode(status))


def bytes_written():
    """What this process and the children that it waited for have given the disk to write."""
    with open("/proc/self/io") as f:
        return int(dict(line.split(": ") for line in f)["write_bytes"])


def side_by_side(commands, outputs, rounds=5, warm_up=True, log="bench.log"):
    """Runs {name: argument list} in turn and returns {name: Measurement}. outputs are removed before every run. ROUNDS in the environment
    is how many times instead of rounds."""
    rounds = int(os.environ.get("ROUNDS", rounds))
    results = {name: Measurement() for name in commands}
    with open(log, "ab") as log_file:
        for i in range(rounds + warm_up):
            for name, command in commands.items():
                for path in outputs:
                    shutil.rmtree(path, ignore_errors=True)
                    if os.path.isfile(path):
                        os.remove(path)
                numbers = run_once(command, log_file)
                if i >= warm_up:
                    m = results[name]
                    for column, number in zip((m.wall, m.cpu, m.rss, m.written), numbers, strict=True):
                        column.append(number)
    return results


def table(title, results, reference):
    """Prints medians, and each command's time as a multiple of the reference's."""
    print("\n%s (medians of %d, %d CPUs)\n" % (title, len(results[reference].wall), os.cpu_count()))
    print("| | wall | against %s | processor time | peak memory | written |\n|---|---|---|---|---|---|" % reference)
    for name, m in results.items():
        print("| %s | %.2f s | %.2f× | %.2f s | %.0f MB | %.0f MB |" % (
            name, m.seconds(), ratio(m.wall, results[reference].wall), m.processor_seconds(), m.megabytes(), m.megabytes_written()))
    sys.stdout.flush()


def ratio(a, b):
    """The median of the rounds' ratios, which a machine whose speed drifts disturbs less than a ratio of medians."""
    return statistics.median(x / y for x, y in zip(a, b, strict=True))


def multiples(name, theirs, ours):
    """Says how many times as much a peer takes as loratool."""
    print("\n%s takes %.1f times as long as loratool, %.1f times the processor time, %.1f times the memory, and writes %.1f times as much." % (
        name, ratio(theirs.wall, ours.wall), ratio(theirs.cpu, ours.cpu), ratio(theirs.rss, ours.rss), ratio(theirs.written, ours.written)))
    sys.stdout.flush()


if __name__ == "__main__":
    launch(sys.argv[1:])
