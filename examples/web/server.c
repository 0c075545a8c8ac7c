// A small HTTP server without a C library, for amd64 and arm64 Linux.
//
//   GET /      the page /srv/www/index.html
//   GET /id    the user and group that the server runs as
//   GET /zone  whether the image's time zones and certificates can be opened,
//              and the first line of /etc/os-release
//
// It listens on port 8080 and serves one connection at a time. A client that is
// silent for five seconds is dropped. SIGTERM and SIGINT end it, also when it is
// process 1 of a container, where a signal without a handler is ignored.

typedef unsigned long size;

#if defined(__x86_64__)
enum { READ = 0, CLOSE = 3, RT_SIGACTION = 13, SENDTO = 44, SOCKET = 41, BIND = 49, LISTEN = 50,
       SETSOCKOPT = 54, GETUID = 102, GETGID = 104, EXIT_GROUP = 231, OPENAT = 257, ACCEPT4 = 288 };

static long call(long n, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
enum { OPENAT = 56, CLOSE = 57, READ = 63, EXIT_GROUP = 94, RT_SIGACTION = 134, GETUID = 174,
       GETGID = 176, SOCKET = 198, BIND = 200, LISTEN = 201, SENDTO = 206, SETSOCKOPT = 208,
       ACCEPT4 = 242 };

static long call(long n, long a, long b, long c, long d, long e, long f) {
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "only amd64 and arm64"
#endif

enum { EINTR = 4, AT_FDCWD = -100, O_CLOEXEC = 02000000, SOCK_CLOEXEC = 02000000, AF_INET = 2,
       SOCK_STREAM = 1, SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_RCVTIMEO = 20, SO_SNDTIMEO = 21,
       MSG_NOSIGNAL = 0x4000, SIGINT = 2, SIGTERM = 15, SA_RESTORER = 0x04000000 };

struct address { unsigned short family, port; unsigned host; char zero[8]; };
struct time { long seconds, microseconds; };
struct action { void (*handler)(int); unsigned long flags; void (*restorer)(void); unsigned long mask; };
struct text { char bytes[32768]; size length; };

static struct text request, body, head;

static void exit_with(int status) {
    for (;;) call(EXIT_GROUP, status, 0, 0, 0, 0, 0);
}

static void on_signal(int signal) {
    (void)signal;
    exit_with(0);
}

static size length_of(const char *s) {
    size n = 0;
    while (s[n]) n++;
    return n;
}

static void add(struct text *t, const char *s) {
    for (; *s && t->length < sizeof t->bytes; s++) t->bytes[t->length++] = *s;
}

static void add_number(struct text *t, unsigned long n) {
    char digits[24];
    size at = sizeof digits;
    digits[--at] = 0;
    do digits[--at] = (char)('0' + n % 10); while (n /= 10);
    add(t, digits + at);
}

// Appends what can be read of the file, up to `stop` or its end. 0 if it can't be opened.
static int add_file(struct text *t, const char *path, int stop) {
    long fd = call(OPENAT, AT_FDCWD, (long)path, O_CLOEXEC, 0, 0, 0);
    if (fd < 0) return 0;
    size begin = t->length;
    while (t->length < sizeof t->bytes) {
        long n = call(READ, fd, (long)(t->bytes + t->length), (long)(sizeof t->bytes - t->length), 0, 0, 0);
        if (n == -EINTR) continue;
        if (n <= 0) break;
        t->length += (size)n;
    }
    call(CLOSE, fd, 0, 0, 0, 0, 0);
    for (size i = begin; i < t->length; i++)
        if (t->bytes[i] == stop) t->length = i;
    return 1;
}

static int can_open(const char *path) {
    long fd = call(OPENAT, AT_FDCWD, (long)path, O_CLOEXEC, 0, 0, 0);
    if (fd < 0) return 0;
    call(CLOSE, fd, 0, 0, 0, 0, 0);
    return 1;
}

// Reads up to the empty line that ends the head of a request. 0 if there is none.
static int receive(long fd) {
    request.length = 0;
    while (request.length < sizeof request.bytes) {
        long n = call(READ, fd, (long)(request.bytes + request.length),
                      (long)(sizeof request.bytes - request.length), 0, 0, 0);
        if (n == -EINTR) continue;
        if (n <= 0) return 0;
        request.length += (size)n;
        for (size i = 3; i < request.length; i++)
            if (request.bytes[i - 3] == '\r' && request.bytes[i - 2] == '\n' &&
                request.bytes[i - 1] == '\r' && request.bytes[i] == '\n')
                return 1;
    }
    return 0;
}

static int asks_for(const char *line) {
    size n = length_of(line);
    if (request.length < n) return 0;
    for (size i = 0; i < n; i++)
        if (request.bytes[i] != line[i]) return 0;
    return 1;
}

static void send_all(long fd, const struct text *t) {
    size sent = 0;
    while (sent < t->length) {
        long n = call(SENDTO, fd, (long)(t->bytes + sent), (long)(t->length - sent), MSG_NOSIGNAL, 0, 0);
        if (n == -EINTR) continue;
        if (n <= 0) return;
        sent += (size)n;
    }
}

static void answer(long fd) {
    const char *status = "200 OK", *type = "text/plain";
    body.length = head.length = 0;
    if (asks_for("GET / ")) {
        type = "text/html";
        if (!add_file(&body, "/srv/www/index.html", -1)) {
            status = "404 Not Found";
            add(&body, "no page\n");
        }
    } else if (asks_for("GET /id ")) {
        add(&body, "uid=");
        add_number(&body, (unsigned long)call(GETUID, 0, 0, 0, 0, 0, 0));
        add(&body, " gid=");
        add_number(&body, (unsigned long)call(GETGID, 0, 0, 0, 0, 0, 0));
        add(&body, "\n");
    } else if (asks_for("GET /zone ")) {
        add(&body, can_open("/usr/share/zoneinfo/UTC") ? "zones: yes\n" : "zones: no\n");
        add(&body, can_open("/usr/share/ca-certificates/mozilla") ? "certificates: yes\n" : "certificates: no\n");
        add_file(&body, "/etc/os-release", '\n');
        add(&body, "\n");
    } else {
        status = "404 Not Found";
        add(&body, "not here\n");
    }
    add(&head, "HTTP/1.1 ");
    add(&head, status);
    add(&head, "\r\nContent-Type: ");
    add(&head, type);
    add(&head, "; charset=utf-8\r\nContent-Length: ");
    add_number(&head, body.length);
    add(&head, "\r\nConnection: close\r\n\r\n");
    send_all(fd, &head);
    send_all(fd, &body);
}

static void serve(void) {
    struct action stop = {on_signal, SA_RESTORER, (void (*)(void))on_signal, 0};
    call(RT_SIGACTION, SIGTERM, (long)&stop, 0, 8, 0, 0);
    call(RT_SIGACTION, SIGINT, (long)&stop, 0, 8, 0, 0);

    int one = 1;
    struct time patience = {5, 0};
    struct address any = {AF_INET, __builtin_bswap16(8080), 0, {0}};
    long listener = call(SOCKET, AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0, 0, 0, 0);
    call(SETSOCKOPT, listener, SOL_SOCKET, SO_REUSEADDR, (long)&one, sizeof one, 0);
    if (call(BIND, listener, (long)&any, sizeof any, 0, 0, 0) < 0) exit_with(1);
    if (call(LISTEN, listener, 16, 0, 0, 0, 0) < 0) exit_with(1);

    for (;;) {
        long fd = call(ACCEPT4, listener, 0, 0, SOCK_CLOEXEC, 0, 0);
        if (fd < 0) continue;
        call(SETSOCKOPT, fd, SOL_SOCKET, SO_RCVTIMEO, (long)&patience, sizeof patience, 0);
        call(SETSOCKOPT, fd, SOL_SOCKET, SO_SNDTIMEO, (long)&patience, sizeof patience, 0);
        if (receive(fd)) answer(fd);
        call(CLOSE, fd, 0, 0, 0, 0, 0);
    }
}

#if defined(__x86_64__)
__attribute__((force_align_arg_pointer))
#endif
void _start(void) {
    serve();
}
