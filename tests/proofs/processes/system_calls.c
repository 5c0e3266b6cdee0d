/* System calls that fail, or end the process: preloaded (LD_PRELOAD) before the C library.
 *
 * Calls on files below one folder are counted from `arm` on; at the n-th of those that `calls` names,
 * something goes wrong. Which call that was, and how many there were, can be asked for afterwards.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, FSYNC = 4, RENAME = 8, CLOSE = 16, TRUNCATE = 32, MKDIR = 64, UNLINK = 128, CREATE = 256 };
enum { NOTHING, FAIL_ONCE, FAIL_FROM_HERE, SHORT_WRITE, DIE_BEFORE, DIE_AFTER, DIE_HALF_WRITTEN };

#define DESCRIPTORS 4096
#define LONGEST 1024

static char folder[LONGEST];
static size_t folder_length;
static int calls, what, number;
static long place;
static atomic_long seen;
static char names[DESCRIPTORS][LONGEST]; /* of watched files that are open */
static char hit[LONGEST + 32];

void arm(const char *path, int which, long nth, int action, int error)
{
    snprintf(folder, sizeof folder, "%s", path);
    folder_length = strlen(folder);
    calls = which, what = action, number = error, place = nth;
    hit[0] = 0;
    atomic_store(&seen, 0);
}

static double step;
static atomic_long looks;

/* From now on the clock stands still and is set back by so many seconds each time that it is read. */
void set_back(double seconds) { step = seconds; }

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, now);
    if (step && clock == CLOCK_REALTIME)
        now->tv_sec -= (time_t)(step * (double)(atomic_fetch_add(&looks, 1) + 1));
    return result;
}

long counted(void) { return atomic_load(&seen); }
const char *struck(void) { return hit; }

static void end_here(void) { kill(getpid(), SIGKILL), pause(); }

/* The absolute path of a name, if it is watched; folders must be told by absolute paths or the current one. */
static int watched(int at, const char *name, char *path)
{
    if (!folder_length || !name)
        return 0;
    if (name[0] == '/')
        snprintf(path, LONGEST, "%s", name);
    else if (at != AT_FDCWD && at >= 0 && at < DESCRIPTORS && names[at][0])
        snprintf(path, LONGEST, "%.500s/%.500s", names[at], name);
    else if (at == AT_FDCWD) {
        char here[LONGEST];
        if (!getcwd(here, sizeof here))
            return 0;
        snprintf(path, LONGEST, "%.500s/%.500s", here, name);
    } else
        return 0;
    return !strncmp(path, folder, folder_length);
}

/* What is to happen at this call. */
static int due(int kind, const char *call, const char *path)
{
    if (!(calls & kind))
        return NOTHING;
    long n = atomic_fetch_add(&seen, 1) + 1;
    if (n != place && !(what == FAIL_FROM_HERE && place && n > place))
        return NOTHING;
    if (n == place)
        snprintf(hit, sizeof hit, "%s %s", call, path);
    if (what == DIE_BEFORE)
        end_here();
    return what;
}

static int fails(int action) { return action == FAIL_ONCE || action == FAIL_FROM_HERE; }

#define REAL(type, name, ...)                                \
    static type (*real)(__VA_ARGS__);                        \
    if (!real)                                               \
        real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

#define AROUND(kind, call, path, value)                      \
    int action = due(kind, call, path);                      \
    if (fails(action))                                       \
        return errno = number, -1;                           \
    int result = (value);                                    \
    if (action == DIE_AFTER)                                 \
        end_here();

static int opened(int descriptor, const char *path)
{
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        snprintf(names[descriptor], LONGEST, "%s", path);
    return descriptor;
}

#define OPENING(name)                                                          \
    int name(const char *file, int flags, ...)                                 \
    {                                                                          \
        REAL(int, name, const char *, int, ...);                               \
        va_list more;                                                          \
        va_start(more, flags);                                                 \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, int) : 0;      \
        va_end(more);                                                          \
        char path[LONGEST];                                                    \
        if (!watched(AT_FDCWD, file, path))                                    \
            return real(file, flags, mode);                                    \
        AROUND(OPEN | (flags & O_CREAT ? CREATE : 0), "open", path, real(file, flags, mode)) \
        return opened(result, path);                                           \
    }
