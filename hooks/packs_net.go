package hooks

// netPack covers sockets and name resolution. What is sent and received is
// withheld: only its size is shown.
const netPack = `
fd      socket(enum(af) family, flags(sock) type, int protocol) fails -1 errno
int     socketpair(enum(af) family, flags(sock) type, int protocol, out struct fdpair *fds) fails -1 errno
int     connect(fd fd, const struct sockaddr *addr[len], socklen_t len) fails -1 errno
int     bind(fd fd, const struct sockaddr *addr[len], socklen_t len) fails -1 errno
int     listen(fd fd, int backlog) fails -1 errno
fd      accept(fd fd, out struct sockaddr *addr[*len], socklen_t *len) fails -1 errno
fd      accept4(fd fd, out struct sockaddr *addr[*len], socklen_t *len, flags(sock) flags) fails -1 errno
int     getsockname|getpeername(fd fd, out struct sockaddr *addr[*len], socklen_t *len) fails -1 errno
ssize_t send(fd fd, secret const void *buf[count], size_t count, flags(msg) flags) fails -1 errno
ssize_t sendto(fd fd, secret const void *buf[count], size_t count, flags(msg) flags, const struct sockaddr *addr[len], socklen_t len) fails -1 errno
ssize_t sendmsg(fd fd, struct msghdr *msg, flags(msg) flags) fails -1 errno
int     sendmmsg(fd fd, struct mmsghdr *msgs, unsigned count, flags(msg) flags) fails -1 errno
ssize_t recv(fd fd, out secret void *buf[ret], size_t count, flags(msg) flags) fails -1 errno
ssize_t __recv_chk(fd fd, out secret void *buf[ret], size_t count, size_t buflen, flags(msg) flags) fails -1 errno
ssize_t recvfrom(fd fd, out secret void *buf[ret], size_t count, flags(msg) flags, out struct sockaddr *addr[*len], socklen_t *len) fails -1 errno
ssize_t __recvfrom_chk(fd fd, out secret void *buf[ret], size_t count, size_t buflen, flags(msg) flags, out struct sockaddr *addr[*len], socklen_t *len) fails -1 errno
ssize_t recvmsg(fd fd, out struct msghdr *msg, flags(msg) flags) fails -1 errno
int     recvmmsg(fd fd, out struct mmsghdr *msgs, unsigned count, flags(msg) flags, struct timespec *timeout) fails -1 errno
int     shutdown(fd fd, enum(shut) how) fails -1 errno
int     setsockopt(fd fd, enum(sol) level, enum(sockopt) option, secret const void *value[len], socklen_t len) fails -1 errno
int     getsockopt(fd fd, enum(sol) level, enum(sockopt) option, secret void *value, socklen_t *len) fails -1 errno
int     sockatmark(fd fd) fails -1 errno
int     isfdtype(fd fd, int type) fails -1 errno
enum(eai) getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, out void **result) fails != 0
void    freeaddrinfo(void *list)
enum(eai) getnameinfo(const struct sockaddr *addr[len], socklen_t len, out char *host, socklen_t hostlen, out char *service, socklen_t servicelen, flags(ni) flags) fails != 0
struct hostent *gethostbyname(const char *name) fails null
struct hostent *gethostbyname2(const char *name, enum(af) family) fails null
struct hostent *gethostbyaddr(const void *addr, socklen_t len, enum(af) family) fails null
errno_t gethostbyname_r(const char *name, void *ret, void *buf, size_t buflen, out void **result, out int *h_errnop)
errno_t gethostbyname2_r(const char *name, enum(af) family, void *ret, void *buf, size_t buflen, out void **result, out int *h_errnop)
errno_t gethostbyaddr_r(const void *addr, socklen_t len, enum(af) family, void *ret, void *buf, size_t buflen, out void **result, out int *h_errnop)
struct servent *getservbyname(const char *name, const char *proto) fails null
struct servent *getservbyport(int port, const char *proto) fails null
struct protoent *getprotobyname(const char *name) fails null
int     getaddrinfo_a(int mode, void *list, int n, void *sevp) fails != 0
unsigned if_nametoindex(const char *name) fails 0 errno
int     gethostname(out char *name, size_t len) fails -1 errno
int     getdomainname(out char *name, size_t len) fails -1 errno
int     sethostname(const char *name[len]{64}, size_t len) fails -1 errno
int     res_query|__res_query(const char *name, int class, int type, void *answer, int len) fails -1
int     res_search|__res_search(const char *name, int class, int type, void *answer, int len) fails -1
`
