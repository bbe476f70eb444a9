// A library for LD_PRELOAD: file operations of a process fail as a control file says.
//
// ELOQDB_FAULTS names the control file. It is mapped, so that rules hold at once while the process
// runs. It has RULES rules of RULE_SIZE bytes, all numbers little-endian (injector.rs writes them):
//
//   offset  size  field
//        0     4  active      0: the rule does nothing
//        4     4  operations  a bit for each kind of operation, below
//        8     4  what        an errno; -1: half of the bytes; 0: nothing but the delay
//       12     4  skip        so many matching calls pass first
//       16     4  times       so many calls after them are affected; 0: all
//       20     4  delay       microseconds before the call
//       24     4  seen        matching calls so far (written here)
//       28     4  hits        affected calls so far (written here)
//       32   224  path        a part of the file's path, ended by 0

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define RULES 16
#define RULE_SIZE 256

enum operation {
    OPEN = 1,
    CREATE = 2,
    READ = 4,
    WRITE = 8,
    SYNC = 16,
    TRUNCATE = 32,
    RENAME = 64,
    UNLINK = 128,
};

struct rule {
    uint32_t active, operations;
    int32_t what;
    uint32_t skip, times, delay, seen, hits;
    char path[RULE_SIZE - 32];
};

_Static_assert(sizeof(struct rule) == RULE_SIZE, "the layout of injector.rs");

static struct rule *rules;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void map_rules(void) {
    const char *path = getenv("ELOQDB_FAULTS");
    if (!path) return;
    int file = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (file < 0) abort();
    void *map = mmap(NULL, RULES * RULE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (map == MAP_FAILED) abort();
    rules = map;
}

// What happens to an operation on a path: an errno, -1, or 0. Waits first where it has to.
static int verdict(enum operation operation, const char *path) {
    for (int i = 0; rules && path && i < RULES; i++) {
        struct rule *rule = &rules[i];
        if (!__atomic_load_n(&rule->active, __ATOMIC_ACQUIRE) || !(rule->operations & operation)) continue;
        if (!strstr(path, rule->path)) continue;
        uint32_t seen = __atomic_fetch_add(&rule->seen, 1, __ATOMIC_SEQ_CST);
        if (seen < rule->skip || (rule->times && seen - rule->skip >= rule->times)) continue;
        __atomic_fetch_add(&rule->hits, 1, __ATOMIC_SEQ_CST);
        if (rule->delay) usleep(rule->delay);
        if (rule->what) return rule->what;
    }
    return 0;
}

static int any(enum operation operation) {
    for (int i = 0; rules && i < RULES; i++)
        if (rules[i].active && (rules[i].operations & operation)) return 1;
    return 0;
}

static int verdict_on_file(enum operation operation, int file) {
    if (!any(operation)) return 0;
    char name[64], path[4096];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    ssize_t length = readlink(name, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return verdict(operation, path);
}

#define FAIL_IF(judged)                  \
    do {                                 \
        int failed = (judged);           \
        if (failed > 0) {                \
            errno = failed;              \
            return -1;                   \
        }                                \
    } while (0)

// The same for operations that can be done in part.
#define FAIL_OR_HALVE(judged, count)              \
    do {                                          \
        int failed = (judged);                    \
        if (failed > 0) {                         \
            errno = failed;                       \
            return -1;                            \
        }                                         \
        if (failed < 0 && (count) > 1) (count) /= 2; \
    } while (0)

static int opening(int flags) {
    return flags & O_CREAT ? OPEN | CREATE : OPEN;
}

static int judge_open(const char *path, int flags) {
    int failed = verdict(OPEN, path);
    if (!failed && (opening(flags) & CREATE)) failed = verdict(CREATE, path);
    return failed;
}

#define OPEN_LIKE(name)                                       \
    int name(const char *path, int flags, ...) {              \
        va_list rest;                                         \
        va_start(rest, flags);                                \
        mode_t mode = va_arg(rest, mode_t);                   \
        va_end(rest);                                         \
        FAIL_IF(judge_open(path, flags));                     \
        return REAL(name)(path, flags, mode);                 \
    }

#define OPENAT_LIKE(name)                                         \
    int name(int directory, const char *path, int flags, ...) {   \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode_t mode = va_arg(rest, mode_t);                       \
        va_end(rest);                                             \
        FAIL_IF(judge_open(path, flags));                         \
        return REAL(name)(directory, path, flags, mode);          \
    }

OPEN_LIKE(open)
OPEN_LIKE(open64)
OPENAT_LIKE(openat)
OPENAT_LIKE(openat64)

ssize_t read(int file, void *bytes, size_t count) {
    FAIL_OR_HALVE(verdict_on_file(READ, file), count);
    return REAL(read)(file, bytes, count);
}

ssize_t write(int file, const void *bytes, size_t count) {
    FAIL_OR_HALVE(verdict_on_file(WRITE, file), count);
    return REAL(write)(file, bytes, count);
}

ssize_t writev(int file, const struct iovec *pieces, int count) {
    FAIL_IF(verdict_on_file(WRITE, file));
    return REAL(writev)(file, pieces, count);
}

#define PREAD_LIKE(name)                                                  \
    ssize_t name(int file, void *bytes, size_t count, off_t offset) {     \
        FAIL_OR_HALVE(verdict_on_file(READ, file), count);                \
        return REAL(name)(file, bytes, count, offset);                    \
    }

#define PWRITE_LIKE(name)                                                   \
    ssize_t name(int file, const void *bytes, size_t count, off_t offset) { \
        FAIL_OR_HALVE(verdict_on_file(WRITE, file), count);                 \
        return REAL(name)(file, bytes, count, offset);                      \
    }

PREAD_LIKE(pread)
PREAD_LIKE(pread64)
PWRITE_LIKE(pwrite)
PWRITE_LIKE(pwrite64)

int fsync(int file) {
    FAIL_IF(verdict_on_file(SYNC, file));
    return REAL(fsync)(file);
}

int fdatasync(int file) {
    FAIL_IF(verdict_on_file(SYNC, file));
    return REAL(fdatasync)(file);
}

int ftruncate(int file, off_t length) {
    FAIL_IF(verdict_on_file(TRUNCATE, file));
    return REAL(ftruncate)(file, length);
}

int ftruncate64(int file, off64_t length) {
    FAIL_IF(verdict_on_file(TRUNCATE, file));
    return REAL(ftruncate64)(file, length);
}

int rename(const char *from, const char *to) {
    int judged = verdict(RENAME, to);
    FAIL_IF(judged ? judged : verdict(RENAME, from));
    return REAL(rename)(from, to);
}

int unlink(const char *path) {
    FAIL_IF(verdict(UNLINK, path));
    return REAL(unlink)(path);
}
