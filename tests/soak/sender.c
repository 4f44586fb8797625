/* SPDX-License-Identifier: MIT */
/* SIGUSR1 to a process, so many a second, in bursts of a millisecond's worth, until SIGTERM.
 *
 *   soak_sender PID A_SECOND
 *
 * Prints how many were sent, and how long it took. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static volatile sig_atomic_t is_enough;

static void stop(int signo)
{
    (void)signo;
    is_enough = 1;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    double begin = now(), rate;
    unsigned long sent = 0;
    pid_t pid;

    if (argc != 3)
        return 2;
    pid = (pid_t)strtol(argv[1], NULL, 10);
    rate = strtod(argv[2], NULL);
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = stop}, NULL);
    while (!is_enough) {
        unsigned long due = (unsigned long)((now() - begin) * rate);

        for (; sent < due; sent++)
            if (kill(pid, SIGUSR1) < 0)
                return 1;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    printf("{\"sent\": %lu, \"seconds\": %.3f}\n", sent, now() - begin);
    return 0;
}
