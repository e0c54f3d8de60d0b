"""Whatever happens to jobs, the node, slurmctld or the main process: the same command ends with the same tables."""

import os
import signal
import time

from running import CURVE
from single_node import run, wait_until


def test_a_cancelled_job_is_submitted_again_with_more(cluster, study, expected):
    main = study.start()
    study.frozen_script()
    first = cluster.only_job()
    run("scancel", first["id"])
    second = cluster.job_after(first)
    assert (second["limit"], second["memory"]) == ("20:00", twice(first["memory"]))
    assert f"SLURM-job '{first['id']}' failed, SLURM status is: 'CANCELLED'" in main.must_succeed()
    assert study.results() == expected.results()


def test_a_job_over_its_time_is_submitted_again_with_more(cluster, study, expected):
    main = study.start()
    study.frozen_script()
    first = cluster.only_job()
    assert first["limit"] == "10:00"
    # Limits are whole minutes, and slurmctld looks twice a minute: the job's end is brought forward instead.
    run("scontrol", "update", f"JobId={first['id']}", "EndTime=now+3")
    assert cluster.job_after(first)["limit"] == "20:00"
    assert f"SLURM-job '{first['id']}' failed, SLURM status is: 'TIMEOUT'" in main.must_succeed()
    assert study.results() == expected.results()


def test_a_drained_node_takes_jobs_again_when_it_is_resumed(cluster, study, expected):
    cluster.update_node("drain")
    try:
        main = study.start("--set-resources", "prune_network:gpu=1", "prune_network:slurm_partition=gpu")
        waiting = wait_until(lambda: cluster.jobs("PENDING"), "the job waits")[0]
    finally:
        cluster.update_node("resume")
    assert waiting["partition"] == "gpu" and "gpu:1" in cluster.request(waiting)
    main.must_succeed()
    assert cluster.jobs("COMPLETED")[-1]["id"] == waiting["id"]
    assert study.results() == expected.results()


def test_a_job_goes_on_while_slurmctld_is_restarted(cluster, study, expected):
    main = study.start()
    script = study.frozen_script()
    cluster.stop_controller()
    time.sleep(5)  # status checks in vain
    os.kill(script, signal.SIGCONT)
    cluster.start_controller()
    main.must_succeed()
    assert study.results() == expected.results()


def test_after_ctrl_c_no_job_is_left(cluster, study, expected):
    main = study.start()
    study.frozen_script()
    main.process.send_signal(signal.SIGINT)
    cluster.wait_until_no_job()
    code, _ = main.end()
    assert code != 0
    study.start().must_succeed()
    assert study.results() == expected.results()


def test_after_sigterm_running_jobs_are_awaited_and_no_more_submitted(cluster, study, expected):
    main = study.start()
    script = study.frozen_script()
    job = cluster.only_job()
    main.process.terminate()
    main.says("Will exit after finishing currently running jobs")
    os.kill(script, signal.SIGCONT)
    code, text = main.end()
    assert code != 0 and not (study.folder / "results/slurm/tables").exists(), text
    again = study.start().must_succeed()
    assert job["id"] == cluster.jobs("COMPLETED")[-1]["id"], again  # none after it
    assert study.results() == expected.results()


def test_what_a_killed_main_process_left_behind_is_named_and_never_doubled(cluster, study, expected):
    main = study.start()
    study.frozen_script()
    main.process.kill()
    main.process.wait()
    orphan = cluster.only_job()

    code, text = study.start().end()
    assert code != 0 and "--unlock" in text
    study.start("--unlock").must_succeed()
    code, text = study.start().end()
    assert code != 0
    assert (
        f"SLURM still has 1 of another run's jobs for {study.folder}: {orphan['id']} (running: rule_prune_network"
        in text
    )
    assert cluster.only_job() == orphan

    run("scancel", orphan["id"])
    cluster.wait_until_no_job()
    study.start().must_succeed()
    assert study.results() == expected.results()


def test_an_orphan_that_ends_by_itself_is_taken_over(cluster, study, expected):
    main = study.start()
    script = study.frozen_script()
    main.process.kill()
    main.process.wait()
    os.kill(script, signal.SIGCONT)
    cluster.wait_until_no_job()
    study.start("--unlock").must_succeed()
    study.start().must_succeed()
    assert study.results() == expected.results()


def twice(memory):
    """Two times a size as squeue writes it, like 1016M."""
    return f"{2 * int(memory.removesuffix('M'))}M"


def test_a_job_beside_an_orphan_sees_its_lock_and_leaves_the_output_to_it(cluster, study, expected):
    main = study.start()
    script = study.frozen_script()
    main.process.kill()
    main.process.wait()

    # Under another name the orphan is not found, as it would not be from another cluster that shares the disk.
    study.start("--unlock").must_succeed()
    code, text = study.start("--slurm-jobname-prefix", "other", "--retries", "0").end()
    assert code != 0
    assert f"error: {CURVE} is being worked on by process {script} on {cluster.host}" in text

    os.kill(script, signal.SIGCONT)
    cluster.wait_until_no_job()
    study.start().must_succeed()
    assert study.results() == expected.results()
