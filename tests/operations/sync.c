/* Loaded before the C library: fdatasync of a segment in the directory "fwlog" fails with EIO while the
   file that ELOQDB_TEST_SYNC names exists. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fdatasync(int file) {
    static int (*real)(int);
    const char *on = getenv("ELOQDB_TEST_SYNC");
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (readlink(link, path, sizeof path - 1) < 0) path[0] = 0;
    if (on && strstr(path, "/fwlog/fw-") && access(on, F_OK) == 0) {
        errno = EIO;
        return -1;
    }
    if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    return real(file);
}
