/* The time of day of a process, moved by an offset that lies in a file (int64, nanoseconds) and may change at any
 * moment. For LD_PRELOAD. The monotonic clock stays as it is, as it does when a real clock is stepped; a deadline
 * given in the time of day (they are far above any monotonic one) is turned back into the machine's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *offset_ns;
static const int64_t SECOND = 1000000000;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("CHAOS_CLOCK_OFFSET");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *page = file < 0 ? MAP_FAILED : mmap(NULL, 8, PROT_READ, MAP_SHARED, file, 0);
    if (file >= 0) close(file);
    if (page != MAP_FAILED) offset_ns = page;
}

static struct timespec moved(struct timespec at, int64_t by_ns) {
    int64_t ns = at.tv_sec * SECOND + at.tv_nsec + by_ns;
    return (struct timespec){ns / SECOND, ns % SECOND};
}

static struct timespec real_deadline(const struct timespec *at) {
    return offset_ns && at->tv_sec > 1000000000 ? moved(*at, -*offset_ns) : *at;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && offset_ns && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        *now = moved(*now, *offset_ns);
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec at;
    int failed = clock_gettime(CLOCK_REALTIME, &at);
    *now = (struct timeval){at.tv_sec, at.tv_nsec / 1000};
    return failed;
}

time_t time(time_t *now) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (now) *now = at.tv_sec;
    return at.tv_sec;
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *at) {
    static int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
    if (!real) real = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
    if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
    struct timespec deadline = real_deadline(at);
    return real(cond, mutex, &deadline);
}

int cnd_timedwait(cnd_t *cond, mtx_t *mutex, const struct timespec *at) {
    static int (*real)(cnd_t *, mtx_t *, const struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "cnd_timedwait");
    struct timespec deadline = real_deadline(at);
    return real(cond, mutex, &deadline);
}
