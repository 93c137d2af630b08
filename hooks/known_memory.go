package hooks

const knownMemory = `
## Memory
void   *malloc(size_t size) fails null errno
void   *calloc(size_t n, size_t size) fails null errno
void   *realloc(void *ptr, size_t size) errno
void   *reallocarray(void *ptr, size_t n, size_t size) errno
void    free|cfree(void *ptr)
void   *memalign|aligned_alloc(size_t alignment, size_t size) fails null errno
void   *valloc|pvalloc(size_t size) fails null errno
errno_t posix_memalign(out void **ptr, size_t alignment, size_t size)
size_t  malloc_usable_size(void *ptr)
int     malloc_trim(size_t pad)
void    malloc_stats(void)
int     malloc_info(int options, FILE *stream) fails -1 errno
int     mallopt(enum(mallopt) param, int value) fails 0
void   *mmap|mmap64(void *addr, size_t length, flags(prot) prot, flags(map) flags, fd fd, off_t offset) fails -1 errno
int     munmap(void *addr, size_t length) fails -1 errno
int     mprotect(void *addr, size_t length, flags(prot) prot) fails -1 errno
int     pkey_mprotect(void *addr, size_t length, flags(prot) prot, int pkey) fails -1 errno
int     pkey_alloc(unsigned flags, unsigned access_rights) fails -1 errno
int     pkey_free(int pkey) fails -1 errno
int     pkey_set(int pkey, unsigned access_rights) fails -1 errno
int     pkey_get(int pkey) fails -1 errno
int     msync(void *addr, size_t length, flags(msync) flags) fails -1 errno
int     madvise(void *addr, size_t length, enum(madvise) advice) fails -1 errno
errno_t posix_madvise(void *addr, size_t length, enum(madvise) advice)
ssize_t process_madvise(fd pidfd, const struct iovec *iov[iovcnt], size_t iovcnt, enum(madvise) advice, unsigned flags) fails -1 errno
int     mlock|munlock(const void *addr, size_t length) fails -1 errno
int     mlock2(const void *addr, size_t length, flags(mlock2) flags) fails -1 errno
int     mlockall(flags(mlockall) flags) fails -1 errno
int     munlockall(void) fails -1 errno
int     mincore(void *addr, size_t length, void *vec) fails -1 errno
void   *mremap(void *addr, size_t length, size_t new_length, flags(mremap) flags, void *new_addr, ...) fails -1 errno
int     remap_file_pages(void *addr, size_t size, int prot, size_t page, int flags) fails -1 errno
int     brk(void *addr) fails -1 errno
void   *sbrk(intptr_t increment) fails -1 errno
ssize_t process_vm_readv|process_vm_writev(pid_t pid, const struct iovec *local[local_n], unsigned long local_n, const struct iovec *remote[remote_n], unsigned long remote_n, unsigned long flags) fails -1 errno
void   *memcpy|memmove|mempcpy(void *dst, secret const void *src[n], size_t n)
void   *memccpy(void *dst, secret const void *src[n], int c, size_t n)
void   *memset(void *dst, int c, size_t n)
void    explicit_bzero|bzero(void *dst, size_t n)
void    bcopy(secret const void *src[n], void *dst, size_t n)
int     memcmp|bcmp(secret const void *a[n], secret const void *b[n], size_t n)
void   *memchr|memrchr(secret const void *s[n], int c, size_t n)
void   *rawmemchr(const void *s, int c)
void   *memmem(secret const void *haystack[haystack_len], size_t haystack_len, secret const void *needle[needle_len], size_t needle_len)
void   *memfrob(void *s, size_t n)
void    swab(const void *from, void *to, ssize_t n)
void    qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *))
void    qsort_r(void *base, size_t n, size_t size, void *compare, void *arg)
void   *bsearch(const void *key, const void *base, size_t n, size_t size, void *compare)
void   *lfind(const void *key, const void *base, size_t *n, size_t size, void *compare)
void   *lsearch(const void *key, void *base, size_t *n, size_t size, void *compare)
void   *tsearch(const void *key, void **root, void *compare) fails null
void   *tfind(const void *key, void *const *root, void *compare)
void   *tdelete(const void *key, void **root, void *compare)
void    twalk(const void *root, void *action)
int     hcreate(size_t n) fails 0 errno
void    hdestroy(void)
`