OPENING(open)
OPENING(open64)

#define OPENING_AT(name)                                                       \
    int name(int at, const char *file, int flags, ...)                         \
    {                                                                          \
        REAL(int, name, int, const char *, int, ...);                          \
        va_list more;                                                          \
        va_start(more, flags);                                                 \
        int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, int) : 0;      \
        va_end(more);                                                          \
        char path[LONGEST];                                                    \
        if (!watched(at, file, path))                                          \
            return real(at, file, flags, mode);                                \
        AROUND(OPEN | (flags & O_CREAT ? CREATE : 0), "open", path, real(at, file, flags, mode)) \
        return opened(result, path);                                           \
    }
OPENING_AT(openat)
OPENING_AT(openat64)

static int is_open(int descriptor)
{
    return descriptor >= 0 && descriptor < DESCRIPTORS && names[descriptor][0];
}

ssize_t write(int descriptor, const void *content, size_t size)
{
    REAL(ssize_t, write, int, const void *, size_t);
    if (!is_open(descriptor))
        return real(descriptor, content, size);
    int action = due(WRITE, "write", names[descriptor]);
    if (fails(action))
        return errno = number, -1;
    if ((action == SHORT_WRITE || action == DIE_HALF_WRITTEN) && size > 1)
        size /= 2;
    ssize_t result = real(descriptor, content, size);
    if (action == DIE_AFTER || action == DIE_HALF_WRITTEN)
        end_here();
    return result;
}

#define ON_DESCRIPTOR(kind, name, arguments, types, values)                    \
    int name arguments                                                         \
    {                                                                          \
        REAL(int, name, types);                                                \
        if (!is_open(descriptor))                                              \
            return real values;                                                \
        AROUND(kind, #name, names[descriptor], real values)                    \
        return result;                                                         \
    }
#define TYPES(...) __VA_ARGS__
ON_DESCRIPTOR(FSYNC, fsync, (int descriptor), TYPES(int), (descriptor))
ON_DESCRIPTOR(FSYNC, fdatasync, (int descriptor), TYPES(int), (descriptor))
ON_DESCRIPTOR(TRUNCATE, ftruncate, (int descriptor, off_t size), TYPES(int, off_t), (descriptor, size))
ON_DESCRIPTOR(TRUNCATE, ftruncate64, (int descriptor, off64_t size), TYPES(int, off64_t), (descriptor, size))

int close(int descriptor)
{
    REAL(int, close, int);
    if (!is_open(descriptor))
        return real(descriptor);
    char path[LONGEST];
    snprintf(path, sizeof path, "%s", names[descriptor]);
    names[descriptor][0] = 0;
    int action = due(CLOSE, "close", path);
    int result = real(descriptor); /* it is closed whatever it says, as Linux does */
    if (action == DIE_AFTER)
        end_here();
    if (fails(action))
        return errno = number, -1;
    return result;
}

#define ON_PATH(kind, call, name, at, arguments, types, values)                \
    int name arguments                                                         \
    {                                                                          \
        REAL(int, name, types);                                                \
        char path[LONGEST];                                                    \
        if (!watched(at, file, path))                                          \
            return real values;                                                \
        AROUND(kind, call, path, real values)                                  \
        return result;                                                         \
    }
ON_PATH(MKDIR, "mkdir", mkdir, AT_FDCWD, (const char *file, mode_t mode), TYPES(const char *, mode_t), (file, mode))
ON_PATH(MKDIR, "mkdir", mkdirat, at, (int at, const char *file, mode_t mode), TYPES(int, const char *, mode_t), (at, file, mode))
ON_PATH(UNLINK, "unlink", unlink, AT_FDCWD, (const char *file), TYPES(const char *), (file))
ON_PATH(UNLINK, "unlink", unlinkat, at, (int at, const char *file, int flags), TYPES(int, const char *, int), (at, file, flags))
ON_PATH(RENAME, "rename", rename, AT_FDCWD, (const char *from, const char *file), TYPES(const char *, const char *), (from, file))
ON_PATH(RENAME, "rename", renameat, at, (int from_at, const char *from, int at, const char *file),
        TYPES(int, const char *, int, const char *), (from_at, from, at, file))
