"""A real SLURM of one node on this machine: Debian's packages, without systemd, cgroups or accounting.

It lives as long as the tests. It never touches a SLURM that somebody else has set up, and it leaves nothing behind.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo", "munge", "munged")
# Nowhere else: Snakemake's plugin drops SLURM_CONF from the environment of a job's step.
ETC = Path("/etc/slurm")
# All else: state, logs, process numbers, and a munge with a key and a socket of its own.
BASE = Path("/run/channel-sparsity-slurm")
MARK = "# Written by channel-sparsity's tests/slurm, which removes it again."

SLURM_CONF = """{mark}
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={base}/munge.socket
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.pid
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd.log
# Neither cgroups nor affinity: they need rights that containers lack.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
# Without a data base squeue alone knows what became of a job, if it remembers for long enough.
AccountingStorageType=accounting_storage/none
MinJobAge=3600
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=2
ReturnToService=2
KillWait=2
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=7-0 State=UP
PartitionName=gpu Nodes={host} MaxTime=7-0 State=UP
"""
# Of squeue.
COLUMNS = {
    "id": "%i",
    "state": "%T",
    "partition": "%P",
    "limit": "%l",
    "memory": "%m",
    "folder": "%Z",
    "comment": "%k",
}
# Any two character devices pass for GPUs.
GRES_CONF = "Name=gpu File=/dev/null\nName=gpu File=/dev/zero\n"


class Refused(Exception):
    """Why no SLURM can or may be started here."""


class SingleNode:
    """`start` and `stop` it; in between the programs of SLURM work as on a cluster."""

    host = socket.gethostname().split(".")[0]

    def start(self):
        """Bring up munged, slurmctld and slurmd; `Refused` where that is impossible or a SLURM is there already."""
        check_that_slurm_is_here()
        if is_ours(ETC / "slurm.conf"):
            self.stop()  # of tests that were killed
        check_that_no_slurm_is_here()
        for name in ("state", "spool"):
            (BASE / name).mkdir(parents=True)
        memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 512
        ETC.mkdir(exist_ok=True)
        (ETC / "slurm.conf").write_text(
            SLURM_CONF.format(mark=MARK, host=self.host, base=BASE, cpus=os.cpu_count(), memory_mb=memory_mb)
        )
        (ETC / "gres.conf").write_text(f"{MARK}\n{GRES_CONF}")
        try:
            start_munge()
            self.start_controller()
            run("slurmd", "-N", self.host)
            wait_until(lambda: "idle" in said("sinfo", "-h", "-o", "%t"), "the node is idle")
        except Exception as error:
            logs = "".join(path.read_text() for path in sorted(BASE.glob("*.log")))
            self.stop()
            raise AssertionError(f"SLURM did not start: {error}\n{logs}") from error

    def start_controller(self):
        """Start slurmctld, which goes on from the state that the last one left."""
        run("slurmctld")
        wait_until(self.is_up, "slurmctld answers")

    def stop_controller(self):
        """Stop slurmctld; jobs go on."""
        end("slurmctld")

    def is_up(self):
        """Whether slurmctld answers."""
        return "UP" in said("scontrol", "ping")

    def stop(self):
        """Cancel what runs, end every daemon that was started, and remove every file."""
        if self.is_up():
            self.cancel_all()
        for daemon in ("slurmctld", "slurmd", "munged"):
            end(daemon)
        for name in ("slurm.conf", "gres.conf"):
            (ETC / name).unlink(missing_ok=True)
        shutil.rmtree(BASE, ignore_errors=True)

    def jobs(self, *states):
        """The jobs in these states, oldest first (all that have not ended, if none is named): see `COLUMNS`."""
        wanted = ["--states", ",".join(states)] if states else []
        rows = said("squeue", "--noheader", "--sort=i", f"--format={'|'.join(COLUMNS.values())}", *wanted).splitlines()
        return [dict(zip(COLUMNS, row.split("|"), strict=True)) for row in rows]

    def only_job(self):
        """The one job that there is."""
        found = self.jobs()
        assert len(found) == 1, found
        return found[0]

    def job_after(self, first):
        """Wait for a job that was submitted after `first`, which has ended."""
        wait_until(
            lambda: [job for job in self.jobs() if int(job["id"]) > int(first["id"])], "a job is submitted again"
        )
        return self.only_job()

    def request(self, job):
        """All that SLURM knows of a job."""
        return said("scontrol", "show", "job", job["id"])

    def cancel_all(self):
        """Cancel every job, and wait until it has ended."""
        run("scancel", "--me")
        self.wait_until_no_job()

    def wait_until_no_job(self):
        """Wait until every job has ended."""
        wait_until(lambda: not self.jobs(), "no job is left")

    def update_node(self, state):
        """Give the node a state, as an administrator would."""
        run("scontrol", "update", f"NodeName={self.host}", f"State={state}", "Reason=test")


def check_that_slurm_is_here():
    """Raise `Refused`, in one sentence, if programs or rights are missing."""
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        raise Refused(f"{', '.join(missing)} not found: as root, apt-get install {' '.join(PACKAGES)}")
    if os.geteuid() != 0:
        raise Refused("only root can start slurmd and write /etc/slurm")


def check_that_no_slurm_is_here():
    """Raise `Refused`, in one sentence, if a SLURM runs on this machine or is set up on it."""
    running = {name for name in map(program_of, processes()) if name in ("slurmctld", "slurmd")}
    if running:
        raise Refused(f"{' and '.join(sorted(running))} runs on this machine already: its SLURM is left alone")
    conf = ETC / "slurm.conf"
    if conf.exists() and not is_ours(conf):
        raise Refused(f"{conf} is not from these tests: this machine's SLURM is left alone")


def is_ours(conf):
    """Whether these tests wrote a configuration."""
    return conf.exists() and conf.read_text().startswith(MARK)


def start_munge():
    """Start a munged beside any that the machine has."""
    key = BASE / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    files = {"key-file": key, "socket": BASE / "munge.socket"}
    files |= {f"{kind}-file": BASE / f"munged.{kind}" for kind in ("pid", "log", "seed")}
    run("munged", *(f"--{option}={path}" for option, path in files.items()))
    wait_until(lambda: said("munge", "-n", f"--socket={BASE}/munge.socket"), "munged answers")


def processes():
    """The numbers of all processes."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def program_of(pid):
    """The name of a process's program; None if it has ended, a zombie too."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return None if state == "Z" else Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None


def end(daemon):
    """End a daemon of ours, if it still runs, and wait until it has."""
    try:
        pid = int((BASE / f"{daemon}.pid").read_text())
    except (FileNotFoundError, ValueError):
        return
    if program_of(pid) == daemon:
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: program_of(pid) != daemon, f"{daemon} has ended")


def run(*command):
    """Run a program that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")


def said(*command):
    """What a program says, whether it succeeds or not."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout


def wait_until(condition, what, seconds=300):
    """Ask every tenth of a second until `condition` holds; what it gave. `TimeoutError` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"it never came about that {what}")
        time.sleep(0.1)
    return holds
