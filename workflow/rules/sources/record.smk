# Archives of a record (Zenodo's, say) to clips and their log-mel energies: what data.smk and features.smk do for other
# sources. An archive's MD5 stands for its content: nothing depends on where it came from, and nothing is fetched again
# because an address or the code that fetches has changed.

# Archives that are fetched at the same time, unless --resources says otherwise.
snakemake_internals.set_limit_unless_given(workflow, "downloads", 2)

RECORD = DATASET["record"]
ARCHIVES = {archive["name"]: archive for archive in SOURCE.archives}
AUDIO_ARCHIVES = [archive["name"] for archive in RECORD["audio"]]
# An archive goes as soon as nobody needs it, unless archives are kept.
unless_kept = str if RECORD["keep_archives"] else temp


wildcard_constraints:
    archive="|".join(map(re.escape, ARCHIVES)),


# Archives of the user's own are linked to: Snakemake then deletes no more than the link.
if RECORD["archives"] is None:

    rule download_archive:
        output:
            archive=unless_kept(f"{DATA}/archives/{{archive}}"),
            checksum=f"{DATA}/checksums/{{archive}}.md5",
        log:
            f"{DATA}/logs/archives/{{archive}}.log",
        # The metadata first: no archive can be read without them.
        priority: lambda wildcards: 3 * (wildcards.archive == RECORD["metadata"]["name"])
        localrule: True
        conda:
            "../../../envs/environment.yaml"
        # It waits for the network, and holds up no computation.
        threads: 0
        resources:
            downloads=1,
        params:
            bytes=lambda wildcards: ARCHIVES[wildcards.archive]["bytes"],
            md5=lambda wildcards: ARCHIVES[wildcards.archive]["md5"],
            # The address decides nothing: what depends on resources is not compared.
            url=lambda wildcards, resources: f"{RECORD['address'].rstrip('/')}/{wildcards.archive}",
            licence=untracked(RECORD["licence"]),
        message:
            "Downloading {wildcards.archive}"
        script:
            "../../scripts/download_archive.py"

else:

    rule link_archive:
        output:
            archive=unless_kept(f"{DATA}/archives/{{archive}}"),
            checksum=f"{DATA}/checksums/{{archive}}.md5",
        log:
            f"{DATA}/logs/archives/{{archive}}.log",
        # The metadata first: no archive can be read without them.
        priority: lambda wildcards: 3 * (wildcards.archive == RECORD["metadata"]["name"])
        localrule: True
        conda:
            "../../../envs/environment.yaml"
        params:
            bytes=lambda wildcards: ARCHIVES[wildcards.archive]["bytes"],
            md5=lambda wildcards: ARCHIVES[wildcards.archive]["md5"],
            folder=untracked(RECORD["archives"]),
        message:
            "Checking {wildcards.archive}"
        script:
            "../../scripts/link_archive.py"


rule list_record:
    input:
        f"{DATA}/archives/{RECORD['metadata']['name']}",
    output:
        meta=SOURCE.table,
        lists=directory(SOURCE.lists),
    log:
        f"{DATA}/logs/list_record.log",
    localrule: True
    conda:
        "../../../envs/environment.yaml"
    params:
        # No code: what is written is the archive's own.
        devices=DATASET["devices"],
        expected=untracked(DATASET.get("expected", {})),
    message:
        "Listing the clips of the record"
    script:
        "../../scripts/list_record.py"


# First in line, and all cores at once: the sooner an archive is read, the smaller the disk may be.
rule extract_archive:
    input:
        # The checksum stands for the archive, whose time stamp then does not matter.
        checksum=f"{DATA}/checksums/{{archive}}.md5",
        archive=ancient(f"{DATA}/archives/{{archive}}"),
        meta=SOURCE.table,
    output:
        features=temp(f"{DATA}/shards/{{archive}}.npy"),
        clips=temp(f"{DATA}/shards/{{archive}}.csv"),
    log:
        f"{DATA}/logs/shards/{{archive}}.log",
    priority: 2
    conda:
        "../../../envs/environment.yaml"
    threads: workflow.cores
    resources:
        # In the place of a download: archives that are read more slowly than they come would fill the disk.
        downloads=0 if RECORD["keep_archives"] or RECORD["archives"] else 1,
        mem_mb=decoding_memory,
        runtime=decoding_minutes,
    params:
        code=code("extract_archive"),
        arithmetic=ARITHMETIC,
        devices=DATASET["devices"],
        features=DATASET["features"],
        keep_audio=untracked(DATA if RECORD["keep_audio"] else None),
    message:
        "Computing log-mel features of {wildcards.archive}"
    script:
        "../../scripts/extract_archive.py"


rule merge_shards:
    input:
        features=expand(f"{DATA}/shards/{{archive}}.npy", archive=AUDIO_ARCHIVES),
        clips=expand(f"{DATA}/shards/{{archive}}.csv", archive=AUDIO_ARCHIVES),
        meta=SOURCE.table,
    output:
        clips=f"{DATA}/clips.csv",
        store=f"{DATA}/logmel.h5",
        findings=f"{DATA}/findings.csv",
        manifest=f"{DATA}/manifest.json",
    log:
        f"{DATA}/logs/merge_shards.log",
    conda:
        "../../../envs/environment.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=decoding_minutes,
    params:
        code=code("merge_shards"),
        arithmetic=ARITHMETIC,
        content=CONTENT,
    message:
        "Merging the archives' features"
    script:
        "../../scripts/merge_shards.py"
