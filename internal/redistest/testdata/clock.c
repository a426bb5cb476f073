/*
 * A wall clock that a test can move: preloaded into a server, it answers for the
 * C library's functions that read the wall clock and adds an offset. The offset,
 * in microseconds, is an 8-byte integer in the file that REDISTEST_CLOCK names.
 * The file is mapped, so writing to it moves the clock of the running server.
 *
 * Monotonic clocks stay as they are. Nothing here allocates or looks up symbols:
 * the allocator itself may ask for the time before it is ready.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { MICROS = 1000000 };

static const volatile int64_t *shift;

__attribute__((constructor)) static void map_shift(void)
{
	const char *name = getenv("REDISTEST_CLOCK");
	int fd = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *at = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		shift = at;
}

static int is_wall(clockid_t id)
{
	return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
}

int clock_gettime(clockid_t id, struct timespec *ts)
{
	int failed = syscall(SYS_clock_gettime, id, ts);
	if (failed || !shift || !is_wall(id))
		return failed;
	int64_t micros = ts->tv_sec * (int64_t)MICROS + ts->tv_nsec / 1000 + *shift;
	ts->tv_nsec = micros % MICROS * 1000 + ts->tv_nsec % 1000;
	ts->tv_sec = micros / MICROS;
	return 0;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec now;
	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &now))
		return -1;
	tv->tv_sec = now.tv_sec;
	tv->tv_usec = now.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *out)
{
	struct timespec now = {0};
	clock_gettime(CLOCK_REALTIME, &now);
	if (out)
		*out = now.tv_sec;
	return now.tv_sec;
}
