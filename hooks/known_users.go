package hooks

const knownUsers = `
## Users and groups
uid_t   getuid|geteuid(void)
gid_t   getgid|getegid(void)
int     getresuid(out uid_t *ruid, out uid_t *euid, out uid_t *suid) fails -1 errno
int     getresgid(out gid_t *rgid, out gid_t *egid, out gid_t *sgid) fails -1 errno
int     getgroups(int size, out gid_t *groups[ret]) fails -1 errno
int     getgrouplist(const char *user, gid_t group, void *groups, int *n) fails -1
int     group_member(gid_t gid)
struct passwd *getpwnam(const char *name) fails null
struct passwd *getpwuid(uid_t uid) fails null
errno_t getpwnam_r(const char *name, void *pwd, void *buf, size_t size, out void **result)
errno_t getpwuid_r(uid_t uid, void *pwd, void *buf, size_t size, out void **result)
struct passwd *getpwent(void)
errno_t getpwent_r(void *pwd, void *buf, size_t size, out void **result)
struct passwd *fgetpwent(FILE *stream)
void    setpwent|endpwent(void)
int     putpwent(const void *pwd, FILE *stream) fails -1 errno
struct group *getgrnam(const char *name) fails null
struct group *getgrgid(gid_t gid) fails null
errno_t getgrnam_r(const char *name, void *grp, void *buf, size_t size, out void **result)
errno_t getgrgid_r(gid_t gid, void *grp, void *buf, size_t size, out void **result)
struct group *getgrent(void)
errno_t getgrent_r(void *grp, void *buf, size_t size, out void **result)
struct group *fgetgrent(FILE *stream)
void    setgrent|endgrent(void)
struct spwd *getspnam(const char *name) fails null
errno_t getspnam_r(const char *name, void *spwd, void *buf, size_t size, out void **result)
struct spwd *getspent(void)
void    setspent|endspent(void)
int     lckpwdf|ulckpwdf(void) fails -1
char   *getlogin(void) fails null errno
errno_t getlogin_r(out char *name, size_t size)
char   *cuserid(void *buf)
int     innetgr(const char *netgroup, const char *host, const char *user, const char *domain)
int     setnetgrent(const char *netgroup)
void    endnetgrent(void)
char   *crypt(secret const char *key, secret const char *salt){0} fails null errno
char   *crypt_r(secret const char *key, secret const char *salt, void *data){0} fails null errno
char   *getpass(const char *prompt){0} fails null
struct utmpx *getutxent|getutent(void) fails null errno
struct utmpx *getutxid|getutxline|getutid|getutline(const void *entry) fails null errno
struct utmpx *pututxline|pututline(const void *entry) fails null errno
void    setutxent|endutxent|setutent|endutent(void)
int     utmpname|utmpxname(const char *file) fails -1
void    updwtmp|updwtmpx(const char *file, const void *entry)
`

const knownEnv = `
## Environment, locale, messages
char   *getenv|secure_getenv|__secure_getenv(const char *name){0}
int     setenv(const char *name, secret const char *value, int overwrite) fails -1 errno
int     unsetenv(const char *name) fails -1 errno
int     putenv(secret const char *assignment) fails != 0 errno
int     clearenv(void) fails != 0
char   *setlocale(enum(locale) category, const char *locale) fails null
locale_t newlocale(int mask, const char *locale, locale_t base) fails null errno
locale_t uselocale(locale_t locale) fails null errno
locale_t duplocale(locale_t locale) fails null errno
void    freelocale(locale_t locale)
struct lconv *localeconv(void)
char   *nl_langinfo(int item)
char   *nl_langinfo_l(int item, locale_t locale)
char   *gettext(const char *id)
char   *dgettext(const char *domain, const char *id)
char   *dcgettext(const char *domain, const char *id, enum(locale) category)
char   *ngettext(const char *id, const char *plural, unsigned long n)
char   *dngettext(const char *domain, const char *id, const char *plural, unsigned long n)
char   *dcngettext(const char *domain, const char *id, const char *plural, unsigned long n, enum(locale) category)
char   *textdomain(const char *domain) fails null errno
char   *bindtextdomain(const char *domain, const char *dir)
char   *bind_textdomain_codeset(const char *domain, const char *codeset)
void   *catopen(const char *name, int flag) fails -1 errno
char   *catgets(void *catalog, int set, int number, const char *s)
int     catclose(void *catalog) fails -1 errno
int     getopt(int argc, char *const argv[], const char *options) fails -1
int     getopt_long|getopt_long_only(int argc, char *const argv[], const char *options, const void *long_options, out int *index) fails -1
int     on_exit(void *fn, void *arg) fails != 0
int     __cxa_atexit(void *fn, void *arg, void *dso) fails != 0
void    __cxa_finalize(void *dso)
`
