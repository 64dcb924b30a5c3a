"""The modules that decide, and the few test files that guard each: the quickest first."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["GUARDS"]


def _of(folder: str, guards: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Modules of one folder, each with its tests as names: `clock` is tests/…/test_clock.py."""
    found: dict[str, tuple[str, ...]] = {}
    for module, tests in guards.items():
        found[f"{folder}/{module}.py"] = tuple(
            f"tests/{test.rpartition('/')[0]}/test_{test.rpartition('/')[2]}.py".replace("//", "/")
            for test in tests.split()
        )
    return found


GUARDS: Mapping[str, tuple[str, ...]] = {
    **_of(
        "tempo_edge",
        {
            "moment": "moment search/copies timeline/timeline",
            "saa": "saa library/looks",
            "eta": "eta search/boundaries search/prompt",
            "eta_vocabulary": "eta search/grammar",
            "quantization": "quantization",
        },
    ),
    **_of(
        "tempo_edge/search",
        {
            "retrieve": "search/retrieve search/searcher",
            "window": "search/retrieve search/reading search/grounder_conformance",
            "similarity": "search/curve search/candidates search/searcher",
            "calibrate": "search/calibrate search/candidates evaluation/fitting",
            "candidates": "search/candidates search/curve search/reading search/searcher",
            "continuity": "search/continuity search/parts evaluation/shape",
            "scope": "search/scope",
            "searcher": "search/searcher search/copies search/reading library/api",
            "refine": "search/refine search/searcher",
            "copies": "search/copies library/api",
        },
    ),
    **_of(
        "tempo_edge/search/grounders",
        {
            "base": "search/grounder_conformance search/searcher",
            "curve": "search/curve search/candidates search/grounder_conformance",
            "windowed": "search/reading search/candidates search/grounder_conformance",
            "context_window": "search/reading search/grounder_conformance",
            "mllm": "search/reading search/grounder_conformance search/searcher",
            "vlm": "search/grounder_conformance",
            "boundaries": "search/boundaries search/grammar",
            "grammar": "search/grammar search/spelling search/draft",
            "token_constraint": "search/spelling search/grammar",
            "draft": "search/draft search/prompt",
            "prompt": "search/prompt search/reading",
        },
    ),
    **_of(
        "tempo_edge/attention",
        {
            "key_frames": "saa library/looks",
            "novelty": "saa library/looks",
            "sampling_plan": "saa library/looks",
            "token_shares": "saa library/looks",
        },
    ),
    **_of("tempo_edge/store", {"rows": "store/exact_seconds search/retrieve library/damaged"}),
    **_of(
        "tempo_edge/store/embedded",
        {
            "catalogue": "store/conformance/kept_rows store/conformance/transactions store/sqlite "
            "library/one_file library/incremental",
            "database_file": "store/lock library/one_file store/sqlite",
            "database": "store/conformance/openings store/conformance/transactions store/sqlite "
            "library/damaged library/one_file store/lock",
            "columns": "store/conformance/kept_rows store/sqlite library/damaged",
            "vectors": "store/conformance/nearest store/vectors store/vector_files store/rebuilds "
            "library/one_file",
            "vector_files": "store/vector_files store/vectors store/rebuilds",
            "lock": "store/conformance/two_processes store/lock library/incremental",
            "backup": "store/conformance/openings library/one_file store/sqlite",
        },
    ),
    **_of(
        "tempo_edge/indexing",
        {
            "journal": "library/incremental library/one_file",
            "presence": "cli/counts library/incremental library/volumes",
            "survey": "library/incremental library/volumes library/contents",
            "walk": "library/walk library/selection library/volumes",
            "selection": "library/selection library/walk library/excluding",
            "exclusion": "library/excluding library/selection library/walk",
            "footage": "library/looks saa library/bad_files media/endings library/incremental",
            "reading": "library/bad_files library/looks",
            "indexer": "library/incremental library/contents library/bad_files library/volumes",
            "session": "library/contents library/incremental cli/find",
            "watcher": "library/waiting library/watching",
        },
    ),
    **_of(
        "tempo_edge/media",
        {
            "_clock": "media/clock",
            "_packets": "media/packet_rows media/times media/runs media/key_flags media/clock "
            "media/conformance",
            "_keys": "media/key_flags media/conformance media/runs",
            "_bounds": "media/bounds",
            "_promises": "media/bounds",
            "_streams": "media/streams media/failures media/times",
            "_restarts": "media/clock media/times",
            "_ending": "media/endings media/times",
            "_truncation": "media/truncation media/damage",
            "_counting": "media/counting",
            "_straight": "media/key_flags media/conformance",
            "orientation": "media/frames media/conformance",
            "_frame": "media/frames",
            "_decoding": "media/decoding media/runs media/key_flags media/damage media/conformance",
            "_reader": "media/runs media/times media/conformance media/damage",
            "container": "media/failures media/damage media/references media/runs",
            "_types": "media/runs media/times media/key_flags saa",
            "timecode_track": "timeline/timeline_start",
            "stills": "media/stills",
        },
    ),
    **_of(
        "tempo_edge/service",
        {
            "http/files": "service/files service/contract",
            "transport/guard": "service/guard",
            "transport/token": "service/guard",
        },
    ),
    **_of(
        "tempo_edge/train",
        {
            "grounder/grpo/rewards": "train/rewards train/pir_grpo",
            "grounder/grpo/objective": "train/objective",
            "grounder/grpo/operating_point": "train/rewards",
            "grounder/grpo/quotas": "train/pir_grpo",
            "grounder/grpo/pir_grpo": "train/pir_grpo train/grpo_step",
        },
    ),
    **_of(
        "tempo_edge/evaluation/metrics",
        {
            "grounding": "evaluation/metrics",
            "highlights": "evaluation/metrics",
            "lines": "evaluation/metrics",
            "precision": "evaluation/metrics",
            "qvhighlights": "evaluation/metrics",
            "rejection": "evaluation/metrics",
            "sentences": "evaluation/metrics",
            "spans": "evaluation/metrics benchmarks/moment_scoring",
        },
    ),
    **_of(
        "tempo_edge/timeline",
        {
            "timecode": "timeline/timeline_code timeline/timeline_start timeline/timeline",
            "edl": "timeline/timeline timeline/timeline_start",
            "fcpxml": "timeline/timeline timeline/timeline_start",
            "cuts": "timeline/timeline timeline/timeline_start plugins/timeline_command",
        },
    ),
    **_of(
        "kernels/tempo_kernels",
        {
            "reference": "kernels/difference",
            "cpu": "kernels/difference kernels/compilation",
            "difference": "kernels/difference",
        },
    ),
    **_of(
        "tempo_edge/models",
        {
            "bundle": "models/bundle models/hostile",
            "pull": "models/pull",
            "description": "models/profiles models/hostile models/bundle",
        },
    ),
}
