"""Where each hazard and each target of the specification is tested or measured; a name that is none fails here.

The hazards are what goes wrong in tools of this kind, with our rule for each. The targets T1 to T15 are numbers: where
they are exact they are tests, where they are times they are benchmarks, whose figures are in
`docs/reference/benchmarks-sync.md`.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

HAZARDS = {
    "link out of the source": """
        local/test_scan.py::test_a_link_that_leaves_is_skipped_and_never_followed
        local/test_scan.py::test_a_detour_through_another_link_does_not_get_out
        local/test_scan.py::test_links_that_leave_can_be_an_error_that_names_all""",
    "pipe, socket, device": """
        local/test_scan.py::test_a_pipe_is_skipped_with_the_reason_and_does_not_block
        local/test_scan.py::test_a_socket_is_skipped_with_the_reason
        local/test_scan.py::test_a_device_is_skipped_with_the_reason""",
    "unreadable file": """
        local/test_scan.py::test_everything_unreadable_is_reported_at_once
        local/test_scan.py::test_permission_bits_are_noticed
        cli/test_command.py::test_unreadable_files_are_all_named_before_any_request
        cli/test_command.py::test_what_cannot_be_read_can_be_skipped_and_stays_at_the_target""",
    "name that is not UTF-8": """
        local/test_scan.py::test_names_are_bytes_from_end_to_end
        remote/test_sync.py::test_names_that_are_not_text_and_scripts_arrive
        cli/test_command.py::test_a_name_that_is_not_text_is_told_exactly""",
    "modification time before 1980 or after 2107": """
        local/test_scan.py::test_no_modification_time_is_a_problem
        local/test_pack.py::test_a_time_that_eight_bytes_cannot_say_is_left_out
        cli/test_push.py::test_files_in_packs_get_the_times_they_have_here_when_asked_for
        local/test_scan.py::test_a_time_beyond_the_range_of_64_bits_is_no_problem""",
    "execute bit": """
        local/test_scan.py::test_only_the_owners_execute_bit_makes_a_mode
        remote/test_receiver.py::test_modes_and_links_arrive""",
    "empty directories": """
        local/test_scan.py::test_empty_directories_are_dropped
        local/test_empty_dirs.py::test_directories_without_files_are_kept_when_asked_for
        remote/test_receiver.py::test_directories_without_files_are_kept_where_they_are_listed
        cli/test_push.py::test_folders_without_files_are_kept_when_asked_for
        local/test_selection.py::test_empty_directories_are_not_listed""",
    "file changes while it is read": """
        local/test_scan.py::test_files_that_never_hold_still_are_taken_as_they_were_read_and_looked_at_again
        local/test_pack.py::test_a_file_that_is_no_longer_as_planned_ends_the_pack
        remote/test_interrupted.py::test_a_file_that_changes_between_plan_and_push_is_an_error_and_nothing_happens""",
    "racy time stamps": """
        local/test_scan.py::test_a_rewrite_in_the_same_tick_with_the_same_size_is_noticed
        local/test_scan.py::test_a_file_changed_just_before_the_scan_is_read_again_next_time
        local/test_scan.py::test_a_file_from_the_future_is_read_each_time
        local/test_watch.py::test_a_change_within_the_same_instant_and_of_the_same_size_is_seen""",
    "poisoned or damaged state": """
        local/test_state.py::test_no_damage_is_ever_believed
        local/test_state.py::test_targets_that_differ_in_any_part_share_nothing
        local/test_state.py::test_a_folder_that_others_may_enter_is_not_used
        local/test_state.py::test_only_the_user_may_read_it""",
    "state of the target lost": """
        remote/test_sync.py::test_a_driver_that_lost_the_tree_gets_all_of_it
        remote/test_receiver.py::test_a_tree_that_was_removed_is_asked_for_again
        cli/test_push.py::test_a_damaged_state_is_never_taken_for_true""",
    "paths shared on the driver": """
        remote/test_refusals.py::test_a_root_that_somebody_else_prepared_is_not_used
        remote/test_receiver.py::test_two_sessions_of_one_project_have_trees_of_their_own
        remote/test_sync.py::test_two_kernels_of_one_project_do_not_disturb_each_other""",
    "directory to extract to": """
        remote/test_refusals.py::test_a_directory_that_must_not_be_taken_over_is_refused
        remote/test_refusals.py::test_the_home_directory_and_those_above_it_are_refused
        remote/test_refusals.py::test_a_directory_with_foreign_files_is_refused_and_an_empty_one_is_used""",
    "names that leave the tree on the driver": """
        remote/test_refusals.py::test_a_name_that_leaves_the_tree_or_is_reserved_is_refused
        remote/test_refusals.py::test_a_deletion_outside_the_tree_is_refused
        remote/test_refusals.py::test_a_link_that_leaves_the_tree_is_refused
        remote/test_refusals.py::test_what_the_code_made_in_the_way_is_not_followed_or_overwritten""",
    "names equal but for case or Unicode form": """
        local/test_manifest.py::test_names_that_differ_only_by_case_or_form_are_told
        cli/test_push.py::test_such_names_are_told_and_kept_where_they_can_be
        cli/test_push.py::test_names_that_a_volume_may_not_keep_apart_are_refused_before_any_request
        cli/test_push.py::test_a_notebook_and_a_file_of_one_name_are_refused_before_any_request""",
    ".databricks and .git": """
        local/test_selection.py::test_databricks_and_git_stay_out_whatever_the_rules_say
        local/test_selection.py::test_names_that_are_always_left_out_fold_with_the_case""",
    "size limits": """
        local/test_limits.py::test_every_file_over_the_limit_is_named_with_its_size_and_the_limit
        local/test_limits.py::test_a_folder_counts_all_that_is_below_it
        cli/test_command.py::test_a_size_limit_is_met_before_any_request""",
    "secrets": """
        local/test_secrets.py::test_a_secret_is_mentioned_with_its_reason_but_not_its_value
        local/test_secrets.py::test_secrets_can_be_an_error_that_names_all
        remote/test_sync.py::test_secrets_and_all_without_inline_stay_out_of_command_text
        cli/test_command.py::test_where_nobody_watches_a_file_that_looks_like_a_secret_is_refused""",
    "huge file, or a pack that unpacks to one": """
        local/test_pack.py::test_a_pack_is_never_in_memory_as_a_whole
        remote/test_refusals.py::test_a_pack_that_is_damaged_or_lies_is_refused""",
    "leftovers": """
        remote/test_sync.py::test_a_large_project_goes_through_the_chosen_store_and_leaves_nothing_there
        remote/test_sync.py::test_closing_leaves_nothing_on_the_workspace_or_the_driver
        remote/test_refusals.py::test_old_trees_of_dead_sessions_are_swept_and_live_ones_are_not
        cli/test_command.py::test_gc_removes_packs_that_killed_kernels_left""",
    "stale imports": """
        remote/test_receiver.py::test_loaded_modules_that_changed_are_named_and_their_bytecode_is_dropped
        remote/test_sync.py::test_an_edit_travels_alone_and_names_the_modules_to_reload""",
}

TARGETS = {
    "T1 the selection is git's": """
        local/test_selection_table.py::test_the_selection_is_gits
        local/test_fuzz.py::test_random_repositories_are_selected_as_git_selects_them
        local/test_real_repositories.py::test_repositories_of_a_directory_and_of_a_list_are_compared_and_are_too_few""",
    "T2 select and stat": "benchmarks/local_phases.py::measure",
    "T3 nothing changed, with a watch": """
        benchmarks/local_phases.py::measure_watch
        local/test_watch.py::test_random_changes_of_every_kind_are_seen_as_by_a_full_scan
        remote/test_sync.py::test_nothing_is_asked_when_nothing_has_changed""",
    "T4 first hashes": "benchmarks/local_phases.py::measure",
    "T5 load and save the state": "benchmarks/local_phases.py::measure",
    "T6 pack": """
        benchmarks/local_phases.py::measure_pack
        local/test_pack.py::test_a_pack_is_never_in_memory_as_a_whole""",
    "T7 one small file": """
        benchmarks/remote_phases.py::measure
        remote/test_sync.py::test_an_edit_among_ten_thousand_files_is_asked_for_nothing_but_travels_with_the_cell
        remote/test_sync.py::test_an_edit_travels_alone_and_names_the_modules_to_reload""",
    "T8 deletion and rename": """
        benchmarks/remote_phases.py::measure
        remote/test_sync.py::test_a_renamed_file_travels_by_its_name_alone
        remote/test_sync.py::test_an_edit_travels_alone_and_names_the_modules_to_reload""",
    "T9 first sync": "benchmarks/first_sync.py::measure",
    "T10 requests of a push": """
        cli/test_push.py::test_a_push_with_nothing_to_do_costs_two_requests_at_most
        cli/test_push.py::test_an_edit_costs_four_requests_in_a_row_and_sends_nothing_else""",
    "T11 kills": """
        remote/test_crash.py::test_a_kill_before_any_step_leaves_the_old_or_the_new_tree
        remote/test_interrupted.py::test_a_client_killed_before_any_request_leaves_the_old_or_the_new_tree
        cli/test_killed_push.py::test_a_push_killed_at_any_request_converges_with_the_next""",
    "T12 two sessions": "remote/test_interrupted.py::test_two_sessions_of_one_project_interleave_without_crosstalk",
    "T13 edits during a sync": """
        remote/test_interrupted.py::test_an_edit_during_the_sync_is_never_lost
        local/test_scan.py::test_no_edit_during_a_sync_is_ever_lost""",
    "T14 refused before any request": """
        cli/test_command.py::test_a_size_limit_is_met_before_any_request
        cli/test_command.py::test_unreadable_files_are_all_named_before_any_request
        cli/test_command.py::test_troubles_of_the_source_and_of_settings_have_their_codes
        cli/test_push.py::test_names_that_a_volume_may_not_keep_apart_are_refused_before_any_request
        cli/test_push.py::test_a_notebook_and_a_file_of_one_name_are_refused_before_any_request
        remote/test_sync.py::test_what_cannot_be_read_is_told_before_any_request
        remote/test_sync.py::test_names_that_a_volume_may_not_keep_apart_are_refused_before_any_request
        cli/test_command.py::test_where_nobody_watches_a_file_that_looks_like_a_secret_is_refused""",
    "T15 import": """
        local/test_import.py::test_importing_takes_less_than_60_milliseconds
        local/test_import.py::test_planning_imports_nothing_heavy
        cli/test_command.py::test_help_and_version_start_quickly_and_load_little""",
}


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("places", [*HAZARDS.values(), *TARGETS.values()], ids=[*HAZARDS, *TARGETS])
def test_what_is_specified_is_tested(places: str):
    for place in places.split():
        file, _, name = place.partition("::")
        assert name in functions_of(TESTS / file), place
