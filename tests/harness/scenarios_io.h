/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SCENARIOS_IO_H
#define TESTS_SCENARIOS_IO_H

/* The scenarios of the io floor: what scenarios.c has no room for. */

#include "celadon/task.h"

cel_task_fn scenario_process, scenario_process_stop, scenario_paths, scenario_descriptors,
    scenario_relay, scenario_send_file, scenario_serve, scenario_writer, scenario_read_lines,
    scenario_signals, scenario_watch, scenario_datagram_batch, scenario_share, scenario_wait_fds;

#endif
