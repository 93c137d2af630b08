package hooks

const knownStrings = `
## Strings
size_t  strlen(const char *s)
size_t  strnlen(const char *s, size_t max)
int     strcmp|strcasecmp|strcoll|strverscmp(const char *a, const char *b)
int     strncmp|strncasecmp(const char *a, const char *b, size_t n)
int     strcasecmp_l|strcoll_l(const char *a, const char *b, locale_t locale)
int     strncasecmp_l(const char *a, const char *b, size_t n, locale_t locale)
char   *strcpy|stpcpy|strcat(void *dst, const char *src){0}
char   *strncpy|stpncpy|strncat(void *dst, const char *src, size_t n){0}
size_t  strxfrm(void *dst, const char *src, size_t n)
size_t  strxfrm_l(void *dst, const char *src, size_t n, locale_t locale)
char   *strdup|__strdup(const char *s){0} fails null errno
char   *strndup|__strndup(const char *s, size_t n){0} fails null errno
char   *strchr|strrchr|strchrnul|index|rindex(const char *s, int c){0}
char   *strstr|strcasestr(const char *haystack, const char *needle){0}
char   *strpbrk(const char *s, const char *accept){0}
size_t  strspn|strcspn(const char *s, const char *set)
char   *strtok(const char *s, const char *delim){64}
char   *strtok_r(const char *s, const char *delim, void *save){64}
char   *strsep(void *stringp, const char *delim){64}
char   *strfry(void *s){0}
char   *basename|dirname(const char *path)
char   *strerror|strerrordesc_np|strerrorname_np(errno_t errnum)
char   *strerror_l(errno_t errnum, locale_t locale)
char   *strerror_r(errno_t errnum, void *buf, size_t size)
int     __xpg_strerror_r(errno_t errnum, out char *buf, size_t size) fails != 0
char   *strsignal|sigdescr_np|sigabbrev_np(enum(signal) sig)
int     atoi(const char *s)
long    atol(const char *s)
long    atoll(const char *s)
double  atof(const char *s)
long    strtol|strtoll|strtoq|strtoimax(const char *s, void *end, int base)
unsigned long strtoul|strtoull|strtouq|strtoumax(const char *s, void *end, int base)
long    strtol_l|strtoll_l(const char *s, void *end, int base, locale_t locale)
unsigned long strtoul_l|strtoull_l(const char *s, void *end, int base, locale_t locale)
double  strtod(const char *s, void *end)
float   strtof(const char *s, void *end)
double  strtod_l(const char *s, void *end, locale_t locale)
long    a64l(const char *s)
char   *l64a(long value)
int     rpmatch(const char *response)
int     getsubopt(void *option, void *tokens, void *value) fails -1
int     argz_create_sep(const char *s, int sep, out void **argz, size_t *len) fails != 0
int     abs(int value)
long    labs(long value)
long    llabs(long value)
int     ffs(int value)
int     ffsl|ffsll(long value)
int     isalnum|isalpha|isblank|iscntrl|isdigit|isgraph|islower|isprint|ispunct|isspace|isupper|isxdigit(int c)
int     toupper|tolower|toascii|isascii(int c)
`

const knownWide = `
## Wide and multibyte characters, character sets
size_t  wcslen(const wchar_t *s)
size_t  wcsnlen(const wchar_t *s, size_t max)
int     wcscmp|wcscasecmp|wcscoll(const wchar_t *a, const wchar_t *b)
int     wcsncmp|wcsncasecmp(const wchar_t *a, const wchar_t *b, size_t n)
wchar_t *wcscpy|wcscat|wcpcpy(wchar_t *dst, const wchar_t *src)
wchar_t *wcsncpy|wcsncat|wcpncpy(wchar_t *dst, const wchar_t *src, size_t n)
wchar_t *wcsdup(const wchar_t *s) fails null errno
wchar_t *wcschr|wcsrchr(const wchar_t *s, wchar_t c)
wchar_t *wcsstr(const wchar_t *haystack, const wchar_t *needle)
wchar_t *wmemcpy|wmemmove(wchar_t *dst, const wchar_t *src, size_t n)
wchar_t *wmemset(wchar_t *dst, wchar_t c, size_t n)
int     wmemcmp(const wchar_t *a, const wchar_t *b, size_t n)
long    wcstol|wcstoll(const wchar_t *s, void *end, int base)
unsigned long wcstoul|wcstoull(const wchar_t *s, void *end, int base)
int     wcwidth(wchar_t c)
int     wcswidth(const wchar_t *s, size_t n)
size_t  mbstowcs(wchar_t *dst, const char *src, size_t n) fails -1 errno
size_t  wcstombs(void *dst, const wchar_t *src, size_t n) fails -1 errno
size_t  mbrtowc(wchar_t *dst, secret const void *s[n], size_t n, void *state) fails -1 errno
size_t  wcrtomb(void *dst, wchar_t c, void *state) fails -1 errno
size_t  mbrlen(secret const void *s[n], size_t n, void *state) fails -1 errno
size_t  mbsrtowcs(wchar_t *dst, void *src, size_t n, void *state) fails -1 errno
size_t  wcsrtombs(void *dst, void *src, size_t n, void *state) fails -1 errno
int     mbtowc(wchar_t *dst, secret const void *s[n], size_t n) fails -1 errno
int     wctomb(void *dst, wchar_t c) fails -1 errno
int     mblen(secret const void *s[n], size_t n) fails -1 errno
wint_t  btowc(int c)
int     wctob(wint_t c)
wint_t  towupper|towlower(wint_t c)
iconv_t iconv_open(const char *to, const char *from) fails -1 errno
size_t  iconv(iconv_t cd, void *in, size_t *in_left, void *out_, size_t *out_left) fails -1 errno
int     iconv_close(iconv_t cd) fails -1 errno
`
