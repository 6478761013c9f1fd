/* SPDX-License-Identifier: Apache-2.0 */
/* The program under measurement: `weir relay` as a process of its own, its CPU and the most memory it ever had resident
 * (VmHWM: what it had before it was this program does not count). Included by outbox_*_bench.c. */
#ifndef BENCH_OUTBOX_RELAY_H
#define BENCH_OUTBOX_RELAY_H

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "kit/program.h"
#include "outbox_scene.h"

enum { RELAY_STEP_MS = 5, RELAY_WAIT_S = 600, RELAY_MEMORY_KIB = 32 << 10 };

struct measured {
    pid_t pid;
    const char *name; /* of the program, for complaints; its output goes into a log of that name */
    double started;
    long peak_kib;
    double cpu_s; /* user and system, all threads, as of the last look */
};

static inline void measured_sleep(void) {
    nanosleep(&(struct timespec){.tv_nsec = RELAY_STEP_MS * 1000000L}, NULL);
}

static inline _Noreturn void measured_failed(const struct measured *program, const char *why) {
    char *log = NULL, name[300];
    size_t size = 0;
    snprintf(name, sizeof name, "%s.log", program->name);
    if (file_read(&log, &size, kit_path(name), 1 << 20, NULL) == WEIR_OK && size > 0)
        fprintf(stderr, "%s\n", size > 2000 ? log + size - 2000 : log);
    stop(program->name, why);
}

static inline void measured_start(struct measured *program, const char *name, const char *const *argv,
                                  const char *const *environ_add) {
    char log[300];
    snprintf(log, sizeof log, "%s.log", name);
    int out = open(kit_path(log), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    *program = (struct measured){.name = name, .started = now_s()};
    MUST(process_start(&program->pid,
                       &(struct process_options){.argv = argv,
                                                 .environ_add = environ_add,
                                                 .in = -1,
                                                 .out = out,
                                                 .err = out,
                                                 .die_with_parent = true},
                       err));
    close(out);
}

/* What /proc says of it now; nothing changes when it is gone. */
static inline void measured_look(struct measured *program) {
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/status", (int)program->pid);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmHWM:", 6) == 0)
            program->peak_kib = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    snprintf(path, sizeof path, "/proc/%d/stat", (int)program->pid);
    file = fopen(path, "re");
    if (file && fgets(line, sizeof line, file) && strrchr(line, ')')) {
        unsigned long long user = 0, system = 0;
        (void)sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user,
                     &system);
        if (user + system > 0)
            program->cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    }
    if (file)
        fclose(file);
}

/* To its end, which must be a good one; how many seconds it ran. */
static inline double measured_wait(struct measured *program) {
    int status;
    for (;;) {
        measured_look(program);
        pid_t ended = waitpid(program->pid, &status, WNOHANG);
        if (ended == program->pid)
            break;
        if (now_s() - program->started > RELAY_WAIT_S)
            measured_failed(program, "did not end in time");
        measured_sleep();
    }
    if (status != 0)
        measured_failed(program, "failed");
    return now_s() - program->started;
}

/* A program that runs on: until the stream holds so many events. */
static inline void measured_until_stored(struct measured *program, const struct scene *scene, long count) {
    double start = now_s();
    while (scene_stored(scene) < count) {
        measured_look(program);
        if (!process_alive(program->pid))
            measured_failed(program, "ended before its work was done");
        if (now_s() - start > RELAY_WAIT_S)
            measured_failed(program, "did not bring every event in time");
        measured_sleep();
    }
    measured_look(program);
}

static inline void measured_end(struct measured *program) {
    measured_look(program);
    process_stop(program->pid, 10000);
}

/* weir relay; mode may be NULL. It ends by itself (--once), or runs until measured_end. */
static inline void relay_start(struct measured *program, const struct scene *scene, const char *url,
                               const char *mode, bool once) {
    const char *argv[16] = {
        kit_program("weir"),           "relay",    "--catalog", scene->catalog_folder, "--server",
        kit_server_url(scene->server), "--outbox", url};
    size_t count = 8;
    if (mode) {
        argv[count++] = "--mode";
        argv[count++] = mode;
    }
    if (once)
        argv[count++] = "--once";
    measured_start(program, "weir-relay", argv, NULL);
}

/* --- what it is compared with ------------------------------------------------------------------------------- */

static inline double per_event_us(const struct measured *program, long events) {
    return program->cpu_s * 1e6 / (double)events;
}

/* The lines that count: what was reached, what it is held against, and whether that is what is wanted. */
static inline void print_ratio(const char *what, double numerator, double denominator, const char *unit,
                               double wanted, bool at_least) {
    double ratio = numerator / denominator;
    bool met = at_least ? ratio >= wanted : ratio <= wanted;
    printf("  => %s: %.0f over %.0f %s = %.2f (wanted: at %s %.2f%s)\n", what, numerator, denominator, unit,
           ratio, at_least ? "least" : "most", wanted, met ? "" : ", MISSED");
}

static inline void print_rate(double rate, double wanted) {
    printf("  => %.0f events/s (wanted: at least %.0f%s)\n", rate, wanted, rate >= wanted ? "" : ", MISSED");
}

static inline void print_memory(long peak_kib) {
    printf("  => memory of the relay: %.1f MiB (wanted: at most %.0f%s)\n", (double)peak_kib / 1024,
           RELAY_MEMORY_KIB / 1024.0, peak_kib <= RELAY_MEMORY_KIB ? "" : ", MISSED");
}

#endif
