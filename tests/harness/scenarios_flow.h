/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SCENARIOS_FLOW_H
#define TESTS_SCENARIOS_FLOW_H

/* Scenarios of what tasks wait for each other with; lines of the table in scenarios.c. */

void *flow_lock(void *arg);
void *flow_rlock(void *arg);
void *flow_cond(void *arg);
void *flow_sem(void *arg);
void *flow_gates(void *arg);
void *flow_barrier(void *arg);
void *flow_once(void *arg);
void *flow_rwlock(void *arg);
void *flow_rendezvous(void *arg);
void *flow_pipeline(void *arg);
void *flow_select(void *arg);
void *flow_queue(void *arg);
void *flow_pool(void *arg);
void *flow_map(void *arg);
void *flow_imap(void *arg);
void *flow_pile(void *arg);
void *flow_kill(void *arg);
void *flow_timeout(void *arg);
void *flow_locals(void *arg);
void *flow_race(void *arg);
void *flow_shield(void *arg);
void *flow_abandon(void *arg);

#define FLOW_SCENARIOS                                                                            \
    {"lock", flow_lock}, {"rlock", flow_rlock}, {"cond", flow_cond}, {"sem", flow_sem},           \
        {"gates", flow_gates}, {"barrier", flow_barrier}, {"once", flow_once},                    \
        {"rwlock", flow_rwlock}, {"rendezvous", flow_rendezvous}, {"pipeline", flow_pipeline},    \
        {"select", flow_select}, {"queue", flow_queue}, {"pool", flow_pool}, {"map", flow_map},   \
        {"imap", flow_imap}, {"pile", flow_pile}, {"kill", flow_kill}, {"timeout", flow_timeout}, \
        {"locals", flow_locals}, {"race", flow_race}, {"shield", flow_shield},                    \
    {                                                                                             \
        "abandon", flow_abandon, .leaves_thread = true                                            \
    }

#endif
