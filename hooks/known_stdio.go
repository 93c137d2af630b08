package hooks

// Formatted output is variadic, with numbers in vector registers: it is not
// called through a frame. What is written is withheld where it is data.
const knownStdio = `
## Standard I/O
int     printf(const char *format, ...) entry
int     fprintf(FILE *stream, const char *format, ...) entry
int     dprintf(fd fd, const char *format, ...) entry
int     sprintf(void *buf, const char *format, ...) entry
int     snprintf(void *buf, size_t size, const char *format, ...) entry
int     asprintf(void *result, const char *format, ...) entry
int     vprintf(const char *format, void *ap) fails < 0 errno
int     vfprintf(FILE *stream, const char *format, void *ap) fails < 0 errno
int     vdprintf(fd fd, const char *format, void *ap) fails < 0 errno
int     vsprintf(void *buf, const char *format, void *ap) fails < 0 errno
int     vsnprintf(void *buf, size_t size, const char *format, void *ap) fails < 0 errno
int     vasprintf(void *result, const char *format, void *ap) fails < 0 errno
int     __printf_chk(int flag, const char *format, ...) entry
int     __fprintf_chk(FILE *stream, int flag, const char *format, ...) entry
int     __dprintf_chk(fd fd, int flag, const char *format, ...) entry
int     __sprintf_chk(void *buf, int flag, size_t size, const char *format, ...) entry
int     __snprintf_chk(void *buf, size_t n, int flag, size_t size, const char *format, ...) entry
int     __asprintf_chk(void *result, int flag, const char *format, ...) entry
int     __vprintf_chk(int flag, const char *format, void *ap) fails < 0 errno
int     __vfprintf_chk(FILE *stream, int flag, const char *format, void *ap) fails < 0 errno
int     __vsprintf_chk(void *buf, int flag, size_t size, const char *format, void *ap) fails < 0 errno
int     __vsnprintf_chk(void *buf, size_t n, int flag, size_t size, const char *format, void *ap) fails < 0 errno
int     scanf|__isoc99_scanf(const char *format, ...) entry
int     fscanf|__isoc99_fscanf(FILE *stream, const char *format, ...) entry
int     sscanf|__isoc99_sscanf(const char *s, const char *format, ...) entry
int     vscanf|__isoc99_vscanf(const char *format, void *ap) fails -1 errno
int     vfscanf|__isoc99_vfscanf(FILE *stream, const char *format, void *ap) fails -1 errno
int     vsscanf|__isoc99_vsscanf(const char *s, const char *format, void *ap) fails -1 errno
int     puts(secret const char *s) fails -1
int     fputs|fputs_unlocked(secret const char *s, FILE *stream) fails -1
int     putchar|putchar_unlocked(int c) fails -1
int     fputc|putc|fputc_unlocked|putc_unlocked|_IO_putc(int c, FILE *stream) fails -1
int     fgetc|getc|fgetc_unlocked|getc_unlocked|_IO_getc(FILE *stream)
int     getchar|getchar_unlocked(void)
int     ungetc(int c, FILE *stream) fails -1
char   *fgets|fgets_unlocked(void *buf, int size, FILE *stream){0}
char   *__fgets_chk(void *buf, size_t buflen, int size, FILE *stream){0}
char   *gets(void *buf){0}
ssize_t getline(void *lineptr, size_t *n, FILE *stream) fails -1
ssize_t getdelim|__getdelim(void *lineptr, size_t *n, int delim, FILE *stream) fails -1
size_t  fread_unlocked(void *buf, size_t size, size_t n, FILE *stream)
size_t  fwrite_unlocked(const void *buf, size_t size, size_t n, FILE *stream)
int     getw(FILE *stream)
int     putw(int word, FILE *stream) fails -1 errno
int     fseek(FILE *stream, long offset, enum(seek) whence) fails -1 errno
int     fseeko|fseeko64(FILE *stream, off_t offset, enum(seek) whence) fails -1 errno
long    ftell(FILE *stream) fails -1 errno
off_t   ftello|ftello64(FILE *stream) fails -1 errno
void    rewind(FILE *stream)
int     fgetpos|fgetpos64(FILE *stream, void *pos) fails -1 errno
int     fsetpos|fsetpos64(FILE *stream, const void *pos) fails -1 errno
int     feof|ferror|feof_unlocked|ferror_unlocked(FILE *stream)
void    clearerr|clearerr_unlocked(FILE *stream)
fd      fileno|fileno_unlocked(FILE *stream) fails -1 errno
int     fflush_unlocked(FILE *stream) fails -1 errno
void    setbuf(FILE *stream, void *buf)
void    setbuffer(FILE *stream, void *buf, size_t size)
void    setlinebuf(FILE *stream)
int     setvbuf(FILE *stream, void *buf, enum(setvbuf) mode, size_t size) fails != 0 errno
void    flockfile|funlockfile(FILE *stream)
int     ftrylockfile(FILE *stream)
int     fwide(FILE *stream, int mode)
FILE   *fmemopen(void *buf, size_t size, const char *mode) fails null errno
FILE   *open_memstream(void *bufp, size_t *sizep) fails null errno
void    perror(const char *s)
char   *tmpnam|tmpnam_r(void *buf) fails null
char   *tempnam(const char *dir, const char *prefix) fails null errno
char   *mktemp(const char *template)
char   *ctermid(void *buf)
wint_t  fgetwc|getwc(FILE *stream)
wint_t  fputwc|putwc(wchar_t c, FILE *stream) fails -1 errno
int     fputws(const wchar_t *s, FILE *stream) fails -1 errno
wchar_t *fgetws(wchar_t *buf, int n, FILE *stream)
int     wprintf(const wchar_t *format, ...) entry
int     fwprintf(FILE *stream, const wchar_t *format, ...) entry
int     swprintf(wchar_t *buf, size_t n, const wchar_t *format, ...) entry
`
