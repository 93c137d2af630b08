package hooks

const knownNet = `
## Addresses and names
int     inet_pton(enum(af) family, const char *s, void *addr) fails -1 errno
char   *inet_ntop(enum(af) family, const void *addr, void *buf, socklen_t size) fails null errno
int     inet_aton(const char *s, void *addr)
uint32_t inet_addr|inet_network(const char *s)
char   *inet_ntoa(uint32_t addr)
uint32_t htonl|ntohl(uint32_t value)
uint16_t htons|ntohs(uint16_t value)
char   *if_indextoname(unsigned index, void *name) fails null errno
void   *if_nameindex(void) fails null errno
void    if_freenameindex(void *list)
int     getifaddrs(out void **list) fails -1 errno
void    freeifaddrs(void *list)
char   *gai_strerror(enum(eai) code)
enum(eai) gai_error(void *request)
int     gai_cancel(void *request)
enum(eai) gai_suspend(const void *list, int n, const struct timespec *timeout)
char   *hstrerror(int code)
void    herror(const char *s)
void    sethostent|setservent|setprotoent|setnetent(int stay_open)
void    endhostent|endservent|endprotoent|endnetent(void)
struct hostent *gethostent(void)
struct servent *getservent(void)
struct protoent *getprotoent(void)
struct netent *getnetent(void)
struct netent *getnetbyname(const char *name)
struct protoent *getprotobynumber(int number)
errno_t getservbyname_r(const char *name, const char *proto, void *ret, void *buf, size_t buflen, out void **result)
errno_t getservbyport_r(int port, const char *proto, void *ret, void *buf, size_t buflen, out void **result)
errno_t getprotobyname_r(const char *name, void *ret, void *buf, size_t buflen, out void **result)
errno_t getprotobynumber_r(int number, void *ret, void *buf, size_t buflen, out void **result)
struct ether_addr *ether_aton(const char *s)
char   *ether_ntoa(const void *addr)
int     ether_hostton(const char *host, void *addr) fails != 0
int     bindresvport(fd fd, struct sockaddr_in *addr) fails -1 errno
## Resolver
int     __res_init(void) fails -1
int     res_querydomain|__res_querydomain(const char *name, const char *domain, enum(nsclass) class, enum(nstype) type, void *answer, int len) fails -1
int     res_mkquery|__res_mkquery(int op, const char *name, enum(nsclass) class, enum(nstype) type, const void *data, int datalen, const void *newrr, void *buf, int buflen) fails -1
int     res_send|__res_send(const void *query, int len, void *answer, int size) fails -1
int     __res_ninit(void *state) fails -1
void    __res_nclose(void *state)
int     res_nquery|__res_nquery(void *state, const char *name, enum(nsclass) class, enum(nstype) type, void *answer, int len) fails -1
int     res_nsearch|__res_nsearch(void *state, const char *name, enum(nsclass) class, enum(nstype) type, void *answer, int len) fails -1
int     res_nsend|__res_nsend(void *state, const void *query, int len, void *answer, int size) fails -1
int     dn_expand|__dn_expand(const void *msg, const void *end, const void *src, out char *name, int size) fails -1
int     dn_comp|__dn_comp(const char *name, void *buf, int size, void *ptrs, void *last) fails -1
int     dn_skipname|__dn_skipname(const void *src, const void *end) fails -1
int     ns_initparse(const void *msg, int len, void *handle) fails -1 errno
int     ns_parserr(void *handle, int section, int index, void *record) fails -1 errno
`
