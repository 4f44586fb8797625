/* SPDX-License-Identifier: MIT */
#ifndef TESTS_SCENARIO_TLS_H
#define TESTS_SCENARIO_TLS_H

/* Both sides' TLS for the scenarios of a program that speak it, made before the first of them. */

#include "celadon/net.h"
#include "harness/scenarios.h"
#include "io/certs.h"

static struct cel_tls *server_tls, *client_tls;

int scenarios_open(void **state)
{
    if (make_certs(state) < 0)
        return -1;
    if (cel_tls_new(&server_tls, &(struct cel_tls_options){.cert_file = cert_path("good"),
                                                           .alpn = "http/1.1"}) < 0)
        return -1;
    return cel_tls_new(&client_tls,
                       &(struct cel_tls_options){.ca_file = cert_path("ca"), .alpn = "http/1.1"});
}

int scenarios_close(void **state)
{
    cel_tls_free(server_tls);
    cel_tls_free(client_tls);
    return remove_certs(state);
}

#endif
